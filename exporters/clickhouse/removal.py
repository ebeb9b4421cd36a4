"""Deleted rows, removed from the files: parts that hold any are written anew without them, in the background.

A deletion leaves its rows where they are, with a mark, until the parts they lie in are merged, and so does an expiry where
the partition holds other rows as well. That may be never. So from time to time the marks are written into the parts, and
then the parts anew. Both are mutations, which the engine works off while batches go on being written; one that is
interrupted goes on at the next start. The old parts stay on the disk for eight minutes more, as after every merge.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from collector.errors import Outcome, StartError
from exporters.clickhouse.arrow import change, query_parts
from exporters.clickhouse.client import Handle
from exporters.clickhouse.connection import Connection
from exporters.clickhouse.deleting import DELETED, REMOVED
from exporters.clickhouse.deleting import TABLES as TABLES_OF_TRACES
from exporters.clickhouse.expiring import EXPIRED
from exporters.clickhouse.expiring import TABLES as TABLES_THAT_EXPIRE
from exporters.clickhouse.writing import Writing

_log = logging.getLogger(__name__)

TABLES = sorted({*TABLES_OF_TRACES, *TABLES_THAT_EXPIRE})
"""All tables of which rows are deleted."""

LOOK_EVERY_S = 0.2
"""Seconds between two looks at whether the engine is done."""


class Removal:
    """Removes deleted rows now and then, in a thread with a handle of its own."""

    def __init__(self, writing: Writing, open_handle: Callable[[], Handle]) -> None:
        self._writing = writing
        self._open_handle = open_handle
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="remove-deleted", daemon=True)
        self._every = 0.0

    def start(self, every: float) -> None:
        """Begin, with what is left from before; then at most once in so many seconds."""
        self._every = every
        self._thread.start()

    def stop(self) -> None:
        """End. What is under way in the engine goes on, and is looked at again after the next start."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self.remove()
            except (Outcome, StartError) as outcome:
                _log.warning("deleted rows are not removed from the files yet: %s", outcome)
            except Exception:
                _log.exception("deleted rows are not removed from the files yet")
            self._stopping.wait(self._every)

    def remove(self) -> bool:
        """Remove the rows of all that is deleted or has expired; returns whether it did. Raises an `Outcome`, `StartError`."""
        deleting, expiring = self._writing.deleting, self._writing.expiring
        with self._writing.lock:
            self._writing.complete()
            deleting.complete(DELETED)
            expiring.complete(EXPIRED)
            deletions = [str(one["entry"]) for one in deleting.unfinished(DELETED)]
            expiries = expiring.unfinished(EXPIRED)
        if deletions or expiries:
            handle = self._open_handle()
            try:
                done = all(self._apply(handle, name, patches) for name, patches in _IN_ORDER)
            finally:
                handle.close()
            if not done:
                return False
            with self._writing.lock:
                for entry in deletions:
                    deleting.mark(entry, REMOVED)
                for entry in expiries:
                    expiring.mark(entry, REMOVED)
        return True

    def _apply(self, handle: Handle, name: str, patches: bool) -> bool:
        """Let the engine work off one kind of mutation, where there is need; returns whether it did, before we stopped."""
        with handle.doing("removing deleted rows in ClickHouse") as connection:
            marked = query_parts(connection, "marked_parts.sql", {"tables": TABLES, "patches": patches})
            for row in marked.to_pylist():
                change(connection, name, {"partition": row["partition"]}, {"/*table*/": row["table"]})
            while under_way := _under_way(connection):
                if self._stopping.wait(LOOK_EVERY_S):
                    return False
                for table, reason in under_way.items():
                    if reason:
                        raise Outcome(f"rewriting {table} failed: {reason}")
        return True


_IN_ORDER = (("apply_patches.sql", True), ("apply_deleted_mask.sql", False))


def _under_way(connection: Connection) -> dict[str, str]:
    """Tables that are being written anew, and why that fails, if it does."""
    found = query_parts(connection, "unfinished_mutations.sql", {"tables": TABLES}).to_pylist()
    return {row["table"]: row["latest_fail_reason"] for row in found}
