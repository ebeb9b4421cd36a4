"""ClickHouse's HTTP interface, read-only: what its clients, Grafana and curl speak."""
