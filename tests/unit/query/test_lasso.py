"""The Lasso API: which spans filled which column, and what of them is shown."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient

from collector.query.lasso.runs import Run, runs_of
from collector.query.lasso.view import column_trace
from collector.settings_attributes import LassoAttributes
from tests.unit.query.rows import START, application, bare_span_row, model_call_row, text_message
from tests.unit.query.spans import StoredSpans

NAMES = LassoAttributes()
Row = dict[str, Any]

UNREPORTED = {"input_tokens": None, "output_tokens": None, "cost_total": None}


def cell(column: str | None = "price", table: str = "t", row: str = "r") -> Row:
    named = {"lasso.table_id": table, "lasso.row_id": row}
    return named if column is None else {**named, "lasso.column_key": column}


def made(builder: Any, number: int, parent: int | None, trace: int, **changes: Any) -> Row:
    found: Row = builder(
        trace_id=f"{trace:032x}",
        span_id=f"{number:016x}",
        parent_span_id="" if parent is None else f"{parent:016x}",
        start_time=START + trace * 1000 + number,
        **{"attributes": {}, **changes},
    )
    return found


def call(number: int, parent: int | None = None, trace: int = 1, **changes: Any) -> Row:
    return made(model_call_row, number, parent, trace, **changes)


def other(number: int, parent: int | None = None, trace: int = 1, **changes: Any) -> Row:
    return made(bare_span_row, number, parent, trace, **changes)


def columns(*spans: Row) -> list[tuple[str, list[int]]]:
    """The columns, and the numbers of their model calls."""
    return [(run.column, [int(each["span_id"], 16) for each in run.calls]) for run in runs_of("t", "r", spans, NAMES)]


def shown(*calls: Row, around: tuple[Row, ...] = ()) -> Row:
    return column_trace(Run("price", [*around, *calls], calls), NAMES)


def test_a_model_call_that_names_its_cell_is_a_run() -> None:
    assert columns(call(1, attributes=cell())) == [("price", [1])]


def test_calls_below_a_span_that_names_the_cell_are_its_run() -> None:
    spans = [other(1, attributes=cell()), other(2, 1), call(3, 2), call(4, 1)]
    assert columns(*spans) == [("price", [3, 4])]
    assert columns(*spans[::-1]) == [("price", [3, 4])]


def test_table_and_row_may_stand_above_the_column() -> None:
    spans = [other(1, attributes=cell(None)), call(2, 1, attributes={"lasso.column_key": "a"}), other(3, 1), call(4, 1)]
    spans.append(call(5, 3, attributes={"lasso.column_key": "b"}))
    assert columns(*spans) == [("a", [2]), ("b", [5])]


def test_the_column_may_stand_above_table_and_row() -> None:
    assert columns(other(1, attributes={"lasso.column_key": "a"}), call(2, 1, attributes=cell(None))) == [("a", [2])]


def test_a_span_belongs_to_the_nearest_cell_above_it() -> None:
    spans = [other(1, attributes=cell("a")), call(2, 1), other(3, 1, attributes=cell("b")), call(4, 3)]
    assert columns(*spans) == [("a", [2]), ("b", [4])]
    elsewhere = other(3, 1, attributes=cell("b", row="another"))
    assert columns(spans[0], spans[1], elsewhere, spans[3]) == [("a", [2])]
    without_column = other(3, 1, attributes=cell(None, row="another"))
    assert columns(spans[0], spans[1], without_column, spans[3]) == [("a", [2])]


def test_attributes_on_every_span_make_one_run() -> None:
    spans = [other(1, attributes=cell()), call(2, 1, attributes=cell()), call(3, 1, attributes=cell())]
    assert columns(*spans) == [("price", [2, 3])]


def test_the_latest_run_of_a_column_stands_and_columns_come_as_they_were_filled() -> None:
    spans = [
        call(1, trace=1, attributes=cell("a")),
        call(1, trace=2, attributes=cell("b")),
        call(1, trace=3, attributes=cell("a")),
    ]
    found = runs_of("t", "r", spans, NAMES)
    assert [(run.column, run.calls[0]["trace_id"]) for run in found] == [("b", f"{2:032x}"), ("a", f"{3:032x}")]


def test_a_call_around_a_call_is_not_counted_twice() -> None:
    assert columns(call(1, attributes=cell()), call(2, 1)) == [("price", [2])]


def test_a_call_that_another_report_of_it_counts_for_is_not_counted_twice() -> None:
    spans = [other(1, attributes=cell()), call(2, 1, counts=False), call(3, 1), call(4, 1, counts=False, **UNREPORTED)]
    assert columns(*spans) == [("price", [3, 4])]


def test_a_run_without_a_model_call_is_none() -> None:
    assert columns(other(1, attributes=cell())) == []


def test_spans_that_are_each_others_parents_end() -> None:
    assert columns(call(1, 2, attributes=cell()), call(2, 1), call(3, 3)) in ([], [("price", [1])], [("price", [2])])


def test_the_request_is_that_of_the_first_call_and_the_text_that_of_the_last_with_one() -> None:
    first = call(1, output="", tool_definitions='[{"name": "search"}]')
    second = call(2, input=json.dumps([text_message("user", "again")]), response_model="gpt-5")
    third = call(3, output="", response_model="", request_model="")
    found = shown(first, second, third)
    assert found["model"] == "gpt-5"
    assert found["request"] == {
        "system_prompt": "Be brief.",
        "user_content": "What is the capital of France?",
        "tools": [{"name": "search"}],
    }
    assert (found["response"]["text"], found["response"]["iterations"]) == ("Paris.", 3)


def test_tool_calls_of_all_iterations_are_listed() -> None:
    calls = [{"id": "c1", "name": "search", "arguments": '{"q": 1}'}, {"id": "", "name": "stop", "arguments": ""}]
    found = shown(call(1, tool_calls=calls[:1]), call(2, tool_calls=calls[1:]))
    assert found["response"]["tool_calls"] == [
        {"id": "c1", "name": "search", "arguments": {"q": 1}},
        {"id": None, "name": "stop", "arguments": ""},
    ]


def test_what_the_model_said_of_its_reasoning_is_the_summary_unless_an_attribute_is() -> None:
    thinking = {
        "role": "assistant",
        "parts": [{"type": "reasoning", "content": "hm"}, {"type": "text", "content": "ok"}],
    }
    spans = [call(1, output=json.dumps([thinking])), call(2, output=json.dumps([thinking]))]
    assert shown(*spans)["response"]["thought_summary"] == "hm\nhm"
    told = call(3, attributes={"lasso.thought_summary": "told"})
    assert shown(*spans, told)["response"]["thought_summary"] == "told"
    assert shown(call(1))["response"]["thought_summary"] is None


def test_documents_that_were_retrieved_are_the_sources_unless_an_attribute_is() -> None:
    search = other(1, kind="RETRIEVER", output='[{"id": "d1"}, {"id": "d2"}]')
    assert shown(call(2), around=(search,))["response"]["sources"] == [{"id": "d1"}, {"id": "d2"}]
    for said, listed in (('["x"]', ["x"]), (["x", "y"], ["x", "y"]), ("https://a", ["https://a"])):
        told = call(2, attributes={"lasso.sources": said})
        assert shown(told, around=(search,))["response"]["sources"] == listed


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (0.92, 0.92),
        (1, 1.0),
        (0, 0.0),
        ("0.5", 0.5),
        (1.2, None),
        (-0.1, None),
        ("high", None),
        (True, None),
        ([0.5], None),
    ],
)
def test_a_confidence_lies_between_0_and_1(said: Any, expected: float | None) -> None:
    assert shown(call(1, attributes={"lasso.confidence": said}))["confidence"] == expected


def test_an_evaluation_named_confidence_is_one() -> None:
    scores = [{"name": "Confidence", "score": 0.7, "label": "", "explanation": ""}]
    assert shown(call(1, evaluations=scores))["confidence"] == 0.7
    assert shown(call(1, evaluations=[{**scores[0], "score": None}]))["confidence"] is None
    assert shown(call(1, evaluations=[{**scores[0], "name": "toxicity"}]))["confidence"] is None
    assert shown(call(1, evaluations=scores, attributes={"lasso.confidence": 0.1}))["confidence"] == 0.1


def test_content_that_is_not_messages_is_shown_as_text() -> None:
    found = shown(call(1, input="plain", output='{"price": 3}', system_instructions=""))
    assert found["request"]["user_content"] == "plain"
    assert found["request"]["system_prompt"] is None
    assert found["response"]["text"] == '{"price":3}'


def test_one_column_is_shown_alone_and_an_unknown_one_is_an_empty_list() -> None:
    store = StoredSpans(call(1, attributes=cell("a")), call(1, trace=2, attributes=cell("b")))
    client = TestClient(application(store), base_url="http://test/lasso/api/v1/")
    path = "tables/t/rows/r/traces"
    assert [each["column_key"] for each in client.get(path).json()["data"]] == ["a", "b"]
    assert [each["column_key"] for each in client.get(path, params={"column_key": "b"}).json()["data"]] == ["b"]
    assert [each["column_key"] for each in client.get(path, params={"column_key": ""}).json()["data"]] == ["a", "b"]
    assert client.get(path, params={"column_key": "none"}).json() == {"data": []}


@pytest.mark.parametrize("hostile", ["'; DROP TABLE spans", "%00", "1:t", "..%2f..", "{x}", "ä" * 300])
def test_a_hostile_id_finds_nothing(hostile: str) -> None:
    client = TestClient(application(StoredSpans(call(1, attributes=cell()))), base_url="http://test/lasso/api/v1/")
    assert client.get(f"tables/{hostile}/rows/r/traces").status_code in (404, 422)
    assert client.get(f"tables/t/rows/{hostile}/traces").status_code in (404, 422)


def test_an_unexpected_error_has_lassos_body() -> None:
    class Broken:
        def spans(self, project: str, filters: Any) -> Any:
            raise RuntimeError("boom")

    client = TestClient(application(Broken()), base_url="http://test/lasso/api/v1/", raise_server_exceptions=False)
    body = client.get("tables/t/rows/r/traces").json()
    assert (body["status_code"], body["error_type"], body["message"]) == (500, "internal_error", "Internal error")
    assert len(body["request_id"]) == 36
