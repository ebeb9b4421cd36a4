"""Invalid spans are rejected one by one, with their reason; the rest of the request is kept."""

from __future__ import annotations

import itertools

import pytest

from collector.decode import Limits, Rejections
from tests.support.otlp import NOW, closed_request, request, span
from tests.unit.decode.reference import PROJECT, decode, rows

TRACE = "trace_id is not 16 bytes or all zero"
SPAN = "span_id is not 8 bytes or all zero"
PARENT = "parent_span_id is not 8 bytes"
TIME = "start time is outside the accepted range"

LIMITS = Limits(accept_past=1_000_000_000, accept_future=1_000_000)
OLDEST, NEWEST = NOW - LIMITS.accept_past, NOW + LIMITS.accept_future


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ({"trace_id": b""}, TRACE),
        ({"trace_id": b"1" * 15}, TRACE),
        ({"trace_id": b"1" * 17}, TRACE),
        ({"trace_id": b"1" * 8}, TRACE),
        ({"trace_id": bytes(16)}, TRACE),
        ({"span_id": b""}, SPAN),
        ({"span_id": b"1" * 7}, SPAN),
        ({"span_id": b"1" * 9}, SPAN),
        ({"span_id": b"1" * 16}, SPAN),
        ({"span_id": bytes(8)}, SPAN),
        ({"parent": b"1"}, PARENT),
        ({"parent": b"1" * 7}, PARENT),
        ({"parent": b"1" * 16}, PARENT),
        ({"parent": bytes(7)}, PARENT),
        ({"start": OLDEST - 1}, TIME),
        ({"start": NEWEST + 1}, TIME),
        ({"start": 0, "end": NOW}, TIME),
        ({"start": 1}, TIME),
        ({"start": 2**64 - 1, "end": 0}, TIME),
    ],
    ids=itertools.count(),
)
def test_an_invalid_span_is_rejected_with_its_reason_and_its_neighbours_are_kept(bad: dict, reason: str) -> None:
    decoded = decode(request(span(name="before"), span(name="bad", **bad), span(name="after")), LIMITS)

    assert [row["name"] for row in rows(decoded.batch)] == ["before", "after"]
    assert decoded.rejections.reasons == {reason: 1}
    assert decoded.rejections.count == 1
    assert decoded.rejections.message == f"1 rejected: {reason}"


@pytest.mark.parametrize("start", [OLDEST, NEWEST], ids=["oldest", "newest"])
def test_a_start_on_either_edge_of_the_range_is_accepted(start: int) -> None:
    decoded = decode(request(span(start=start)), LIMITS)

    assert rows(decoded.batch)[0]["start_time"] == start
    assert decoded.rejections.count == 0


@pytest.mark.parametrize("parent", [b"", bytes(8)], ids=["none", "zero"])
def test_a_span_with_no_parent_or_a_zero_one_is_a_root(parent: bytes) -> None:
    decoded = decode(request(span(parent=parent)))

    assert rows(decoded.batch)[0]["parent_span_id"] == ""
    assert decoded.rejections.count == 0


def test_an_end_before_the_start_is_no_reason_to_reject() -> None:
    assert len(decode(request(span(end=NOW - 5))).batch) == 1


def test_ids_of_links_are_kept_as_they_are() -> None:
    """A link that points nowhere does no harm to the span that has it."""
    bad = span()
    bad.links.add(trace_id=b"\x01", span_id=b"")

    row = rows(decode(request(bad)).batch)[0]

    assert (row["links"][0]["trace_id"], row["links"][0]["span_id"]) == ("01", "")


def test_reasons_are_counted_and_listed_in_one_line() -> None:
    decoded = decode(request(span(trace_id=b"1"), span(), span(start=0), span(trace_id=b"")), LIMITS)

    assert decoded.rejections.reasons == {TRACE: 2, TIME: 1}
    assert decoded.rejections.count == 3
    assert decoded.rejections.message == f"1 rejected: {TIME}; 2 rejected: {TRACE}"


def test_a_span_with_several_faults_is_rejected_once() -> None:
    decoded = decode(request(span(trace_id=b"1", span_id=b"1", parent=b"1", start=0)))

    assert decoded.rejections == Rejections({TRACE: 1}, {PROJECT: {TRACE: 1}})


def test_where_nothing_is_rejected_there_is_nothing_to_say() -> None:
    decoded = decode(request(span()))

    assert decoded.rejections.reasons == {}
    assert decoded.rejections.message == ""


def test_a_span_too_short_to_have_ids_is_rejected_like_one_without() -> None:
    decoded = decode(closed_request(b"", span(name="kept").SerializeToString(), b"\x2a\x01x"))

    assert [row["name"] for row in rows(decoded.batch)] == ["kept"]
    assert decoded.rejections.reasons == {TRACE: 2}


def test_the_shortest_span_with_both_ids_is_long_enough_to_be_looked_at() -> None:
    """It is rejected for its time, which it lacks, and not for its length."""
    shortest = span(name="", kind=0, start=0, end=0).SerializeToString()

    assert len(shortest) == 28
    assert decode(closed_request(shortest)).rejections.reasons == {TIME: 1}
