"""The query parameters of trace lists, with their bounds, to `TraceFilters`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from collector.query.pandaprobe.schema import TraceStatus
from collector.query.reader import SortField, TraceFilters
from collector.query.times import Instant, nanoseconds

# A store must walk over every row that a page skips.
MAX_OFFSET = 1_000_000

Text = Annotated[str, Field(max_length=1024)]


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
    return None if value is None else nanoseconds(value)
