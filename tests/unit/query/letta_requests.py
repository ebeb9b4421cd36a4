"""Requests in the forms of the providers that say all that can be said, and the rows that are stored of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from collector.enrich.messages import canonical_messages, system_parts, tool_definitions
from tests.unit.query.rows import Row
from tests.unit.query.steps import call_row

IMAGE = "iVBORw0KGgo="

CONVERSE = {
    "modelId": "anthropic.claude-sonnet-4-5-v1:0",
    "system": [{"text": "Be brief."}],
    "messages": [
        {
            "role": "user",
            "content": [{"text": "What is it?"}, {"image": {"format": "png", "source": {"bytes": IMAGE}}}],
        },
        {
            "role": "assistant",
            "content": [
                {"reasoningContent": {"reasoningText": {"text": "Look it up.", "signature": "c2ln"}}},
                {"text": "One moment."},
                {"toolUse": {"toolUseId": "t1", "name": "look", "input": {"at": 1}}},
                {"toolUse": {"toolUseId": "t2", "name": "look", "input": {"at": 2}}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"toolResult": {"toolUseId": "t1", "content": [{"json": {"found": True}}]}},
                {"toolResult": {"toolUseId": "t2", "content": [{"text": "nothing"}], "status": "error"}},
            ],
        },
    ],
    "inferenceConfig": {"maxTokens": 100, "temperature": 0.5, "stopSequences": ["END"]},
    "toolConfig": {
        "tools": [
            {"toolSpec": {"name": "look", "description": "Look.", "inputSchema": {"json": {"type": "object"}}}},
        ]
    },
}
CHAT_REQUEST = {
    "model": "gpt-4o",
    "messages": [
        {"role": "system", "content": "Be brief."},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "What is it?"},
                {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{IMAGE}", "detail": "low"}},
                {"type": "image_url", "image_url": {"url": "https://images.example/1.png"}},
                {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}},
                {"type": "file", "file": {"file_id": "file-1"}},
            ],
            "name": "ada",
        },
        {
            "role": "assistant",
            "content": "One moment.",
            "reasoning_content": "Look it up.",
            "tool_calls": [
                {"id": "t1", "type": "function", "function": {"name": "look", "arguments": '{"at":1}'}},
                {"id": "t2", "type": "function", "function": {"name": "look", "arguments": '{"at":2}'}},
            ],
        },
        {"role": "tool", "tool_call_id": "t1", "content": "found"},
        {"role": "tool", "tool_call_id": "t2", "content": "nothing"},
        {"role": "assistant", "content": None, "refusal": "I had rather not."},
    ],
    "temperature": 0.5,
    "stop": ["END"],
    "n": 2,
    "max_completion_tokens": 100,
    "tools": [
        {
            "type": "function",
            "function": {"name": "look", "description": "Look.", "parameters": {"type": "object"}, "strict": True},
        }
    ],
}
ANTHROPIC_REQUEST = {
    "model": "claude-sonnet-4-5",
    "max_tokens": 100,
    "stop_sequences": ["END"],
    "system": [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
    "messages": [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "What is it?", "cache_control": {"type": "ephemeral"}},
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": IMAGE}},
                {"type": "image", "source": {"type": "url", "url": "https://images.example/1.png"}},
                {"type": "document", "source": {"type": "file", "file_id": "file-1"}},
            ],
        },
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "Look it up.", "signature": "sig"},
                {"type": "redacted_thinking", "data": "c2VjcmV0"},
                {"type": "tool_use", "id": "t1", "name": "look", "input": {"at": 1}},
                {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {"query": "it"}},
                {
                    "type": "web_search_tool_result",
                    "tool_use_id": "s1",
                    "content": [{"type": "web_search_result", "url": "https://pages.example"}],
                },
            ],
        },
        {
            "role": "user",
            "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "nothing", "is_error": True}],
        },
    ],
    "tools": [
        {"name": "look", "description": "Look.", "input_schema": {"type": "object"}},
        {"type": "web_search_20250305", "name": "web_search", "max_uses": 2},
    ],
}
RESPONSES_REQUEST = {
    "model": "gpt-5",
    "instructions": "Be brief.",
    "input": [
        {
            "type": "message",
            "role": "user",
            "content": [
                {"type": "input_text", "text": "What is it?"},
                {"type": "input_image", "image_url": "https://images.example/1.png"},
            ],
        },
        {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "Look it up."}]},
        {"type": "function_call", "id": "fc_1", "call_id": "t1", "name": "look", "arguments": '{"at":1}'},
        {"type": "function_call_output", "call_id": "t1", "output": "nothing"},
        {"type": "web_search_call", "id": "ws_1", "action": {"type": "search", "query": "it"}},
    ],
    "max_output_tokens": 100,
    "tools": [
        {"type": "function", "name": "look", "parameters": {"type": "object"}},
        {"type": "web_search", "search_context_size": "low"},
    ],
}
GEMINI_REQUEST = {
    "model": "gemini-2.5-flash",
    "systemInstruction": {"parts": [{"text": "Be brief."}]},
    "contents": [
        {
            "role": "user",
            "parts": [
                {"text": "What is it?"},
                {"inlineData": {"mimeType": "image/png", "data": IMAGE}},
                {"fileData": {"mimeType": "image/png", "fileUri": "https://images.example/1.png"}},
            ],
        },
        {
            "role": "model",
            "parts": [
                {"text": "Look it up.", "thought": True},
                {"functionCall": {"id": "t1", "name": "look", "args": {"at": 1}}, "thoughtSignature": "c2ln"},
                {"executableCode": {"language": "PYTHON", "code": "1 + 1"}},
                {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "2"}},
            ],
        },
        {
            "role": "user",
            "parts": [{"functionResponse": {"id": "t1", "name": "look", "response": {"found": True}}}],
        },
    ],
    "generationConfig": {"maxOutputTokens": 100, "topP": 0.5, "thinkingConfig": {"thinkingBudget": 10}},
    "tools": [
        {"functionDeclarations": [{"name": "look", "description": "Look.", "parameters": {"type": "object"}}]},
        {"googleSearch": {}},
    ],
    "toolConfig": {"functionCallingConfig": {"mode": "ANY"}},
}


def row_of(body: Mapping[str, Any]) -> Row:
    """What enrichment makes of a whole request: what `collector.enrich.dialects.model_call.read_request` takes apart."""
    spoken = body.get("messages") or body.get("contents") or body.get("input")
    system = body.get("system") or body.get("systemInstruction") or body.get("instructions")
    tools = body.get("tools") or body.get("toolConfig")
    apart = {
        "model",
        "modelId",
        "messages",
        "contents",
        "input",
        "system",
        "systemInstruction",
        "instructions",
        "tools",
    }
    parameters = {key: value for key, value in body.items() if key not in apart}
    for nested in ("generationConfig", "inferenceConfig"):
        parameters |= parameters.pop(nested, {})
    if "modelId" in body:
        del parameters["toolConfig"]
    return call_row(
        request_model=body.get("model") or body["modelId"],
        input=json.dumps(canonical_messages(spoken, "user")),
        system_instructions=json.dumps(system_parts(system)) if system else "",
        tool_definitions=json.dumps(tool_definitions(tools)),
        model_parameters=parameters,
        time_to_first_token_ns=None,
    )


def without_nulls(value: Any) -> Any:
    """The value without what is null, and with arguments of tools parsed: their JSON text may have other spaces."""
    if isinstance(value, dict):
        return {key: without_nulls(each) for key, each in value.items() if each is not None}
    if isinstance(value, list):
        return [without_nulls(each) for each in value]
    if isinstance(value, str) and value.startswith("{"):
        return json.loads(value)
    return value
