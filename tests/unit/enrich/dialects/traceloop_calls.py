"""What OpenLLMetry says of the calls that were recorded, now and before."""

from __future__ import annotations

from typing import Any

from tests.unit.enrich.dialects.expected import (
    ANSWERED,
    ASKED,
    ASKED_WITH_SYSTEM,
    CLAUDE,
    CLAUDE_COST,
    GPT_4O,
    GPT_4O_COST,
    SYSTEM_PARTS,
    TOOL_CALL,
    reshaped,
)

STOPPED = reshaped(ANSWERED, {"finish_reason": "stop"})
SHARED: dict[str, Any] = {"dialect": "traceloop", "kind": "LLM", "operation": "chat", "environment": "test"}
OPENAI: dict[str, Any] = {
    **SHARED,
    "provider": "openai",
    "request_model": "gpt-4o",
    "response_model": "gpt-4o-2024-08-06",
    "service_tier": "default",
    "finish_reasons": ["stop"],
    "model_parameters": {"temperature": 0.2},
    "input": ASKED_WITH_SYSTEM,
    "output": STOPPED,
    "token_basis": "inclusive_total",
    "total_tokens": 120,
    **GPT_4O,
    **GPT_4O_COST,
}
ANTHROPIC: dict[str, Any] = {
    **SHARED,
    "provider": "anthropic",
    "request_model": "claude-sonnet-4-5",
    "response_model": "claude-sonnet-4-5-20250929",
    "finish_reasons": ["stop"],
    "model_parameters": {"max_tokens": 100},
    "system_instructions": SYSTEM_PARTS,
    "input": ASKED,
    "output": STOPPED,
    "token_basis": "inclusive_total",
    "total_tokens": 630,
    **CLAUDE,
    **CLAUDE_COST,
}
CLAUDE_CALL = {**TOOL_CALL, "id": "toolu_lookup_1"}
PACKED = '{"status": "packed"}'


def without(expected: dict[str, Any], *names: str, **more: Any) -> dict[str, Any]:
    return {name: value for name, value in expected.items() if name not in names} | more


def response(call: dict[str, Any], role: str) -> list[dict[str, Any]]:
    result = {"type": "tool_call_response", "id": call["id"], "response": PACKED}
    return [{"role": "assistant", "parts": [call]}, {"role": role, "parts": [result]}]
