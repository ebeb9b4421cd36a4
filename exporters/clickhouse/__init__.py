"""ClickHouse: schema, writing and reading, on one client class for the embedded engine and for servers."""

from __future__ import annotations

from functools import partial
from types import TracebackType
from typing import Self

from collector.errors import Outcome, StartError
from exporters.clickhouse.client import Handle, Readers, connect
from exporters.clickhouse.migrate import migrate
from exporters.clickhouse.read import ClickHouseStore
from exporters.clickhouse.write import ClickHouseExporter

__all__ = ["ClickHouse", "ClickHouseExporter", "ClickHouseStore"]


class ClickHouse:
    """One database, its schema brought up to date: an exporter that writes and a store that reads."""

    def __init__(self, url: str) -> None:
        """Open the database. Raises `StartError` when it cannot be opened, or its schema is newer than this program."""
        writer = Handle(partial(connect, url))
        try:
            with writer.doing("bringing the schema up to date") as client:
                migrate(client)
            self.store = ClickHouseStore(Readers(url))
        except Outcome as outcome:
            writer.close()
            raise StartError(f"clickhouse.url: {outcome}") from outcome
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
