"""ClickHouse: schema, writing and reading, for the embedded engine, for servers and for clusters."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import TracebackType
from typing import Self

import pyarrow as pa

from collector.errors import Outcome, Retryable, StartError, StatementError
from collector.settings import ClickHouse as Settings
from exporters.clickhouse.claims import Claim
from exporters.clickhouse.client import Handle, Opener, Readers, Unreachable
from exporters.clickhouse.deleting import DELETED
from exporters.clickhouse.edit import ClickHouseEditor
from exporters.clickhouse.expiring import EXPIRED
from exporters.clickhouse.migrate import migrate
from exporters.clickhouse.prices import add_prices
from exporters.clickhouse.read import ClickHouseStore
from exporters.clickhouse.references import References
from exporters.clickhouse.removal import Removal
from exporters.clickhouse.retention import Retention
from exporters.clickhouse.statements import Limits, Statements
from exporters.clickhouse.tags import complete_edits
from exporters.clickhouse.write import ClickHouseExporter
from exporters.clickhouse.writing import Writing, WritingLock

__all__ = ["ClickHouse", "ClickHouseEditor", "ClickHouseExporter", "ClickHouseStore"]

_log = logging.getLogger(__name__)


class ClickHouse:
    """One database, its schema brought up to date: an exporter that writes, an editor and a store that reads.

    Deletions and expiries that were interrupted are completed. Once they are started, `retention` lets expire what is over,
    and `removal` removes deleted rows from the files.
    """

    def __init__(self, settings: Settings, references: References | None = None, *, writer: str = "") -> None:
        """Open the database; `references` says what spans are found by: see `exporters.clickhouse.references`.

        `writer` is a name under which no other process writes at the same time. If no server answers, whoever writes first
        after one does opens the database. Raises `StartError` when it cannot be opened, or its schema is newer than this
        program.
        """
        self._claim = None if settings.is_embedded else Claim(Handle(Opener.writing(settings)), writer, self._forget)
        self._handle = Handle(Opener.writing(settings), check=None if self._claim is None else self._claim.check)
        self._writing = Writing(self._handle, WritingLock(self._enter, self._leave))
        self._books: dict[str, Callable[[], pa.Table]] = {}
        self._settings = settings
        self._is_open = self._is_started = False
        self.exporter = ClickHouseExporter(self._writing, references)
        self.editor = ClickHouseEditor(self._writing)
        self.retention = Retention(self._writing, settings.retention)
        self.removal = Removal(self._writing, lambda: Handle(Opener.writing(settings)))
        self._start()
        self.store = ClickHouseStore(Readers(settings))

    def statements(self, limits: Limits) -> Statements:
        """Return what runs statements of people on this database, if it is embedded.

        Raises `StartError` when it refuses that.
        """
        try:
            return Statements(self._settings.url, limits)
        except StatementError as error:
            raise StartError(f"clickhouse.url: {error}") from error

    def add_prices(self, books: Mapping[str, Callable[[], pa.Table]]) -> None:
        """Add price books to the table `prices`: see `exporters.clickhouse.prices.add_prices`. Before the first write.

        Raises `StartError` when the database refuses them.
        """
        self._books.update(books)
        self._is_started = self._is_open = False
        self._start()

    def _start(self) -> None:
        """Open the database, if a server answers."""
        try:
            with self._writing.lock:
                pass
        except Unreachable as outcome:
            _log.warning("%s: what arrives waits in the journal until it does", outcome)
        except Outcome as outcome:
            self._close()
            raise StartError(f"clickhouse.url: {outcome}") from outcome
        except BaseException:
            self._close()
            raise
        self._is_started = True

    # --- around whatever writes ---------------------------------------------------------------------------------------

    def _enter(self) -> None:
        try:
            if not self._is_open:
                self._open()
            if self._claim is not None:
                self._claim.take()
        except BaseException as error:
            with suppress(Outcome):
                self._leave()
            if self._is_started and isinstance(error, StartError):
                raise Retryable(str(error)) from error
            raise

    def _open(self) -> None:
        """Bring the schema up to date, and complete what was interrupted."""
        with self._handle.doing("bringing the schema up to date") as connection:
            migrate(connection)
        if self._claim is not None:
            self._claim.take()
        with self._handle.doing("completing the edits of tags") as connection:
            complete_edits(connection)
        self._writing.deleting.complete(DELETED)
        self._writing.expiring.complete(EXPIRED)
        with self._handle.doing("adding the price book to ClickHouse") as connection:
            add_prices(connection, self._books)
        self._is_open = True

    def _leave(self) -> None:
        if self._claim is not None:
            self._claim.leave()

    def _forget(self) -> None:
        self._writing.forget()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.retention.stop()
        self.removal.stop()
        self.store.close()
        self._close()

    def _close(self) -> None:
        self.exporter.close()
        if self._claim is not None:
            self._claim.close()
