"""A connection to a store: what the statements of the folder sql/ are run through, wherever ClickHouse runs.

`exporters.clickhouse.embedded`, `server` and `cluster` are its three kinds; everybody else sees no difference.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from importlib import resources
from typing import Any

import pyarrow as pa
from clickhouse_connect.driver.client import Client

ASKED = "/*asked*/"
"""In the text of a query: the table of ids that `Connection.query` is given."""


def statement(name: str) -> str:
    """Return the SQL of one file of the folder sql/."""
    return (resources.files("exporters.clickhouse") / "sql" / name).read_text(encoding="utf-8")


class HexIds:
    """Ids (hex digits, and such signs as need no escape) as the literal of an Array(String) parameter.

    The client escapes strings character by character, which for the thousands of ids of a batch takes longer than the
    query; it takes any other object as its text.
    """

    def __init__(self, ids: Iterable[str]) -> None:
        self._ids = ids

    def __str__(self) -> str:
        return "[" + ",".join(f"'{one}'" for one in self._ids) + "]"


class Connection:
    """One connection, used by one thread at a time. Every method raises what clickhouse-connect raises."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def command(self, sql: str, parameters: Mapping[str, Any] | None = None) -> None:
        """Run a statement that returns nothing."""
        self.client.command(sql, parameters=dict(parameters or {}))

    def servers(self) -> Sequence[Connection]:
        """Return a connection to each server that has tables of its own: of a cluster, to all that answered."""
        return [self]

    def schema(self, sql: str) -> Iterable[str]:
        """Return what is to be run on each of `servers` to apply one statement of the schema."""
        return [sql]

    def change(self, sql: str, parameters: Mapping[str, Any] | None = None) -> None:
        """Run a statement that changes rows, tables or parts where they lie: on every shard of a cluster."""
        self.command(sql, parameters)

    def insert(self, sql: str, rows: pa.Table, parameters: Mapping[str, Any] | None = None) -> None:
        """Run an INSERT that ends with its settings, for these rows, in which columns have the names of its table."""
        raise NotImplementedError

    def insert_everywhere(self, sql: str, rows: pa.Table, parameters: Mapping[str, Any] | None = None) -> None:
        """Insert the same rows into a table that is no part of the schema: on every shard of a cluster."""
        self.insert(sql, rows, parameters)

    def query(self, sql: str, parameters: Mapping[str, Any] | None = None, asked: pa.Table | None = None) -> pa.Table:
        """Run a query and return its columns; `asked` is the table that stands as `ASKED` in its text."""
        raise NotImplementedError

    def query_parts(self, sql: str, parameters: Mapping[str, Any] | None = None) -> pa.Table:
        """Run a query about the parts of tables: on every shard of a cluster.

        Parameters named `table` and `tables`, and a column `table` of the answer, are names of tables.
        """
        return self.query(sql, parameters)

    def rows(self, sql: str, parameters: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """Run a query and return its rows; times are integers in the unit of their column."""
        found = self.client.query(sql, parameters=dict(parameters or {}), query_formats=_TIMES_AS_INTEGERS)
        return list(found.named_results())

    def close(self) -> None:
        """Close it."""
        self.client.close()


# Otherwise they become datetimes, which have no nanoseconds.
_TIMES_AS_INTEGERS = {"DateTime64*": "int"}
