"""Content: moved into columns of its own, once, and the tool calls that are read out of it."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pytest

from collector.enrich.content import tool_calls
from tests.unit.enrich.building import Sent, enriched, only

INPUT, OUTPUT = "gen_ai.input.messages", "gen_ai.output.messages"
MESSAGES = [{"role": "user", "parts": [{"type": "text", "content": "hi \u00fc"}]}]


def call(**part: Any) -> dict[str, Any]:
    return {"type": "tool_call", **part}


def message(*parts: Any) -> dict[str, Any]:
    return {"role": "assistant", "parts": list(parts)}


def calls(*outputs: str) -> list[list[dict[str, str]]]:
    column = tool_calls(pa.array(outputs, pa.string()))
    column.validate(full=True)
    return column.to_pylist()


@pytest.mark.parametrize(
    ("field", "key"),
    [
        ("input", INPUT),
        ("input", "gen_ai.tool.call.arguments"),
        ("input", "gen_ai.retrieval.query.text"),
        ("input", "gen_ai.memory.query.text"),
        ("input", "gen_ai.prompt"),
        ("output", OUTPUT),
        ("output", "gen_ai.tool.call.result"),
        ("output", "gen_ai.retrieval.documents"),
        ("output", "gen_ai.memory.records"),
        ("output", "gen_ai.completion"),
        ("system_instructions", "gen_ai.system_instructions"),
        ("tool_definitions", "gen_ai.tool.definitions"),
    ],
)
def test_content_is_moved_out_of_the_attributes_as_text(field: str, key: str) -> None:
    plain, structured = enriched(Sent({key: " as sent \n", "other": 1}), Sent({"other": "x", key: MESSAGES}))
    assert plain[field] == " as sent \n"
    assert json.loads(structured[field]) == MESSAGES
    assert plain["attributes"] == [("other", "integer", 1)]
    assert structured["attributes"] == [("other", "string", "x")]


def test_what_stays_keeps_its_type_and_its_order() -> None:
    others = [("s", "x"), ("i", -(2**63)), ("d", 0.5), ("b", False), ("l", ["a", 1]), ("m", {"k": 1}), ("n", None)]
    row = only([*others[:3], (INPUT, MESSAGES), *others[3:], (OUTPUT, "[]")])
    assert row["attributes"] == [
        ("s", "string", "x"),
        ("i", "integer", -(2**63)),
        ("d", "double", 0.5),
        ("b", "boolean", False),
        ("l", "json", '["a",1]'),
        ("m", "json", '{"k":1}'),
        ("n", "json", "null"),
    ]


def test_a_key_value_list_is_kept_as_a_json_object() -> None:
    row = only({"gen_ai.tool.call.arguments": {"order_id": "A-1001", "count": 2**63 - 1}})
    assert row["input"] == '{"order_id":"A-1001","count":9223372036854775807}'


def test_of_two_keys_for_one_field_the_first_of_the_table_wins_and_the_other_stays() -> None:
    for pairs in ([(INPUT, "new"), ("gen_ai.prompt", "old")], [("gen_ai.prompt", "old"), (INPUT, "new")]):
        row = only(pairs)
        assert row["input"] == "new"
        assert row["attributes"] == [("gen_ai.prompt", "string", "old")]


def test_each_span_chooses_its_own_key() -> None:
    found = enriched(
        Sent({"gen_ai.prompt": "a"}), Sent(), Sent({INPUT: "b"}), Sent({"gen_ai.tool.call.arguments": "c"})
    )
    assert [row["input"] for row in found] == ["a", "", "b", "c"]
    assert [row["attributes"] for row in found] == [[], [], [], []]


@pytest.mark.parametrize("empty", ["", None])
def test_an_empty_value_is_absent(empty: str | None) -> None:
    row = only({INPUT: empty, "gen_ai.prompt": "hi", OUTPUT: empty})
    assert (row["input"], row["output"]) == ("hi", "")
    assert sorted(key for key, _, _ in row["attributes"]) == [INPUT, OUTPUT]


@pytest.mark.parametrize("number", [7, 0.5, True])
def test_a_number_is_no_content_and_stays_an_attribute(number: float) -> None:
    row = only({"gen_ai.tool.call.result": number})
    assert row["output"] == ""
    assert [value for _, _, value in row["attributes"]] == [number]


def test_of_a_key_that_a_span_repeats_the_last_is_content_and_the_first_stays() -> None:
    row = only([(INPUT, "first"), (INPUT, "last")])
    assert row["input"] == "last"
    assert row["attributes"] == [(INPUT, "string", "first")]


def test_tool_calls_are_read_in_order_from_all_output_messages() -> None:
    output = [
        message({"type": "text", "content": "let me see"}, call(id="1", name="f", arguments={"a": [1, None]})),
        message(call(id="2", name="g", arguments='{"b": 2}')),
    ]
    assert calls(json.dumps(output)) == [
        [
            {"id": "1", "name": "f", "arguments": '{"a":[1,null]}'},
            {"id": "2", "name": "g", "arguments": '{"b": 2}'},
        ]
    ]


def test_structured_output_has_its_tool_calls_read_as_well() -> None:
    row = only({OUTPUT: [message(call(id="1", name="f", arguments={"a": 1}))]})
    assert row["tool_calls"] == [{"id": "1", "name": "f", "arguments": '{"a":1}'}]


def test_what_a_tool_call_lacks_is_empty() -> None:
    assert calls(json.dumps([message(call(), call(id=None, name=7, arguments=None))])) == [
        [{"id": "", "name": "", "arguments": ""}, {"id": "", "name": "7", "arguments": ""}]
    ]


@pytest.mark.parametrize(
    "output",
    [
        "",
        '"tool_call"',
        'please say "tool_call" to me',
        '[{"parts": [{"type": "tool_call"',
        '{"parts": [{"type": "tool_call"}]}',
        '["tool_call", null, 7, ["tool_call"]]',
        '[{"parts": {"type": "tool_call"}}]',
        '[{"parts": "tool_call"}, {"role": "tool_call"}, {"parts": null}]',
        '[{"parts": ["tool_call", null, {"type": "tool_call_response"}, {"type": "text", "content": "\\"tool_call\\""}]}]',
        '[{"parts": [{"type": "\\ud800"}]}, "tool_call"]',
        '[{"parts": [{"type": "tool_call", "arguments": 1e999}]}]',
    ],
)
def test_output_that_is_no_list_of_messages_with_such_parts_has_none(output: str) -> None:
    assert calls(output) == [[]]


@pytest.mark.parametrize("opening_closing", ["[]", "{}"])
@pytest.mark.parametrize("levels", [253, 254, 255, 300, 1000, 5000])
def test_no_depth_of_arguments_stops_the_batch(levels: int, opening_closing: str) -> None:
    opening, closing = ("[", "]") if opening_closing == "[]" else ('{"a":', "}")
    deep = opening * levels + '"x"' + closing * levels
    output = f'[{{"parts": [{{"type": "tool_call", "id": "1", "name": "f", "arguments": {deep}}}]}}]'
    plain = json.dumps([message(call(id="2"))])
    first, second = calls(output, plain)
    assert [found["id"] for found in second] == ["2"]
    expected = [] if levels == 5000 else [{"id": "1", "name": "f", "arguments": deep if levels < 255 else ""}]
    assert first == expected
    row = only({OUTPUT: output})
    assert (row["output"], row["tool_calls"]) == (output, first)


def test_integers_beyond_64_bits_do_not_stop_the_batch_and_stay_exact_in_the_output() -> None:
    huge = 10**30
    output = json.dumps([message(call(id="1", name="f", arguments={"n": huge, "m": 2**64 - 1}))])
    row = only({OUTPUT: output})
    assert json.loads(row["output"])[0]["parts"][0]["arguments"]["n"] == huge
    assert json.loads(row["tool_calls"][0]["arguments"]) == {"n": 1e30, "m": 2**64 - 1}


def test_rows_with_and_without_tool_calls_keep_their_places() -> None:
    one = json.dumps([message(call(id="1"))])
    two = json.dumps([message(call(id="2"), call(id="3"))])
    found = calls("", one, "text", "", two, "", one)
    assert [[part["id"] for part in row] for row in found] == [[], ["1"], [], [], ["2", "3"], [], ["1"]]
    assert calls() == []
    assert calls("", "") == [[], []]


def test_a_slice_of_a_column_has_the_tool_calls_of_its_own_rows() -> None:
    outputs = [json.dumps([message(call(id=str(number)))]) for number in range(5)]
    column = tool_calls(pa.array(["x", *outputs, '"tool_']).slice(2, 3))
    assert [[part["id"] for part in row] for row in column.to_pylist()] == [["1"], ["2"], ["3"]]


def test_a_word_that_only_two_rows_together_spell_is_no_tool_call() -> None:
    assert calls('["tool', '_call"]', '[{"parts": [{"type": "tool', '_call"}]}]') == [[], [], [], []]
