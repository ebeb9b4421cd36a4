"""Anthropic's messages.

Source: anthropic-python 2.x, `types`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from collector.query.letta.bodies.call import (
    Call,
    Json,
    Part,
    Usage,
    all_parts,
    as_object,
    as_text,
    conversation,
    instructions,
    known,
    parameters,
    plain_text,
    rest,
    result_of,
    stream,
)

_ROLES = {"user": "user", "assistant": "assistant"}
_FINISHES = {
    "stop": "end_turn",
    "stop_sequence": "stop_sequence",
    "length": "max_tokens",
    "tool_call": "tool_use",
    "content_filter": "refusal",
}


def request(call: Call) -> Json:
    """Return the body of the request."""
    body: Json = {"model": call.model, **stream(call), **parameters(call, {})}
    told = instructions(call)
    if told:
        body["system"] = _content(told)
    body["messages"] = [{"role": role, "content": _content(parts)} for role, parts in conversation(call, _ROLES)]
    if call.tools:
        body["tools"] = [_tool(each) for each in call.tools]
    return body


def response(call: Call) -> Json:
    """Return the body of the response; with what had come of it, if the call failed."""
    if call.error is not None and not call.answered:
        return {"type": "error", "error": call.error}
    body: Json = {
        "id": call.response_id or None,
        "type": "message",
        "role": "assistant",
        "model": call.response_model or call.request_model,
        "content": [_block(part) for part in all_parts(call.answered)],
        "stop_reason": call.finish(max(len(call.answered) - 1, 0), _FINISHES),
        "usage": _usage(call.usage, call.service_tier) or None,
        "error": call.error,
    }
    return known(body)


def _content(parts: Sequence[Part]) -> Any:
    text = plain_text(parts)
    return text if text is not None else [_block(part) for part in parts]


def _block(part: Part) -> Json:  # noqa: PLR0911 - one return for each type of block
    kind = part["type"]
    if kind == "text":
        return {"type": "text", "text": part.get("content"), **rest(part, "type", "content")}
    if kind == "refusal":
        return {"type": "text", "text": part.get("content"), **rest(part, "type", "content")}
    if kind in ("reasoning", "thinking"):
        if "encrypted_content" in part and not part.get("content"):
            return {"type": "redacted_thinking", "data": part["encrypted_content"]}
        return {"type": "thinking", "thinking": part.get("content"), **rest(part, "type", "content")}
    if kind == "tool_call":
        called = {"id": part.get("id"), "name": part.get("name"), "input": as_object(part.get("arguments"))}
        return {"type": "tool_use", **called, **rest(part, "type", "id", "name", "arguments")}
    if kind == "tool_call_response":
        result = result_of(part)
        said = result if isinstance(result, list) else as_text(result)
        answer = {"tool_use_id": part.get("id"), "content": said}
        return {"type": "tool_result", **answer, **rest(part, "type", "id", "response", "result")}
    if kind == "server_tool_call" and isinstance(part.get("server_tool_call"), dict):
        called = known({"id": part.get("id"), "name": part.get("name")})
        return {"type": "server_tool_use", **called, **rest(part["server_tool_call"], "type")}
    if kind == "server_tool_call_response" and isinstance(part.get("server_tool_call_response"), dict):
        details = part["server_tool_call_response"]
        answer = {"type": f"{details.get('type')}_tool_result", "tool_use_id": part.get("id")}
        return {**answer, **rest(details, "type")}
    return _medium(part) if kind in ("blob", "uri", "file") else dict(part)


def _medium(part: Part) -> Json:
    block = "image" if part.get("modality") == "image" else "document"
    sources: dict[str, Json] = {
        "blob": {"type": "base64", "media_type": part.get("mime_type"), "data": part.get("content")},
        "uri": {"type": "url", "url": part.get("uri")},
        "file": {"type": "file", "file_id": part.get("file_id")},
    }
    beside = rest(part, "type", "modality", "mime_type", "content", "uri", "file_id")
    return {"type": block, "source": known(sources[part["type"]]), **beside}


def _usage(counted: Usage, service_tier: str) -> Json:
    """Return the usage as Anthropic counts it: the input leaves out what the cache has to do with."""
    found = {
        "input_tokens": counted.uncached_input,
        "cache_creation_input_tokens": counted.cache_write,
        "cache_read_input_tokens": counted.cache_read,
        "output_tokens": counted.output,
    }
    told = known(found)
    return {**told, "service_tier": service_tier} if told and service_tier else told


def _tool(definition: Mapping[str, Any]) -> Json:
    schema = known({"input_schema": definition.get("parameters")})
    kind = known({"type": definition.get("type")}) if definition.get("type", "function") != "function" else {}
    return {**kind, **rest(definition, "type", "parameters"), **schema}
