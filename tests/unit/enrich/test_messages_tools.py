"""Tool definitions of every form are the flat definitions of the semantic conventions."""

from __future__ import annotations

import json
from typing import Any

import pytest

from collector.enrich.messages import tool_definitions

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
FLAT = {"type": "function", "name": "weather", "description": "Says the weather.", "parameters": SCHEMA}
NAMED = {"name": "weather", "description": "Says the weather."}


@pytest.mark.parametrize(
    "sent",
    [
        [FLAT],
        FLAT,
        [{"type": "function", "function": {**NAMED, "parameters": SCHEMA}}],
        [{**NAMED, "parameters": SCHEMA}],
        [{**NAMED, "parameters": json.dumps(SCHEMA)}],
        [{**NAMED, "input_schema": SCHEMA}],
        [{**NAMED, "input_schema": SCHEMA, "type": "custom"}],
        [{**NAMED, "inputSchema": SCHEMA}],
        [{"functionDeclarations": [{**NAMED, "parameters": SCHEMA}]}],
        [{"function_declarations": [{**NAMED, "parameters_json_schema": SCHEMA}]}],
        {"config": {"tools": [{"function_declarations": [{**NAMED, "parameters": SCHEMA}]}]}, "contents": []},
        {"tools": [{"toolSpec": {**NAMED, "inputSchema": {"json": SCHEMA}}}], "toolChoice": {"auto": {}}},
        {"toolConfig": {"tools": [{"toolSpec": {**NAMED, "inputSchema": {"json": SCHEMA}}}]}, "messages": []},
        [json.dumps({"type": "function", **NAMED, "parameters": SCHEMA})],
        [json.dumps({"type": "function", **NAMED, "inputSchema": SCHEMA})],
        json.dumps([FLAT]),
        {"weather": {"description": "Says the weather.", "inputSchema": {"jsonSchema": SCHEMA}}},
        {"model": "gpt-4o", "messages": [], "tools": [{"type": "function", "function": {**NAMED, "parameters": SCHEMA}}]},
        {"function_tools": [{**NAMED, "parameters_json_schema": SCHEMA}], "output_tools": [], "output_mode": "text"},
        [{"tool": {"json_schema": json.dumps({"type": "function", "function": {**NAMED, "parameters": SCHEMA}})}}],
        [{"tool": {"json_schema": json.dumps({**NAMED, "input_schema": SCHEMA})}}],
        [{**NAMED, "args_schema": SCHEMA}],
    ],
    ids=[
        "canonical", "single", "OpenAI chat", "OpenAI functions", "OpenLLMetry", "Anthropic", "Anthropic custom",
        "MCP", "Gemini", "Gemini snake case", "ADK", "Bedrock tool config", "Bedrock request", "AI SDK v4",
        "AI SDK v5", "JSON text", "AI SDK by name", "OpenAI request", "Pydantic AI", "OpenInference",
        "OpenInference of Anthropic", "LangChain",
    ],
)  # fmt: skip
def test_definitions_of_every_form_are_flat(sent: Any) -> None:
    assert tool_definitions(sent) == [FLAT]


def test_a_definition_keeps_what_it_says_besides() -> None:
    assert tool_definitions([{"type": "function", "function": {**NAMED, "parameters": SCHEMA, "strict": True}}]) == [
        {**FLAT, "strict": True}
    ]
    assert tool_definitions([{**NAMED, "input_schema": SCHEMA, "cache_control": {"type": "ephemeral"}}]) == [
        {**FLAT, "cache_control": {"type": "ephemeral"}}
    ]


def test_tools_of_the_provider_keep_their_type() -> None:
    assert tool_definitions(
        [
            {"type": "web_search_20250305", "name": "web_search", "max_uses": 5},
            {"type": "web_search_preview", "search_context_size": "low"},
            {"type": "provider-defined", "id": "openai.code", "name": "code", "args": {}},
            {"googleSearch": {}},
            {"functionDeclarations": [{"name": "time"}], "codeExecution": {}},
        ]
    ) == [
        {"type": "web_search_20250305", "name": "web_search", "max_uses": 5},
        {"type": "web_search_preview", "name": "web_search_preview", "search_context_size": "low"},
        {"type": "provider-defined", "name": "code", "id": "openai.code", "args": {}},
        {"type": "googleSearch", "name": "googleSearch"},
        {"type": "function", "name": "time"},
        {"type": "codeExecution", "name": "codeExecution"},
    ]


def test_names_alone_are_functions() -> None:
    assert tool_definitions(["weather", "time"]) == [
        {"type": "function", "name": "weather"},
        {"type": "function", "name": "time"},
    ]


@pytest.mark.parametrize(
    "value", [None, True, 17, "", "weather", "[]", [], {}, [{}], {"a": 1}, [[[]]], {"type": "object"}]
)
def test_what_is_no_definition_is_none(value: Any) -> None:
    assert tool_definitions(value) is None
