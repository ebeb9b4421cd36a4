"""What the read API needs from a store: two questions, asked through one protocol.

The store's side implements `TraceReader` without importing it, so everything that crosses is plain: mappings, numbers,
strings and one frozen dataclass. Times are integers in ns since 1970 (UTC), money is `Decimal` USD, ids are lowercase
hex, and an absent string is ``""``. The README of this folder lists the keys of both kinds of row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

Row = Mapping[str, Any]

SortField = Literal["started_at", "ended_at", "name", "latency", "status"]


@dataclass(frozen=True)
class TraceFilters:
    """Which traces a list shows, in which order, and which page of them. A filter that is None (or empty) is off."""

    limit: int
    """Length of the page."""
    offset: int
    """How many matches come before the page."""
    session_id: str | None
    """Equal to the trace's."""
    status: str | None
    """PENDING, RUNNING, COMPLETED or ERROR. No trace of ours is ever PENDING."""
    user_id: str | None
    """Equal to the trace's."""
    tags: tuple[str, ...]
    """The trace has at least one of these."""
    name: str | None
    """The trace's name contains this text, in any case; ``%`` and ``_`` have no special meaning."""
    started_after_ns: int | None
    """Started at this time or later; ns since 1970."""
    started_before_ns: int | None
    """Started earlier than this; ns since 1970."""
    sort_by: SortField
    """What the traces are ordered by."""
    descending: bool
    """Largest first."""


class TraceReader(Protocol):
    """A store that traces can be read from. Calls block; they may come from several threads at once.

    Both raise `collector.errors.Retryable` while the store cannot answer, and `collector.errors.Permanent` when it will
    not answer this question (it costs more than a query may).
    """

    def trace(self, project: str, trace_id: str) -> tuple[Row, Sequence[Row]] | None:
        """Return the trace's row and its spans' rows by start time, then span id; None if there is no such trace.

        `trace_id` is 32 lowercase hex digits.
        """

    def traces(self, project: str, filters: TraceFilters) -> tuple[Sequence[Row], int]:
        """Return the trace rows of one page, and how many traces match in all."""
