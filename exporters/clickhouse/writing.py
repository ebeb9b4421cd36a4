"""The one handle that writes, and the lock that everybody who writes holds."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from types import TracebackType
from typing import Self

from exporters.clickhouse.client import Handle
from exporters.clickhouse.deleting import Deleting
from exporters.clickhouse.expiring import Expiring
from exporters.clickhouse.tags import EditedTags


def _nothing() -> None:
    """Where only one process can write."""


@dataclass
class WritingLock:
    """Held from the first statement of a change to its last, by one thread; it may enter again.

    `enter` is called by who takes it, `leave` by who lets go; what `enter` raises keeps it from being taken.
    """

    enter: Callable[[], None] = _nothing
    leave: Callable[[], None] = _nothing
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _depth: int = 0

    def __enter__(self) -> Self:
        self._lock.acquire()
        self._depth += 1
        if self._depth == 1:
            try:
                self.enter()
            except BaseException:
                self._depth = 0
                self._lock.release()
                raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            if self._depth == 1:
                self.leave()
        finally:
            self._depth -= 1
            self._lock.release()


@dataclass(frozen=True)
class Writing:
    """Shared by the exporter and by what edits."""

    handle: Handle
    lock: WritingLock = field(default_factory=WritingLock)
    edited_tags: EditedTags = field(default_factory=EditedTags)

    @cached_property
    def deleting(self) -> Deleting:
        """What deletes, and knows what is deleted."""
        return Deleting(self.handle)

    @cached_property
    def expiring(self) -> Expiring:
        """What lets rows expire, and knows what has expired."""
        return Expiring(self.handle)

    def complete(self) -> None:
        """Complete the deletion or the expiry that was interrupted, before anything else changes. Raises an `Outcome`."""
        self.deleting.complete()
        self.expiring.complete()

    def forget(self) -> None:
        """Look again at what is remembered of the database: another process may have changed it."""
        self.edited_tags.forget()
        self.deleting.forget()
        self.expiring.forget()
