"""Arrow tables into ClickHouse and out of it, by the statements of the folder sql/."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from exporters.clickhouse.connection import Connection, HexIds, statement

__all__ = ["HexIds", "change", "command", "insert", "query", "query_parts", "text"]


def text(name: str, parts: Mapping[str, str] | None = None) -> str:
    """Return a statement in which `parts` replace comments; no part comes from outside."""
    sql = statement(name)
    for comment, part in (parts or {}).items():
        sql = sql.replace(comment, part)
    return sql


def insert(connection: Connection, name: str, arriving: pa.Table, parameters: Mapping[str, Any]) -> None:
    """Run an INSERT whose text names the columns as ``/*columns*/`` and ends with its settings."""
    connection.insert(text(name, {"/*columns*/": ", ".join(arriving.column_names)}), arriving, parameters)


def query(
    connection: Connection,
    name: str,
    parameters: Mapping[str, Any],
    parts: Mapping[str, str] | None = None,
    asked: pa.Table | None = None,
) -> pa.Table:
    """Run a query and return its columns. `asked` is the table that stands as ``/*asked*/`` in its text: ids, any texts."""
    return connection.query(text(name, parts), parameters, asked)


def query_parts(connection: Connection, name: str, parameters: Mapping[str, Any]) -> pa.Table:
    """Run a query about the parts of tables: see `Connection.query_parts`."""
    return connection.query_parts(text(name), parameters)


def command(connection: Connection, name: str, parameters: Mapping[str, Any]) -> None:
    """Run a statement that returns nothing, and changes no rows where they lie."""
    connection.command(text(name), parameters)


def change(
    connection: Connection, name: str, parameters: Mapping[str, Any], parts: Mapping[str, str] | None = None
) -> None:
    """Run a statement that changes rows, tables or parts where they lie: see `Connection.change`."""
    connection.change(text(name, parts), parameters)
