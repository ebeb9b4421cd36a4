"""LiteLLM: the two callbacks of its library and its proxy.

Source: litellm 1.110.2, `integrations/opentelemetry.py` (v1) and `integrations/otel` (v2).

- v1: a span `litellm_request`, and below it `raw_gen_ai_request` with what went over the wire, which is no call of its own.
  In the proxy the attributes stand on its server span, and there is no `litellm_request`, or both have them.
- v2: the conventions, on a span ``chat MODEL``; the proxy's other spans have none of them.
- Input tokens include cached ones for every provider. v1 reports cached and reasoning tokens only in a `usage_object`, in
  the syntax of Python.
- Messages are OpenAI's in v2, and in v1 a mixture: calls of tools stand beside the parts, or among indexed completions.
- Truth values may be texts, and absent metadata is an empty text.
- `gen_ai.operation.name` is the name of LiteLLM's function in v1: `acompletion`.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

from collector.enrich.dialects.dialect import Dialect
from collector.enrich.dialects.indexed import conventional_messages, indexed_messages
from collector.enrich.messages import canonical_messages
from collector.enrich.span_view import SpanView
from collector.json_text import json_value

LONGEST_USAGE = 10_000
"""Characters of a `usage_object` that is read."""

_METADATA = ("metadata.", "litellm.metadata.")
_NO_METADATA = frozenset({"usage_object"})
_OPERATIONS = {
    "completion": "chat",
    "acompletion": "chat",
    "anthropic_messages": "chat",
    "responses": "chat",
    "aresponses": "chat",
    "atext_completion": "text_completion",
    "embedding": "embeddings",
    "aembedding": "embeddings",
    "arerank": "rerank",
}


def read(view: SpanView) -> Mapping[str, Any]:
    """Return messages in canonical form, usage that only an object holds, and metadata."""
    found = indexed_messages(view)
    called = found.pop("output", None)
    conventional = conventional_messages(view, closely=True)
    if "input" in conventional:
        conventional["input"] = [_result(message) for message in conventional["input"]]
    answered = conventional.get("output")
    if called is not None and not (answered and any(message.get("parts") for message in answered)):
        conventional["output"] = _together(answered, called)
    found |= conventional | _usage(view)
    metadata = {
        key.removeprefix(prefix): value
        for prefix in _METADATA
        for key, value in view.prefixed(prefix)
        if value not in ("", "[]", "{}", None)
    }
    found["metadata"] = {name: value for name, value in metadata.items() if name not in _NO_METADATA}
    found["operation"] = _OPERATIONS.get(view.text("gen_ai.operation.name") or "")
    if "litellm.guardrail.name" in view.attributes or "guardrail_name" in view.attributes:
        found["kind"] = "GUARDRAIL"
    return found


def _result(message: dict[str, Any]) -> dict[str, Any]:
    """A message with the result of a tool, which v1 writes as a text beside the id of the call."""
    parts, call_id = message.get("parts"), message.get("tool_call_id")
    if not (message.get("role") == "tool" and isinstance(call_id, str) and isinstance(parts, list) and len(parts) == 1):
        return message
    response = {"type": "tool_call_response", "id": call_id, "response": parts[0].get("content")}
    said = {name: value for name, value in message.items() if name != "tool_call_id"}
    return {**said, "parts": [response]} if parts[0].get("type") == "text" else message


def _together(answered: list[dict[str, Any]] | None, called: str) -> list[dict[str, Any]] | str:
    """The calls of tools among indexed completions, with what the message without them says."""
    messages = canonical_messages(json_value(called), "assistant")
    if not messages or not answered:
        return called
    return [{**answered[0], "parts": messages[0]["parts"]}, *answered[1:]]


def _usage(view: SpanView) -> dict[str, Any]:
    """Token counts of v1: those that no attribute holds."""
    text = view.text("metadata.usage_object")
    usage = _literal(text) if text is not None and len(text) <= LONGEST_USAGE else None
    if not isinstance(usage, dict):
        return {}
    prompt, completion = _object(usage, "prompt_tokens_details"), _object(usage, "completion_tokens_details")
    kept = _object(prompt, "cache_creation_token_details")
    counts = {
        "cache_read_tokens": _first(prompt, "cached_tokens") or _first(usage, "cache_read_input_tokens"),
        "cache_write_tokens": _first(prompt, "cache_creation_tokens", "cache_write_tokens")
        or _first(usage, "cache_creation_input_tokens"),
        "cache_write_1h_tokens": _first(kept, "ephemeral_1h_input_tokens"),
        "reasoning_tokens": _first(completion, "reasoning_tokens"),
        "input_audio_tokens": _first(prompt, "audio_tokens"),
        "output_audio_tokens": _first(completion, "audio_tokens"),
        "input_image_tokens": _first(prompt, "image_tokens"),
        "output_image_tokens": _first(completion, "image_tokens"),
    }
    tier = usage.get("service_tier")
    named = view.text("gen_ai.openai.response.service_tier") is not None
    return counts | ({"service_tier": tier} if isinstance(tier, str) and not named else {})


def _literal(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return json_value(text)


def _object(holder: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    inner = holder.get(name)
    return inner if isinstance(inner, dict) else {}


def _first(holder: Mapping[str, Any], *names: str) -> int | None:
    return next((holder[name] for name in names if isinstance(holder.get(name), int)), None)


DIALECT = Dialect(
    name="litellm",
    scopes=("litellm",),
    markers=("litellm.*",),
    inclusive=None,
    kinds={
        "image_generation": "LLM",
        "aimage_generation": "LLM",
        "transcription": "LLM",
        "atranscription": "LLM",
        "speech": "LLM",
        "aspeech": "LLM",
        "litellm.passthrough": "LLM",
        "litellm.moderation": "GUARDRAIL",
        "moderation": "GUARDRAIL",
        "amoderation": "GUARDRAIL",
    },
    kinds_of_names={
        "Received Proxy Server Request": "CHAIN",
        "raw_gen_ai_request": "OTHER",
        "guardrail": "GUARDRAIL",
    },
    text={
        "kind_name": ("gen_ai.operation.name",),
        "user_id": (
            "litellm.end_user.id",
            "llm.user",
            "metadata.user_api_key_end_user_id",
            "metadata.user_api_key_user_id",
        ),
        "session_id": ("gen_ai.conversation.id", "metadata.session_id", "litellm.metadata.session_id"),
    },
    amounts={"cost_reported": ("litellm.cost.total", "gen_ai.cost.total_cost", "gen_ai.usage.cost")},
    flags={"streaming": ("litellm.request.streaming", "llm.is_streaming")},
    read=read,
)
