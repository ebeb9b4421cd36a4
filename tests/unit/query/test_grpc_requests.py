"""Requests of the gRPC read API: what is refused, what the filters become, and the way from page to page."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from collector.errors import Permanent
from collector.query.grpc import traces_pb2 as pb
from collector.query.grpc.requests import MAX_REQUEST, first_page, next_page, parsed, shows_everything, trace_id
from collector.query.reader import TraceFilters
from tests.unit.query.rows import START, TRACE_ID, TRACE_UUID

SECOND = 1_000_000_000


def filters(**fields: Any) -> TraceFilters:
    return first_page(pb.ListTracesRequest(**fields))[0]


@pytest.mark.parametrize("text", [TRACE_ID, TRACE_ID.upper(), TRACE_UUID, TRACE_UUID.upper()])
def test_a_trace_id_is_hexadecimal_or_a_uuid_in_any_case(text: str) -> None:
    assert trace_id(text) == TRACE_ID


@pytest.mark.parametrize(
    "text",
    [
        "",
        TRACE_ID[:-1],
        TRACE_ID + "0",
        TRACE_ID + "\n",
        "g" * 32,
        "-" * 32,
        f"{TRACE_ID[:31]}\x00",
        "'; DROP TABLE spans",
        "१" * 32,
        f"{{{TRACE_UUID}}}",
        "x" * 100_000,
    ],
)
def test_what_is_no_trace_id_is_refused_in_a_short_sentence(text: str) -> None:
    with pytest.raises(Permanent, match=r"^trace_id is no trace id: .{0,80}$"):
        trace_id(text)


def test_a_request_of_nothing_is_the_newest_thousand_in_pages_of_two_hundred() -> None:
    assert first_page(pb.ListTracesRequest()) == (
        TraceFilters(
            limit=200,
            offset=0,
            session_id=None,
            status=None,
            user_id=None,
            tags=(),
            name=None,
            started_after_ns=None,
            started_before_ns=None,
            sort_by="started_at",
            descending=True,
            counted=False,
        ),
        1000,
    )


def test_every_filter_reaches_the_reader() -> None:
    asked = filters(
        session_id="s",
        user_id="u",
        name="n",
        tags=["a", "", "b"],
        status=pb.TRACE_STATUS_ERROR,
        started_after=Timestamp(seconds=1, nanos=5),
        started_before=Timestamp(),
        order=pb.TRACE_ORDER_LATENCY,
        ascending=True,
        page_size=7,
        limit=5,
    )
    assert asked == TraceFilters(
        limit=5,
        offset=0,
        session_id="s",
        status="ERROR",
        user_id="u",
        tags=("a", "b"),
        name="n",
        started_after_ns=SECOND + 5,
        started_before_ns=0,
        sort_by="latency",
        descending=False,
        counted=False,
    )


@pytest.mark.parametrize("name", pb.TraceOrder.keys())
def test_every_order_is_one_that_the_reader_knows(name: str) -> None:
    assert filters(order=pb.TraceOrder.Value(name)).sort_by in ("started_at", "ended_at", "name", "latency", "status")


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"limit": 100_001}, "limit is 100001: allowed is up to 100000"),
        ({"page_size": 1001}, "page_size is 1001: allowed is up to 1000"),
        ({"status": 99}, "status is 99: allowed are the values of spanledger.v1.TraceStatus"),
        ({"status": -1}, "status is -1: allowed are the values of spanledger.v1.TraceStatus"),
        ({"order": 6}, "order is 6: allowed are the values of spanledger.v1.TraceOrder"),
        ({"session_id": "x" * 1025}, "session_id has 1025 characters: allowed are 1024"),
        ({"name": "x" * 1025}, "name has 1025 characters: allowed are 1024"),
        ({"tags": ["x" * 1025]}, "tags has 1025 characters: allowed are 1024"),
        ({"tags": ["x"] * 51}, "tags has 51 entries: allowed are 50"),
        ({"started_after": Timestamp(seconds=-1)}, "started_after is no time between the years 1970 and 2261"),
        ({"started_before": Timestamp(seconds=2**62)}, "started_before is no time between the years 1970 and 2261"),
        ({"started_before": Timestamp(nanos=-1)}, "started_before is no time between the years 1970 and 2261"),
        ({"started_before": Timestamp(nanos=SECOND)}, "started_before is no time between the years 1970 and 2261"),
    ],
)
def test_a_filter_that_is_wrong_is_refused_with_what_is_allowed(fields: dict[str, Any], sentence: str) -> None:
    with pytest.raises(Permanent) as refused:
        filters(**fields)
    assert str(refused.value) == sentence


def test_the_last_moment_that_is_taken_fits_into_64_bits() -> None:
    asked = filters(started_before=Timestamp(seconds=9_214_646_399, nanos=999_999_999))
    assert asked.started_before_ns is not None
    assert asked.started_before_ns + 1 < 2**63


def test_a_view_that_does_not_exist_is_refused() -> None:
    assert shows_everything(pb.TRACE_VIEW_UNSPECIFIED)
    assert shows_everything(pb.TRACE_VIEW_FULL)
    assert not shows_everything(pb.TRACE_VIEW_BASIC)
    with pytest.raises(Permanent, match=r"^view is 3: "):
        shows_everything(3)


@pytest.mark.parametrize("payload", [b"\x0a\xff", b"\x0a\x02\xff\xfe", b"\x00" * 9, b"\xff" * 100])
def test_bytes_that_are_no_request_are_refused(payload: bytes) -> None:
    with pytest.raises(Permanent, match=r"^the request is no spanledger\.v1\.GetTraceRequest: "):
        parsed(pb.GetTraceRequest, payload)


def test_a_request_that_uses_every_filter_to_the_full_is_not_too_large_and_a_larger_one_is_not_looked_at() -> None:
    text = "\N{GRINNING FACE}" * 1024
    largest = pb.ListTracesRequest(session_id=text, user_id=text, name=text, tags=[text] * 50)
    assert parsed(pb.ListTracesRequest, largest.SerializeToString()) == largest
    first_page(largest)
    with pytest.raises(Permanent, match=f"allowed are {MAX_REQUEST}"):
        parsed(pb.ListTracesRequest, bytes(MAX_REQUEST + 1))


Stored = list[dict[str, Any]]


def page(stored: Stored, asked: TraceFilters) -> Stored:
    """What the store answers: the pages of a list by start time, then trace id."""
    sign = -1 if asked.descending else 1
    found = sorted(
        (
            row
            for row in stored
            if (asked.started_after_ns is None or row["start_time"] >= asked.started_after_ns)
            and (asked.started_before_ns is None or row["start_time"] < asked.started_before_ns)
        ),
        key=lambda row: (sign * row["start_time"], row["trace_id"]),
    )
    return found[asked.offset : asked.offset + asked.limit]


def walk(stored: Stored, asked: TraceFilters, between: Callable[[], None] = lambda: None) -> list[str]:
    found: list[str] = []
    while rows := page(stored, asked):
        found += [row["trace_id"] for row in rows]
        assert len(found) <= len(stored)
        asked = next_page(asked, rows)
        between()
    return found


@pytest.mark.parametrize("ascending", [False, True])
@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_pages_by_start_time_hold_every_trace_once_also_where_many_start_at_the_same_moment(
    size: int, ascending: bool
) -> None:
    rng = random.Random(size)
    stored = [{"trace_id": f"{number:03}", "start_time": START + rng.randrange(6)} for number in range(40)]
    asked = replace(filters(ascending=ascending), limit=size)
    for bounds in ({}, {"started_before_ns": START + 4}, {"started_after_ns": START + 2}):
        bounded = replace(asked, **bounds)
        expected = [row["trace_id"] for row in page(stored, replace(bounded, limit=100))]
        assert walk(stored, bounded) == expected


@pytest.mark.parametrize("ascending", [False, True])
def test_traces_that_arrive_while_a_list_is_read_by_start_time_neither_repeat_nor_hide_any(ascending: bool) -> None:
    stored = [{"trace_id": f"old {number:02}", "start_time": START + number} for number in range(20)]
    old = {row["trace_id"] for row in stored}
    numbers = iter(range(100))

    def arrive() -> None:
        at = START - 50 if ascending else START + 1000  # before the place where the list is read
        stored.append({"trace_id": f"new {next(numbers)}", "start_time": at})

    found = walk(stored, replace(filters(ascending=ascending), limit=3), arrive)
    assert sorted(trace for trace in found if trace in old) == sorted(old)


def test_pages_in_another_order_go_by_their_number() -> None:
    asked = replace(filters(order=pb.TRACE_ORDER_NAME), limit=2, offset=4)
    assert next_page(asked, [{}, {}]) == replace(asked, offset=6)
