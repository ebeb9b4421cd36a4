"""A cluster: tables under their names are Distributed, and lie on every shard under ``NAME_local``, by trace.

What is read and inserted goes through the Distributed tables, on any server. What changes rows where they lie (UPDATE,
DELETE, ALTER) goes to one server of each shard, with the names of the local tables: subqueries in it see that shard alone,
which holds all of a trace.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from clickhouse_connect.driver.client import Client

from exporters.clickhouse.cluster_schema import LOCAL, ClusterSchema, local
from exporters.clickhouse.connection import Connection
from exporters.clickhouse.server import ServerConnection

# By default a subquery over another Distributed table is refused; global: its answer is sent to every shard.
SETTINGS: Mapping[str, object] = {
    "distributed_product_mode": "global",
    "prefer_global_in_and_join": 1,
    "distributed_foreground_insert": 1,
    "parallel_distributed_insert_select": 0,  # else a shard is sent statements with the names of its local tables
}


class ClusterConnection(ServerConnection):
    """Talks to one server of the cluster, and beside it to one server of each shard."""

    def __init__(
        self, client: Client, compression: str, shards: Sequence[Sequence[Client]], schema: ClusterSchema
    ) -> None:
        """`shards` are the servers of each shard."""
        super().__init__(client, compression)
        self._servers = [[ServerConnection(server, compression) for server in servers] for servers in shards]
        self._shards = [servers[0] for servers in self._servers]
        self._schema = schema

    def servers(self) -> Sequence[Connection]:
        """Return a connection to each server: see `Connection.servers`."""
        return [server for servers in self._servers for server in servers]

    def schema(self, sql: str) -> Iterable[str]:
        """Return what makes the same of a cluster: see `Connection.schema`."""
        return self._schema.statements(sql)

    def change(self, sql: str, parameters: Mapping[str, Any] | None = None) -> None:
        """Run a statement on every shard: see `Connection.change`."""
        for shard in self._shards:
            shard.command(local(sql), parameters)

    def query_parts(self, sql: str, parameters: Mapping[str, Any] | None = None) -> pa.Table:
        """Ask every shard: see `Connection.query_parts`."""
        named = dict(parameters or {})
        if "table" in named:
            named["table"] = f"{named['table']}{LOCAL}"
        if "tables" in named:
            named["tables"] = [f"{name}{LOCAL}" for name in named["tables"]]
        found = pa.concat_tables([shard.query(local(sql), named) for shard in self._shards])
        if "table" not in found.column_names:
            return found
        names = pc.replace_substring_regex(found["table"].cast(pa.string()), f"{LOCAL}$", "")
        return found.set_column(found.schema.get_field_index("table"), "table", names)

    def insert_everywhere(self, sql: str, rows: pa.Table, parameters: Mapping[str, Any] | None = None) -> None:
        """Insert the same rows on every shard: see `Connection.insert_everywhere`."""
        for shard in self._shards:
            shard.insert(sql, rows, parameters)

    def close(self) -> None:
        """Close all connections."""
        for server in self.servers():
            server.close()
        super().close()
