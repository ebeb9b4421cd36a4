"""Prices as data: the table `prices` holds every price book that a collector has started with."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pyarrow as pa

from exporters.clickhouse.arrow import insert
from exporters.clickhouse.connection import Connection, statement


def add_prices(connection: Connection, books: Mapping[str, Callable[[], pa.Table]]) -> None:
    """Add the versions of price books that the table does not have yet.

    `books` gives for each version what makes its table: columns named as in `prices`, all rows with that version. It is
    called for missing versions only, each of which is inserted as one block, whole or not at all.
    """
    stored = {row["version"] for row in connection.rows(statement("price_versions.sql"))}
    for version, make in books.items():
        if version not in stored:
            insert(connection, "insert_prices.sql", make(), {})
