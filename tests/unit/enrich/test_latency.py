"""Latency and time to first token: null where they cannot be true."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from collector.enrich.latency import FIRST_TOKEN_EVENTS, time_to_first_event
from tests.unit.enrich.building import SECOND, START, Sent, enriched, only

FIRST_CHUNK = "gen_ai.response.time_to_first_chunk"
STREAM = "gen_ai.request.stream"


def first_token(value: Any, **attributes: Any) -> int | None:
    """Return the time to first token (ns) of a span of one second that reports this value."""
    return only({FIRST_CHUNK: value, **attributes})["time_to_first_token_ns"]


def test_latency_is_end_less_start_to_the_nanosecond() -> None:
    found = enriched(Sent(end=START + 1), Sent(end=START), Sent(start=START - 3, end=START + SECOND))
    assert [row["latency_ns"] for row in found] == [1, 0, SECOND + 3]


def test_latency_is_null_without_an_end_and_where_the_clock_ran_backwards() -> None:
    found = enriched(Sent(end=0), Sent(end=START - 1), Sent(end=START + 5))
    assert [row["latency_ns"] for row in found] == [None, None, 5]
    assert [row["end_time"] is None for row in found] == [True, False, False]


def test_an_end_beyond_what_a_timestamp_can_hold_is_a_latency_all_the_same() -> None:
    (row,) = enriched(Sent(end=2**64 - 1))
    assert row["latency_ns"] == 2**63 - 1 - START


def test_seconds_become_nanoseconds_rounded() -> None:
    assert first_token(0.25) == 250_000_000
    assert first_token(0.0000000016) == 2
    assert first_token(0.0) == 0
    assert first_token(1) == SECOND


@pytest.mark.parametrize(
    "value", [float("nan"), -0.001, -1, float("inf"), float("-inf"), 1e300, "soon", "-0.25", True, None]
)
def test_what_is_no_duration_is_null(value: Any) -> None:
    assert first_token(value) is None


def test_a_duration_of_more_than_a_day_is_null_even_without_an_end_to_compare_with() -> None:
    day = 86_400.0
    found = enriched(Sent({FIRST_CHUNK: day}, end=0), Sent({FIRST_CHUNK: day + 0.001}, end=0))
    assert [row["time_to_first_token_ns"] for row in found] == [86_400 * SECOND, None]


def test_it_is_null_for_a_call_that_says_it_did_not_stream() -> None:
    assert first_token(0.25, **{STREAM: False}) is None
    assert first_token(0.25, **{STREAM: True}) == 250_000_000
    assert first_token(0.25) == 250_000_000


def test_it_is_null_where_it_is_longer_than_the_span() -> None:
    assert first_token(1.000000001, **{STREAM: True}) is None
    assert first_token(1.0, **{STREAM: True}) == SECOND


def test_it_is_kept_while_the_span_has_no_latency_to_compare_with() -> None:
    found = enriched(Sent({FIRST_CHUNK: 5.0}, end=0), Sent({FIRST_CHUNK: 5.0}, end=START - 1))
    assert [row["time_to_first_token_ns"] for row in found] == [5 * SECOND] * 2


def test_spans_that_report_it_and_spans_that_do_not_keep_their_rows() -> None:
    found = enriched(Sent(), Sent({FIRST_CHUNK: 0.5}), Sent({FIRST_CHUNK: float("nan")}), Sent({FIRST_CHUNK: 1}))
    assert [row["time_to_first_token_ns"] for row in found] == [None, SECOND // 2, None, SECOND]


EVENTS = pa.list_(pa.struct({"time": pa.timestamp("ns", "UTC"), "name": pa.string()}))
CHUNK, _, OTHER_CHUNK, *_ = FIRST_TOKEN_EVENTS.to_pylist()


def first_event(*events: list[tuple[int, str]]) -> list[int | None]:
    """Return the times (ns) to the first marking event of spans that all start at START."""
    lists = pa.array([[{"time": START + time, "name": name} for time, name in span] for span in events], EVENTS)
    start = pa.array([START] * len(events), pa.timestamp("ns", "UTC"))
    found: list[int | None] = time_to_first_event(lists, start).to_pylist()
    return found


def test_the_earliest_event_of_streamed_content_marks_the_first_token() -> None:
    assert first_event([(70, CHUNK), (50, CHUNK), (10, "retry")], [], [(8, OTHER_CHUNK)]) == [50, None, 8]


def test_other_events_and_those_before_the_start_mark_nothing() -> None:
    assert first_event([(10, "retry")], [(-1, CHUNK)], []) == [None, None, None]
    assert first_event([], []) == [None, None]


def test_events_of_a_slice_belong_to_their_own_spans() -> None:
    lists = pa.array([[{"time": START + 9, "name": CHUNK}], [], [{"time": START + 4, "name": CHUNK}]], EVENTS).slice(1)
    assert time_to_first_event(lists, pa.array([START] * 2, pa.timestamp("ns", "UTC"))).to_pylist() == [None, 4]


def test_a_reported_time_comes_before_an_event() -> None:
    events = [(CHUNK, {})]
    reported, by_event = enriched(Sent({FIRST_CHUNK: 0.25}, events=events), Sent(events=events))
    assert reported["time_to_first_token_ns"] == 250_000_000
    assert by_event["time_to_first_token_ns"] == 1
