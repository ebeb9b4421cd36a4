"""What every capture script asks the fake model server: the same conversation through every instrumentation."""

from __future__ import annotations

from typing import Any

SYSTEM = "You are the assistant of a small shop."
QUESTION = "Where is my order A-1001?"
PARAMETERS = {"type": "object", "properties": {"order_id": {"type": "string"}}, "required": ["order_id"]}
FUNCTION = {"name": "look_up_order", "description": "Look up an order.", "parameters": PARAMETERS}
CALL = {
    "id": "call_lookup_1",
    "type": "function",
    "function": {"name": "look_up_order", "arguments": '{"order_id": "A-1001"}'},
}

CHAT: dict[str, Any] = {
    "model": "gpt-4o",
    "messages": [{"role": "system", "content": SYSTEM}, {"role": "user", "content": QUESTION}],
    "temperature": 0.2,
}
STREAM: dict[str, Any] = {**CHAT, "stream": True, "stream_options": {"include_usage": True}}
TOOLS: dict[str, Any] = {**CHAT, "tools": [{"type": "function", "function": FUNCTION}]}
TOOL_RESULT: dict[str, Any] = {
    **TOOLS,
    "messages": [
        *CHAT["messages"],
        {"role": "assistant", "content": None, "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "call_lookup_1", "content": '{"status": "packed"}'},
    ],
}
BROKEN: dict[str, Any] = {**CHAT, "model": "gpt-4o-broken"}
EMBEDDING: dict[str, Any] = {"model": "text-embedding-3-small", "input": QUESTION}
RESPONSE: dict[str, Any] = {"model": "gpt-4o", "instructions": SYSTEM, "input": QUESTION}

CLAUDE: dict[str, Any] = {
    "model": "claude-sonnet-4-5",
    "max_tokens": 100,
    "system": SYSTEM,
    "messages": [{"role": "user", "content": QUESTION}],
}
CLAUDE_TOOL = {"name": "look_up_order", "description": "Look up an order.", "input_schema": PARAMETERS}
CLAUDE_CALL = {"type": "tool_use", "id": "toolu_lookup_1", "name": "look_up_order", "input": {"order_id": "A-1001"}}
CLAUDE_RESULT = {"type": "tool_result", "tool_use_id": "toolu_lookup_1", "content": '{"status": "packed"}'}
CLAUDE_TOOLS: dict[str, Any] = {**CLAUDE, "tools": [CLAUDE_TOOL]}
CLAUDE_TOOL_RESULT: dict[str, Any] = {
    **CLAUDE_TOOLS,
    "messages": [
        *CLAUDE["messages"],
        {"role": "assistant", "content": [CLAUDE_CALL]},
        {"role": "user", "content": [CLAUDE_RESULT]},
    ],
}
