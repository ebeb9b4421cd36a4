"""Bodies rebuilt in the form of each provider: which form, and what it says."""

from __future__ import annotations

import json
from typing import Any

import pytest

from collector.query.letta.bodies import call_of
from collector.query.letta.bodies.forms import ANTHROPIC, BEDROCK, CHAT, COMPLETIONS, GEMINI, RESPONSES, Form, form_of
from tests.unit.query.letta_requests import (
    ANTHROPIC_REQUEST,
    CHAT_REQUEST,
    CONVERSE,
    GEMINI_REQUEST,
    RESPONSES_REQUEST,
    row_of,
    without_nulls,
)
from tests.unit.query.rows import text_message
from tests.unit.query.steps import call_row

FORMS = {"chat": CHAT, "responses": RESPONSES, "anthropic": ANTHROPIC, "gemini": GEMINI, "bedrock": BEDROCK}


@pytest.mark.parametrize(
    ("form", "body"),
    [
        (CHAT, CHAT_REQUEST),
        (ANTHROPIC, ANTHROPIC_REQUEST),
        (RESPONSES, RESPONSES_REQUEST),
        (GEMINI, GEMINI_REQUEST),
        (BEDROCK, CONVERSE),
    ],
    ids=["chat", "anthropic", "responses", "gemini", "bedrock"],
)
def test_all_that_a_request_can_say_survives(form: Form, body: dict[str, Any]) -> None:
    assert without_nulls(form.request(call_of(row_of(body)))) == without_nulls(body)


@pytest.mark.parametrize(
    ("changes", "form"),
    [
        ({"provider": "openai"}, CHAT),
        ({"provider": "groq"}, CHAT),
        ({"provider": "", "request_model": "some-model"}, CHAT),
        ({"provider": "openai", "response_id": "resp_1"}, RESPONSES),
        ({"provider": "azure.ai.openai", "attributes": {"openai.api.type": "responses"}}, RESPONSES),
        ({"provider": "openai", "operation": "text_completion"}, COMPLETIONS),
        ({"provider": "anthropic", "request_model": "claude-sonnet-4-5"}, ANTHROPIC),
        ({"provider": "", "request_model": "anthropic/claude-sonnet-4-5"}, ANTHROPIC),
        ({"provider": "gcp.vertex_ai", "request_model": "claude-sonnet-4-5@20250929"}, ANTHROPIC),
        ({"provider": "gcp.vertex_ai", "request_model": "gemini-2.5-pro"}, GEMINI),
        ({"provider": "gcp.gemini", "request_model": "gemma-3"}, GEMINI),
        ({"provider": "", "request_model": "gemini-2.5-pro"}, GEMINI),
        ({"provider": "openai", "operation": "generate_content", "request_model": "gpt-4o"}, CHAT),
        ({"provider": "aws.bedrock", "request_model": "anthropic.claude-sonnet-4-5-v1:0"}, BEDROCK),
    ],
)
def test_the_provider_decides_about_the_form(changes: dict[str, Any], form: Form) -> None:
    assert form_of(call_of(call_row(**changes))) is form


