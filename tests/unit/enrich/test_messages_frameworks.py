"""Messages of LangChain, Pydantic AI, the Vercel AI SDK, LlamaIndex, Mastra, AutoGen and the older semantic conventions."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.load import dumpd
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage, message_to_dict
from langchain_core.outputs import ChatGeneration, Generation, LLMResult
from langchain_core.prompt_values import ChatPromptValue

from collector.enrich.messages import canonical_messages


def text(content: str, **extra: Any) -> dict[str, Any]:
    return {"type": "text", "content": content, **extra}


def reasoning(content: str, **extra: Any) -> dict[str, Any]:
    return {"type": "reasoning", "content": content, **extra}


def called(name: str, arguments: Any, **extra: Any) -> dict[str, Any]:
    return {"type": "tool_call", "name": name, "arguments": arguments, **extra}


def answered(response: Any, **extra: Any) -> dict[str, Any]:
    return {"type": "tool_call_response", "response": response, **extra}


# ---- LangChain

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


# ---- Pydantic AI


def test_a_history_of_pydantic_ai_is_split_by_who_speaks() -> None:
    history = [
        {
            "kind": "request",
            "instructions": "Be kind.",
            "parts": [
                {"part_kind": "system-prompt", "content": "Be brief.", "dynamic_ref": None},
                {"part_kind": "user-prompt", "content": "Weather?"},
            ],
        },
        {
            "kind": "response",
            "model_name": "gpt-4o",
            "finish_reason": "tool_call",
            "parts": [
                {"part_kind": "thinking", "content": "Look it up.", "id": None, "signature": "s1"},
                {"part_kind": "text", "content": "Let me look."},
                {"part_kind": "tool-call", "tool_name": "weather", "args": '{"city": "Paris"}', "tool_call_id": "c1"},
                {"part_kind": "tool-call", "tool_name": "time", "args": {}, "tool_call_id": "c2"},
            ],
        },
        {
            "kind": "request",
            "parts": [
                {"part_kind": "tool-return", "tool_name": "weather", "content": {"degrees": 20}, "tool_call_id": "c1"},
                {"part_kind": "retry-prompt", "tool_name": "time", "content": "No zone.", "tool_call_id": "c2"},
                {"part_kind": "retry-prompt", "content": "Please answer.", "tool_name": None},
            ],
        },
    ]
    assert canonical_messages(history, "user") == [
        {"role": "system", "parts": [text("Be kind."), text("Be brief.")]},
        {"role": "user", "parts": [text("Weather?")]},
        {
            "role": "assistant",
            "parts": [
                reasoning("Look it up.", signature="s1"),
                text("Let me look."),
                called("weather", {"city": "Paris"}, id="c1"),
                called("time", {}, id="c2"),
            ],
            "finish_reason": "tool_call",
            "model_name": "gpt-4o",
        },
        {
            "role": "tool",
            "parts": [answered({"degrees": 20}, id="c1", name="weather"), answered("No zone.", id="c2", name="time")],
        },
        {"role": "user", "parts": [text("Please answer.")]},
    ]


def test_a_prompt_of_pydantic_ai_may_hold_media() -> None:
    prompt = [
        "Compare.",
        {"kind": "image-url", "url": "https://example.com/a.png", "media_type": "image/png"},
        {"kind": "binary", "data": "aGk=", "media_type": "application/pdf"},
    ]
    image = {"type": "uri", "modality": "image", "uri": "https://example.com/a.png", "mime_type": "image/png"}
    pdf = {"type": "blob", "modality": "document", "content": "aGk=", "mime_type": "application/pdf"}
    request = {"kind": "request", "parts": [{"part_kind": "user-prompt", "content": prompt}]}
    assert canonical_messages([request], "user") == [{"role": "user", "parts": [text("Compare."), image, pdf]}]


def test_older_spans_of_pydantic_ai_say_thinking_and_result() -> None:
    sent = [
        {"role": "user", "parts": [text("Look."), {"type": "image-url", "url": "https://example.com/a.png"}]},
        {"role": "user", "parts": [{"type": "binary", "media_type": "image/png", "content": "aGk="}]},
        {"role": "assistant", "parts": [{"type": "thinking", "content": "Hmm."}, called("f", '{"a": 1}', id="c1")]},
        {"role": "user", "parts": [{"type": "tool_call_response", "id": "c1", "name": "f", "result": "20"}]},
    ]
    assert canonical_messages(sent, "user") == [
        {
            "role": "user",
            "parts": [text("Look."), {"type": "uri", "modality": "image", "uri": "https://example.com/a.png"}],
        },
        {
            "role": "user",
            "parts": [{"type": "blob", "modality": "image", "content": "aGk=", "mime_type": "image/png"}],
        },
        {"role": "assistant", "parts": [reasoning("Hmm."), called("f", '{"a": 1}', id="c1")]},
        {"role": "user", "parts": [answered("20", id="c1", name="f")]},
    ]


# ---- the older semantic conventions

FUNCTION = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Paris"}'}}


def test_events_in_a_list_take_their_role_from_their_name() -> None:
    events = [
        {"event.name": "gen_ai.system.message", "content": "Be brief.", "gen_ai.message.index": 0},
        {"event.name": "gen_ai.user.message", "content": "Weather?", "gen_ai.system": "openai"},
        {"event.name": "gen_ai.assistant.message", "tool_calls": [FUNCTION], "role": "assistant"},
        {"event.name": "gen_ai.tool.message", "content": "20 degrees", "id": "c1", "name": "weather"},
        {
            "event.name": "gen_ai.choice",
            "index": 0,
            "finish_reason": "stop",
            "message": {"role": "assistant", "content": "20."},
        },
    ]
    assert canonical_messages(events, "user") == [
        {"role": "system", "parts": [text("Be brief.")]},
        {"role": "user", "parts": [text("Weather?")]},
        {"role": "assistant", "parts": [called("weather", {"city": "Paris"}, id="c1")]},
        {"role": "tool", "parts": [answered("20 degrees", id="c1")], "name": "weather"},
        {"role": "assistant", "parts": [text("20.")], "finish_reason": "stop"},
    ]


@pytest.mark.parametrize(
    ("body", "role", "message"),
    [
        ({"content": "Hi"}, "user", {"role": "user", "parts": [text("Hi")]}),
        ({"content": "Be brief."}, "system", {"role": "system", "parts": [text("Be brief.")]}),
        (
            {"tool_calls": [FUNCTION]},
            "assistant",
            {"role": "assistant", "parts": [called("weather", {"city": "Paris"}, id="c1")]},
        ),
        ({"content": "20", "id": "c1"}, "tool", {"role": "tool", "parts": [answered("20", id="c1")]}),
        (
            {"index": 0, "finish_reason": "stop", "message": {"content": "Hi"}},
            "assistant",
            {"role": "assistant", "parts": [text("Hi")], "finish_reason": "stop"},
        ),
    ],
)
def test_the_body_of_an_event_is_spoken_by_the_role_that_the_event_has(
    body: dict[str, Any], role: str, message: dict[str, Any]
) -> None:
    assert canonical_messages(body, role) == [message]


# ---- Vercel AI SDK


def test_model_messages_of_the_ai_sdk_become_messages() -> None:
    messages = [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "Weather?"},
                {"type": "image", "image": "aGk=", "mimeType": "image/png"},
            ],
        },
        {
            "role": "assistant",
            "content": [
                {"type": "reasoning", "text": "Look it up.", "providerOptions": {"anthropic": {"signature": "s1"}}},
                {"type": "tool-call", "toolCallId": "c1", "toolName": "weather", "args": {"city": "Paris"}},
                {"type": "tool-call", "toolCallId": "c2", "toolName": "time", "input": {"zone": "CET"}},
            ],
        },
        {
            "role": "tool",
            "content": [
                {"type": "tool-result", "toolCallId": "c1", "toolName": "weather", "result": {"degrees": 20}},
                {
                    "type": "tool-result",
                    "toolCallId": "c2",
                    "toolName": "time",
                    "output": {"type": "text", "value": "noon"},
                },
                {
                    "type": "tool-result",
                    "toolCallId": "c3",
                    "toolName": "f",
                    "output": {"type": "error-text", "value": "No."},
                },
            ],
        },
    ]
    assert canonical_messages(messages, "user") == [
        {
            "role": "user",
            "parts": [
                text("Weather?"),
                {"type": "blob", "modality": "image", "content": "aGk=", "mime_type": "image/png"},
            ],
        },
        {
            "role": "assistant",
            "parts": [
                reasoning("Look it up.", providerOptions={"anthropic": {"signature": "s1"}}),
                called("weather", {"city": "Paris"}, id="c1"),
                called("time", {"zone": "CET"}, id="c2"),
            ],
        },
        {
            "role": "tool",
            "parts": [
                answered({"degrees": 20}, id="c1", name="weather"),
                answered("noon", id="c2", name="time"),
                answered("No.", id="c3", name="f", is_error=True),
            ],
        },
    ]


@pytest.mark.parametrize(
    "image",
    [
        {"0": 104, "1": 105},
        {"type": "Buffer", "data": [104, 105]},
        "data:image/png;base64,aGk=",
    ],
    ids=["Uint8Array", "Buffer", "data URL"],
)
def test_an_image_of_the_ai_sdk_is_base64_however_it_is_written(image: Any) -> None:
    content = [{"type": "image", "image": image, "mediaType": "image/png"}]
    [message] = canonical_messages([{"role": "user", "content": content}], "user") or []
    assert message["parts"] == [{"type": "blob", "modality": "image", "content": "aGk=", "mime_type": "image/png"}]


@pytest.mark.parametrize(
    "calls",
    [
        [{"toolCallType": "function", "toolCallId": "c1", "toolName": "weather", "args": '{"city":"Paris"}'}],
        [{"toolCallId": "c1", "toolName": "weather", "input": '{"city":"Paris"}'}],
        [{"type": "tool-call", "toolCallId": "c1", "toolName": "weather", "input": {"city": "Paris"}}],
    ],
)
def test_tool_calls_of_a_response_of_the_ai_sdk_are_what_the_assistant_says(calls: Any) -> None:
    expected = [{"role": "assistant", "parts": [called("weather", {"city": "Paris"}, id="c1")]}]
    assert canonical_messages(calls, "assistant") == expected


def test_a_prompt_of_the_ai_sdk_is_system_and_messages() -> None:
    expected = [{"role": "system", "parts": [text("Be brief.")]}, {"role": "user", "parts": [text("Hi")]}]
    assert (
        canonical_messages({"system": "Be brief.", "messages": [{"role": "user", "content": "Hi"}]}, "user") == expected
    )
    assert canonical_messages({"system": "Be brief.", "prompt": "Hi"}, "user") == expected
    assert canonical_messages({"prompt": "Hi"}, "user") == expected[1:]


def test_messages_of_user_interfaces_hold_calls_with_their_results() -> None:
    v4 = {
        "id": "m1",
        "role": "assistant",
        "content": "It is 20.",
        "parts": [
            {"type": "step-start"},
            {
                "type": "tool-invocation",
                "toolInvocation": {
                    "state": "result",
                    "step": 0,
                    "toolCallId": "c1",
                    "toolName": "weather",
                    "args": {"city": "Paris"},
                    "result": "20",
                },
            },
            {"type": "text", "text": "It is 20."},
        ],
        "toolInvocations": [
            {
                "state": "result",
                "step": 0,
                "toolCallId": "c1",
                "toolName": "weather",
                "args": {"city": "Paris"},
                "result": "20",
            }
        ],
    }
    call = called("weather", {"city": "Paris"}, id="c1")
    assert canonical_messages([v4], "user") == [
        {
            "role": "assistant",
            "parts": [{"type": "step-start"}, {**call, "step": 0}, answered("20", id="c1"), text("It is 20.")],
            "id": "m1",
        }
    ]
    tool_part = {
        "type": "tool-weather",
        "toolCallId": "c1",
        "state": "output-available",
        "input": {"city": "Paris"},
        "output": "20",
    }
    v5 = {"id": "m1", "role": "assistant", "parts": [tool_part, {"type": "text", "text": "It is 20.", "state": "done"}]}
    assert canonical_messages([v5], "user") == [
        {"role": "assistant", "parts": [call, answered("20", id="c1"), text("It is 20.")], "id": "m1"}
    ]


# ---- others


def test_messages_of_llama_index_have_blocks() -> None:
    message = {
        "role": "user",
        "additional_kwargs": {},
        "blocks": [
            {"block_type": "text", "text": "Look."},
            {"block_type": "image", "image": None, "url": "https://example.com/a.png", "detail": None},
        ],
    }
    expected = {
        "role": "user",
        "parts": [text("Look."), {"type": "uri", "modality": "image", "uri": "https://example.com/a.png"}],
    }
    assert canonical_messages([message], "user") == [expected]
    response = {"message": message | {"role": "assistant"}, "raw": {"id": "x"}, "delta": None}
    assert canonical_messages(response, "assistant") == [{**expected, "role": "assistant", "raw": {"id": "x"}}]


def test_messages_of_mastra_hold_their_parts_in_the_content() -> None:
    message = {
        "id": "m1",
        "role": "user",
        "content": {"format": 2, "parts": [{"type": "text", "text": "Hi"}], "content": "Hi"},
    }
    assert canonical_messages([message], "user") == [{"role": "user", "parts": [text("Hi")], "id": "m1", "format": 2}]


def test_messages_of_autogen_are_named_by_class() -> None:
    messages = [
        {"type": "SystemMessage", "content": "Be brief."},
        {"type": "UserMessage", "content": "Hi", "source": "ada"},
        {"type": "AssistantMessage", "content": "Hello", "thought": None, "source": "bot"},
    ]
    assert canonical_messages(messages, "user") == [
        {"role": "system", "parts": [text("Be brief.")]},
        {"role": "user", "parts": [text("Hi")], "source": "ada"},
        {"role": "assistant", "parts": [text("Hello")], "source": "bot"},
    ]
