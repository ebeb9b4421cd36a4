"""The gRPC read API: the messages of ``proto/spanledger/v1/traces.proto``, filled from stored rows.

`service` answers the calls, `requests` reads what is asked, `view` and `values` turn rows into messages without I/O.
``traces_pb2`` is made by ``make proto``.
"""
