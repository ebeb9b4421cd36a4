"""Fields: which attribute a field is read from, and what counts as a value of it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.enrich.building import Sent, enriched, only

LARGEST = 2**63 - 1
INPUT, PROMPT = "gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens"
CACHE_WRITE, CACHE_CREATION = "gen_ai.usage.cache_write.input_tokens", "gen_ai.usage.cache_creation.input_tokens"
REASONS = "gen_ai.response.finish_reasons"


@pytest.mark.parametrize(
    ("field", "key"),
    [
        ("operation", "gen_ai.operation.name"),
        ("request_model", "gen_ai.request.model"),
        ("response_model", "gen_ai.response.model"),
        ("response_id", "gen_ai.response.id"),
        ("session_id", "gen_ai.conversation.id"),
        ("session_id", "session.id"),
        ("user_id", "user.id"),
        ("user_id", "enduser.id"),
        ("agent_name", "gen_ai.agent.name"),
        ("tool_name", "gen_ai.tool.name"),
        ("tool_call_id", "gen_ai.tool.call.id"),
    ],
)
def test_a_text_field_is_its_attribute_which_stays_an_attribute(field: str, key: str) -> None:
    row = only({key: "Some Value"})
    assert row[field] == "Some Value"
    assert row["attributes"] == [(key, "string", "Some Value")]


@pytest.mark.parametrize(
    ("field", "key"),
    [
        ("input_tokens", INPUT),
        ("input_tokens", PROMPT),
        ("output_tokens", "gen_ai.usage.output_tokens"),
        ("output_tokens", "gen_ai.usage.completion_tokens"),
        ("cache_read_tokens", "gen_ai.usage.cache_read.input_tokens"),
        ("cache_write_tokens", CACHE_WRITE),
        ("cache_write_tokens", CACHE_CREATION),
        ("reasoning_tokens", "gen_ai.usage.reasoning.output_tokens"),
        ("input_audio_tokens", "gen_ai.usage.audio.input_tokens"),
        ("output_audio_tokens", "gen_ai.usage.audio.output_tokens"),
        ("cache_read_audio_tokens", "gen_ai.usage.audio.cache_read.input_tokens"),
        ("input_image_tokens", "gen_ai.usage.image.input_tokens"),
        ("cache_read_image_tokens", "gen_ai.usage.image.cache_read.input_tokens"),
        ("output_image_tokens", "gen_ai.usage.image.output_tokens"),
    ],
)
def test_a_token_field_is_its_attribute_which_stays_an_attribute(field: str, key: str) -> None:
    row = only({key: 7})
    assert row["attributes"] == [(key, "integer", 7)]
    assert {name: value for name, value in row.items() if name.endswith("_tokens") and value is not None} == {field: 7}


def test_the_current_name_comes_before_the_deprecated_one_in_any_order() -> None:
    pairs = [(PROMPT, 1), (INPUT, 2), (CACHE_CREATION, 3), (CACHE_WRITE, 0)]
    for sent in (pairs, pairs[::-1]):
        row = only(sent)
        assert (row["input_tokens"], row["cache_write_tokens"]) == (2, 0)
    assert only({"session.id": "s", "gen_ai.conversation.id": "c"})["session_id"] == "c"


def test_each_span_falls_back_on_its_own() -> None:
    found = enriched(Sent({INPUT: 1}), Sent({PROMPT: 2}), Sent(), Sent({INPUT: 3, PROMPT: 4}))
    assert [row["input_tokens"] for row in found] == [1, 2, None, 3]


def test_an_empty_string_is_absent() -> None:
    row = only({"gen_ai.conversation.id": "", "session.id": "s", "user.id": "", INPUT: "", PROMPT: 5})
    assert (row["session_id"], row["user_id"], row["input_tokens"]) == ("s", "", 5)


def test_a_user_and_a_session_may_be_integers() -> None:
    row = only({"user.id": 42, "gen_ai.conversation.id": 2**53 + 1})
    assert (row["user_id"], row["session_id"]) == ("42", "9007199254740993")


@pytest.mark.parametrize("value", [1.5, True, ["a"], {"a": "b"}, b"bytes", None])
def test_a_value_that_is_no_string_is_no_text(value: Any) -> None:
    row = only({"gen_ai.conversation.id": value, "session.id": "s"})
    assert row["session_id"] == "s"
    assert len(row["attributes"]) == 2


def test_of_a_key_that_a_span_repeats_the_last_counts_and_all_are_kept() -> None:
    row = only([("user.id", "a"), (INPUT, 1), ("user.id", "b"), (INPUT, 2)])
    assert (row["user_id"], row["input_tokens"]) == ("b", 2)
    assert len(row["attributes"]) == 4


@pytest.mark.parametrize(
    ("text", "number"),
    [("0", 0), ("42", 42), ("007", 7), ("9" * 11, 10**11 - 1)],
)
def test_digits_in_a_string_are_a_number(text: str, number: int) -> None:
    found = enriched(Sent({INPUT: text}), Sent({INPUT: 3}), Sent())
    assert [row["input_tokens"] for row in found] == [number, 3, None]
    assert found[0]["attributes"] == [(INPUT, "string", text)]


@pytest.mark.parametrize("value", ["-1", "1.0", " 1", "1\n", "1e3", "many", str(LARGEST), "٣", 7.5, 2.0**60, True, [7]])
def test_anything_else_is_no_number(value: Any) -> None:
    assert only({INPUT: value, PROMPT: 5})["input_tokens"] == 5
    row = only({INPUT: value, "gen_ai.usage.output_tokens": 5, "gen_ai.request.model": "gpt-4o"})
    assert (row["input_tokens"], row["output_tokens"], row["usage_problem"]) == (None, 5, "not_a_number")
    assert (row["cost_total"], row["cost_source"], row["unpriced_reason"]) == (None, "unpriced", "invalid_usage")


@pytest.mark.parametrize("value", ["", None])
def test_an_empty_value_is_no_report(value: Any) -> None:
    row = only({INPUT: value})
    assert (row["input_tokens"], row["token_basis"], row["usage_problem"]) == (None, "", "")


def test_a_whole_double_is_a_number() -> None:
    assert only({INPUT: 7.0})["input_tokens"] == 7


def test_a_count_that_no_call_can_have_is_null_and_stays_an_attribute() -> None:
    assert only({INPUT: 10**11})["input_tokens"] == 10**11
    row = only({INPUT: LARGEST})
    assert (row["input_tokens"], row["usage_problem"]) == (None, "too_large")
    assert row["attributes"] == [(INPUT, "integer", LARGEST)]


@pytest.mark.parametrize(
    ("value", "reasons"),
    [
        (["stop", "length"], ["stop", "length"]),
        ('["stop", "length"]', ["stop", "length"]),
        ([], []),
        ("[]", []),
        ("stop", ["stop"]),
        ('"stop"', ['"stop"']),
        ('{"a": 1}', ['{"a": 1}']),
        ('["stop"', ['["stop"']),
        ("", []),
        ("null", []),
        (None, []),
        ('["stop", null]', ["stop"]),
        (["stop", None, 2, True], ["stop", "2", "true"]),
        (7, []),
        ("[" * 900 + "]" * 900, [""]),
        ("[" * 5000 + "]" * 5000, ["[" * 5000 + "]" * 5000]),
    ],
)
def test_a_list_is_an_array_or_its_json_or_one_text(value: Any, reasons: list[str]) -> None:
    assert only({REASONS: value})["finish_reasons"] == reasons


def test_lists_of_a_batch_keep_their_rows() -> None:
    found = enriched(Sent({REASONS: ["stop"]}), Sent(), Sent({REASONS: '["length"]', "tag.tags": ["a", "b"]}))
    assert [row["finish_reasons"] for row in found] == [["stop"], [], ["length"]]
    assert [row["tags"] for row in found] == [[], [], ["a", "b"]]


@pytest.mark.parametrize(
    ("resource", "environment", "release"),
    [
        ({}, "", ""),
        ({"deployment.environment.name": "prod", "service.version": "1.2"}, "prod", "1.2"),
        ({"deployment.environment": "old"}, "old", ""),
        ({"deployment.environment": "old", "deployment.environment.name": "new"}, "new", ""),
        ({"deployment.environment": "old", "deployment.environment.name": ""}, "old", ""),
        ({"deployment.environment": "old", "deployment.environment.name": None}, "old", ""),
        ({"service.version": 3, "deployment.environment": True}, "true", "3"),
        ({"service.version": ["1", "2"]}, "", '["1","2"]'),
    ],
)
def test_environment_and_release_come_from_the_resource(
    resource: dict[str, Any], environment: str, release: str
) -> None:
    here = {"deployment.environment.name": "of the span", "service.version": "of the span"}
    found = enriched(Sent(here), Sent(), resource=resource)
    assert [(row["environment"], row["release"]) for row in found] == [(environment, release)] * 2


def test_no_count_under_a_key_that_another_dialect_reads_is_no_problem_of_this_span() -> None:
    other = {"ai.operationId": "ai.toolCall", "ai.usage.completionTokens": "many"}
    found = enriched(Sent({"ai.usage.completionTokens": "many"}), Sent(other))
    assert [row["usage_problem"] for row in found] == ["", "not_a_number"]
