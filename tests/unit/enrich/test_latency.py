"""Latency and time to first token: null where they cannot be true."""

from __future__ import annotations

from typing import Any

import pytest

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


@pytest.mark.parametrize("value", [float("nan"), -0.001, -1, float("inf"), float("-inf"), 1e300, "0.25", True, None])
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
