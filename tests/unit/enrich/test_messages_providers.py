"""Messages of Gemini and Bedrock, and of the frameworks that share their parts (ADK, Strands, Genkit, Haystack)."""

from __future__ import annotations

from typing import Any

import pytest

from collector.enrich.messages import canonical_messages
from tests.unit.enrich.parts import answered, blob, called, reasoning, text

# ---- Gemini


CAMEL = [
    {"role": "user", "parts": [{"text": "Weather?"}, {"inlineData": {"mimeType": "image/png", "data": "aGk="}}]},
    {"role": "user", "parts": [{"fileData": {"mimeType": "video/mp4", "fileUri": "gs://bucket/a.mp4"}}]},
    {
        "role": "model",
        "parts": [
            {"text": "Look it up.", "thought": True},
            {"functionCall": {"name": "weather", "args": {"city": "Paris"}}},
            {"executableCode": {"language": "PYTHON", "code": "print(1)"}},
            {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1"}},
        ],
    },
    {"role": "function", "parts": [{"functionResponse": {"id": "f1", "name": "weather", "response": {"degrees": 20}}}]},
]
SNAKE = [
    {"role": "user", "parts": [{"text": "Weather?"}, {"inline_data": {"mime_type": "image/png", "data": "aGk="}}]},
    {
        "role": "user",
        "parts": [{"file_data": {"mime_type": "video/mp4", "file_uri": "gs://bucket/a.mp4"}, "text": None}],
    },
    {
        "role": "model",
        "parts": [
            {"video_metadata": None, "thought": True, "text": "Look it up."},
            {
                "thought": None,
                "function_call": {"id": None, "name": "weather", "args": {"city": "Paris"}},
                "text": None,
            },
            {"executable_code": {"language": "PYTHON", "code": "print(1)"}},
            {"code_execution_result": {"outcome": "OUTCOME_OK", "output": "1"}},
        ],
    },
    {
        "role": "function",
        "parts": [{"function_response": {"id": "f1", "name": "weather", "response": {"degrees": 20}}}],
    },
]


@pytest.mark.parametrize("contents", [CAMEL, SNAKE])
def test_contents_of_gemini_become_messages(contents: Any) -> None:
    code = {"type": "code_execution", "language": "PYTHON", "code": "print(1)"}
    outcome = {"type": "code_execution", "outcome": "OUTCOME_OK", "output": "1"}
    video = {"type": "uri", "modality": "video", "uri": "gs://bucket/a.mp4", "mime_type": "video/mp4"}
    expected = [
        {"role": "user", "parts": [text("Weather?"), blob("image", "image/png")]},
        {"role": "user", "parts": [video]},
        {
            "role": "assistant",
            "parts": [
                reasoning("Look it up."),
                called("weather", {"city": "Paris"}),
                {"type": "server_tool_call", "name": "code_execution", "server_tool_call": code},
                {"type": "server_tool_call_response", "server_tool_call_response": outcome},
            ],
        },
        {"role": "tool", "parts": [answered({"degrees": 20}, id="f1", name="weather")]},
    ]
    assert canonical_messages(contents, "user") == expected
    assert canonical_messages({"contents": contents}, "user") == expected


@pytest.mark.parametrize(
    "request_",
    [
        {"systemInstruction": {"parts": [{"text": "Be brief."}]}, "generationConfig": {"temperature": 0}},
        {
            "config": {"system_instruction": "Be brief.", "tools": [{"function_declarations": []}]},
            "model": "gemini-2.5",
        },
    ],
)
def test_the_system_instruction_of_gemini_and_adk_comes_first(request_: dict[str, Any]) -> None:
    contents = [{"role": "user", "parts": [{"text": "Hi"}]}]
    assert canonical_messages({"contents": contents, **request_}, "user") == [
        {"role": "system", "parts": [text("Be brief.")]},
        {"role": "user", "parts": [text("Hi")]},
    ]


@pytest.mark.parametrize(
    "response",
    [
        {
            "candidates": [
                {"content": {"parts": [{"text": "Hi"}], "role": "model"}, "finishReason": "STOP", "index": 0}
            ],
            "usageMetadata": {"promptTokenCount": 3},
            "modelVersion": "gemini-2.5-flash",
            "responseId": "r1",
        },
        # ADK
        {
            "content": {"parts": [{"text": "Hi"}], "role": "model"},
            "partial": False,
            "finish_reason": "STOP",
            "usage_metadata": {"prompt_token_count": 3},
            "model_version": "gemini-2.5-flash",
        },
    ],
)
def test_a_response_of_gemini_or_adk_is_its_content(response: dict[str, Any]) -> None:
    assert canonical_messages(response, "assistant") == [
        {"role": "assistant", "parts": [text("Hi")], "finish_reason": "STOP"}
    ]


def test_safety_ratings_stay_with_the_message_they_rate() -> None:
    rated = {"content": {"parts": [{"text": "Hi"}], "role": "model"}, "safetyRatings": [{"category": "HARM"}]}
    assert canonical_messages({"candidates": [rated]}, "assistant") == [
        {"role": "assistant", "parts": [text("Hi")], "safetyRatings": [{"category": "HARM"}]}
    ]


def test_contents_of_gemini_may_have_no_role_and_be_plain_text() -> None:
    assert canonical_messages({"contents": [{"parts": [{"text": "Hi"}]}]}, "user") == [
        {"role": "user", "parts": [text("Hi")]}
    ]
    assert canonical_messages({"contents": "Hi"}, "user") == [{"role": "user", "parts": [text("Hi")]}]
    assert canonical_messages({"contents": ["Hi"]}, "user") == [{"role": "user", "parts": [text("Hi")]}]


def test_a_thought_signature_stays_with_its_part() -> None:
    part = {"functionCall": {"name": "f", "args": {}}, "thoughtSignature": "c2ln"}
    [message] = canonical_messages([{"role": "model", "parts": [part]}], "user") or []
    assert message["parts"] == [called("f", {}, thoughtSignature="c2ln")]


# ---- Bedrock and Strands


def test_blocks_of_bedrock_become_parts() -> None:
    conversation = [
        {"role": "user", "content": [{"text": "Weather?"}, {"image": {"format": "png", "source": {"bytes": "aGk="}}}]},
        {
            "role": "assistant",
            "content": [
                {"reasoningContent": {"reasoningText": {"text": "Look it up.", "signature": "s1"}}},
                {"toolUse": {"toolUseId": "tooluse_1", "name": "weather", "input": {"city": "Paris"}}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"toolResult": {"toolUseId": "tooluse_1", "content": [{"json": {"degrees": 20}}], "status": "success"}},
                {"toolResult": {"toolUseId": "tooluse_2", "content": [{"text": "no such city"}], "status": "error"}},
                {"document": {"format": "pdf", "name": "A", "source": {"s3Location": {"uri": "s3://bucket/a.pdf"}}}},
                {"cachePoint": {"type": "default"}},
            ],
        },
    ]
    assert canonical_messages(conversation, "user") == [
        {"role": "user", "parts": [text("Weather?"), blob("image", "image/png")]},
        {
            "role": "assistant",
            "parts": [reasoning("Look it up.", signature="s1"), called("weather", {"city": "Paris"}, id="tooluse_1")],
        },
        {
            "role": "user",
            "parts": [
                answered({"degrees": 20}, id="tooluse_1"),
                answered("no such city", id="tooluse_2", status="error"),
                {
                    "type": "uri",
                    "modality": "document",
                    "uri": "s3://bucket/a.pdf",
                    "mime_type": "application/pdf",
                    "name": "A",
                },
                {"type": "json", "content": {"cachePoint": {"type": "default"}}},
            ],
        },
    ]


def test_a_response_of_bedrock_is_its_message() -> None:
    response = {
        "output": {"message": {"role": "assistant", "content": [{"text": "Hi"}]}},
        "stopReason": "end_turn",
        "usage": {"inputTokens": 3, "outputTokens": 1, "totalTokens": 4},
        "metrics": {"latencyMs": 100},
    }
    assert canonical_messages(response, "assistant") == [
        {"role": "assistant", "parts": [text("Hi")], "finish_reason": "end_turn"}
    ]


def test_events_of_strands_hold_content_as_json_text() -> None:
    assert canonical_messages('[{"text": "Hi"}]', "user") == [{"role": "user", "parts": [text("Hi")]}]
    choice = {"message": '[{"text": "Hello"}]', "finish_reason": "end_turn"}
    assert canonical_messages(choice, "assistant") == [
        {"role": "assistant", "parts": [text("Hello")], "finish_reason": "end_turn"}
    ]


# ---- Genkit and Haystack


def test_parts_of_genkit_become_parts() -> None:
    request = {
        "messages": [
            {"role": "system", "content": [{"text": "Be brief."}]},
            {"role": "user", "content": [{"text": "Weather?"}, {"media": {"url": "data:image/png;base64,aGk="}}]},
            {
                "role": "model",
                "content": [{"toolRequest": {"ref": "r1", "name": "weather", "input": {"city": "Paris"}}}],
            },
            {
                "role": "tool",
                "content": [{"toolResponse": {"ref": "r1", "name": "weather", "output": {"degrees": 20}}}],
            },
        ],
        "config": {"temperature": 0},
        "tools": [],
    }
    assert canonical_messages(request, "user") == [
        {"role": "system", "parts": [text("Be brief.")]},
        {"role": "user", "parts": [text("Weather?"), blob("image", "image/png")]},
        {"role": "assistant", "parts": [called("weather", {"city": "Paris"}, id="r1")]},
        {"role": "tool", "parts": [answered({"degrees": 20}, id="r1", name="weather")]},
    ]
    response = {"message": {"role": "model", "content": [{"reasoning": "Hm."}, {"text": "20"}]}, "finishReason": "stop"}
    assert canonical_messages({**response, "usage": {"inputTokens": 3}}, "assistant") == [
        {"role": "assistant", "parts": [reasoning("Hm."), text("20")], "finish_reason": "stop"}
    ]


def test_messages_of_haystack_become_messages() -> None:
    call = {"tool_name": "weather", "arguments": {"city": "Paris"}, "id": "c1"}
    conversation = [
        {"role": "user", "meta": {}, "name": None, "content": [{"text": "Weather?"}]},
        {"role": "assistant", "meta": {"model": "gpt-4o"}, "name": None, "content": [{"tool_call": call}]},
        {"role": "tool", "content": [{"tool_call_result": {"result": "20", "error": False, "origin": call}}]},
    ]
    assert canonical_messages(conversation, "user") == [
        {"role": "user", "parts": [text("Weather?")]},
        {"role": "assistant", "parts": [called("weather", {"city": "Paris"}, id="c1")], "meta": {"model": "gpt-4o"}},
        {"role": "tool", "parts": [answered("20", id="c1", error=False, origin=call)]},
    ]
