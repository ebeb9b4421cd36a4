"""Arrow tables into ClickHouse and out of it, by the statements of the folder sql/."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa
from clickhouse_connect.driver.client import Client

from exporters.clickhouse.client import statement


class HexIds:
    """Ids (hex digits, and such signs as need no escape) as the literal of an Array(String) parameter.

    The client escapes strings character by character, which for the thousands of ids of a batch takes longer than the
    query; it takes any other object as its text.
    """

    def __init__(self, ids: Iterable[str]) -> None:
        self._ids = ids

    def __str__(self) -> str:
        return "[" + ",".join(f"'{one}'" for one in self._ids) + "]"


def insert(client: Client, name: str, arriving: pa.Table, parameters: Mapping[str, Any]) -> None:
    """Run an INSERT whose text names the columns as ``/*columns*/`` and reads them from ``Python(arriving)``."""
    # `arriving` is read by the engine, through its name in the statement.
    columns = ", ".join(arriving.column_names)
    client.command(statement(name).replace("/*columns*/", columns), parameters=dict(parameters))


def query(
    client: Client,
    name: str,
    parameters: Mapping[str, Any],
    parts: Mapping[str, str] | None = None,
    asked: pa.Table | None = None,
) -> pa.Table:
    """Run a query and return its columns. `parts` replace comments in its text; no part comes from outside.

    `asked` is what the text reads from ``Python(asked)``: ids, however many, and whatever texts they are.
    """
    sql = statement(name)
    for comment, part in (parts or {}).items():
        sql = sql.replace(comment, part)
    # Not `query_arrow`, which sets its settings with a statement each before the query, and back after it.
    answer = client.raw_query(sql, parameters=dict(parameters), fmt="Arrow")
    return pa.ipc.open_file(answer).read_all()
