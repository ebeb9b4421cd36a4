"""The parameters of PandaProbe's endpoints, with their bounds, to what a store is asked for."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from collector.query.pandaprobe.schema import TraceStatus
from collector.query.reader import Granularity, Metric, SessionFilters, SessionSortField, SortField, TraceFilters
from collector.query.times import Instant, nanoseconds

# A store must walk over every row that a page skips.
MAX_OFFSET = 1_000_000

MAX_TAGS = 50

Text = Annotated[str, Field(max_length=1024)]
Tag = Annotated[str, Field(min_length=1, max_length=1024)]
TagList = Annotated[
    list[Text], Field(max_length=MAX_TAGS, description="May be repeated; traces that have any of them.")
]
SortOrder = Literal["asc", "desc"]


class PageParameters(BaseModel):
    """Which page of a list."""

    limit: int = Field(50, ge=1, le=200, description="Length of the page.")
    offset: int = Field(0, ge=0, le=MAX_OFFSET, description="How many come before the page.")


class TraceListParameters(PageParameters):
    """The parameters of `GET /traces`, as the PandaProbe API documents them."""

    session_id: Text | None = None
    status: TraceStatus | None = None
    user_id: Text | None = None
    tags: TagList = []
    name: Text | None = Field(None, description="Part of the trace's name, in any case.")
    started_after: Instant | None = Field(None, description="Started at this time or later.")
    started_before: Instant | None = Field(None, description="Started earlier than this.")
    sort_by: SortField = "started_at"
    sort_order: SortOrder = "desc"

    def filters(self) -> TraceFilters:
        """Return what the reader is asked for; an empty text is no filter."""
        return TraceFilters(
            limit=self.limit,
            offset=self.offset,
            session_id=self.session_id or None,
            status=self.status,
            user_id=self.user_id or None,
            tags=tuple(tag for tag in self.tags if tag),
            name=self.name or None,
            started_after_ns=_nanoseconds_or_none(self.started_after),
            started_before_ns=_nanoseconds_or_none(self.started_before),
            sort_by=self.sort_by,
            descending=self.sort_order == "desc",
        )


class SessionListParameters(PageParameters):
    """The parameters of `GET /sessions`. User, times and tags choose traces, and sessions are summed up over those."""

    user_id: Text | None = None
    has_error: bool | None = Field(None, description="Sessions with a failed trace, or those without.")
    started_after: Instant | None = Field(None, description="Traces that started at this time or later.")
    started_before: Instant | None = Field(None, description="Traces that started earlier than this.")
    tags: TagList = []
    query: Text | None = Field(None, description="Part of the session's id, in any case.")
    sort_by: SessionSortField = "recent"
    sort_order: SortOrder = "desc"

    def filters(self) -> SessionFilters:
        """Return what the reader is asked for; an empty text is no filter."""
        return SessionFilters(
            limit=self.limit,
            offset=self.offset,
            user_id=self.user_id or None,
            has_error=self.has_error,
            tags=tuple(tag for tag in self.tags if tag),
            query=self.query or None,
            started_after_ns=_nanoseconds_or_none(self.started_after),
            started_before_ns=_nanoseconds_or_none(self.started_before),
            sort_by=self.sort_by,
            descending=self.sort_order == "desc",
        )


class SessionParameters(BaseModel):
    """The parameters of `GET /sessions/{session_id}`: which of its traces are shown."""

    limit: int = Field(200, ge=1, le=1000, description="How many traces are shown.")
    offset: int = Field(0, ge=0, le=MAX_OFFSET, description="How many traces come before them.")


class AnalyticsParameters(BaseModel):
    """The parameters of `GET /traces/analytics`."""

    metric: Metric = "volume"
    granularity: Granularity = "day"
    started_after: Instant = Field(description="Traces that started at this time or later.")
    started_before: Instant = Field(description="Traces that started earlier than this.")


class TraceSelection(BaseModel):
    """The body of `POST /traces/batch/delete`: some traces."""

    trace_ids: list[UUID] = Field(min_length=1, max_length=500)

    def ids(self) -> list[str]:
        """Return the ids as hex digits, each once."""
        return list(dict.fromkeys(trace_id.hex for trace_id in self.trace_ids))


class TagChange(TraceSelection):
    """The body of `POST /traces/batch/tags`: some traces, and what to change. A tag that is in both lists is added."""

    add_tags: list[Tag] = Field([], max_length=MAX_TAGS)
    remove_tags: list[Tag] = Field([], max_length=MAX_TAGS)


def _nanoseconds_or_none(value: datetime | None) -> int | None:
    return None if value is None else nanoseconds(value)
