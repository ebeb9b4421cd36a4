"""Latency and time to first token: null where they cannot be true."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from collector.enrich.latency import (
    COMPLETION_START,
    DAY_NS,
    FIRST_TOKEN_EVENTS,
    instant_ns,
    time_to_first_event,
    time_to_instant,
)
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


AT_A_QUARTER = "2026-01-15T12:00:00.250000"
"""A quarter of a second after START."""
FORMS = {
    "the conventions": ({FIRST_CHUNK: 0.25}, ""),
    "a metric's name, AI SDK 7": ({"gen_ai.client.operation.time_to_first_chunk": 0.25}, "gen_ai"),
    "seconds of OpenLIT": ({"gen_ai.server.time_to_first_token": 0.25}, "openlit.instrumentation.openai"),
    "milliseconds of Strands": ({"gen_ai.server.time_to_first_token": 250}, "strands.telemetry.tracer"),
    "AI SDK 3 to 6": ({"ai.response.msToFirstChunk": 250.0}, "ai"),
    "AI SDK 3 to 6, of the stream": ({"ai.stream.msToFirstChunk": 250}, "ai"),
    "an instant": ({COMPLETION_START: f"{AT_A_QUARTER}Z"}, "langfuse-sdk"),
    "an instant in quotes, of LiveKit": ({COMPLETION_START: f'"{AT_A_QUARTER}+00:00"'}, "livekit-agents"),
    "LiveKit": ({"lk.response.ttft": 0.25}, "livekit-agents"),
    "VS Code Copilot": ({"copilot_chat.time_to_first_token": 250}, "copilot-chat"),
    "OpenInference": ("First Token Stream Event", "openinference.instrumentation.openai"),
    "OpenLLMetry": ("gen_ai.content.completion.chunk", "opentelemetry.instrumentation.openai.v1"),
    "OpenLLMetry, old": ("llm.content.completion.chunk", "opentelemetry.instrumentation.openai.v1"),
    "an event of the AI SDK": ("ai.stream.firstChunk", "ai"),
}
"""Attributes or the event that say when the first token came, and the scope that writes them."""


def streamed(form: dict[str, Any] | str, scope: str, **attributes: Any) -> int | None:
    """Return the time to first token of a call that says it in this form."""
    if isinstance(form, dict):
        sent = Sent({**form, **attributes}, scope=scope)
    else:
        sent = Sent(attributes, scope=scope, events=[(form, {})], event_time=START + SECOND // 4)
    (row,) = enriched(sent)
    return row["time_to_first_token_ns"]


@pytest.mark.parametrize(("form", "scope"), FORMS.values(), ids=FORMS)
def test_every_form_of_the_time_to_the_first_token_is_read_in_its_own_unit(
    form: dict[str, Any] | str, scope: str
) -> None:
    """mastra-ai/mastra#9444, BerriAI/litellm#8999, Tracely PR#51, braintrust-sdk-js#2110: missing, or wrong."""
    assert streamed(form, scope) == SECOND // 4
    assert streamed(form, scope, **{STREAM: True}) == SECOND // 4


@pytest.mark.parametrize(("form", "scope"), FORMS.values(), ids=FORMS)
def test_no_form_of_it_counts_for_a_call_that_says_it_did_not_stream(form: dict[str, Any] | str, scope: str) -> None:
    assert streamed(form, scope, **{STREAM: False}) is None


def test_what_is_reported_as_a_duration_comes_before_an_instant_and_an_instant_before_an_event() -> None:
    instant = {COMPLETION_START: f"{AT_A_QUARTER}Z"}
    events = [(CHUNK, {})]
    found = enriched(Sent({**instant, FIRST_CHUNK: 0.5}, events=events), Sent(instant, events=events))
    assert [row["time_to_first_token_ns"] for row in found] == [SECOND // 2, SECOND // 4]


START_TIME = datetime(2026, 1, 15, 12, tzinfo=UTC)


def quoted(text: str, times: int) -> str:
    """Return a text in as many quotes."""
    for _ in range(times):
        text = json.dumps(text)
    return text


@pytest.mark.parametrize("times", [0, 1, 2])
@pytest.mark.parametrize("zone", ["Z", "+00:00", ""])
def test_an_instant_may_be_quoted_once_and_twice_and_is_utc_without_a_zone(times: int, zone: str) -> None:
    assert instant_ns(quoted(f"{AT_A_QUARTER}{zone}", times)) == START + SECOND // 4


def test_an_instant_of_another_zone_or_of_milliseconds_is_the_same_instant() -> None:
    assert instant_ns("2026-01-15T13:00:00.250+01:00") == instant_ns("2026-01-15 12:00:00.25") == START + SECOND // 4


@pytest.mark.parametrize(
    "value", ["", "soon", '""', "{}", "12:00", "1969-12-31T23:59:59Z", "9999-12-31T23:59:59Z", 1.5, 17, True, None, {}]
)
def test_what_is_no_instant_is_none(value: Any) -> None:
    assert instant_ns(value) is None


def after(*microseconds: int) -> list[int | None]:
    """Return what becomes of instants so long after a start at START and 123 ns."""
    texts = pa.array([(START_TIME + timedelta(microseconds=each)).isoformat() for each in microseconds])
    start = pa.array([START + 123] * len(microseconds), pa.timestamp("ns", "UTC"))
    found: list[int | None] = time_to_instant(texts, start).to_pylist()
    return found


def test_an_instant_in_the_microsecond_of_the_start_is_the_start_and_one_before_is_none() -> None:
    assert after(0, 1, -1) == [0, 877, None]


def test_an_instant_more_than_a_day_after_the_start_is_none() -> None:
    day = DAY_NS // 1000
    assert after(day, day + 1) == [DAY_NS - 123, None]


def test_spans_with_and_without_an_instant_keep_their_rows() -> None:
    sent = [{}, {COMPLETION_START: f"{AT_A_QUARTER}Z"}, {COMPLETION_START: "soon"}, {COMPLETION_START: 7}]
    assert [row["time_to_first_token_ns"] for row in enriched(*map(Sent, sent))] == [None, SECOND // 4, None, None]
    assert time_to_instant(pa.nulls(2, pa.string()), pa.nulls(2, pa.timestamp("ns", "UTC"))).to_pylist() == [None, None]
