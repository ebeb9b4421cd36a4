"""What holds for every JSON value: nothing raises, nothing that was said is lost, nothing that was sent is changed."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.enrich.messages import (
    canonical_messages,
    canonical_text,
    openinference_messages,
    system_parts,
    tool_definitions,
    traceloop_messages,
    unflatten,
)
from collector.json_text import json_value, render
from collector.query.content import chat_messages

# The words that the forms are told apart by, so that random values come close to real ones.
KEYS = st.sampled_from([
    "role", "content", "parts", "type", "text", "name", "id", "tool_calls", "function", "arguments", "function_call",
    "input", "messages", "contents", "prompt", "choices", "message", "candidates", "generations", "kwargs", "lc",
    "data", "kind", "part_kind", "output", "output_text", "args", "toolCallId", "toolName", "result", "toolInvocation",
    "toolInvocations", "toolUse", "toolResult", "functionCall", "functionResponse", "inlineData", "thought",
    "thinking", "reasoning", "summary", "source", "image", "image_url", "url", "file", "format", "refusal",
    "tool_call_id", "tool_use_id", "call_id", "additional_kwargs", "system", "instructions", "config", "event.name",
    "blocks", "block_type", "generation_info", "finish_reason", "response", "value", "tools", "toolSpec",
    "inputSchema", "parameters", "functionDeclarations", "json", "description", "audio", "images", "thinking_blocks",
    "0", "state",
])  # fmt: skip
WORDS = st.sampled_from([
    "user", "assistant", "tool", "model", "human", "ai", "text", "image", "file", "tool_use", "tool_result",
    "tool-call", "tool-result", "tool-invocation", "function", "function_call", "function_call_output", "reasoning",
    "thinking", "message", "request", "response", "user-prompt", "retry-prompt", "tool-return", "binary", "image_url",
    "input_audio", "gen_ai.choice", "server_tool_use", "web_search_call", "web_search_tool_result", "document",
    "AIMessage", "ChatGeneration", "constructor", "base64", "Buffer", "data:image/png;base64,AAAA",
    "https://example.com/a.png", '[{"type": "text", "text": "hello"}]', '{"a": 1}', "",
])  # fmt: skip
ANY_TEXT = st.text(st.characters(codec=None), max_size=8)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | WORDS | ANY_TEXT
ANY_JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS | ANY_TEXT, inner, max_size=6),
    max_leaves=30,
)
FUNCTIONS: list[Callable[[Any], Any]] = [
    lambda value: canonical_messages(value, "user"),
    system_parts,
    tool_definitions,
    lambda value: openinference_messages([{"message": value}], "user"),
    lambda value: traceloop_messages([{"role": "user", "content": value, "tool_calls": value}], "user"),
]


def same(left: Any, right: Any) -> bool:
    """Compare as JSON text: NaN, which is no JSON, equals nothing."""
    return bool(render(left) == render(right))


@given(ANY_JSON)
def test_no_json_value_raises_and_none_is_changed(value: Any) -> None:
    sent = copy.deepcopy(value)
    for function in FUNCTIONS:
        function(value)
    assert same(value, sent)


@given(ANY_JSON)
def test_messages_have_a_role_and_parts_with_a_type(value: Any) -> None:
    messages = canonical_messages(value, "user")
    assert messages is None or messages
    for message in messages or ():
        assert isinstance(message["role"], str)
        assert message["role"]
        assert all(isinstance(part["type"], str) for part in message["parts"])
    assert all(isinstance(part["type"], str) for part in system_parts(value) or ())
    assert all(isinstance(tool["name"], str) for tool in tool_definitions(value) or ())


@given(ANY_JSON)
def test_canonical_messages_are_canonical_already(value: Any) -> None:
    messages = canonical_messages(value, "user")
    if messages:
        assert same(canonical_messages(messages, "assistant"), messages)


@given(ANY_JSON)
def test_every_canonical_message_can_be_shown(value: Any) -> None:
    for message in canonical_messages(value, "user") or ():
        assert all(isinstance(shown["role"], str) for shown in chat_messages(message, "user"))


@given(ANY_JSON)
def test_the_text_form_says_the_same_as_the_value_form(value: Any) -> None:
    text = render(value).decode()
    messages = canonical_messages(json_value(text), "user")
    shown = canonical_text(text, "user")
    assert same(json_value(shown), json_value(text) if messages is None else messages) or same(
        canonical_messages(json_value(shown), "user"), messages
    )


@pytest.mark.parametrize(
    "text",
    [
        "[" * 5000 + "]" * 5000,
        '{"messages":' * 5000 + "1" + "}" * 5000,
        '[{"role": "user", "content": ' + "[" * 5000 + "]" * 5000 + "}]",
        '[{"role": "user", "content": "Hi \\ud83d", "n": NaN, "m": [Infinity, 1e999, 99999999999999999999]}]',
        "9" * 5000,
        '{"role": "user", "content": "cut o',
    ],
)
def test_no_text_raises(text: str) -> None:
    assert isinstance(canonical_text(text, "user"), str)


@pytest.mark.parametrize("levels", [50, 300, 5000])
def test_no_depth_raises_and_the_words_around_it_are_found(levels: int) -> None:
    deep: Any = "bottom"
    for _ in range(levels):
        deep = {"deep": [deep]}
    messages = canonical_messages(
        [{"role": "user", "content": ["Hi", deep], "tool_calls": [{"name": "f", "args": deep}] * 2}], "user"
    )
    assert messages is not None
    assert messages[0]["parts"][0] == {"type": "text", "content": "Hi"}
    for function in FUNCTIONS:
        function(deep)
        function([deep, deep])


# ---- nothing is lost

MARKS = st.integers(100, 999).map(lambda number: f"mark{number}")
"""Texts that are found again by themselves."""
ARGUMENTS = st.dictionaries(st.sampled_from(["city", "unit"]), MARKS, max_size=2)


def shape(**fields: Any) -> st.SearchStrategy[dict[str, Any]]:
    """An object with these fields, whose values are strategies or constants."""
    strategies = {
        key: value if isinstance(value, st.SearchStrategy) else st.just(value) for key, value in fields.items()
    }
    return st.fixed_dictionaries(strategies)


def with_extras(strategy: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """The same objects, some with fields that nobody knows."""
    extras = st.dictionaries(st.sampled_from(["annotations", "custom_field", "signature", "x"]), MARKS, max_size=2)
    return st.tuples(strategy, extras).map(lambda pair: {**pair[1], **pair[0]})


JSON_ARGUMENTS = ARGUMENTS.map(json.dumps) | MARKS
RESULTS = MARKS | st.lists(shape(type="text", text=MARKS), max_size=2) | ARGUMENTS
PARTS = with_extras(
    shape(type="text", text=MARKS)
    | shape(type="text", content=MARKS)
    | shape(type="input_text", text=MARKS)
    | shape(type="refusal", refusal=MARKS)
    | shape(type="image_url", image_url=shape(url=MARKS.map("https://{}".format), detail=MARKS))
    | shape(type="image_url", image_url=MARKS.map("data:image/png;base64,{}".format))
    | shape(type="input_audio", input_audio=shape(data=MARKS, format="wav"))
    | shape(type="file", file=shape(file_id=MARKS, filename=MARKS))
    | shape(type="thinking", thinking=MARKS, signature=MARKS)
    | shape(type="redacted_thinking", data=MARKS)
    | shape(type="tool_use", id=MARKS, name=MARKS, input=ARGUMENTS)
    | shape(type="tool_result", tool_use_id=MARKS, content=RESULTS, is_error=True)
    | shape(type="image", source=shape(type="base64", media_type="image/png", data=MARKS))
    | shape(type="document", source=shape(type="text", media_type="text/plain", data=MARKS), title=MARKS)
    | shape(type="document", source=shape(type="content", content=MARKS), title=MARKS)
    | shape(type="server_tool_use", id=MARKS, name=MARKS, input=ARGUMENTS)
    | shape(type="web_search_tool_result", tool_use_id=MARKS, content=st.lists(shape(title=MARKS), max_size=2))
    | shape(type="reasoning", text=MARKS)
    | shape(
        type="reasoning", id=MARKS, summary=st.lists(shape(type="summary_text", text=MARKS)), encrypted_content=MARKS
    )
    | shape(type="tool-call", toolCallId=MARKS, toolName=MARKS, args=ARGUMENTS)
    | shape(type="tool-result", toolCallId=MARKS, toolName=MARKS, output=shape(type="json", value=RESULTS))
    | shape(type="tool-weather", toolCallId=MARKS, input=ARGUMENTS, output=RESULTS)
    | shape(type="image", image=MARKS, mimeType="image/png")
    | shape(type="tool_call", id=MARKS, name=MARKS, args=ARGUMENTS)
    | shape(type="function_call", id=MARKS, call_id=MARKS, name=MARKS, arguments=JSON_ARGUMENTS)
    | shape(type="function_call_output", call_id=MARKS, output=RESULTS)
    | shape(type="web_search_call", id=MARKS, action=shape(query=MARKS))
    | shape(type="unheard_of", anything=MARKS)
    | shape(text=MARKS)
    | shape(text=MARKS, thought=True)
    | shape(functionCall=shape(name=MARKS, args=ARGUMENTS))
    | shape(functionResponse=shape(name=MARKS, response=ARGUMENTS))
    | shape(inlineData=shape(mimeType="image/png", data=MARKS, displayName=MARKS))
    | shape(toolUse=shape(toolUseId=MARKS, name=MARKS, input=ARGUMENTS))
    | shape(toolResult=shape(toolUseId=MARKS, content=st.lists(shape(text=MARKS), max_size=2)))
    | shape(reasoningContent=shape(reasoningText=shape(text=MARKS, signature=MARKS)))
    | shape(image=shape(format="png", source=shape(bytes=MARKS)))
    | shape(part_kind="tool-call", tool_name=MARKS, args=JSON_ARGUMENTS, tool_call_id=MARKS)
    | shape(part_kind="user-prompt", content=MARKS)
    | shape(anything=MARKS)
)
CALLS = st.lists(
    shape(id=MARKS, type="function", function=shape(name=MARKS, arguments=JSON_ARGUMENTS))
    | shape(name=MARKS, args=ARGUMENTS, id=MARKS, type="tool_call"),
    max_size=3,
)
CONTENT = MARKS | st.none() | st.lists(PARTS | MARKS, max_size=4)
ROLES = st.sampled_from(["user", "assistant", "tool", "system", "human", "ai", "model"])
MESSAGES = with_extras(
    shape(role=ROLES, content=CONTENT)
    | shape(role=ROLES, content=CONTENT, tool_calls=CALLS, refusal=MARKS | st.none(), name=MARKS)
    | shape(role="tool", content=RESULTS, tool_call_id=MARKS)
    | shape(role="assistant", content=CONTENT, function_call=shape(name=MARKS, arguments=JSON_ARGUMENTS))
    | shape(
        role="assistant", content=CONTENT, reasoning_content=MARKS, audio=shape(id=MARKS, data=MARKS, transcript=MARKS)
    )
    | shape(role=ROLES, parts=st.lists(PARTS, max_size=4), content=MARKS)
    | shape(
        type="ai",
        content=CONTENT,
        tool_calls=CALLS,
        additional_kwargs=shape(tool_calls=CALLS),
        response_metadata=ARGUMENTS,
    )
    | shape(type="human", data=shape(content=CONTENT, additional_kwargs=ARGUMENTS))
    | shape(kind="request", parts=st.lists(PARTS, min_size=1, max_size=3), instructions=MARKS)
    | shape(lc=1, id=st.just(["langchain", "AIMessage"]), kwargs=shape(content=CONTENT, tool_calls=CALLS))
)
CONVERSATIONS = st.lists(MESSAGES | PARTS, min_size=1, max_size=4)
ENVELOPES = with_extras(
    shape(messages=CONVERSATIONS, system=MARKS | st.lists(PARTS, max_size=2))
    | shape(messages=CONVERSATIONS.map(lambda messages: [messages]))
    | shape(contents=CONVERSATIONS, systemInstruction=shape(parts=st.lists(PARTS, min_size=1, max_size=2)))
    | shape(choices=st.lists(shape(index=0, finish_reason=MARKS, message=MESSAGES), min_size=1, max_size=2))
    | shape(
        candidates=st.lists(
            shape(content=shape(role="model", parts=st.lists(PARTS)), finishReason=MARKS), min_size=1, max_size=2
        )
    )
    | shape(
        generations=st.lists(
            st.lists(shape(text=MARKS, message=MESSAGES, type="ChatGeneration"), min_size=1), min_size=1, max_size=2
        )
    )
    | shape(output=shape(message=MESSAGES), stopReason=MARKS)
    | shape(output=CONVERSATIONS)
)


def marks(value: Any) -> Iterator[str]:
    """Every mark in a value, wherever it stands."""
    text = json.dumps(value)
    return (text[at : at + 7] for at in range(len(text)) if text.startswith("mark", at))


@given(CONVERSATIONS | ENVELOPES | MESSAGES | PARTS)
def test_nothing_that_is_said_is_lost(value: Any) -> None:
    messages = canonical_messages(value, "user")
    if messages is not None:  # else the caller keeps the value
        assert set(marks(value)) <= set(marks(messages))


@given(st.lists(MESSAGES, min_size=1, max_size=4))
def test_every_list_of_messages_is_understood(value: Any) -> None:
    assert canonical_messages(value, "user") is not None


@given(st.lists(PARTS, min_size=1, max_size=4))
def test_no_system_instruction_is_lost(value: Any) -> None:
    parts = system_parts(value)
    if parts is not None:
        assert set(marks(value)) <= set(marks(parts))


SEGMENTS = st.sampled_from(
    ["0", "1", "7", "999999", "-1", "message", "content", "", "__proto__", "9" * 30, "٣", "tool_calls", "01"]
)
FLAT = st.lists(
    st.tuples(st.lists(SEGMENTS, min_size=1, max_size=5).map(".".join), MARKS),
    max_size=12,
    unique_by=lambda pair: pair[0],
)


@given(FLAT, st.integers(0, 20))
def test_no_key_raises_and_the_number_of_elements_is_bounded(pairs: list[tuple[str, str]], limit: int) -> None:
    def elements(value: Any) -> int:
        if isinstance(value, list):
            return len(value) + sum(map(elements, value))
        return sum(map(elements, value.values())) if isinstance(value, dict) else 0

    flat = unflatten([(f"llm.input_messages.{key}", value) for key, value in pairs], "llm.input_messages", limit)
    assert elements(flat) <= limit
    openinference_messages(flat, "user")
    traceloop_messages(flat, "user")


@given(FLAT)
def test_every_leaf_behind_an_index_is_rebuilt(pairs: list[tuple[str, str]]) -> None:
    flat = unflatten([(f"p.{key}", value) for key, value in pairs], "p")
    indexed = [
        value for key, value in pairs if (first := key.split(".")[0]).isascii() and first.isdigit() and len(first) < 10
    ]
    assert set(marks(flat)) == set(indexed)
