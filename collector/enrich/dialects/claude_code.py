"""Claude Code and the Claude Agent SDK, which runs it.

Source: Anthropic's documentation of its monitoring (traces, beta), and spans of versions 2.1 as others published them.

- Bare names. Tokens are those of the Messages API: cached ones stand beside `input_tokens`, not in it.
- A prompt is an `interaction`; below it are model requests and tools. A tool has spans of its own for the wait for
  permission and for its execution: these are no second call of the tool.
- Content is text with headings, or "<REDACTED>"; a tool's result is in the event `tool.output`.
- `speed` "fast" is a tier with prices of its own.
- The scope alone shows it: other tools have copied the names, but not how they count.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from collector.enrich.dialects.dialect import Dialect
from collector.enrich.dialects.reading import said_text
from collector.enrich.span_view import SpanView
from collector.json_text import json_value

_BETWEEN = re.compile(r"\n\n---\n\n(?=\[)")
_HEADING = re.compile(r"\[(USER PROMPT|USER|TOOL RESULT|TOOL INPUT)(?:: ([^\]\n]*))?\]\n")


def read(view: SpanView) -> Mapping[str, Any]:
    """Return the content of a prompt, a model request or a tool, and the tier."""
    match (view.text("span.type") or "").removeprefix("claude_code."):
        case "llm_request":
            return _request(view)
        case "interaction":
            prompt = said_text(view, "user_prompt", "new_context")
            return {"input": _messages(prompt), "operation": "invoke_agent"}
        case "tool":
            return _tool(view)
    return {}


def _request(view: SpanView) -> dict[str, Any]:
    answer, system = said_text(view, "response.model_output"), said_text(view, "user_system_prompt")
    return {
        "operation": "chat",
        "input": _messages(said_text(view, "new_context")),
        "output": [_message("assistant", {"type": "text", "content": answer})] if answer else None,
        "system_instructions": [{"type": "text", "content": system}] if system else None,
        "service_tier": "fast" if view.get("speed") == "fast" else None,
    }


def _tool(view: SpanView) -> dict[str, Any]:
    given, gave = said_text(view, "tool_input"), said_text(view, "new_context")
    event = next((attributes for name, _, attributes in view.events if name == "tool.output"), None)
    return {
        "operation": "execute_tool",
        "input": _without_heading(given) if given else None,
        "output": _without_heading(gave) if gave else _result(event),
    }


def _result(event: Mapping[str, Any] | None) -> Any:
    if not event:
        return None
    return next((event[name] for name in ("output", "content", "diff") if event.get(name)), dict(event))


def _without_heading(text: str) -> Any:
    heading = _HEADING.match(text)
    return json_value(text[heading.end() :] if heading else text)


def _messages(context: str | None) -> list[dict[str, Any]] | None:
    """The new part of a conversation: pieces with headings, which say whether the user or a tool speaks."""
    return [_piece(text) for text in _BETWEEN.split(context)] if context else None


def _piece(text: str) -> dict[str, Any]:
    heading = _HEADING.match(text)
    content = text[heading.end() :] if heading else text
    if heading and heading[1] == "TOOL RESULT":
        return _message("tool", {"type": "tool_call_response", "id": heading[2] or "", "response": content})
    return _message("user", {"type": "text", "content": content})


def _message(role: str, part: dict[str, Any]) -> dict[str, Any]:
    return {"role": role, "parts": [part]}


_KINDS = {
    "interaction": "AGENT",
    "llm_request": "LLM",
    "tool": "TOOL",
    "tool.blocked_on_user": "OTHER",
    "tool.execution": "OTHER",
}

DIALECT = Dialect(
    name="claude_code",
    scopes=("com.anthropic.claude_code*",),
    inclusive=False,
    kinds={**_KINDS, **{f"claude_code.{name}": kind for name, kind in _KINDS.items()}},
    text={
        "kind_name": ("span.type",),
        "request_model": ("gen_ai.request.model", "model"),
        "response_id": ("gen_ai.response.id", "request_id"),
        "tool_name": ("tool_name",),
        "tool_call_id": ("gen_ai.tool.call.id", "tool_use_id"),
        "error_type": ("error.type", "error_class"),
    },
    tokens={
        "input_tokens": ("input_tokens",),
        "output_tokens": ("output_tokens",),
        "cache_read_tokens": ("cache_read_tokens",),
        "cache_write_tokens": ("cache_creation_tokens",),
    },
    milliseconds={"time_to_first_token_ns": ("ttft_ms",)},
    lists={"finish_reasons": ("gen_ai.response.finish_reasons", "stop_reason")},
    read=read,
)
