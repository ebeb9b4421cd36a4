"""ClickHouse: schema, writing and reading, on one client class for the embedded engine and for servers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import TracebackType
from typing import Self

import pyarrow as pa

from collector.errors import Outcome, StartError, StatementError
from exporters.clickhouse.client import Handle, Readers, connect_writer
from exporters.clickhouse.deleting import DELETED
from exporters.clickhouse.edit import ClickHouseEditor
from exporters.clickhouse.migrate import migrate
from exporters.clickhouse.prices import add_prices
from exporters.clickhouse.read import ClickHouseStore
from exporters.clickhouse.references import References
from exporters.clickhouse.removal import Removal
from exporters.clickhouse.statements import Limits, Statements
from exporters.clickhouse.tags import complete_edits
from exporters.clickhouse.write import ClickHouseExporter
from exporters.clickhouse.writing import Writing

__all__ = ["ClickHouse", "ClickHouseEditor", "ClickHouseExporter", "ClickHouseStore"]


class ClickHouse:
    """One database, its schema brought up to date: an exporter that writes, an editor and a store that reads.

    Deletions that were interrupted are completed. `removal` removes deleted rows from the files, once it is started.
    """

    def __init__(self, url: str, references: References | None = None) -> None:
        """Open the database; `references` says what spans are found by: see `exporters.clickhouse.references`.

        Raises `StartError` when it cannot be opened, or its schema is newer than this program.
        """
        writer = Handle(partial(connect_writer, url))
        writing = Writing(writer)
        try:
            with writer.doing("bringing the schema up to date") as client:
                migrate(client)
                complete_edits(client)
            writing.deleting.complete(DELETED)
            self.store = ClickHouseStore(Readers(url))
        except Outcome as outcome:
            writer.close()
            raise StartError(f"clickhouse.url: {outcome}") from outcome
        except BaseException:
            writer.close()
            raise
        self.exporter = ClickHouseExporter(writing, references)
        self.editor = ClickHouseEditor(writing)
        self.removal = Removal(writing, lambda: Handle(partial(connect_writer, url)))
        self._writer = writer
        self._url = url

    def statements(self, limits: Limits) -> Statements:
        """Return what runs statements of people on this database. Raises `StartError` when it refuses that."""
        try:
            return Statements(self._url, limits)
        except StatementError as error:
            raise StartError(f"clickhouse.url: {error}") from error

    def add_prices(self, books: Mapping[str, Callable[[], pa.Table]]) -> None:
        """Add price books to the table `prices`: see `exporters.clickhouse.prices.add_prices`. Before the first write.

        Raises `StartError` when the database refuses them.
        """
        try:
            with self._writer.doing("adding the price book to ClickHouse") as client:
                add_prices(client, books)
        except Outcome as outcome:
            raise StartError(f"clickhouse.url: {outcome}") from outcome

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.removal.stop()
        self.store.close()
        self.exporter.close()
