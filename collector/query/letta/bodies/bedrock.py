"""Bedrock's Converse API.

Source: botocore, `bedrock-runtime`.
"""

from __future__ import annotations

from collections.abc import Mapping
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
    rest,
    result_of,
)

_ROLES = {"user": "user", "assistant": "assistant"}
_FINISHES = {
    "stop": "end_turn",
    "stop_sequence": "stop_sequence",
    "length": "max_tokens",
    "tool_call": "tool_use",
    "content_filter": "content_filtered",
}
_INFERENCE = {
    "max_tokens": "maxTokens",
    "temperature": "temperature",
    "top_p": "topP",
    "stop_sequences": "stopSequences",
}
_FORMATS = {"jpg": "jpeg", "plain": "txt", "markdown": "md"}


def request(call: Call) -> Json:
    """Return the body of the request, with the model, which the client puts into the path."""
    asked = parameters(call, {})
    body: Json = {"modelId": call.model}
    told = instructions(call)
    if told:
        body["system"] = [_block(part) for part in told]
    body["messages"] = [
        {"role": role, "content": [_block(part) for part in parts]} for role, parts in conversation(call, _ROLES)
    ]
    inference = {_INFERENCE[name]: value for name, value in asked.items() if name in _INFERENCE}
    if inference:
        body["inferenceConfig"] = inference
    if call.tools:
        body["toolConfig"] = {"tools": [_tool(each) for each in call.tools]}
    own = {name: value for name, value in asked.items() if name not in _INFERENCE}
    return {**body, **({"additionalModelRequestFields": own} if own else {})}


def response(call: Call) -> Json:
    """Return the body of the response; with what had come of it, if the call failed."""
    if call.error is not None and not call.answered:
        return {"error": call.error}
    said = [_block(part) for part in all_parts(call.answered)]
    body: Json = {
        "output": {"message": {"role": "assistant", "content": said}},
        "stopReason": call.finish(max(len(call.answered) - 1, 0), _FINISHES),
        "usage": _usage(call.usage) or None,
        "metrics": None if call.latency_ms is None else {"latencyMs": call.latency_ms},
        "error": call.error,
    }
    return known(body)


def _block(part: Part) -> Json:
    kind = part["type"]
    if kind in ("text", "refusal"):
        return {"text": part.get("content"), **rest(part, "type", "content")}
    if kind == "reasoning":
        if "encrypted_content" in part and not part.get("content"):
            return {"reasoningContent": {"redactedContent": part["encrypted_content"]}}
        return {"reasoningContent": {"reasoningText": {"text": part.get("content"), **rest(part, "type", "content")}}}
    if kind == "tool_call":
        called = {"toolUseId": part.get("id"), "name": part.get("name"), "input": as_object(part.get("arguments"))}
        return {"toolUse": {**called, **rest(part, "type", "id", "name", "arguments")}}
    if kind == "tool_call_response":
        answer = {"toolUseId": part.get("id"), "content": _result(result_of(part))}
        return {"toolResult": {**answer, **rest(part, "type", "id", "response", "result")}}
    return _medium(part) if kind in ("blob", "uri", "file") else dict(part)


def _result(value: Any) -> list[Json]:
    if isinstance(value, list):
        return [dict(each) if isinstance(each, dict) else {"text": as_text(each)} for each in value]
    return [{"json": value} if isinstance(value, dict) else {"text": as_text(value)}]


def _medium(part: Part) -> Json:
    modality = part.get("modality") if part.get("modality") in ("image", "video", "audio") else "document"
    ending = str(part.get("mime_type") or "").rpartition("/")[2]
    beside = rest(part, "type", "modality", "mime_type", "content", "uri", "file_id")
    source = known({"bytes": part.get("content")}) or {"s3Location": {"uri": part.get("uri") or part.get("file_id")}}
    return {str(modality): {**({"format": _FORMATS.get(ending, ending)} if ending else {}), "source": source, **beside}}


def _usage(counted: Usage) -> Json:
    """Return the usage as Bedrock counts it: the input leaves out what the cache has to do with, the total does not."""
    found = {
        "inputTokens": counted.uncached_input,
        "outputTokens": counted.output,
        "totalTokens": counted.total,
        "cacheReadInputTokens": counted.cache_read,
        "cacheWriteInputTokens": counted.cache_write,
    }
    return known(found)


def _tool(definition: Mapping[str, Any]) -> Json:
    if definition.get("type", "function") != "function":
        return {str(definition["type"]): rest(definition, "type", "name")}
    schema = known({"inputSchema": {"json": definition["parameters"]} if "parameters" in definition else None})
    return {"toolSpec": {**rest(definition, "type", "parameters"), **schema}}
