"""The messages of a model call in Letta's form: one for what is said, thought, called or returned in a row.

Pure: a row in, dictionaries out, with every key that the API has for that type of message.
"""

from __future__ import annotations

import hashlib
import itertools
import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from collector.query.errors import Refused
from collector.query.letta.bodies.call import SYSTEM_ROLES, Message, Part, as_text, call_of, result_of
from collector.query.letta.parameters import MessageListParameters
from collector.query.letta.view import Document, attribute, timestamp
from collector.query.reader import Row
from collector.settings_attributes import LettaAttributes

Content = dict[str, Any]

_CALLS = ("tool_call", "server_tool_call")
_RETURNS = ("tool_call_response", "server_tool_call_response")
_THOUGHTS = ("reasoning", "thinking")


def step_messages(step_id: str, row: Row, names: LettaAttributes) -> list[Document]:
    """Return what a model call was given and what it answered, in that order."""
    call = call_of(row)
    asked: list[Message] = [*([{"role": "system", "parts": call.system}] if call.system else []), *call.asked]
    ended = row["start_time"] if row["end_time"] is None else row["end_time"]
    contents = [
        (time, message.get("name"), content)
        for time, messages in ((row["start_time"], asked), (ended, call.answered))
        for message in messages
        for content in _contents(message)
    ]
    return [
        {
            "id": _message_id(row, position),
            "date": timestamp(time),
            "name": name if isinstance(name, str) else None,
            "otid": None,
            "sender_id": None,
            "step_id": step_id,
            "is_err": True if content.get("status") == "error" else None,
            "seq_id": None,
            "run_id": attribute(row, names.run),
            **content,
        }
        for position, (time, name, content) in enumerate(contents)
    ]


def page_of(messages: Sequence[Document], parameters: MessageListParameters) -> Sequence[Document]:
    """Return one page of messages in the order asked for. Raises `Refused` for a cursor that names none of them."""
    ordered = list(messages) if parameters.order == "asc" else list(reversed(messages))
    places = {message["id"]: place for place, message in enumerate(ordered)}
    for cursor in (parameters.after, parameters.before):
        if cursor is not None and cursor not in places:
            raise Refused(404, f"Message {cursor} not found")
    first = 0 if parameters.after is None else places[parameters.after] + 1
    last = len(ordered) if parameters.before is None else places[parameters.before]
    if parameters.before is not None and parameters.after is None:
        first = max(first, last - parameters.limit)  # the page that ends there
    return ordered[first:last][: parameters.limit]


def _message_id(row: Row, position: int) -> str:
    digest = hashlib.sha256(f"{row['trace_id']}:{row['span_id']}:{position}".encode()).digest()
    return f"message-{uuid.UUID(bytes=digest[:16], version=4)}"


def _contents(message: Message) -> Iterator[Content]:
    """Yield what distinguishes the messages that a canonical one stands for."""
    for kind, parts in itertools.groupby(message["parts"], _kind_of):
        if kind == "said":
            yield _said(message["role"], list(parts))
        else:
            yield from map({"thought": _thought, "call": _call, "return": _return}[kind], parts)


def _kind_of(part: Part) -> str:
    kinds = (("thought", _THOUGHTS), ("call", _CALLS), ("return", _RETURNS))
    return next((kind for kind, types in kinds if part["type"] in types), "said")


def _said(role: str, parts: Sequence[Part]) -> Content:
    texts = [text if (text := _text(part)) is not None else as_text(dict(part)) for part in parts]
    if role in SYSTEM_ROLES:
        return {"message_type": "system_message", "content": "\n".join(texts)}
    if role == "assistant":
        return {"message_type": "assistant_message", "content": "\n".join(texts)}
    images = [_image(part) for part in parts]
    if not any(images):
        return {"message_type": "user_message", "content": "\n".join(texts)}
    content = [
        image or {"type": "text", "text": text, "signature": None} for image, text in zip(images, texts, strict=True)
    ]
    return {"message_type": "user_message", "content": content}


def _text(part: Part) -> str | None:
    content = part.get("content")
    return content if part["type"] in ("text", "refusal") and isinstance(content, str) else None


def _image(part: Part) -> Content | None:
    """Return an image as Letta shows it; None for any other part."""
    if part.get("modality") != "image":
        return None
    if part["type"] == "uri" and isinstance(part.get("uri"), str):
        return {"type": "image", "source": {"type": "url", "url": part["uri"]}}
    if part["type"] == "blob" and isinstance(part.get("content"), str):
        source = {"type": "base64", "data": part["content"], "media_type": str(part.get("mime_type") or "image/png")}
        return {"type": "image", "source": {**source, "detail": None}}
    return None


def _thought(part: Part) -> Content:
    thought = part.get("content")
    if isinstance(thought, str) and thought:
        signature = part.get("signature")
        native = {"source": "reasoner_model", "signature": signature if isinstance(signature, str) else None}
        return {"message_type": "reasoning_message", **native, "reasoning": thought}
    state = "redacted" if "encrypted_content" in part else "omitted"
    return {"message_type": "hidden_reasoning_message", "state": state, "hidden_reasoning": None}


def _call(part: Part) -> Content:
    arguments: Any = part.get("arguments")
    if part["type"] == "server_tool_call":
        arguments = part.get("server_tool_call")
    called = {
        "name": as_text(part.get("name") or ""),
        "arguments": as_text({} if arguments is None else arguments),
        "tool_call_id": as_text(part.get("id") or ""),
    }
    return {"message_type": "tool_call_message", "tool_call": called, "tool_calls": [called]}


def _return(part: Part) -> Content:
    result = part.get("server_tool_call_response") if part["type"] == "server_tool_call_response" else result_of(part)
    returned = {
        "tool_return": as_text("" if result is None else result),
        "status": "error" if _is_error(part) else "success",
        "tool_call_id": as_text(part.get("id") or ""),
        "stdout": None,
        "stderr": None,
    }
    return {"message_type": "tool_return_message", **returned, "tool_returns": [{"type": "tool", **returned}]}


def _is_error(part: Mapping[str, Any]) -> bool:
    return part.get("is_error") is True or part.get("status") == "error"
