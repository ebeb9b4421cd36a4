"""Messages of Pydantic AI, the Vercel AI SDK, LlamaIndex, Mastra, AutoGen and the older semantic conventions."""

from __future__ import annotations

from typing import Any

import pytest

from collector.enrich.messages import canonical_messages
from tests.unit.enrich.parts import answered, called, reasoning, text

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
