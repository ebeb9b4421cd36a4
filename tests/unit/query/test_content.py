"""Stored text to JSON values and chat messages."""

from __future__ import annotations

import json
from typing import Any

import pytest

from collector.json_text import MAX_DEPTH, json_value
from collector.query.content import chat_messages, last_message, span_content
from tests.unit.query.rows import text_message


def model_input(messages: Any, system_instructions: str = "") -> Any:
    return span_content("LLM", json.dumps(messages), "user", system_instructions)


def nested(levels: int) -> str:
    return "[" * levels + "]" * levels


def test_text_that_is_not_json_stays_text() -> None:
    for text in ("hello", '{"a": ', "[1, 2", "", "{'a': 1}", "\ufeff{}"):
        assert json_value(text) == text


def test_integers_of_any_size_are_exact() -> None:
    for number in (2**53 + 1, 2**64 + 1, -(10**30)):
        assert json_value(f'{{"n": {number}}}') == {"n": number}


def test_a_number_with_more_digits_than_python_reads_stays_text() -> None:
    text = "9" * 5000
    assert json_value(text) == text


def test_not_a_number_becomes_a_string() -> None:
    assert json_value("[NaN, Infinity, -Infinity, 1.5]") == ["NaN", "Infinity", "-Infinity", 1.5]


def test_json_that_nests_too_deeply_stays_text() -> None:
    assert json_value(nested(MAX_DEPTH + 1)) == nested(MAX_DEPTH + 1)
    assert json_value(nested(5000)) == nested(5000)
    assert json_value('{"a":' * 5000 + "1" + "}" * 5000).startswith('{"a":')


def test_json_with_many_brackets_that_are_not_nested_is_a_value() -> None:
    assert json_value(json.dumps([[]] * 1000)) == [[]] * 1000
    deepest = f"[{nested(MAX_DEPTH - 1)}, []]"
    assert json_value(deepest) == json.loads(deepest)
    assert json_value(f"[{deepest}]") == f"[{deepest}]"


def test_half_a_surrogate_pair_does_not_hide_the_messages_around_it() -> None:
    text = '[{"role": "user", "parts": [{"type": "text", "content": "Hi \\ud83d"}]}]'
    assert span_content("LLM", text, "user") == {"messages": [{"role": "user", "content": "Hi \ud83d"}]}


def test_an_empty_text_is_no_content() -> None:
    assert span_content("LLM", "", "user") is None
    assert span_content("TOOL", "", "user") is None


def test_texts_of_a_message_are_joined_by_a_newline() -> None:
    parts = [{"type": "text", "content": "Describe"}, {"type": "text", "content": "this."}]
    assert model_input([{"role": "user", "parts": parts}]) == {
        "messages": [{"role": "user", "content": "Describe\nthis."}]
    }


def test_system_instructions_are_the_first_message() -> None:
    instructions = json.dumps([{"type": "text", "content": "Be brief."}, {"type": "text", "content": "Be kind."}])
    assert model_input([text_message("user", "Hi")], instructions)["messages"] == [
        {"role": "system", "content": "Be brief.\nBe kind."},
        {"role": "user", "content": "Hi"},
    ]


@pytest.mark.parametrize(
    "instructions",
    ["Be brief.", '{"type": "text", "content": "Be brief."}', '[{"role": "system", "content": "Be brief."}]'],
)
def test_system_instructions_are_understood_in_other_forms(instructions: str) -> None:
    shown = model_input([text_message("user", "Hi")], instructions)["messages"]
    assert shown[0] == {"role": "system", "content": "Be brief."}


def test_system_instructions_are_shown_beside_an_input_that_is_not_messages() -> None:
    assert span_content("LLM", "Hi", "user", "Be brief.") == {
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]
    }
    assert span_content("LLM", "", "user", "Be brief.") == {"messages": [{"role": "system", "content": "Be brief."}]}


def test_tool_calls_take_the_form_of_the_openai_chat_api() -> None:
    call = {"type": "tool_call", "id": "call_1", "name": "weather", "arguments": {"city": "Paris", "wei": 10**21}}
    shown = span_content("LLM", json.dumps([{"role": "assistant", "parts": [call]}]), "assistant")
    function = {"name": "weather", "arguments": '{"city":"Paris","wei":1000000000000000000000}'}
    assert shown == {
        "messages": [
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [{"id": "call_1", "type": "function", "function": function}],
            }
        ]
    }


def test_tool_call_arguments_that_are_text_stay_as_they_are() -> None:
    call = {"type": "tool_call", "name": "weather", "arguments": '{"city": "Par'}
    [shown] = chat_messages({"role": "assistant", "parts": [call]}, "assistant")
    assert shown["tool_calls"][0]["function"]["arguments"] == '{"city": "Par'
    [shown] = chat_messages({"role": "assistant", "parts": [{"type": "tool_call", "name": "now"}]}, "assistant")
    assert shown["tool_calls"][0]["function"]["arguments"] == ""


@pytest.mark.parametrize("key", ["response", "result"])
def test_every_tool_result_is_a_tool_message_of_its_own(key: str) -> None:
    parts: list[Any] = [{"type": "tool_call_response", "id": f"call_{i}", key: {"degrees": i}} for i in (1, 2)]
    expected = [{"role": "tool", "content": {"degrees": i}, "tool_call_id": f"call_{i}"} for i in (1, 2)]
    assert chat_messages({"role": "tool", "parts": parts}, "user") == expected
    parts.append({"type": "text", "content": "and now?"})
    assert chat_messages({"role": "user", "parts": parts}, "user") == [
        *expected,
        {"role": "user", "content": "and now?"},
    ]


