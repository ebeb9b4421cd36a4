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
    counted: bool = True
    """Whether to count all matches, which costs as much as the page; else the number is that of the page."""


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


@dataclass(frozen=True)
class Reference:
    """Something outside the trace that a span names in an attribute: a cell of a table, a step, an inference result."""

    kind: str
    """Which: a key of `collector.settings_attributes`, as ``lasso.row``."""
    value: str


@dataclass(frozen=True)
class SpanFilters:
    """Which spans a list shows, in which order, and which page of them. A filter that is None (or empty) is off."""

    limit: int
    """Length of the page."""
    offset: int = 0
    """How many matches come before the page."""
    trace_ids: tuple[str, ...] = ()
    span_uuids: tuple[str, ...] = ()
    """The ids that the documented APIs show for spans, a UUID with dashes each (column `span_uuid`)."""
    span_ids: tuple[str, ...] = ()
    """16 lowercase hex digits each; in whichever trace."""
    references: tuple[Reference, ...] = ()
    """Spans that refer to any of these."""
    session_ids: tuple[str, ...] = ()
    """Spans of traces of any of these sessions."""
    kinds: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    model: str | None = None
    """Request or response model."""
    label: str | None = None
    """Spans with feedback of this label: positive or negative."""
    has_feedback: bool | None = None
    """Spans with feedback that has a label, or those without."""
    tags: tuple[str, ...] = ()
    """Spans with any of these tags, of their own or of their feedback."""
    started_after_ns: int | None = None
    """Started at this time or later."""
    started_before_ns: int | None = None
    """Started earlier than this."""
    after: tuple[int, str, str] | None = None
    """Only what comes after this start time (ns), trace id and span id, in the order of the page."""
    before: tuple[int, str, str] | None = None
    """Only what comes before it: the page that ends there."""
    sort_by: Literal["start_time", "end_time", "latency", "name"] = "start_time"
    descending: bool = True


class SpanReader(Protocol):
    """Spans by themselves. Rows are those of `TraceReader.trace`, with `trace_id`."""

    def spans(self, project: str, filters: SpanFilters) -> Sequence[Row]:
        """Return the spans of one page."""


@dataclass(frozen=True)
class SessionFilters:
    """Which sessions a list shows, in which order, and which page of them. A filter that is None (or empty) is off."""

    limit: int
    offset: int = 0
    user_id: str | None = None
    has_error: bool | None = None
    tags: tuple[str, ...] = ()
    query: str | None = None
    """The session id contains this text, in any case."""
    started_after_ns: int | None = None
    started_before_ns: int | None = None
    sort_by: Literal["recent", "trace_count", "latency", "cost"] = "recent"
    descending: bool = True


class SessionReader(Protocol):
    """Traces summed up: by session, by user, by time."""

    def sessions(self, project: str, filters: SessionFilters) -> tuple[Sequence[Row], int]:
        """Return one page of sessions, and how many match in all."""

    def session(self, project: str, session_id: str, limit: int, offset: int) -> tuple[Row, Sequence[Row]] | None:
        """Return a session and one page of its traces, or None."""

    def users(self, project: str, limit: int, offset: int) -> tuple[Sequence[Row], int]:
        """Return one page of users, and how many there are in all."""

    def analytics(
        self, project: str, metric: str, granularity: str, started_after_ns: int, started_before_ns: int
    ) -> Sequence[Row]:
        """Return one row a period of time (of a model, for the metric ``models``)."""


class ReviewReader(Protocol):
    """What people think of traces."""

    def feedback(self, project: str, trace_ids: Sequence[str]) -> Sequence[Row]:
        """Return the feedback on these traces by time: the fields of `collector.query.editor.Feedback`."""

    def approvals(self, project: str, trace_ids: Sequence[str]) -> Sequence[Row]:
        """Return the latest approval of each span of these traces: the fields of `collector.query.editor.Approval`."""


class Store(TraceReader, SpanReader, SessionReader, ReviewReader, Protocol):
    """All that the documented APIs ask."""
