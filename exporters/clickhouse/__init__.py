"""ClickHouse: schema, writing and reading, on one client class for the embedded engine and for servers."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from exporters.clickhouse.client import Readers, connect
from exporters.clickhouse.migrate import migrate
from exporters.clickhouse.read import ClickHouseStore
from exporters.clickhouse.write import ClickHouseExporter

__all__ = ["ClickHouse", "ClickHouseExporter", "ClickHouseStore"]


class ClickHouse:
    """One database, its schema brought up to date: an exporter that writes and a store that reads."""

    def __init__(self, url: str) -> None:
        """Open the database. Raises `StartError` when it cannot be opened, or its schema is newer than this program."""
        writer = connect(url)
        try:
            migrate(writer)
            self.store = ClickHouseStore(Readers(url))
        except BaseException:
            writer.close()
            raise
        self.exporter = ClickHouseExporter(writer)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.store.close()
        self.exporter.close()
