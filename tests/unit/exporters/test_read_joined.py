"""What rows of log records make of a span's content, errors and evaluations, whatever their order."""

from __future__ import annotations

import itertools
import json
import random
from typing import Any

import pytest

from exporters.clickhouse.read_joined import add_evaluations, combined, fill_content

Row = dict[str, Any]
_numbers = itertools.count(1)


def row(**said: Any) -> Row:
    """A row of either table, under the span 'a'; its identity is its own."""
    plain: Row = {
        "trace_id": "t",
        "span_id": "a",
        "response_id": "",
        "time": 10,
        "received_at": 1,
        "request": next(_numbers),
        "position": 0,
        "complete": False,
        **dict.fromkeys(("input", "output", "system_instructions", "tool_definitions", "error", "error_type"), ""),
    }
    return {**plain, **said}


def span(**said: Any) -> Row:
    plain: Row = {
        "trace_id": "t",
        "span_id": "a",
        "response_id": "r",
        "kind": "LLM",
        "status_code": "UNSET",
        "evaluations": [],
    }
    texts = ("input", "output", "system_instructions", "tool_definitions", "error", "error_type")
    return {**plain, **dict.fromkeys(texts, ""), **said}


def said(text: str) -> str:
    return json.dumps([{"role": "user", "parts": [{"type": "text", "content": text}]}])


def words(text: str) -> list[str]:
    return [message["parts"][0]["content"] for message in json.loads(text)] if text else []


@pytest.mark.parametrize("seed", range(5))
def test_messages_are_put_together_in_the_order_of_their_times_whatever_order_they_come_in(seed: int) -> None:
    rows = [
        row(input=said("1"), time=10),
        row(input=said("2"), time=20, request=7, position=0),
        row(input=said("3"), time=20, request=7, position=1),
        row(output=said("answer"), time=5),
        row(input=said("4"), time=20, received_at=2),
    ]
    random.Random(seed).shuffle(rows)
    one = span()
    fill_content([one], rows)
    assert words(one["input"]) == ["1", "2", "3", "4"]
    assert words(one["output"]) == ["answer"]


def test_a_row_that_is_there_twice_counts_once() -> None:
    first = row(input=said("1"))
    one = span()
    fill_content([one], [first, dict(first), {**first, "received_at": 9}])
    assert words(one["input"]) == ["1"]


def test_what_is_complete_stands_for_all_messages_and_of_several_the_latest_does() -> None:
    rows = [
        row(input=said("message"), time=99),
        row(input=said("older"), output=said("kept"), complete=True, received_at=1),
        row(input=said("newer"), complete=True, received_at=2),
    ]
    assert words(combined("input", rows)) == ["newer"]
    assert words(combined("output", rows)) == ["kept"]
    assert combined("tool_definitions", rows) == ""


def test_what_the_span_itself_says_stays() -> None:
    one = span(input="its own")
    fill_content([one], [row(input=said("1"), output=said("2"), complete=True)])
    assert one["input"] == "its own"
    assert words(one["output"]) == ["2"]


def test_rows_without_a_span_belong_to_the_spans_of_their_response() -> None:
    spans = [span(), span(span_id="b", response_id="other"), span(span_id="c", response_id="")]
    fill_content(spans, [row(span_id="", response_id="r", output=said("x"), complete=True)])
    assert [words(one["output"]) for one in spans] == [["x"], [], []]


def test_rows_with_a_span_do_not_go_to_another_of_the_same_response() -> None:
    spans = [span(), span(span_id="b")]
    fill_content(spans, [row(span_id="b", response_id="r", output=said("x"), complete=True)])
    assert [words(one["output"]) for one in spans] == [[], ["x"]]


@pytest.mark.parametrize(
    ("failed", "shown"),
    [
        ({"status_code": "ERROR"}, ("boom", "E")),
        ({"status_code": "ERROR", "error": "E", "error_type": "E"}, ("boom", "E")),
        ({"status_code": "ERROR", "error": "said by the span"}, ("said by the span", "")),
        ({}, ("", "")),
    ],
)
def test_an_exception_tells_of_a_failed_span_what_it_does_not_say_itself(failed: Row, shown: tuple[str, str]) -> None:
    one = span(**failed)
    fill_content([one], [row(error="boom", error_type="E", complete=True)])
    assert (one["error"], one["error_type"]) == shown


def test_evaluations_are_added_in_the_order_of_their_times_and_none_twice() -> None:
    def result(name: str, **more: Any) -> Row:
        return row(**{"name": name, "score": 1.0, "label": "", "explanation": "", "user_id": "", **more})

    own = {"name": "b", "score": 1.0, "label": "", "explanation": ""}
    one = span(evaluations=[own])
    late, early = result("c", time=30), result("a", time=5)
    add_evaluations([one], [late, result("b"), early, dict(late), result("d", span_id="", response_id="r", time=40)])
    assert [each["name"] for each in one["evaluations"]] == ["b", "a", "c", "d"]


def test_evaluations_of_several_people_are_several_and_an_event_that_is_sent_again_is_one() -> None:
    said = {"name": "feedback", "score": None, "label": "good", "explanation": ""}
    one = span()
    add_evaluations(
        [one], [row(**said, user_id=user, time=time) for user, time in (("a", 1), ("b", 1), ("a", 1), ("", 2))]
    )
    assert one["evaluations"] == [
        {**said, "user_id": "a", "time": 1},
        {**said, "user_id": "b", "time": 1},
        {**said, "user_id": "", "time": 2},
    ]
