"""Messages of OpenAI's chat, responses, completions and assistants APIs, and of those who follow them."""

from __future__ import annotations

from typing import Any

import pytest

from collector.enrich.messages import canonical_messages
from tests.unit.enrich.parts import text


def parts_of(content: Any, role: str = "user") -> Any:
    """The canonical parts of one message with this content."""
    [message] = canonical_messages([{"role": role, "content": content}], "user") or []
    assert message.keys() == {"role", "parts"}
    return message["parts"]


def called(arguments: Any, name: str = "weather", call_id: str = "call_1") -> dict[str, Any]:
    return {"type": "tool_call", "id": call_id, "name": name, "arguments": arguments}


def test_a_chat_becomes_messages_with_parts() -> None:
    function = {"name": "weather", "arguments": '{"city": "Paris"}'}
    chat = [
        {"role": "system", "content": "Be brief."},
        {"role": "developer", "content": "Be kind."},
        {"role": "user", "content": "Weather?", "name": "ada"},
        {
            "role": "assistant",
            "content": None,
            "refusal": None,
            "annotations": [],
            "tool_calls": [{"id": "call_1", "type": "function", "function": function}],
        },
        {"role": "tool", "tool_call_id": "call_1", "content": "20 degrees"},
        {"role": "assistant", "content": "It is 20."},
    ]
    assert canonical_messages(chat, "user") == [
        {"role": "system", "parts": [text("Be brief.")]},
        {"role": "developer", "parts": [text("Be kind.")]},
        {"role": "user", "parts": [text("Weather?")], "name": "ada"},
        {"role": "assistant", "parts": [called({"city": "Paris"})]},
        {"role": "tool", "parts": [{"type": "tool_call_response", "id": "call_1", "response": "20 degrees"}]},
        {"role": "assistant", "parts": [text("It is 20.")]},
    ]


@pytest.mark.parametrize("arguments", ['{"city": "Par', "", "[1, 2]", "Paris"])
def test_arguments_that_are_no_json_object_stay_text(arguments: str) -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": arguments}}
    [message] = canonical_messages([{"role": "assistant", "content": "", "tool_calls": [call]}], "user") or []
    assert message["parts"] == [called(arguments)]


def test_integers_in_arguments_are_exact_at_any_size() -> None:
    call = {"id": "call_1", "function": {"name": "pay", "arguments": '{"wei": 1000000000000000000001}'}}
    [message] = canonical_messages([{"role": "assistant", "tool_calls": [call]}], "user") or []
    assert message["parts"] == [called({"wei": 10**21 + 1}, "pay")]


def test_words_come_before_calls_and_parallel_calls_keep_their_order() -> None:
    calls = [{"id": f"c{n}", "function": {"name": "f", "arguments": "{}"}} for n in (1, 2)]
    [message] = (
        canonical_messages([{"role": "assistant", "tool_calls": calls, "content": "Let me look."}], "user") or []
    )
    assert message["parts"] == [text("Let me look."), called({}, "f", "c1"), called({}, "f", "c2")]


def test_a_custom_tool_is_called_with_text() -> None:
    call = {"id": "call_1", "type": "custom", "custom": {"name": "python", "input": "print(1)"}}
    [message] = canonical_messages([{"role": "assistant", "tool_calls": [call]}], "user") or []
    assert message["parts"] == [called("print(1)", "python")]


def test_the_legacy_function_call_is_a_tool_call_without_an_id() -> None:
    chat = [
        {"role": "assistant", "content": None, "function_call": {"name": "weather", "arguments": '{"city": "Paris"}'}},
        {"role": "function", "name": "weather", "content": "20 degrees"},
    ]
    assert canonical_messages(chat, "user") == [
        {"role": "assistant", "parts": [{"type": "tool_call", "name": "weather", "arguments": {"city": "Paris"}}]},
        {"role": "tool", "parts": [{"type": "tool_call_response", "response": "20 degrees"}], "name": "weather"},
    ]


