"""What is taken of what a dialect's reader returns, and how it gets into the columns."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pytest

from collector.enrich.rows import FIELDS, LISTS, OBJECTS, TEXTS, TOKENS, RowValues
from tests.unit.enrich.building import Sent, enriched

WRONG: dict[str, list[Any]] = {
    **{key: [1, True, ["a"], {"a": 1}] for key in TEXTS},
    **{key: ["a", 1, {"a": 1}] for key in LISTS},
    **{key: ["a", 1, ["a"]] for key in OBJECTS},
    "kind": ["llm", "", 1, ["LLM"]],
    "cost_reported": ["1", True, -0.1, 1e6, float("nan"), float("inf")],
    "time_to_first_token_ns": ["1", True, 1.5, -1, 2**63],
    "streaming": ["true", 1],
    "inclusive": ["true", 1],
    "without_usage": ["true", 1],
    "evaluations": ["a", {"name": "a"}],
}


def taken(name: str, value: Any) -> Any:
    found = RowValues()
    found.put(7, {name: value})
    return found.values.get(name, {}).get(7)


@pytest.mark.parametrize("name", WRONG)
def test_a_value_that_no_column_holds_is_not_taken(name: str) -> None:
    assert [taken(name, value) for value in WRONG[name]] == [None] * len(WRONG[name])


def test_every_field_that_a_reader_may_return_is_taken() -> None:
    right: dict[str, Any] = {
        **dict.fromkeys(FIELDS, "a"),
        **{key: {"a": 1} for key in OBJECTS},
        **{key: ["a"] for key in LISTS},
        **dict.fromkeys(TOKENS, 1),
        "kind": "LLM",
        "cost_reported": 1,
        "time_to_first_token_ns": 1,
        **dict.fromkeys(("streaming", "inclusive", "without_usage", "running_total"), False),
        "evaluations": [{"name": "a", "score": 0.5, "label": "", "explanation": ""}],
    }
    assert {name: taken(name, value) for name, value in right.items()} == right


def test_of_a_list_the_texts_are_taken() -> None:
    assert taken("finish_reasons", ["stop", 1, None, "length"]) == ["stop", "length"]


def test_of_an_evaluation_what_has_the_right_type_is_taken() -> None:
    wrong = {"name": 1, "score": True, "label": "good", "explanation": None, "other": 1}
    assert taken("evaluations", [wrong, "x"]) == [{"name": "", "score": None, "label": "good", "explanation": ""}]


def test_what_a_sender_got_wrong_costs_its_span_a_field_and_the_batch_nothing() -> None:
    output = {"finishReason": "\ud83d", "raw": {"model": "x\ud83d", "id": 7}, "usage": {"inputTokens": 3}}
    sent = {"genkit:metadata:subtype": "model", "genkit:name": "openai/gpt-4o", "genkit:output": json.dumps(output)}
    odd, plain = enriched(Sent(sent, scope="genkit-tracer"), Sent({"gen_ai.request.model": "m"}))
    assert (odd["finish_reasons"], odd["response_model"], odd["response_id"]) == (["\ufffd"], "x\ufffd", "")
    assert (odd["input_tokens"], plain["request_model"]) == (3, "m")


def test_the_first_value_of_a_row_stays() -> None:
    found = RowValues()
    found.put(0, {"session_id": None})
    found.put(0, {"session_id": "a"})
    found.put(0, {"session_id": "b"})
    assert found.values == {"session_id": {0: "a"}}


def test_values_stand_in_their_rows_and_the_others_stay() -> None:
    found = RowValues()
    found.put(1, {"session_id": "x", "tags": ["t"]})
    texts = found.over("session_id", pa.array(["a", "b", None]))
    lists = found.over("tags", pa.array([["a"], ["b", "c"], []], pa.list_(pa.string())))
    assert texts.to_pylist() == ["a", "x", None]
    assert lists.to_pylist() == [["a"], ["t"], []]
    lists.validate(full=True)
