"""A database for the commands that look through all of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from collector.errors import Outcome, StartError
from collector.settings import ClickHouse
from exporters.clickhouse.claims import Claim
from exporters.clickhouse.client import Handle, Opener
from exporters.clickhouse.connection import Connection
from exporters.clickhouse.deleting import DELETED, Deleting
from exporters.clickhouse.expiring import EXPIRED, Expiring
from exporters.clickhouse.migrate import migrate, missing_migrations


@contextmanager
def open_database(settings: ClickHouse, *, may_write: bool, writer: str = "") -> Iterator[Connection]:
    """Lend a connection for the database, the schema of which is brought up to date if `may_write`, else must be so.

    If it may write, deletions and expiries that were interrupted are completed, and no collector writes meanwhile; `writer`
    is a name under which no other process does.

    Raises `StartError`, with one sentence, when there is no such database, when another process has it open, when its
    schema is not the one of this program, and when a statement in the block fails.
    """
    directory = _existing(settings)
    opener = Opener(settings) if may_write or directory is not None else Opener(settings, {"readonly": 2})
    handle = Handle(opener)
    try:
        with handle.doing("looking through ClickHouse") as connection:
            if may_write:
                migrate(connection)
            elif missing_migrations(connection):
                raise StartError(
                    f"clickhouse.url: the schema in {settings.where} is not the one of this program: run `spanledger"
                    " migrate`, or start this program's collector once, which bring it up to date"
                )
        alone = _claimed(settings, writer) if may_write else nullcontext()
        with alone, handle.doing("looking through ClickHouse") as connection:
            if may_write:
                Deleting(handle).complete(DELETED)
                Expiring(handle).complete(EXPIRED)
            elif directory is not None:
                connection.command("SET readonly = 2")
            yield connection
    except Outcome as outcome:
        raise StartError(f"clickhouse.url: {outcome}") from outcome
    finally:
        handle.close()


def bring_up_to_date(settings: ClickHouse, tell: Callable[[str], None], *, check: bool) -> list[str]:
    """Apply the migrations that are missing, and return their names; `check`: return them, and change nothing.

    `tell` is told the name of each that was applied, on each server. Raises `StartError` as `open_database` does.
    """
    _existing(settings)
    handle = Handle(Opener(settings))
    try:
        with handle.doing("bringing the schema up to date") as connection:
            missing = missing_migrations(connection)
            if not check:
                migrate(connection, tell)
            return missing
    except Outcome as outcome:
        raise StartError(f"clickhouse.url: {outcome}") from outcome
    finally:
        handle.close()


def _existing(settings: ClickHouse) -> Path | None:
    """Return the directory of an embedded database, which must be there; None for servers."""
    directory = settings.directory
    if directory is not None and not directory.is_dir():
        raise StartError(
            f"clickhouse.url: there is no database in {directory}: name the one that the collector writes to"
        )
    return directory


@contextmanager
def _claimed(settings: ClickHouse, writer: str) -> Iterator[None]:
    """Keep others from writing."""
    if settings.is_embedded:
        yield
        return
    claim = Claim(Handle(Opener.writing(settings)), writer, lambda: None)
    try:
        claim.take()
        yield
        claim.leave()
    finally:
        claim.close()