def test_images_are_where_they_are() -> None:
    assert parts_of(
        [
            {"type": "text", "text": "Compare."},
            {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
            {"type": "image_url", "image_url": {"url": "https://example.com/b.png", "detail": "low"}},
            {"type": "image_url", "image_url": {"url": "data:image/jpeg;base64,aGk="}},
            {"type": "input_image", "image_url": "https://example.com/c.png", "detail": "auto"},
            {"type": "input_image", "file_id": "file-1"},
        ]
    ) == [
        text("Compare."),
        {"type": "uri", "modality": "image", "uri": "https://example.com/a.png"},
        {"type": "uri", "modality": "image", "uri": "https://example.com/b.png", "detail": "low"},
        {"type": "blob", "modality": "image", "content": "aGk=", "mime_type": "image/jpeg"},
        {"type": "uri", "modality": "image", "uri": "https://example.com/c.png", "detail": "auto"},
        {"type": "file", "modality": "image", "file_id": "file-1"},
    ]


def test_audio_and_files_are_blobs_or_files() -> None:
    pdf = "data:application/pdf;base64,aGk="
    assert parts_of(
        [
            {"type": "input_audio", "input_audio": {"data": "aGk=", "format": "wav"}},
            {"type": "file", "file": {"file_id": "file-1"}},
            {"type": "file", "file": {"filename": "a.pdf", "file_data": pdf}},
            {"type": "input_file", "file_url": "https://example.com/a.pdf"},
        ]
    ) == [
        {"type": "blob", "modality": "audio", "content": "aGk=", "mime_type": "audio/wav"},
        {"type": "file", "modality": "document", "file_id": "file-1"},
        {
            "type": "blob",
            "modality": "document",
            "content": "aGk=",
            "mime_type": "application/pdf",
            "filename": "a.pdf",
        },
        {"type": "uri", "modality": "document", "uri": "https://example.com/a.pdf"},
    ]


def test_a_refusal_is_a_part_wherever_it_stands() -> None:
    refused = {"type": "refusal", "content": "I cannot."}
    assert parts_of([{"type": "refusal", "refusal": "I cannot."}], "assistant") == [refused]
    message = {"role": "assistant", "content": None, "refusal": "I cannot."}
    assert canonical_messages([message], "user") == [{"role": "assistant", "parts": [refused]}]


def test_a_spoken_answer_is_audio_with_its_transcript() -> None:
    audio = {"id": "audio_1", "data": "aGk=", "transcript": "Hello.", "expires_at": 1}
    [message] = canonical_messages([{"role": "assistant", "content": None, "audio": audio}], "user") or []
    spoken = {"type": "blob", "modality": "audio", "content": "aGk="}
    assert message == {
        "role": "assistant",
        "parts": [{**spoken, "id": "audio_1", "transcript": "Hello.", "expires_at": 1}],
    }


@pytest.mark.parametrize("beside", [{"reasoning_content": "Hmm."}, {"reasoning": "Hmm."}, {"thinking": "Hmm."}])
def test_reasoning_beside_the_content_comes_before_it(beside: dict[str, str]) -> None:
    [message] = canonical_messages([{"role": "assistant", "content": "Paris.", **beside}], "user") or []
    assert message["parts"] == [{"type": "reasoning", "content": "Hmm."}, text("Paris.")]


def test_reasoning_that_is_sent_twice_is_shown_once() -> None:
    thinking = [{"type": "thinking", "thinking": "Hmm.", "signature": "s1"}]
    message = {"role": "assistant", "content": "Paris.", "reasoning_content": "Hmm.", "thinking_blocks": thinking}
    [message] = canonical_messages([message], "user") or []
    assert message["parts"] == [{"type": "reasoning", "content": "Hmm.", "signature": "s1"}, text("Paris.")]


def test_a_response_of_the_chat_api_is_its_choices() -> None:
    response = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1768478400,
        "model": "gpt-4o-2024-08-06",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Hi", "refusal": None, "annotations": []},
                "logprobs": None,
                "finish_reason": "stop",
            },
            {"index": 1, "message": {"role": "assistant", "content": "Hello"}, "finish_reason": "length"},
        ],
        "usage": {"prompt_tokens": 9, "completion_tokens": 1, "total_tokens": 10},
        "service_tier": "default",
        "system_fingerprint": "fp_1",
    }
    assert canonical_messages(response, "assistant") == [
        {"role": "assistant", "parts": [text("Hi")], "finish_reason": "stop"},
        {"role": "assistant", "parts": [text("Hello")], "finish_reason": "length"},
    ]


