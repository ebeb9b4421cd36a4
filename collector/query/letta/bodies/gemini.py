"""Gemini's `generateContent`, of the Gemini API and of Vertex AI.

Source: google-genai 1.x, `types.py`; names as they go over the wire.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from collector.query.letta.bodies.call import (
    Call,
    Json,
    Part,
    Usage,
    all_parts,
    as_object,
    conversation,
    instructions,
    known,
    parameters,
    rest,
    result_of,
)

_ROLES = {"user": "user", "assistant": "model"}
_FINISHES = {
    "stop": "STOP",
    "stop_sequence": "STOP",
    "length": "MAX_TOKENS",
    "tool_call": "STOP",
    "content_filter": "SAFETY",
}
_NAMES = {"max_tokens": "maxOutputTokens", "n": "candidateCount"}
_BESIDE_GENERATION = ("cachedContent", "labels", "safetySettings", "toolConfig")
"""Parameters that stand beside those of the generation."""


def request(call: Call) -> Json:
    """Return the body of the request, with the model, which the client puts into the path."""
    names: dict[str, Any] = {}
    asked = {_camel(name): value for name, value in parameters(call, _NAMES).items()}
    body: Json = {"model": call.model}
    told = instructions(call)
    if told:
        body["systemInstruction"] = {"parts": [_part(part, names) for part in told]}
    body["contents"] = [
        {"role": role, "parts": [_part(part, names) for part in parts]} for role, parts in conversation(call, _ROLES)
    ]
    generation = {name: value for name, value in asked.items() if name not in _BESIDE_GENERATION}
    if generation:
        body["generationConfig"] = generation
    if call.tools:
        body["tools"] = _tools(call.tools)
    return {**body, **{name: asked[name] for name in _BESIDE_GENERATION if name in asked}}


def response(call: Call) -> Json:
    """Return the body of the response; with what had come of it, if the call failed."""
    if call.error is not None and not call.answered:
        return {"error": call.error}
    names: dict[str, Any] = {}
    answers = call.answered or [{"role": "assistant", "parts": []}] * len(call.finish_reasons)
    body: Json = {
        "candidates": [
            known(
                {
                    "content": {"role": "model", "parts": [_part(part, names) for part in all_parts([message])]},
                    "finishReason": call.finish(index, _FINISHES),
                    "index": index,
                }
            )
            for index, message in enumerate(answers)
        ],
        "usageMetadata": _usage(call.usage) or None,
        "modelVersion": call.response_model or call.request_model,
        "responseId": call.response_id or None,
        "error": call.error,
    }
    return known(body)


def _part(part: Part, names: dict[str, Any]) -> Json:
    """Return a part. `names` are the tools by the ids of their calls, since a result is matched by name."""
    kind = part["type"]
    if kind in ("text", "refusal"):
        return {"text": part.get("content"), **rest(part, "type", "content")}
    if kind == "reasoning":
        return {"text": part.get("content"), "thought": True, **rest(part, "type", "content")}
    if kind == "tool_call":
        names[str(part.get("id"))] = part.get("name")
        called = known({"id": part.get("id"), "name": part.get("name"), "args": as_object(part.get("arguments"))})
        return {"functionCall": called, **rest(part, "type", "id", "name", "arguments")}
    if kind == "tool_call_response":
        result, name = result_of(part), part.get("name") or names.get(str(part.get("id")))
        answer = result if isinstance(result, dict) else {"result": result}
        beside = rest(part, "type", "id", "name", "response", "result")
        return {"functionResponse": {**known({"id": part.get("id"), "name": name}), "response": answer, **beside}}
    for name, key in (("server_tool_call", "executableCode"), ("server_tool_call_response", "codeExecutionResult")):
        if kind == name and isinstance(part.get(name), dict) and part[name].get("type") == "code_execution":
            return {key: {**known({"id": part.get("id")}), **rest(part[name], "type")}}
    return _medium(part) if kind in ("blob", "uri", "file") else dict(part)


def _medium(part: Part) -> Json:
    mime_type = known({"mimeType": part.get("mime_type")})
    beside = rest(part, "type", "modality", "mime_type", "content", "uri", "file_id")
    if part["type"] == "blob":
        return {"inlineData": {**mime_type, "data": part.get("content")}, **beside}
    return {"fileData": {**mime_type, "fileUri": part.get("uri") or part.get("file_id")}, **beside}


def _usage(counted: Usage) -> Json:
    """Return the usage as Gemini counts it: thoughts are no part of the candidates."""
    spoken = None if counted.output is None else max(counted.output - (counted.reasoning or 0), 0)
    found = {
        "promptTokenCount": counted.input,
        "cachedContentTokenCount": counted.cache_read,
        "candidatesTokenCount": spoken,
        "thoughtsTokenCount": counted.reasoning,
        "totalTokenCount": counted.total,
    }
    return known(found)


def _tools(definitions: Sequence[Mapping[str, Any]]) -> list[Json]:
    """Return the tools: all functions in one, each of the provider's own by itself."""
    functions = [rest(each, "type") for each in definitions if each.get("type", "function") == "function"]
    own = [
        {each["type"]: rest(each, "type", "name")} for each in definitions if each.get("type", "function") != "function"
    ]
    return [*([{"functionDeclarations": functions}] if functions else []), *own]


def _camel(name: str) -> str:
    return re.sub(r"_([a-z])", lambda found: found[1].upper(), name)
