"""OpenAI's responses API.

Source: openai-python 2.x, `types/responses`.
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

_PARAMETERS = {"max_tokens": "max_output_tokens", "stop_sequences": "stop"}
_MESSAGE = ("role", "parts", "finish_reason")


def request(call: Call) -> Json:
    """Return the body of the request."""
    body: Json = {"model": call.model}
    told, asked = _instructions(call)
    if told is not None:
        body["instructions"] = told
    text = plain_text(asked[0]["parts"]) if len(asked) == 1 and asked[0]["role"] == "user" else None
    body["input"] = [item for message in asked for item in _items(message, "input")] if text is None else text
    body |= {**stream(call), **parameters(call, _PARAMETERS)}
    if call.tools:
        body["tools"] = [_tool(each) for each in call.tools]
    return body


def response(call: Call) -> Json:
    """Return the body of the response; with what had come of it, if the call failed."""
    if call.error is not None and not call.answered:
        return {"error": call.error}
    cut = call.finish(0, {"length": "max_output_tokens", "content_filter": "content_filter"})
    incomplete = cut in ("max_output_tokens", "content_filter")
    body: Json = {
        "id": call.response_id or None,
        "object": "response",
        "status": "failed" if call.error is not None else "incomplete" if incomplete else "completed",
        "incomplete_details": {"reason": cut} if incomplete else None,
        "model": call.response_model or call.request_model,
        "output": [item for message in call.answered for item in _items(message, "output")],
        "usage": _usage(call.usage) or None,
        "service_tier": call.service_tier or None,
        "error": call.error,
    }
    return known(body)


def _instructions(call: Call) -> tuple[str | None, Sequence[Message]]:
    """Return the instructions, if they are one text that comes first, and the messages that are sent beside them."""
    asked = call.asked
    if call.system:
        asked = [{"role": "system", "parts": call.system}, *asked]
    first = plain_text(asked[0]["parts"]) if asked and asked[0]["role"] == "system" else None
    return first, asked if first is None else asked[1:]


def _items(message: Message, side: str) -> list[Json]:
    """Return the items that a message stands for: a message for what is said in a row, and every other part by itself."""
    items: list[Json] = []
    said: list[Part] = []
    for part in message["parts"]:
        item = _item(part)
        if item is None:
            said.append(part)
            continue
        items += [*_message(message, said, side), item]
        said = []
    return [*items, *_message(message, said, side)]


def _message(message: Message, parts: Sequence[Part], side: str) -> list[Json]:
    if not parts:
        return []
    role = message["role"]
    text = plain_text(parts) if side == "input" else None
    spoken = "output" if role == "assistant" else "input"
    content: Any = text if text is not None else [_content_part(part, spoken) for part in parts]
    item: Json = {"role": role, "content": content, **rest(message, *_MESSAGE)}
    return [item if text is not None else {"type": "message", **item}]


def _item(part: Part) -> Json | None:
    """Return the item that a part is by itself; None for what is said in a message."""
    kind = part["type"]
    ids = {"id": part["item_id"]} if "item_id" in part else {}
    if kind == "reasoning":
        summary = [{"type": "summary_text", "text": part["content"]}] if part.get("content") else []
        return {"type": "reasoning", **ids, "summary": summary, **rest(part, "type", "content", "item_id")}
    if kind == "tool_call":
        called = {
            "call_id": part.get("id"),
            "name": part.get("name"),
            "arguments": as_text(part.get("arguments") or ""),
        }
        return {"type": "function_call", **ids, **called, **rest(part, "type", "id", "name", "arguments", "item_id")}
    if kind == "tool_call_response":
        output = result_of(part)
        answer = {"call_id": part.get("id"), "output": output if isinstance(output, list) else as_text(output)}
        return {
            "type": "function_call_output",
            **ids,
            **answer,
            **rest(part, "type", "id", "response", "result", "item_id"),
        }
    if kind == "server_tool_call" and isinstance(part.get("server_tool_call"), dict):
        details = part["server_tool_call"]
        name = str(details.get("type") or part.get("name"))
        called_type = name if name.endswith(("_call", "_tools")) else f"{name}_call"
        return {"type": called_type, **known({"id": part.get("id")}), **rest(details, "type")}
    return None


def _content_part(part: Part, side: str) -> Json:
    kind, mime_type = part["type"], part.get("mime_type")
    if kind == "text":
        return {"type": f"{side}_text", "text": part.get("content"), **rest(part, "type", "content")}
    if kind == "refusal":
        return {"type": "refusal", "refusal": part.get("content"), **rest(part, "type", "content")}
    if kind not in ("blob", "uri", "file"):
        return dict(part)
    name = "input_image" if part.get("modality") == "image" else "input_file"
    beside = rest(part, "type", "modality", "mime_type", "content", "uri", "file_id")
    if kind == "file":
        return {"type": name, "file_id": part.get("file_id"), **beside}
    where = part.get("uri") or f"data:{mime_type or 'application/octet-stream'};base64,{part.get('content')}"
    key = "image_url" if name == "input_image" else "file_data" if kind == "blob" else "file_url"
    return {"type": name, key: where, **beside}


def _usage(counted: Usage) -> Json:
    found = {
        "input_tokens": counted.input,
        "input_tokens_details": known({"cached_tokens": counted.cache_read}) or None,
        "output_tokens": counted.output,
        "output_tokens_details": known({"reasoning_tokens": counted.reasoning}) or None,
        "total_tokens": counted.total,
    }
    return known(found)


def _tool(definition: Mapping[str, Any]) -> Json:
    kind = definition.get("type", "function")
    # A tool of the provider's own has no name but its type.
    return {"type": kind, **rest(definition, "type", *(("name",) if definition.get("name") == kind else ()))}
