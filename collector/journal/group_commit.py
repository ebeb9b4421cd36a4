"""The one writer: takes all changes that wait, makes them one LMDB transaction, and tells those who wait for it.

While one commit waits for the disk, the next group gathers: groups grow with the load by themselves, nobody lingers.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, TypeVar

import lmdb

from collector.errors import Retryable, TooLarge
from collector.journal.storage import Change, Storage

GROUP_BYTES = 32 << 20
"""A group takes no more changes beyond this size: LMDB keeps the new pages of a transaction in memory."""

REMOVAL_DELAY_S = 0.5
"""A removal waits this long for another commit to ride on."""

SYNC_INTERVAL_S = 1.0

FULL_RETRY_S = 2.0

T = TypeVar("T")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Operation:
    apply: Callable[[Change], Any]
    future: Future[Any]
    size: int
    urgent: bool


class GroupCommit:
    """The writer thread and what waits for it. Any thread may submit."""

    def __init__(self, storage: Storage, *, max_size: int, sync_at_intervals: bool) -> None:
        self._storage = storage
        self._max_size = max_size
        self._sync_at_intervals = sync_at_intervals
        self._condition = threading.Condition()
        self._waiting: deque[_Operation] = deque()
        self._urgent = False
        self._closing = False
        self._unfinished_bytes = 0
        self._failing = False
        # Monotonic times in seconds at which the writer has to act even if nothing urgent comes.
        self._commit_due: float | None = None
        self._sync_due: float | None = None
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    def submit(self, apply: Callable[[Change], T], *, size: int = 0, urgent: bool = True) -> Future[T]:
        """Queue a change that adds `size` bytes; the future has its result once the commit that holds it is durable.

        The future fails with Retryable when there is no room or the disk refuses, TooLarge when there never will be.
        """
        future: Future[T] = Future()
        with self._condition:
            if (refusal := self._refusal(size)) is not None:
                future.set_exception(refusal)
                return future
            self._waiting.append(_Operation(apply, future, size, urgent))
            self._unfinished_bytes += size
            if urgent:
                self._urgent = True
            elif self._commit_due is None:
                self._commit_due = time.monotonic() + REMOVAL_DELAY_S
            self._condition.notify()
        return future

    def _refusal(self, size: int) -> Exception | None:
        if self._closing:
            return Retryable("The journal is closed because the collector is stopping: send again later.")
        if size > self._max_size:
            return TooLarge(
                f"The request takes {size} bytes and the whole journal holds {self._max_size}: send smaller requests,"
                " or raise journal.max_size."
            )
        if size and self._storage.state.bytes_used + self._unfinished_bytes + size > self._max_size:
            # A removal that waits for company would free room: it must wait no longer.
            self._urgent = bool(self._waiting)
            self._condition.notify()
            return Retryable(
                f"The journal is full ({self._max_size} bytes, journal.max_size) because the store is behind:"
                " send again later.",
                after=FULL_RETRY_S,
            )
        return None

    def close(self) -> None:
        """Commit all that waits and stop the thread; later submissions are refused as Retryable."""
        with self._condition:
            self._closing = True
            self._condition.notify()
        self._thread.join()

    def _run(self) -> None:
        while (group := self._next_group()) is not None:
            if group:
                self._commit(group)
            if self._sync_due is not None and self._sync_due <= time.monotonic():
                self._sync()

    def _next_group(self) -> list[_Operation] | None:
        """Wait for work; an empty group when only a sync is due, None when closed and nothing is left."""
        with self._condition:
            while not self._urgent and not self._closing:
                due = min((time_ for time_ in (self._commit_due, self._sync_due) if time_ is not None), default=None)
                if due is not None and due <= time.monotonic():
                    break
                self._condition.wait(None if due is None else due - time.monotonic())
            if self._closing and not self._waiting:
                return None
            return self._take_group()

    def _take_group(self) -> list[_Operation]:
        group: list[_Operation] = []
        size = 0
        while self._waiting and size < GROUP_BYTES:
            operation = self._waiting.popleft()
            if operation.future.set_running_or_notify_cancel():
                group.append(operation)
                size += operation.size
            else:
                self._unfinished_bytes -= operation.size
        self._urgent = bool(self._waiting)
        self._commit_due = None
        return group

    def _commit(self, group: list[_Operation]) -> None:
        try:
            results = self._write(group)
        except Exception:
            # One at a time, those first that free room: what can be kept is kept.
            self._renew_free_pages()
            for operation in sorted(group, key=lambda operation: operation.urgent):
                self._commit_alone(operation)
            return
        self._finished(group)
        for operation, result in zip(group, results, strict=True):
            operation.future.set_result(result)

    def _commit_alone(self, operation: _Operation) -> None:
        try:
            [result] = self._write([operation])
        except Exception as error:
            self._finished([operation])
            operation.future.set_exception(self._outcome(error))
            return
        self._finished([operation])
        operation.future.set_result(result)

    def _write(self, group: list[_Operation]) -> list[Any]:
        if size := sum(operation.size for operation in group):
            self._storage.reserve(size)
        with self._storage.change() as change:
            results = [operation.apply(change) for operation in group]
        self._failing = False
        if self._sync_at_intervals and self._sync_due is None:
            self._sync_due = time.monotonic() + SYNC_INTERVAL_S
        return results

    def _renew_free_pages(self) -> None:
        # LMDB uses freed pages again only one commit later. If a removal was the last commit of all, a full journal
        # would wait for that one for ever.
        with contextlib.suppress(lmdb.Error, OSError), self._storage.change():
            pass

    def _finished(self, group: list[_Operation]) -> None:
        with self._condition:
            self._unfinished_bytes -= sum(operation.size for operation in group)

    def _sync(self) -> None:
        self._sync_due = None
        try:
            self._storage.sync()
        except (lmdb.Error, OSError) as error:
            _log.error("the journal could not be flushed to the disk: %s", error)
            self._sync_due = time.monotonic() + SYNC_INTERVAL_S

    def _outcome(self, error: Exception) -> Exception:
        if not isinstance(error, lmdb.Error | OSError | MemoryError):
            return error
        if not self._failing:
            _log.error("the journal could not be written (logged once until it can be again): %s", error)
        self._failing = True
        return Retryable(
            f"The journal could not be written ({error}): free space on its disk; send again later.",
            after=FULL_RETRY_S,
        )
