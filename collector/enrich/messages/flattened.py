"""Messages that are flattened over many attributes: OpenInference and OpenLLMetry write one attribute for each leaf."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from collector.enrich.messages.conversation import conversation
from collector.enrich.messages.dispatch import understood
from collector.enrich.messages.message import Message
from collector.enrich.messages.parts import json_container

MAX_SEGMENTS = 16
"""Segments of a key that become levels; what is behind the last one stays one name."""

_MAX_DIGITS = 9
_ITSELF = "."
_THINKING = "thinking"
"""The role under which the instrumentation of Anthropic writes what the assistant thought before its next message."""


def unflatten(pairs: Iterable[tuple[str, Any]], prefix: str, limit: int = 1024) -> list[dict[str, Any]]:
    """Rebuild the array whose leaves are under ``PREFIX.<index>.<name>...``, in the order of its indices.

    Gaps are closed, so that a large index allocates nothing. At most `limit` elements of all its arrays together are
    rebuilt, the first ones; a key without an index behind the prefix is left out. Never raises.
    """
    root: dict[str, Any] = {}
    start = prefix.removesuffix(".") + "."
    for key, value in pairs:
        if key.startswith(start):
            name, *path = key[len(start) :].split(".", MAX_SEGMENTS)
            if _is_index(name):
                _put(root, [name, *path], value)
    elements = _Builder(limit).array(root)
    return [element if isinstance(element, dict) else {_ITSELF: element} for element in elements]


class _Leaf:
    """A value, told apart from the objects that are being built."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


def _put(node: dict[str, Any], path: list[str], value: Any) -> None:
    """Add a leaf. Where a key is a leaf and an object at once, the leaf goes under a name that no segment can have."""
    for name in path[:-1]:
        inner = node.get(name)
        if not isinstance(inner, dict):
            inner = node[name] = {} if inner is None else {_ITSELF: inner}
        node = inner
    if isinstance(node.get(path[-1]), dict):
        node, path = node[path[-1]], [_ITSELF]
    node[path[-1]] = _Leaf(value)


class _Builder:
    """Turns objects whose names are all indices into lists, as long as the limit on elements lasts."""

    def __init__(self, limit: int) -> None:
        self._left = limit

    def array(self, node: Mapping[str, Any]) -> list[Any]:
        elements = []
        for name in sorted(node, key=int):
            if self._left <= 0:
                break
            self._left -= 1
            elements.append(self.value(node[name]))
        return elements

    def value(self, node: Any) -> Any:
        if isinstance(node, _Leaf):
            return node.value
        if all(map(_is_index, node)):
            return self.array(node)
        return {name: self.value(inner) for name, inner in node.items()}


def _is_index(name: str) -> bool:
    return len(name) <= _MAX_DIGITS and name.isascii() and name.isdigit()


def openinference_messages(flat: list[dict[str, Any]], default_role: str) -> list[Message] | None:
    """Return the messages of OpenInference; None if there are none.

    `flat` is what `unflatten` makes of ``llm.input_messages``, ``llm.output_messages``, ``llm.prompts`` or ``llm.choices``.
    """
    return conversation([_openinference(element, default_role) for element in flat], default_role)


def traceloop_messages(flat: list[dict[str, Any]], default_role: str) -> list[Message] | None:
    """Return the messages of OpenLLMetry; None if there are none.

    `flat` is what `unflatten` makes of ``gen_ai.prompt`` or ``gen_ai.completion``.
    """
    messages: list[dict[str, Any]] = []
    after_thought = False
    for element in flat:
        message = {"role": default_role, **element, "content": _content(element.get("content"))}
        is_thought = message["role"] == _THINKING
        if is_thought:
            message |= {"role": "assistant", "content": [{"type": "thinking", "thinking": message["content"]}]}
        if after_thought and message["role"] == "assistant":
            content = message["content"] if isinstance(message["content"], list) else [message["content"]]
            thought = messages.pop()
            message = {**thought, **message, "content": [*thought["content"], *filter(None, content)]}
        messages.append(message)
        after_thought = is_thought
    return conversation(messages, default_role)


def _openinference(element: Mapping[str, Any], default_role: str) -> dict[str, Any]:
    """Return an element in the form of OpenAI's chat API, with content parts."""
    for name in ("prompt", "completion"):
        inner = element.get(name)
        if isinstance(inner, dict) and "text" in inner:
            return {
                **inner,
                "text": None,
                "role": "user" if name == "prompt" else "assistant",
                "content": inner["text"],
            }
    message = element.get("message")
    if not isinstance(message, dict):
        return dict(element)
    fields = {"role": default_role, **message, "content": _content(message.get("content"))}
    contents = fields.pop("contents", None)
    if isinstance(contents, list):
        fields["content"] = _with_contents(
            fields["content"], [_unwrapped(item, "message_content") for item in contents]
        )
    if isinstance(fields.get("tool_calls"), list):
        fields["tool_calls"] = [_unwrapped(item, "tool_call") for item in fields["tool_calls"]]
    if "function_call_name" in fields:
        name, arguments = fields.pop("function_call_name"), fields.pop("function_call_arguments_json", None)
        fields["function_call"] = {"name": name, "arguments": arguments}
    return fields


def _with_contents(content: Any, parts: list[Any]) -> list[Any]:
    """Return the parts, and before them a content that they do not repeat.

    The instrumentation of Anthropic marks the place of a tool call by a part with nothing but a type.
    """
    parts = [part for part in parts if not isinstance(part, dict) or part.keys() != {"type"}]
    texts = [part.get("text") for part in parts if isinstance(part, dict)]
    if not isinstance(content, str) or not content or content in texts:
        return [*(content if isinstance(content, list) else ()), *parts]
    return [content, *parts]


def _unwrapped(item: Any, name: str) -> Any:
    return item[name] if isinstance(item, dict) and isinstance(item.get(name), dict) else item


def _content(value: Any) -> Any:
    """Return the content parts of a list that was written as JSON text; any other text, JSON or not, as it is."""
    items = json_container(value) if isinstance(value, str) else None
    return items if isinstance(items, list) and items and all(map(understood, items)) else value
