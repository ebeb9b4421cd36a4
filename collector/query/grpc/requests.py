"""What is asked: serialized requests to ids and filters, and the way from one page of a list to the next."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from google.protobuf.message import DecodeError, Message
from google.protobuf.timestamp_pb2 import Timestamp

from collector.errors import Permanent
from collector.query.grpc import traces_pb2 as pb
from collector.query.reader import Row, SortField, TraceFilters

MAX_REQUEST = 256 << 10
"""Bytes of a request; one that uses every filter to the full has less."""
MAX_PAGE_SIZE, DEFAULT_PAGE_SIZE = 1000, 200
MAX_LIMIT, DEFAULT_LIMIT = 100_000, 1000
MAX_TEXT = 1024
MAX_TAGS = 50

_TRACE_ID = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
# 1970 to 2261, the years whose ns since 1970 an Int64 holds.
_MAX_SECONDS = 9_214_646_400

_SORT_FIELDS: Mapping[int, SortField] = {
    pb.TRACE_ORDER_UNSPECIFIED: "started_at",
    pb.TRACE_ORDER_START_TIME: "started_at",
    pb.TRACE_ORDER_END_TIME: "ended_at",
    pb.TRACE_ORDER_NAME: "name",
    pb.TRACE_ORDER_LATENCY: "latency",
    pb.TRACE_ORDER_STATUS: "status",
}

_Request = TypeVar("_Request", bound=Message)


def parsed(kind: type[_Request], payload: bytes) -> _Request:
    """Return a request. Raises `Permanent` for bytes that are none."""
    if len(payload) > MAX_REQUEST:
        raise Permanent(f"the request has {len(payload)} bytes: allowed are {MAX_REQUEST}")
    try:
        return kind.FromString(payload)
    except DecodeError as error:
        raise Permanent(f"the request is no {kind.DESCRIPTOR.full_name}: send that message") from error


def trace_id(text: str) -> str:
    """Return a trace id as it is stored. Raises `Permanent` for what is none."""
    if not _TRACE_ID.fullmatch(text):
        raise Permanent("trace_id is no trace id: allowed are 32 hexadecimal digits, or a UUID")
    return text.replace("-", "").lower()


def shows_everything(view: int) -> bool:
    """Return whether this `TraceView` is the full one. Raises `Permanent` for what is none."""
    return _known("view", pb.TraceView, view) != pb.TRACE_VIEW_BASIC


def first_page(request: pb.ListTracesRequest) -> tuple[TraceFilters, int]:
    """Return the filters of the first page, and how many traces the list has at most. Raises `Permanent`."""
    limit = _count("limit", request.limit, DEFAULT_LIMIT, MAX_LIMIT)
    page_size = _count("page_size", request.page_size, DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)
    if len(request.tags) > MAX_TAGS:
        raise Permanent(f"tags has {len(request.tags)} entries: allowed are {MAX_TAGS}")
    status = _known("status", pb.TraceStatus, request.status)
    filters = TraceFilters(
        limit=min(limit, page_size),
        offset=0,
        session_id=_text("session_id", request.session_id),
        status=pb.TraceStatus.Name(status).removeprefix("TRACE_STATUS_") if status else None,
        user_id=_text("user_id", request.user_id),
        tags=tuple(filter(None, (_text("tags", tag) for tag in request.tags))),
        name=_text("name", request.name),
        started_after_ns=_time(request, "started_after"),
        started_before_ns=_time(request, "started_before"),
        sort_by=_SORT_FIELDS[_known("order", pb.TraceOrder, request.order)],
        descending=not request.ascending,
        counted=False,
    )
    return filters, limit


def next_page(filters: TraceFilters, rows: Sequence[Row]) -> TraceFilters:
    """Return the filters of the page after the one that had these rows.

    By start time it begins where that one ended, whatever has arrived since: at the start of its last trace, after as many
    traces as were returned of that very nanosecond. In any other order it begins after as many traces as were returned.
    """
    if filters.sort_by != "started_at":
        return replace(filters, offset=filters.offset + len(rows))
    last = rows[-1]["start_time"]
    bound, at = ("started_before_ns", last + 1) if filters.descending else ("started_after_ns", last)
    returned = sum(row["start_time"] == last for row in rows)
    if getattr(filters, bound) == at:
        returned += filters.offset
    bounds: dict[str, Any] = {bound: at}
    return replace(filters, offset=returned, **bounds)


def _count(field: str, value: int, default: int, largest: int) -> int:
    if value > largest:
        raise Permanent(f"{field} is {value}: allowed is up to {largest}")
    return value or default


def _text(field: str, text: str) -> str | None:
    if len(text) > MAX_TEXT:
        raise Permanent(f"{field} has {len(text)} characters: allowed are {MAX_TEXT}")
    return text or None


def _known(field: str, kind: Any, number: int) -> int:
    if number not in kind.values():
        raise Permanent(f"{field} is {number}: allowed are the values of {kind.DESCRIPTOR.full_name}")
    return number


def _time(request: pb.ListTracesRequest, field: str) -> int | None:
    """Return a time in ns since 1970, or None where the field is not set."""
    if not request.HasField(field):
        return None
    time: Timestamp = getattr(request, field)
    if not (0 <= time.seconds < _MAX_SECONDS and 0 <= time.nanos < 1_000_000_000):
        raise Permanent(f"{field} is no time between the years 1970 and 2261")
    return time.seconds * 1_000_000_000 + time.nanos
