"""Messages of LangChain: however they are dumped, whatever is repeated in them, and the results of its models."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.load import dumpd
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage, message_to_dict
from langchain_core.outputs import ChatGeneration, Generation, LLMResult
from langchain_core.prompt_values import ChatPromptValue

from collector.enrich.messages import canonical_messages
from tests.unit.enrich.parts import answered, called, reasoning, text

CALL = {"name": "weather", "args": {"city": "Paris"}, "id": "call_1"}
SENT: list[BaseMessage] = [
    SystemMessage("Be brief."),
    HumanMessage(
        [{"type": "text", "text": "Weather?"}, {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}]
    ),
    AIMessage("Let me look.", tool_calls=[CALL]),
    ToolMessage("20 degrees", tool_call_id="call_1", name="weather"),
    AIMessage("It is 20."),
]
CANONICAL = [
    {"role": "system", "parts": [text("Be brief.")]},
    {
        "role": "user",
        "parts": [text("Weather?"), {"type": "uri", "modality": "image", "uri": "https://example.com/a.png"}],
    },
    {"role": "assistant", "parts": [text("Let me look."), called("weather", {"city": "Paris"}, id="call_1")]},
    {"role": "tool", "parts": [answered("20 degrees", id="call_1")], "name": "weather"},
    {"role": "assistant", "parts": [text("It is 20.")]},
]


@pytest.mark.parametrize(
    "dumped",
    [
        [message.model_dump() for message in SENT],
        [message_to_dict(message) for message in SENT],
        [dumpd(message) for message in SENT],
        {"messages": [[dumpd(message) for message in SENT]]},
        {"messages": [message.model_dump() for message in SENT]},
        dumpd(ChatPromptValue(messages=SENT)),
        {"input": {"messages": [message.model_dump() for message in SENT]}},
    ],
    ids=["model_dump", "to_dict", "constructors", "one list a prompt", "graph state", "prompt value", "nested"],
)
def test_messages_of_langchain_are_the_same_however_they_are_dumped(dumped: Any) -> None:
    assert canonical_messages(dumped, "user") == CANONICAL


def test_short_forms_of_langchain_become_messages() -> None:
    pairs = [["system", "Be brief."], ["human", "Hi"], ["ai", "Hello"]]
    expected = [("system", "Be brief."), ("user", "Hi"), ("assistant", "Hello")]
    messages = [{"role": role, "parts": [text(content)]} for role, content in expected]
    assert canonical_messages(pairs, "user") == messages
    assert canonical_messages({"messages": pairs}, "user") == messages
    assert canonical_messages([*pairs, "And now?"], "user") == [
        *messages,
        {"role": "user", "parts": [text("And now?")]},
    ]


def test_a_call_that_langchain_repeats_is_one_call() -> None:
    raw = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Paris"}'}}
    block = {"type": "tool_use", "id": "call_1", "name": "weather", "input": {}, "index": 1}
    message = AIMessage([text("Let me look."), block], tool_calls=[CALL], additional_kwargs={"tool_calls": [raw]})
    assert canonical_messages([message.model_dump()], "user") == [CANONICAL[2]]


def test_standard_blocks_of_langchain_become_parts() -> None:
    blocks: list[Any] = [
        {"type": "reasoning", "reasoning": "Look it up."},
        {"type": "text", "text": "Here:"},
        {"type": "image", "base64": "aGk=", "mime_type": "image/png"},
        {"type": "image", "source_type": "base64", "data": "aGk=", "mime_type": "image/png"},
        {"type": "audio", "url": "https://example.com/a.wav"},
        {"type": "file", "source_type": "id", "id": "file_1"},
        {"type": "server_tool_call", "id": "s1", "name": "web_search", "args": {"query": "Paris"}},
        {"type": "tool_call", "id": "call_1", "name": "weather", "args": {"city": "Paris"}},
    ]
    image = {"type": "blob", "modality": "image", "content": "aGk=", "mime_type": "image/png"}
    search = {"type": "web_search", "args": {"query": "Paris"}}
    [message] = canonical_messages([{"type": "ai", "content": blocks}], "user") or []
    assert message["parts"] == [
        reasoning("Look it up."),
        text("Here:"),
        image,
        image,
        {"type": "uri", "modality": "audio", "uri": "https://example.com/a.wav"},
        {"type": "file", "modality": "document", "file_id": "file_1"},
        {"type": "server_tool_call", "id": "s1", "name": "web_search", "server_tool_call": search},
        called("weather", {"city": "Paris"}, id="call_1"),
    ]


def test_a_call_that_could_not_be_parsed_keeps_its_text_and_the_error() -> None:
    invalid = {"type": "invalid_tool_call", "id": "call_1", "name": "weather", "args": '{"city', "error": "cut off"}
    [message] = canonical_messages([{"type": "ai", "content": "", "invalid_tool_calls": [invalid]}], "user") or []
    assert message["parts"] == [called("weather", '{"city', id="call_1", error="cut off")]


def test_a_result_of_langchain_is_the_messages_of_its_generations() -> None:
    generation = ChatGeneration(
        message=AIMessage("It is 20."), generation_info={"finish_reason": "stop", "logprobs": None}
    )
    result = LLMResult(generations=[[generation], [generation]], llm_output={"model_name": "gpt-4o"})
    message = {**CANONICAL[4], "finish_reason": "stop"}
    assert canonical_messages(result.model_dump(), "assistant") == [message, message]


def test_a_result_of_a_text_model_of_langchain_is_its_text() -> None:
    result = LLMResult(generations=[[Generation(text="It is 20.", generation_info={"finish_reason": "stop"})]])
    assert canonical_messages(result.model_dump(), "assistant") == [{**CANONICAL[4], "finish_reason": "stop"}]
    assert canonical_messages({"prompts": ["Hi", "Ho"]}, "user") == [
        {"role": "user", "parts": [text("Hi")]},
        {"role": "user", "parts": [text("Ho")]},
    ]