def test_a_response_of_the_completions_api_is_text() -> None:
    choice = {"text": " there", "index": 0, "logprobs": None, "finish_reason": "length"}
    assert canonical_messages({"object": "text_completion", "model": "x", "choices": [choice]}, "assistant") == [
        {"role": "assistant", "parts": [text(" there")], "finish_reason": "length"}
    ]


def test_items_of_the_responses_api_become_turns() -> None:
    items = [
        {"role": "user", "content": [{"type": "input_text", "text": "Weather?"}]},
        {
            "type": "reasoning",
            "id": "rs_1",
            "summary": [{"type": "summary_text", "text": "Ask."}],
            "encrypted_content": None,
        },
        {
            "type": "function_call",
            "id": "fc_1",
            "call_id": "call_1",
            "name": "weather",
            "arguments": '{"city": "Paris"}',
            "status": "completed",
        },
        {"type": "function_call", "id": "fc_2", "call_id": "call_2", "name": "time", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "call_1", "output": "20 degrees"},
        {"type": "function_call_output", "call_id": "call_2", "output": [{"type": "input_text", "text": "noon"}]},
        {
            "type": "message",
            "id": "msg_1",
            "status": "completed",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "It is 20.", "annotations": [], "logprobs": []}],
        },
    ]
    assert canonical_messages(items, "user") == [
        {"role": "user", "parts": [text("Weather?")]},
        {
            "role": "assistant",
            "parts": [
                {"type": "reasoning", "content": "Ask.", "id": "rs_1"},
                {**called({"city": "Paris"}), "item_id": "fc_1"},
                {**called({}, "time", "call_2"), "item_id": "fc_2"},
            ],
        },
        {
            "role": "tool",
            "parts": [
                {"type": "tool_call_response", "id": "call_1", "response": "20 degrees"},
                {"type": "tool_call_response", "id": "call_2", "response": "noon"},
            ],
        },
        {"role": "assistant", "parts": [text("It is 20.")], "id": "msg_1"},
    ]


def test_a_response_of_the_responses_api_is_one_turn_of_the_assistant() -> None:
    response = {
        "id": "resp_1",
        "object": "response",
        "status": "completed",
        "instructions": "Be brief.",
        "model": "gpt-5",
        "output": [
            {"type": "reasoning", "id": "rs_1", "summary": []},
            {
                "type": "web_search_call",
                "id": "ws_1",
                "status": "completed",
                "action": {"type": "search", "query": "Paris"},
            },
            {
                "type": "message",
                "id": "msg_1",
                "role": "assistant",
                "content": [{"type": "output_text", "text": "20."}],
            },
            {"type": "custom_tool_call", "id": "ct_1", "call_id": "call_1", "name": "python", "input": "print(1)"},
        ],
        "parallel_tool_calls": True,
        "text": {"format": {"type": "text"}},
        "reasoning": {"effort": "low", "summary": None},
        "truncation": "disabled",
        "usage": {"input_tokens": 9, "output_tokens": 1, "total_tokens": 10},
    }
    assert canonical_messages(response, "assistant") == [
        {
            "role": "assistant",
            "parts": [
                {"type": "reasoning", "content": "", "id": "rs_1"},
                {
                    "type": "server_tool_call",
                    "id": "ws_1",
                    "name": "web_search",
                    "server_tool_call": {
                        "type": "web_search",
                        "status": "completed",
                        "action": {"type": "search", "query": "Paris"},
                    },
                },
                text("20."),
                {**called("print(1)", "python"), "item_id": "ct_1"},
            ],
            "id": "msg_1",
        }
    ]


