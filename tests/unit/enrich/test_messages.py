"""Canonical messages, what is taken for messages, what stands around them, and system instructions."""

from __future__ import annotations

import json
from typing import Any

import pytest

from collector.enrich.messages import canonical_messages, canonical_text, system_parts
from tests.unit.enrich.parts import text


def message(role: str, *parts: Any, **extra: Any) -> dict[str, Any]:
    return {"role": role, "parts": list(parts), **extra}


HI = message("user", text("Hi"))
CANONICAL = [
    message("system", text("Be brief.")),
    message(
        "user", text("Weather?"), {"type": "uri", "modality": "image", "uri": "https://example.com/a.png"}, name="ada"
    ),
    message(
        "assistant",
        {"type": "reasoning", "content": "Look it up."},
        {"type": "tool_call", "id": "c1", "name": "weather", "arguments": '{"city": "Paris"}'},
        {
            "type": "server_tool_call",
            "name": "web_search",
            "server_tool_call": {"type": "web_search", "query": "Paris"},
        },
        {"type": "compaction", "id": "k1"},
        finish_reason="tool_call",
    ),
    message("tool", {"type": "tool_call_response", "id": "c1", "response": None}),
    message(
        "assistant",
        {"type": "blob", "modality": "image", "mime_type": None, "content": "aGk="},
        {"type": "invented", "x": 1},
    ),
    message("assistant", {"type": "file", "modality": "document", "file_id": "f1"}, {"type": "json", "content": [1]}),
    message("narrator"),
]


def test_canonical_messages_stay_as_they_are() -> None:
    assert canonical_messages(CANONICAL, "user") == CANONICAL


def test_a_name_that_is_null_is_no_name() -> None:
    assert canonical_messages([{**HI, "name": None}], "user") == [HI]


def test_the_result_of_older_emitters_is_a_response() -> None:
    older = message("tool", {"type": "tool_call_response", "id": "c1", "result": {"degrees": 20}})
    newer = message("tool", {"type": "tool_call_response", "id": "c1", "response": {"degrees": 20}})
    assert canonical_messages([older], "user") == [newer]


@pytest.mark.parametrize("sent", [HI, [HI], {"messages": [HI]}, [[HI]], json.dumps([HI]), [json.dumps(HI)], "Hi"])
def test_messages_are_found_in_lists_objects_and_json_texts(sent: Any) -> None:
    assert canonical_messages(sent, "user") == [HI]


@pytest.mark.parametrize(
    "value",
    [
        None, True, 17, 1.5, "", [], {}, [[]], [None], [1, 2], ["a", "b"], {"a": 1}, {"messages": []}, {"messages": 3},
        {"input": [1]}, [{"role": "admin", "name": "Eve"}], {"role": 7, "content": "x"}, {"text": "Hi", "score": 0.5},
        {"input": "a", "output": "b"}, {"id": "doc_1", "content": "A document."},
        [{"content": "A document.", "score": 0.9}], {"type": "object", "properties": {}}, {"question": "Hi"},
    ],
)  # fmt: skip
def test_what_is_nothing_like_messages_is_left_to_the_caller(value: Any) -> None:
    assert canonical_messages(value, "user") is None


@pytest.mark.parametrize(
    ("role", "canonical"),
    [
        ("human", "user"),
        ("ai", "assistant"),
        ("model", "assistant"),
        ("CHATBOT", "assistant"),
        ("User", "user"),
        ("developer", "developer"),
        ("narrator", "narrator"),
        ("", "user"),
        (None, "user"),
    ],
)
def test_roles_have_one_name(role: Any, canonical: str) -> None:
    assert canonical_messages([{"role": role, "content": "Hi", "type": "message"}], "user") == [
        message(canonical, text("Hi"))
    ]


def test_the_role_of_a_text_is_the_default_role() -> None:
    assert canonical_messages("Hello", "assistant") == [message("assistant", text("Hello"))]
    assert canonical_messages('{"answer": 42}', "assistant") == [message("assistant", text('{"answer": 42}'))]


def test_a_part_that_nobody_knows_stays_as_it_is() -> None:
    odd = [{"type": "hologram", "url": "https://example.com"}, {"no": "type"}, 17, None, ["x"]]
    assert canonical_messages([{"role": "user", "content": ["Look:", *odd]}], "user") == [
        message(
            "user",
            text("Look:"),
            odd[0],
            *({"type": "json", "content": value} for value in odd[1:]),
        )
    ]


def test_a_known_part_that_says_one_thing_twice_stays_as_it_is() -> None:
    part = {"type": "tool-call", "toolCallId": "c1", "toolName": "f", "input": {}, "name": "another name"}
    assert canonical_messages([{"role": "assistant", "content": [part]}], "user") == [message("assistant", part)]


def test_what_a_message_says_besides_is_kept_on_it() -> None:
    sent: Any = {
        "role": "user",
        "content": "Hi",
        "id": "m1",
        "metadata": {"lang": "en"},
        "annotations": [],
        "note": None,
    }
    assert canonical_messages([sent], "user") == [{**HI, "id": "m1", "metadata": {"lang": "en"}}]


