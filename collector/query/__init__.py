"""The read API: stored rows in, documented JSON out, over HTTP.

`app` puts the service together, `reader` says what is asked of the store, and every documented API has one view module
(`pandaprobe`, `artanis`) that turns rows into its shape; `native` is our own API. Nothing here knows SQL.
"""
