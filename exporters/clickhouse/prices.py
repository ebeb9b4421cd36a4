"""Prices as data: the table `prices` holds every price book that a collector has started with."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pyarrow as pa
from clickhouse_connect.driver.client import Client

from exporters.clickhouse.client import statement


def add_prices(client: Client, books: Mapping[str, Callable[[], pa.Table]]) -> None:
    """Add the versions of price books that the table does not have yet.

    `books` gives for each version what makes its table: columns named as in `prices`, all rows with that version. It is
    called for missing versions only, each of which is inserted as one block, whole or not at all.
    """
    stored = {row[0] for row in client.query(statement("price_versions.sql")).result_rows}
    for version, make in books.items():
        if version not in stored:
            arriving = make()  # read by the engine, through its name in the statement
            columns = ", ".join(arriving.column_names)
            client.command(statement("insert_prices.sql").replace("/*columns*/", columns))
