"""Messages that are flattened over many attributes: OpenInference and OpenLLMetry write one attribute for each leaf."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from collector.enrich.messages.conversation import conversation
from collector.enrich.messages.dispatch import understood
from collector.enrich.messages.message import Message
from collector.json_text import json_value

MAX_SEGMENTS = 16
"""Segments of a key that nest; what is beyond stays one name."""

_MAX_DIGITS = 9


def unflatten(pairs: Iterable[tuple[str, Any]], prefix: str, limit: int = 1024) -> list[dict[str, Any]]:
    """Rebuild the array whose leaves are under ``PREFIX.<index>.<name>...``, in the order of its indices.

    Gaps are closed, so an index allocates nothing. At most `limit` elements of all its arrays together are rebuilt, the
    first of each; what has no index behind the prefix is left out. Never raises.
    """
    root: dict[str, Any] = {}
    start = prefix.rstrip(".") + "."
    for key, value in pairs:
        if key.startswith(start):
            _put(root, key[len(start) :].split(".", MAX_SEGMENTS), value)
    budget = [limit]
    elements = _array({name: inner for name, inner in root.items() if _is_index(name)}, budget)
    return [element for element in elements if isinstance(element, dict)]


class _Leaf:
    """A value, told apart from the objects that are being built."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


def _put(node: dict[str, Any], path: list[str], value: Any) -> None:
    for name in path[:-1]:
        inner = node.get(name)
        if not isinstance(inner, dict):
            # A key that is a leaf and an object at once: the leaf goes under an empty name.
            inner = {} if inner is None else {"": inner}
            node[name] = inner
        node = inner
    last = node.get(path[-1])
    if isinstance(last, dict):
        last[""] = _Leaf(value)
    else:
        node[path[-1]] = _Leaf(value)


def _is_index(name: str) -> bool:
    return name.isascii() and name.isdigit() and len(name) <= _MAX_DIGITS


def _array(node: Mapping[str, Any], budget: list[int]) -> list[Any]:
    elements = []
    for name in sorted(node, key=int):
        if budget[0] <= 0:
            break
        budget[0] -= 1
        elements.append(_built(node[name], budget))
    return elements


def _built(node: Any, budget: list[int]) -> Any:
    if isinstance(node, _Leaf):
        return node.value
    if node and all(map(_is_index, node)):
        return _array(node, budget)
    return {name: _built(inner, budget) for name, inner in node.items()}


def openinference_messages(flat: list[dict[str, Any]], default_role: str) -> list[Message] | None:
    """Return the messages of ``llm.input_messages``, ``llm.output_messages``, ``llm.prompts`` or ``llm.choices``, unflattened."""
    return conversation([_openinference(element) for element in flat], default_role)


def traceloop_messages(flat: list[dict[str, Any]], default_role: str) -> list[Message] | None:
    """Return the messages of ``gen_ai.prompt`` or ``gen_ai.completion``, unflattened."""
    return conversation([{**element, "content": _content(element.get("content"))} for element in flat], default_role)


def _openinference(element: Mapping[str, Any]) -> dict[str, Any]:
    for name in ("prompt", "completion"):
        if isinstance(inner := element.get(name), dict):
            return {"content": inner.get("text"), **{k: v for k, v in inner.items() if k != "text"}}
    message = element.get("message")
    if not isinstance(message, dict):
        return dict(element)
    fields = dict(message)
    contents = fields.pop("contents", None)
    fields["content"] = _content(fields.get("content"))
    if isinstance(contents, list):
        parts = [_unwrapped(item, "message_content") for item in contents]
        if isinstance(fields["content"], str) and fields["content"]:
            parts = [
                {"type": "text", "text": fields["content"]},
                *(p for p in parts if p.get("text") != fields["content"]),
            ]
        fields["content"] = parts
    if isinstance(fields.get("tool_calls"), list):
        fields["tool_calls"] = [_unwrapped(item, "tool_call") for item in fields["tool_calls"]]
    if "function_call_name" in fields:
        fields["function_call"] = {
            "name": fields.pop("function_call_name"),
            "arguments": fields.pop("function_call_arguments_json", None),
        }
    return fields


def _unwrapped(item: Any, name: str) -> Any:
    return item[name] if isinstance(item, dict) and isinstance(item.get(name), dict) else item


def _content(value: Any) -> Any:
    """Return content parts that were written as JSON text; any other text as it is."""
    if isinstance(value, str) and value[:1] in ("[", "{"):
        parsed = json_value(value)
        items = parsed if isinstance(parsed, list) else [parsed]
        if items and all(understood(item) for item in items):
            return items
    return value
