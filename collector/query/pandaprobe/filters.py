"""The query parameters of trace lists, with their bounds, to `TraceFilters`."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field

from collector.query.pandaprobe.schema import TraceStatus
from collector.query.reader import SortField, TraceFilters

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# A store must walk over every row that a page skips.
MAX_OFFSET = 1_000_000

Text = Annotated[str, Field(max_length=1024)]


def _plus_in_offset(value: object) -> object:
    """Put back the plus sign of a UTC offset: in a URL that was not encoded it reads as a space."""
    return re.sub(r"(T.*) (\d\d:?\d\d)$", r"\1+\2", value) if isinstance(value, str) and len(value) < 64 else value


def _in_range(value: datetime) -> datetime:
    """Keep times within what 64-bit nanoseconds hold; a time without an offset is UTC."""
    if not 1970 <= value.year <= 2261:
        raise ValueError("The time must lie between the years 1970 and 2261")
    return value if value.tzinfo else value.replace(tzinfo=UTC)


Instant = Annotated[datetime, BeforeValidator(_plus_in_offset), AfterValidator(_in_range)]


class TraceListParameters(BaseModel):
    """The parameters of `GET /traces`, as the PandaProbe API documents them."""

    limit: int = Field(50, ge=1, le=200, description="Length of the page.")
    offset: int = Field(0, ge=0, le=MAX_OFFSET, description="How many traces come before the page.")
    session_id: Text | None = None
    status: TraceStatus | None = None
    user_id: Text | None = None
    tags: list[Text] = Field([], max_length=50, description="May be repeated; traces that have any of them.")
    name: Text | None = Field(None, description="Part of the trace's name, in any case.")
    started_after: Instant | None = Field(None, description="Started at this time or later.")
    started_before: Instant | None = Field(None, description="Started earlier than this.")
    sort_by: SortField = "started_at"
    sort_order: Literal["asc", "desc"] = "desc"

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
            started_after_ns=_nanoseconds(self.started_after),
            started_before_ns=_nanoseconds(self.started_before),
            sort_by=self.sort_by,
            descending=self.sort_order == "desc",
        )


def _nanoseconds(value: datetime | None) -> int | None:
    """Return the time in ns since 1970."""
    return None if value is None else (value - _EPOCH) // timedelta(microseconds=1) * 1000
