"""OpenAI's chat completions, which most other providers follow.

Source: openai-python 2.x, `types/chat`; `reasoning_content` as DeepSeek and LiteLLM have it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from collector.query.letta.bodies.call import (
    Call,
    Json,
    Message,
    Part,
    Usage,
    as_text,
    known,
    parameters,
    plain_text,
    rest,
    result_of,
    stream,
)

PARAMETERS = {"stop_sequences": "stop"}
FINISHES = {
    "stop": "stop",
    "stop_sequence": "stop",
    "length": "length",
    "tool_call": "tool_calls",
    "content_filter": "content_filter",
}

_AUDIO = {"audio/wav": "wav", "audio/x-wav": "wav", "audio/mpeg": "mp3", "audio/mp3": "mp3"}
_BESIDE = ("reasoning", "refusal", "tool_call", "tool_call_response")
"""Parts that stand beside the content of a message."""


def request(call: Call) -> Json:
    """Return the body of the request."""
    spoken: list[Json] = []
    if call.system:
        spoken.append({"role": "system", "content": content(call.system)})
    for message in call.asked:
        spoken += messages(message)
    body: Json = {"model": call.model, "messages": spoken, **stream(call), **parameters(call, PARAMETERS)}
    if call.tools:
        body["tools"] = [tool(each) for each in call.tools]
    return body


def response(call: Call) -> Json:
    """Return the body of the response; with what had come of it, if the call failed."""
    if call.error is not None and not call.answered:
        return {"error": call.error}
    # Without content the spoken words are unknown, not the reasons.
    answers = call.answered or [{"role": "assistant", "parts": []}] * len(call.finish_reasons)
    body: Json = {
        "id": call.response_id or None,
        "object": "chat.completion",
        "model": call.response_model or call.request_model,
        "choices": [
            {"index": index, "message": _answer(message), "finish_reason": call.finish(index, FINISHES)}
            for index, message in enumerate(answers)
        ],
        "usage": usage(call.usage) or None,
        "service_tier": call.service_tier or None,
        "error": call.error,
    }
    return known(body)


def messages(message: Message) -> list[Json]:
    """Return the chat messages that a canonical message stands for: one for each tool's result, then the rest."""
    parts: Sequence[Part] = message["parts"]
    results = [part for part in parts if part["type"] == "tool_call_response"]
    spoken = [part for part in parts if part["type"] != "tool_call_response"]
    found = [_result(part) for part in results]
    if spoken or not results:
        found.append(_spoken(message, spoken))
    return found


def usage(counted: Usage) -> Json:
    """Return the usage; empty if nothing is known of it."""
    found = {
        "prompt_tokens": counted.input,
        "completion_tokens": counted.output,
        "total_tokens": counted.total,
        "prompt_tokens_details": known({"cached_tokens": counted.cache_read}) or None,
        "completion_tokens_details": known({"reasoning_tokens": counted.reasoning}) or None,
    }
    return known(found)


def tool(definition: Mapping[str, Any]) -> Json:
    """Return a tool as it is offered; one that the provider runs itself has no `function`."""
    if definition.get("type", "function") != "function":
        named = () if definition.get("name") != definition["type"] else ("name",)
        return rest(definition, *named)
    return {"type": "function", "function": rest(definition, "type")}


def content(parts: Sequence[Part]) -> Any:
    """Return what is said: one text, or a list of content parts; None for nothing."""
    if not parts:
        return None
    text = plain_text(parts)
    return text if text is not None else [_content_part(part) for part in parts]


def call_entry(part: Part) -> Json:
    """Return an entry of `tool_calls`."""
    function = {"name": part.get("name"), "arguments": as_text(part.get("arguments") or "")}
    return {
        "id": part.get("id"),
        "type": "function",
        "function": function,
        **rest(part, "type", "id", "name", "arguments"),
    }


def _spoken(message: Message, parts: Sequence[Part]) -> Json:
    beside = {kind: [part for part in parts if part["type"] == kind] for kind in _BESIDE}
    said: Json = {"role": message["role"], "content": content([p for p in parts if p["type"] not in _BESIDE])}
    if beside["reasoning"]:
        said["reasoning_content"] = _joined(beside["reasoning"])
    if beside["refusal"]:
        said["refusal"] = _joined(beside["refusal"])
    if beside["tool_call"]:
        said["tool_calls"] = [call_entry(part) for part in beside["tool_call"]]
    return {**said, **rest(message, "role", "parts", "finish_reason", *said)}


def _answer(message: Message) -> Json:
    return messages({**message, "role": "assistant"})[-1]


def _joined(parts: Sequence[Part]) -> str:
    return "\n".join(as_text(part["content"]) for part in parts if part.get("content"))


def _result(part: Part) -> Json:
    result = result_of(part)
    said = result if isinstance(result, list) and all(_is_content(each) for each in result) else as_text(result)
    return {
        "role": "tool",
        "tool_call_id": part.get("id"),
        "content": said,
        **rest(part, "type", "id", "response", "result"),
    }


def _is_content(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("type"), str)


def _content_part(part: Part) -> Json:
    kind, modality, mime_type = part["type"], part.get("modality"), part.get("mime_type")
    if kind == "text":
        return {"type": "text", "text": part.get("content"), **rest(part, "type", "content")}
    if kind not in ("blob", "uri", "file"):
        return dict(part)
    data = f"data:{mime_type or 'application/octet-stream'};base64,{part.get('content')}"
    beside = rest(part, "type", "modality", "mime_type", "content", "uri", "file_id")
    if kind == "file":
        return {"type": "file", "file": {"file_id": part.get("file_id"), **beside}}
    if modality == "image":
        return {"type": "image_url", "image_url": {"url": part.get("uri") or data, **beside}}
    if kind == "blob" and modality == "audio":
        sound = {"data": part.get("content"), "format": _AUDIO.get(str(mime_type), str(mime_type).rpartition("/")[2])}
        return {"type": "input_audio", "input_audio": {**sound, **beside}}
    return {"type": "file", "file": {"file_data": part.get("uri") or data, **beside}}
