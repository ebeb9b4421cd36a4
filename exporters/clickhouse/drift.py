"""Whether the tables still are those that the migrations made: somebody may have changed them under this program.

What they should be is read from the migrations themselves, so that there is no second list to keep.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from collector.errors import StartError
from exporters.clickhouse.cluster_schema import LOCAL
from exporters.clickhouse.connection import Connection, statement


@dataclass(frozen=True)
class Declared:
    """A column as a migration declares it."""

    kind: str
    """Its type."""
    value: str
    """What it holds where nothing is inserted: `` DEFAULT ...`` or `` ALIAS ...``, or nothing."""


Tables = Mapping[str, Mapping[str, Declared]]
"""The columns of each table by their names; of a view, none."""

_MADE = re.compile(r"(CREATE TABLE|CREATE VIEW|ALTER TABLE) (\w+)")
_KIND = r"(\w+(?:\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\))?)"
_REST = r"(.*?)(?= COMMENT '| CODEC\(| AFTER |,?$)"
_COLUMN = re.compile(rf"^    (?!INDEX )(\w+) {_KIND}{_REST}", re.MULTILINE)
_ADDED = re.compile(rf"\bADD COLUMN (\w+) {_KIND}{_REST}", re.MULTILINE)


def declared(migrations: Iterable[str]) -> Tables:
    """Return what these migrations make."""
    tables: dict[str, dict[str, Declared]] = {}
    for sql in migrations:
        if (made := _MADE.search(sql)) is None:
            continue
        columns = tables.setdefault(made[2], {})
        if made[1] != "CREATE VIEW":
            written = (_COLUMN if made[1] == "CREATE TABLE" else _ADDED).findall(sql.split("\n)\n", maxsplit=1)[0])
            columns.update({name: Declared(kind, value) for name, kind, value in written})
    return tables


def refuse_drift(server: Connection, expected: Tables) -> None:
    """Compare the tables of a server with what is expected, by one query. Raises `StartError` with the first difference."""
    there: dict[str, dict[str, str]] = {}
    for row in server.rows(statement("columns.sql")):
        there.setdefault(str(row["table"]), {})[str(row["name"])] = str(row["type"])
    for difference in _differences(there, expected):
        raise StartError(f"clickhouse.url: {difference}")


def _differences(there: Mapping[str, Mapping[str, str]], expected: Tables) -> Iterator[str]:
    for name, columns in expected.items():
        # Of a cluster: the table that holds the rows as well, and not only the Distributed one over it.
        for table in (name, name + LOCAL):
            if table in there:
                yield from _of_columns(table, there[table], columns)
            elif table == name:
                yield f"the database has no table {table}, which it once had: restore it, or name another database"


def _of_columns(table: str, there: Mapping[str, str], columns: Mapping[str, Declared]) -> Iterator[str]:
    for column, right in columns.items():
        kind = there.get(column)
        if kind is None:
            change = f"ALTER TABLE {table} ADD COLUMN {column} {right.kind}{right.value}"
            yield f"the table {table} has no column {column}, which this program needs: restore it, or run `{change}`"
        elif _plain(kind) != _plain(right.kind):
            change = f"ALTER TABLE {table} MODIFY COLUMN {column} {right.kind}"
            yield f"the column {column} of the table {table} is {kind}, and must be {right.kind}: run `{change}`"


def _plain(kind: str) -> str:
    """Return a type without its white space, which versions of ClickHouse may set differently."""
    return re.sub(r"\s+", "", kind)