def test_what_stands_beside_the_messages_is_kept_on_the_last_one() -> None:
    state = {
        "messages": [{"role": "user", "content": "Hi"}],
        "documents": ["A long text."],
        "name": "a name",
        "type": "state",
    }
    assert canonical_messages(state, "user") == [{**HI, "documents": ["A long text."], "name": "a name"}]
    state = {"messages": [{"role": "user", "content": "Hi", "name": "ada"}], "name": "a name"}
    assert canonical_messages(state, "user") == [{**HI, "name": "ada", "envelope": {"name": "a name"}}]


def test_parameters_of_a_request_are_no_part_of_its_messages() -> None:
    request = {
        "model": "gpt-4o",
        "messages": [{"role": "user", "content": "Hi"}],
        "temperature": 0.5,
        "max_tokens": 10,
        "tools": [{"type": "function", "function": {"name": "weather"}}],
        "stream": True,
    }
    assert canonical_messages(request, "user") == [HI]


def test_all_system_instructions_of_a_request_come_before_its_messages() -> None:
    request = {
        "system": [{"text": "Be brief."}],
        "instructions": {"be": "kind"},
        "messages": [{"role": "user", "content": "Hi"}],
    }
    assert canonical_messages(request, "user") == [
        message("system", text("Be brief."), {"type": "json", "content": {"be": "kind"}}),
        HI,
    ]


def test_one_odd_item_does_not_hide_the_messages_around_it() -> None:
    odd: dict[str, Any] = {"step": 1}
    assert canonical_messages([{"role": "user", "content": "Hi"}, odd], "user") == [
        HI,
        message("user", {"type": "json", "content": odd}),
    ]


def test_a_list_longer_than_any_conversation_is_left_to_the_caller() -> None:
    assert canonical_messages([{"role": "user", "content": "Hi"}] * 10_001, "user") is None
    many = [{"type": "text", "text": "Hi"}] * 10_001
    assert canonical_messages([{"role": "user", "content": many}], "user") == [
        message("user", {"type": "json", "content": many})
    ]


# ---- JSON text


def test_text_that_is_canonical_already_is_not_written_again() -> None:
    for separators in ((",", ":"), (", ", ": ")):
        sent = json.dumps([{**HI, "name": None}, *CANONICAL], separators=separators)
        assert canonical_text(sent, "user") is sent


@pytest.mark.parametrize("sent", ["17", "null", "[1, 2]", '{"a": 1}', "", '{"messages": []}'])
def test_json_text_that_is_no_messages_stays_as_it_is(sent: str) -> None:
    assert canonical_text(sent, "user") == sent


def test_text_of_another_form_becomes_canonical_text() -> None:
    sent = json.dumps([{"role": "user", "content": "Hi", "n": 2**70}])
    assert json.loads(canonical_text(sent, "user")) == [{**HI, "n": 2**70}]
    assert json.loads(canonical_text("Hi", "user")) == [HI]


def test_not_a_number_and_half_a_surrogate_pair_do_not_hide_the_messages() -> None:
    sent = '[{"role": "user", "content": "Hi \\ud83d", "score": NaN}]'
    [shown] = json.loads(canonical_text(sent, "user"))
    assert shown["parts"] == [text("Hi \ufffd")]
    assert shown["score"] == "NaN"


# ---- system instructions


@pytest.mark.parametrize(
    "instructions",
    [
        "Be brief.",
        ["Be brief."],
        [{"type": "text", "content": "Be brief."}],
        {"type": "text", "content": "Be brief."},
        '[{"type": "text", "content": "Be brief."}]',
        [{"type": "text", "text": "Be brief."}],
        [{"text": "Be brief."}],
        {"parts": [{"text": "Be brief."}]},
        {"role": "user", "parts": [{"text": "Be brief."}]},
        {"role": "system", "content": "Be brief."},
        [{"role": "system", "content": "Be brief."}],
        [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}],
        {"messages": [{"role": "developer", "content": "Be brief."}, {"role": "user", "content": "Hi"}]},
        {"model": "claude", "system": "Be brief.", "messages": [{"role": "user", "content": "Hi"}]},
        {"contents": [{"parts": [{"text": "Hi"}]}], "systemInstruction": {"parts": [{"text": "Be brief."}]}},
    ],
)
def test_system_instructions_of_every_form_are_parts(instructions: Any) -> None:
    assert system_parts(instructions) == [text("Be brief.")]


def test_several_system_instructions_are_several_parts() -> None:
    cached = {"type": "text", "text": "Be kind.", "cache_control": {"type": "ephemeral"}}
    assert system_parts([{"type": "text", "text": "Be brief."}, cached]) == [
        text("Be brief."),
        text("Be kind.", cache_control={"type": "ephemeral"}),
    ]


@pytest.mark.parametrize(
    "value", [None, "", [], {}, 17, [1], {"a": 1}, {"messages": [{"role": "user", "content": "Hi"}], "temperature": 0}]
)
def test_what_is_no_system_instruction_is_none(value: Any) -> None:
    assert system_parts(value) is None


def test_instructions_within_instructions_end_somewhere() -> None:
    value: Any = "Be brief."
    for _ in range(5000):
        value = {"system": value, "x": 1}
    system_parts(value)
