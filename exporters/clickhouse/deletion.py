"""Deleting traces on request: by their ids, by session, by user."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Protocol

import pyarrow as pa

from exporters.clickhouse.deleting import Deleting, Request
from exporters.clickhouse.tombstones import SESSION, TRACE, USER
from exporters.clickhouse.writing import Writing

_TRACE_ID = re.compile("[0-9a-f]{32}")


class Delivery(Protocol):
    """What deletions must know of batches on their way to the store: see `collector.deliver.Delivery`."""

    def wait_until_stored(self) -> None:
        """Return when all that was acknowledged before is stored. Raises `Retryable` when that takes too long."""

    def between_batches(self) -> AbstractContextManager[None]:
        """Keep batches from being begun; entered when none is half written. Raises `Retryable` likewise."""


class NoDelivery:
    """Where batches are written by nobody, or by the caller."""

    def wait_until_stored(self) -> None:
        """Everything is stored."""

    def between_batches(self) -> AbstractContextManager[None]:
        """No batch is half written."""
        return nullcontext()


class Deletions:
    """The part of `collector.query.editor.Editor` that deletes.

    What waits in the journal is not known to the store. Rather than to remember ids that nobody may ever have sent, a
    deletion that does not find what it is asked for waits until everything that was acknowledged before is stored: then
    unknown means unknown.
    """

    def __init__(self, writing: Writing) -> None:
        self._writing = writing
        self._delivery: Delivery = NoDelivery()

    def follow(self, delivery: Delivery) -> None:
        """Delete between the batches of this delivery from now on."""
        self._delivery = delivery

    def wait_until_stored(self) -> None:
        """Return when everything that was acknowledged before can be read. Raises `Retryable` when that takes too long."""
        self._delivery.wait_until_stored()

    def delete_traces(self, project: str, trace_ids: Sequence[str]) -> int:
        """Delete these traces, and whatever arrives of them later; return how many of them there were.

        Raises `Retryable` when it is not done, or not yet: it may be asked for again.
        """
        ids = [one for one in dict.fromkeys(trace_ids) if _TRACE_ID.fullmatch(one)]
        self._wait_unless(lambda deleting: not _unknown(deleting, project, ids))
        with self._turn() as deleting:
            found: list[str] = deleting.extents(project, ids)["trace_id"].to_pylist()
            if found:
                deleting.delete(Request(project, found))
        return len(found)

    def delete_session(self, project: str, session_id: str) -> int:
        """Delete the traces of a session that have begun before now, also those that arrive later; return how many.

        Raises `Retryable` as `delete_traces`.
        """
        return self._delete_owner(project, (SESSION, session_id))

    def delete_user(self, project: str, user_id: str) -> int:
        """Delete the traces of a user that have begun before now, also those that arrive later; return how many.

        Raises `Retryable` as `delete_traces`.
        """
        return self._delete_owner(project, (USER, user_id))

    def _delete_owner(self, project: str, owner: tuple[str, str]) -> int:
        if not owner[1]:  # all traces without one
            return 0
        now = time.time_ns()
        self._wait_unless(lambda deleting: bool(deleting.traces_of(project, owner, now)))
        with self._turn() as deleting:
            found = deleting.traces_of(project, owner, now)
            deleting.delete(Request(project, found, owner=owner, requested_at=now))
        return len(found)

    def _wait_unless(self, found: Callable[[Deleting], bool]) -> None:
        """Wait for what is on its way to the store, unless what is asked for is there already."""
        with self._writing.lock:
            is_there = found(self._writing.deleting)
        if not is_there:
            self._delivery.wait_until_stored()

    @contextmanager
    def _turn(self) -> Iterator[Deleting]:
        with self._delivery.between_batches(), self._writing.lock:
            self._writing.complete()
            yield self._writing.deleting


def _unknown(deleting: Deleting, project: str, trace_ids: Sequence[str]) -> bool:
    """Whether any of these traces is neither stored nor deleted."""
    known = set(deleting.extents(project, trace_ids)["trace_id"].to_pylist())
    missing = [one for one in trace_ids if one not in known]
    return len(deleting.tombstones.among(project, TRACE, pa.array(missing, pa.string()))) < len(missing)