def test_tools_of_openai_that_the_application_runs_are_calls_with_their_action() -> None:
    items = [
        {"type": "computer_call", "id": "cu_1", "call_id": "call_1", "action": {"type": "screenshot"}},
        {
            "type": "computer_call_output",
            "call_id": "call_1",
            "output": {"type": "computer_screenshot", "image_url": "data:,"},
        },
    ]
    assert canonical_messages(items, "user") == [
        {"role": "assistant", "parts": [{**called({"type": "screenshot"}, "computer"), "item_id": "cu_1"}]},
        {
            "role": "tool",
            "parts": [
                {
                    "type": "tool_call_response",
                    "id": "call_1",
                    "response": {"type": "computer_screenshot", "image_url": "data:,"},
                }
            ],
        },
    ]


def test_a_request_of_the_responses_api_is_instructions_and_input() -> None:
    request = {"model": "gpt-5", "instructions": "Be brief.", "input": "Hi", "max_output_tokens": 10, "store": True}
    assert canonical_messages(request, "user") == [
        {"role": "system", "parts": [text("Be brief.")]},
        {"role": "user", "parts": [text("Hi")]},
    ]


def test_text_of_the_assistants_api_is_text() -> None:
    content = [
        {"type": "text", "text": {"value": "Hello [1].", "annotations": [{"type": "file_citation", "index": 3}]}}
    ]
    assert parts_of(content, "assistant") == [text("Hello [1].", annotations=[{"type": "file_citation", "index": 3}])]


def test_chat_items_of_livekit_become_turns() -> None:
    context = {
        "items": [
            {"id": "item_1", "type": "message", "role": "system", "content": ["Be brief."], "interrupted": False},
            {"id": "item_2", "type": "message", "role": "user", "content": ["Weather?"], "interrupted": False},
            {"id": "item_3", "type": "function_call", "call_id": "call_1", "name": "weather", "arguments": "{}"},
            {
                "id": "item_4",
                "type": "function_call_output",
                "name": "weather",
                "call_id": "call_1",
                "output": "20",
                "is_error": False,
            },
        ]
    }
    assert canonical_messages(context, "user") == [
        {"role": "system", "parts": [text("Be brief.")], "id": "item_1", "interrupted": False},
        {"role": "user", "parts": [text("Weather?")], "id": "item_2", "interrupted": False},
        {"role": "assistant", "parts": [{**called({}), "item_id": "item_3"}]},
        {
            "role": "tool",
            "parts": [
                {"type": "tool_call_response", "id": "call_1", "response": "20", "name": "weather", "item_id": "item_4"}
            ],
        },
    ]


def test_images_of_openrouter_and_ollama_stand_beside_the_content() -> None:
    answer = {
        "role": "assistant",
        "content": "Here.",
        "images": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}}],
    }
    blob = {"type": "blob", "modality": "image", "content": "aGk="}
    assert canonical_messages([answer], "user") == [
        {"role": "assistant", "parts": [text("Here."), {**blob, "mime_type": "image/png"}]}
    ]
    assert canonical_messages([{"role": "user", "content": "Look.", "images": ["aGk="]}], "user") == [
        {"role": "user", "parts": [text("Look."), blob]}
    ]


def test_a_response_of_ollama_is_its_message() -> None:
    response = {
        "model": "llama3",
        "created_at": "2026-01-15T12:00:00Z",
        "message": {"role": "assistant", "content": "Hi", "thinking": "Greet."},
        "done": True,
        "done_reason": "stop",
        "eval_count": 3,
    }
    assert canonical_messages(response, "assistant") == [
        {
            "role": "assistant",
            "parts": [{"type": "reasoning", "content": "Greet."}, text("Hi")],
            "finish_reason": "stop",
        }
    ]
