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
SessionSortField = Literal["recent", "trace_count", "latency", "cost"]
Metric = Literal["volume", "errors", "latency", "cost", "tokens", "models"]
Granularity = Literal["hour", "day", "week"]


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
    """Which: a key of `collector.settings_attributes`, as ``lasso.row``; or ``trace``: the trace of the span."""
    value: str
    """Its id. One that several attributes make together: see `of`."""

    @classmethod
    def of(cls, kind: str, *values: str) -> Reference:
        """Return a reference to what these attributes name; each but the last has its length in characters in front."""
        return cls(kind, "".join(f"{len(value)}:{value}" for value in values[:-1]) + values[-1])


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
    repeats: bool = True
    """False: without spans that only repeat what others tell: they report usage or a cost, and do not count."""
    started_after_ns: int | None = None
    """Started at this time or later."""
    started_before_ns: int | None = None
    """Started earlier than this."""
    after: tuple[int, str, str] | None = None
    """Only what comes after this start time (ns), trace id and span id, in the order of the page."""
    before: tuple[int, str, str] | None = None
    """Only what comes before it: the page that ends there. Cursors go with ``sort_by="start_time"`` alone."""
    sort_by: Literal["start_time", "end_time", "received_at", "latency", "name"] = "start_time"
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
    sort_by: SessionSortField = "recent"
    descending: bool = True


class SessionReader(Protocol):
    """Traces summed up: by session, by user, by time. A trace without a session or a user belongs to none."""

    def sessions(self, project: str, filters: SessionFilters) -> tuple[Sequence[Row], int]:
        """Return one page of sessions, and how many match in all.

        A row sums up those traces of the session that match: session_id, trace_count, start_time of the first, end_time of
        the last (None while none has ended), latency_ns of all together (None likewise), has_error, user_id of the first
        that has one, tags of all, span_count, input_tokens, output_tokens, cost_total (None if nothing is priced).
        """

    def session(
        self, project: str, session_id: str, limit: int, offset: int
    ) -> tuple[Row, Sequence[tuple[Row, Sequence[Row]]]] | None:
        """Return a session, summed up over all its traces, and one page of these in order of time, or None.

        Each trace is what `TraceReader.trace` returns.
        """

    def users(self, project: str, limit: int, offset: int) -> tuple[Sequence[Row], int]:
        """Return one page of users, latest first, and how many there are in all.

        A row has user_id, trace_count, first_start_time, last_start_time and error_count.
        """

    def analytics(
        self, project: str, metric: Metric, granularity: Granularity, started_after_ns: int, started_before_ns: int
    ) -> Sequence[Row]:
        """Return one row a period in which traces began: bucket (its start in s since 1970, UTC; weeks begin on Monday).

        For volume, errors and latency it has trace_count, error_count, and latency_average, latency_p50, latency_p90,
        latency_p99 in ns; for cost and tokens input_tokens, output_tokens and cost_total. For models there is one row for
        each of the models called most, by spans that count, in the whole time: model, call_count, input_tokens,
        output_tokens, cost_total. What nothing is known of is None.
        """


class ReviewReader(Protocol):
    """What people think of traces."""

    def feedback(self, project: str, trace_ids: Sequence[str], limit: int = 1000) -> Sequence[Row]:
        """Return the feedback on these traces, of each the first `limit` by time.

        Rows have the fields of `collector.query.editor.Feedback`.
        """

    def approvals(self, project: str, trace_ids: Sequence[str]) -> Sequence[Row]:
        """Return the latest approval of each span of these traces: the fields of `collector.query.editor.Approval`."""

    def has_span(self, project: str, trace_id: str, span_id: str = "") -> bool:
        """Say whether there is this span, or, without its id, this trace."""


class Store(TraceReader, SpanReader, SessionReader, ReviewReader, Protocol):
    """All that the documented APIs ask."""