def test_a_tool_result_keeps_the_name_of_the_tool_and_says_if_it_is_an_error() -> None:
    part = {
        "type": "tool_call_response",
        "id": "call_1",
        "name": "weather",
        "response": "no such city",
        "is_error": True,
    }
    assert chat_messages({"role": "tool", "parts": [part]}, "user") == [
        {"role": "tool", "content": "no such city", "tool_call_id": "call_1", "name": "weather", "is_error": True}
    ]


def test_a_refusal_has_its_own_key() -> None:
    assert chat_messages(
        {"role": "assistant", "parts": [{"type": "refusal", "content": "I cannot."}]}, "assistant"
    ) == [{"role": "assistant", "content": None, "refusal": "I cannot."}]


def test_what_only_the_provider_reads_does_not_show_a_part_twice() -> None:
    parts = [
        {"type": "reasoning", "content": "Hmm.", "id": "rs_1", "signature": "s1"},
        {"type": "reasoning", "content": "", "encrypted_content": "x"},
        {"type": "tool_call", "id": "call_1", "name": "now", "item_id": "fc_1"},
    ]
    [shown] = chat_messages({"role": "assistant", "parts": parts}, "assistant")
    assert shown.keys() == {"role", "content", "reasoning", "tool_calls"}
    assert shown["reasoning"] == "Hmm."


@pytest.mark.parametrize("part_type", ["reasoning", "thinking"])
def test_reasoning_has_its_own_key(part_type: str) -> None:
    parts = [{"type": part_type, "content": "Hmm."}, {"type": "text", "content": "Paris."}]
    assert chat_messages({"role": "assistant", "parts": parts}, "assistant") == [
        {"role": "assistant", "content": "Paris.", "reasoning": "Hmm."}
    ]


@pytest.mark.parametrize(
    "part",
    [
        {"type": "blob", "modality": "image", "mime_type": "image/png", "content": "aGk="},
        {"type": "uri", "modality": "image", "uri": "https://example.com/a.png"},
        {"type": "server_tool_call", "name": "search", "server_tool_call": {"q": 1}},
        {"type": "text", "content": {"not": "text"}},
        {"type": "invented", "x": 1},
        {"type": ["odd"]},
        {"no": "type"},
        17,
        None,
        ["x"],
    ],
)
def test_parts_without_a_place_in_a_chat_message_are_kept(part: Any) -> None:
    parts = [{"type": "text", "content": "Look:"}, part]
    assert chat_messages({"role": "user", "parts": parts}, "user") == [
        {"role": "user", "content": "Look:", "parts": [part]}
    ]
    assert chat_messages({"role": "user", "parts": [part]}, "user") == [
        {"role": "user", "content": None, "parts": [part]}
    ]


def test_a_known_part_with_unknown_fields_is_shown_and_kept_whole() -> None:
    cited = {"type": "text", "content": "Paris.", "citations": [1]}
    plain = {"type": "text", "content": "Yes.", "index": None}
    assert chat_messages({"role": "assistant", "parts": [cited, plain]}, "assistant") == [
        {"role": "assistant", "content": "Paris.\nYes.", "parts": [cited]}
    ]


def test_a_part_that_is_a_string_is_text() -> None:
    assert chat_messages({"role": "user", "parts": ["Hi"]}, "user") == [{"role": "user", "content": "Hi"}]


def test_the_other_fields_of_a_message_are_kept_and_nulls_are_not() -> None:
    message = text_message("assistant", "Hi", name=None, finish_reason="stop")
    assert chat_messages(message, "assistant") == [{"role": "assistant", "content": "Hi", "finish_reason": "stop"}]


def test_a_message_without_a_role_has_the_role_of_its_side() -> None:
    for role in (None, "", 7):
        message = {"role": role, "parts": [{"type": "text", "content": "Hi"}]}
        assert chat_messages(message, "assistant") == [{"role": "assistant", "content": "Hi"}]


def test_messages_in_chat_form_stay_as_they_are() -> None:
    chat = [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}, {"role": "assistant", "tool_calls": []}]
    assert model_input(chat) == {"messages": chat}
    assert model_input({"messages": chat}) == {"messages": chat}


def test_an_agent_that_reports_messages_shows_messages() -> None:
    shown = span_content("AGENT", json.dumps([text_message("user", "Hi")]), "user")
    assert shown == {"messages": [{"role": "user", "content": "Hi"}]}


@pytest.mark.parametrize("value", [[{"role": "admin", "name": "Eve"}], [1, 2], {"a": 1}, [], {}, 17, None, True])
def test_json_that_is_not_messages_is_shown_as_it_is(value: Any) -> None:
    assert span_content("CHAIN", json.dumps(value), "user") == value
    assert span_content("LLM", json.dumps(value), "user") == value


def test_what_goes_in_and_out_of_a_tool_is_never_taken_for_messages() -> None:
    messages = [text_message("user", "Hi")]
    assert span_content("TOOL", json.dumps(messages), "user") == messages


def test_the_last_message_of_a_role_stands_for_a_conversation() -> None:
    first, answer, second = ({"role": r, "content": c} for r, c in (("user", "1"), ("assistant", "2"), ("user", "3")))
    conversation = {"messages": [first, answer, second]}
    assert last_message(conversation, "user") == {"messages": [second]}
    assert last_message(conversation, "assistant") == {"messages": [answer]}
    assert last_message({"messages": [answer]}, "user") is None


def test_content_that_is_no_conversation_stands_for_itself() -> None:
    for content in ("text", {"messages": 3}, {"a": 1}, [1], None):
        assert last_message(content, "user") == content
