"""Our own API, at the root: what no documented API has a way in for."""
