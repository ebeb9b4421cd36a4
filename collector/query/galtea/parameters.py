"""The query parameters of Galtea's list of traces, with their bounds, to `SpanFilters`."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, Field

from collector.query.galtea.schema import TYPES
from collector.query.galtea.view import TYPE_OF_KIND
from collector.query.reader import Reference, SpanFilters
from collector.query.times import Instant, nanoseconds

MAX_IDS = 100
"""Values of one filter: each id is looked for by itself."""

LIMIT = 1000
"""Length of a page, and the longest one. A page has no total and no cursor, and clients take a list without limit for all
there is: so it is as long as can be answered at once. A thousand spans with their content are some megabytes."""

MAX_OFFSET = 1_000_000

_SORT_FIELDS: dict[str, Literal["start_time", "end_time", "received_at", "latency", "name"]] = {
    "startTime": "start_time",
    "endTime": "end_time",
    "createdAt": "received_at",
    "latencyMs": "latency",
    "name": "name",
}
_TRACE_ID = re.compile(r"[0-9a-f]{32}")

Text = Annotated[str, Field(max_length=1024)]
Texts = Annotated[list[Text], Field(max_length=MAX_IDS)]


def _known_type(value: str) -> str:
    if value.upper() not in TYPES:
        raise ValueError(f"allowed are {', '.join(TYPES)}")
    return value.upper()


def _order(value: list[str]) -> list[str]:
    """Split what is written in one value (``startTime,desc``), and check the field and its direction."""
    words = [word.strip() for each in value for word in each.split(",")]
    if words and (len(words) != 2 or words[0] not in _SORT_FIELDS or words[1].lower() not in ("asc", "desc")):
        raise ValueError(f"allowed is one of {', '.join(_SORT_FIELDS)}, and asc or desc")
    return words


class TraceListParameters(BaseModel):
    """The parameters of `GET /traces`, as the Galtea API documents them."""

    ids: Texts = Field([], alias="ids[]", description="Ids of traces.")
    inference_result_ids: Texts = Field(
        [], alias="inferenceResultIds[]", description="Ids of inference results, or trace ids of OpenTelemetry."
    )
    session_ids: Texts = Field([], alias="sessionIds[]")
    types: Annotated[list[Annotated[str, AfterValidator(_known_type)]], Field(max_length=MAX_IDS)] = Field(
        [], alias="types[]", description="Types of traces, in any case."
    )
    names: Texts = Field([], alias="names[]")
    from_start_time: Instant | None = Field(None, alias="fromStartTime", description="Started at this time or later.")
    to_start_time: Instant | None = Field(None, alias="toStartTime", description="Started at this time or earlier.")
    sort: Annotated[list[Text], Field(max_length=2), AfterValidator(_order)] = Field(
        [], alias="sort[]", description="A field and a direction, in one value or in two."
    )
    offset: int = Field(0, ge=0, le=MAX_OFFSET, description="How many traces come before the page.")
    limit: int = Field(LIMIT, ge=1, le=LIMIT, description="Length of the page.")

    def filters(self, found_by: dict[str, Any]) -> SpanFilters:
        """Return what the reader is asked for; `found_by` are the filters that the ids make.

        Without an order, spans of certain runs come as they happened, and those of a whole project the newest first.
        """
        of_runs = bool(self.ids or self.inference_result_ids or self.session_ids)
        field, direction = self.sort or ("startTime", "asc" if of_runs else "desc")
        return SpanFilters(
            limit=self.limit,
            offset=self.offset,
            references=tuple(_references(self.inference_result_ids)),
            session_ids=tuple(self.session_ids),
            kinds=tuple(kind for kind, shown in TYPE_OF_KIND.items() if shown in self.types),
            names=tuple(self.names),
            started_after_ns=None if self.from_start_time is None else nanoseconds(self.from_start_time),
            # The whole of the last microsecond: times are shown cut to it.
            started_before_ns=None if self.to_start_time is None else nanoseconds(self.to_start_time) + 1000,
            sort_by=_SORT_FIELDS[field],
            descending=direction.lower() == "desc",
            **found_by,
        )

    @property
    def find_nothing(self) -> bool:
        """Whether only types are asked for that no kind of span stands for."""
        return bool(self.types) and not set(self.types) & set(TYPE_OF_KIND.values())


def _references(inference_results: list[str]) -> list[Reference]:
    """Return what spans say, and for ids of OpenTelemetry also the traces of those that say nothing."""
    said = [Reference("galtea.inference_result", each) for each in inference_results]
    return said + [Reference("trace", each) for each in inference_results if _TRACE_ID.fullmatch(each)]
