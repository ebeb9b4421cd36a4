"""A database that no collector has open, for the commands that look through all of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from clickhouse_connect.driver.client import Client

from collector.errors import Outcome, StartError
from exporters.clickhouse.client import CHDB_SCHEME, Handle, connect
from exporters.clickhouse.deleting import DELETED, Deleting
from exporters.clickhouse.migrate import is_migrated, migrate


@contextmanager
def open_database(url: str, *, may_write: bool) -> Iterator[Client]:
    """Lend a client for the database, the schema of which is brought up to date if `may_write`, else must be so.

    If it may write, deletions that were interrupted are completed.

    Raises `StartError`, with one sentence, when there is no such database, when another process has it open, when its
    schema is not the one of this program, and when a statement in the block fails.
    """
    directory = Path(url.removeprefix(CHDB_SCHEME))
    if not directory.is_dir():
        raise StartError(
            f"clickhouse.url: there is no database in {directory}: name the one that the collector writes to"
        )
    handle = Handle(partial(connect, url))
    try:
        with handle.doing("looking through ClickHouse") as client:
            if may_write:
                migrate(client)
                Deleting(handle).complete(DELETED)
            elif not is_migrated(client):
                raise StartError(
                    f"clickhouse.url: the schema in {directory} is not the one of this program: start this program's"
                    " collector once (spanledger serve), which brings it up to date"
                )
            else:
                client.command("SET readonly = 2")
            yield client
    except Outcome as outcome:
        raise StartError(f"clickhouse.url: {outcome}") from outcome
    finally:
        handle.close()