ANSWERED = [
    {
        "role": "assistant",
        "parts": [
            {"type": "reasoning", "content": "Look it up."},
            {"type": "tool_call", "id": "t1", "name": "look", "arguments": {"at": 1}},
        ],
        "finish_reason": "tool_call",
    }
]


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        (
            CHAT,
            {
                "id": "r1",
                "object": "chat.completion",
                "model": "gpt-4o-2024-08-06",
                "choices": [
                    {
                        "index": 0,
                        "message": {
                            "role": "assistant",
                            "content": None,
                            "reasoning_content": "Look it up.",
                            "tool_calls": [
                                {"id": "t1", "type": "function", "function": {"name": "look", "arguments": '{"at":1}'}}
                            ],
                        },
                        "finish_reason": "tool_calls",
                    }
                ],
                "usage": {
                    "prompt_tokens": 610,
                    "completion_tokens": 20,
                    "total_tokens": 630,
                    "prompt_tokens_details": {"cached_tokens": 500},
                    "completion_tokens_details": {"reasoning_tokens": 5},
                },
                "service_tier": "flex",
            },
        ),
        (
            ANTHROPIC,
            {
                "id": "r1",
                "type": "message",
                "role": "assistant",
                "model": "gpt-4o-2024-08-06",
                "content": [
                    {"type": "thinking", "thinking": "Look it up."},
                    {"type": "tool_use", "id": "t1", "name": "look", "input": {"at": 1}},
                ],
                "stop_reason": "tool_use",
                "usage": {
                    "input_tokens": 10,
                    "cache_creation_input_tokens": 100,
                    "cache_read_input_tokens": 500,
                    "output_tokens": 20,
                    "service_tier": "flex",
                },
            },
        ),
        (
            GEMINI,
            {
                "candidates": [
                    {
                        "content": {
                            "role": "model",
                            "parts": [
                                {"text": "Look it up.", "thought": True},
                                {"functionCall": {"id": "t1", "name": "look", "args": {"at": 1}}},
                            ],
                        },
                        "finishReason": "STOP",
                        "index": 0,
                    }
                ],
                "usageMetadata": {
                    "promptTokenCount": 610,
                    "cachedContentTokenCount": 500,
                    "candidatesTokenCount": 15,
                    "thoughtsTokenCount": 5,
                    "totalTokenCount": 630,
                },
                "modelVersion": "gpt-4o-2024-08-06",
                "responseId": "r1",
            },
        ),
        (
            BEDROCK,
            {
                "output": {
                    "message": {
                        "role": "assistant",
                        "content": [
                            {"reasoningContent": {"reasoningText": {"text": "Look it up."}}},
                            {"toolUse": {"toolUseId": "t1", "name": "look", "input": {"at": 1}}},
                        ],
                    }
                },
                "stopReason": "tool_use",
                "usage": {
                    "inputTokens": 10,
                    "outputTokens": 20,
                    "totalTokens": 630,
                    "cacheReadInputTokens": 500,
                    "cacheWriteInputTokens": 100,
                },
                "metrics": {"latencyMs": 800},
            },
        ),
        (
            RESPONSES,
            {
                "id": "r1",
                "object": "response",
                "status": "completed",
                "model": "gpt-4o-2024-08-06",
                "output": [
                    {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Look it up."}]},
                    {"type": "function_call", "call_id": "t1", "name": "look", "arguments": '{"at":1}'},
                ],
                "usage": {
                    "input_tokens": 610,
                    "input_tokens_details": {"cached_tokens": 500},
                    "output_tokens": 20,
                    "output_tokens_details": {"reasoning_tokens": 5},
                    "total_tokens": 630,
                },
                "service_tier": "flex",
            },
        ),
    ],
    ids=["chat", "anthropic", "gemini", "bedrock", "responses"],
)
def test_a_response_speaks_of_usage_and_reasons_in_the_providers_words(form: Form, expected: dict[str, Any]) -> None:
    counts = {"input_tokens": 610, "output_tokens": 20, "cache_read_tokens": 500, "cache_write_tokens": 100}
    row = call_row(
        output=json.dumps(ANSWERED), response_id="r1", service_tier="flex", finish_reasons=["tool_call"], **counts
    )
    assert form.response(call_of(row)) == expected


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_failed_call_has_an_error_for_a_response(form: Form) -> None:
    row = call_row(
        status_code="ERROR",
        error="no such model",
        error_type="NotFoundError",
        output="",
        attributes={"http.response.status_code": 404},
    )
    assert form.response(call_of(row))["error"] == {"message": "no such model", "type": "NotFoundError", "code": 404}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_what_had_come_before_a_failure_stands_beside_the_error(form: Form) -> None:
    row = call_row(status_code="ERROR", error="connection lost", error_type="APIConnectionError")
    body = form.response(call_of(row))
    assert body["error"]["message"] == "connection lost"
    assert "Paris." in json.dumps(body)


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_content_that_was_not_recorded_is_not_made_up(form: Form) -> None:
    unknown = {"input": "", "output": "", "system_instructions": "", "finish_reasons": [], "response_id": ""}
    names = ("input", "output", "cache_read", "cache_write", "reasoning")
    counts = {**dict.fromkeys(f"{name}_tokens" for name in names), "time_to_first_token_ns": None}
    call = call_of(call_row(**unknown, **counts, model_parameters={}))
    assert [value for value in form.request(call).values() if value] == ["gpt-4o"]
    assert "usage" not in form.response(call)


def test_a_prompt_without_messages_is_rebuilt_as_one() -> None:
    answer = json.dumps([text_message("assistant", " there was.", finish_reason="length")])
    call = call_of(call_row(operation="text_completion", input="Once", output=answer, system_instructions=""))
    assert COMPLETIONS.request(call)["prompt"] == "Once"
    assert COMPLETIONS.response(call)["choices"] == [{"index": 0, "text": " there was.", "finish_reason": "length"}]
