"""What a message says beside its content: reasoning, tool calls and media in fields of their own, often a second time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from collector.enrich.messages.dispatch import part_list, understood
from collector.enrich.messages.media import media
from collector.enrich.messages.openai import call_of_chat
from collector.enrich.messages.parts import Fields, Part, convert, json_part, reasoning
from collector.json_text import render

_CALL_TYPES = ("function", "custom", "tool_call", "tool_call_chunk", "invalid_tool_call")


def reasoning_beside(fields: Fields) -> list[Part]:
    """Pop reasoning that stands beside the content: DeepSeek, LiteLLM, OpenRouter, Ollama."""
    parts: list[Part] = []
    if isinstance(fields.get("thinking_blocks"), list):
        parts += part_list(fields.pop("thinking_blocks"))
    for holder, name in _held(fields, ("reasoning_content", "reasoning", "thinking")):
        if isinstance(holder[name], str) and holder[name]:
            parts = say_once(parts, reasoning(_taken(fields, holder, name)))
    return parts


def attachments(fields: Fields) -> list[Part]:
    """Pop media that stand beside the content: OpenAI's spoken answers, OpenRouter's and Ollama's images."""
    parts: list[Part] = []
    audio = fields.get("audio")
    if isinstance(audio, dict) and (spoken := convert(audio, lambda inner: media(inner, "audio"))):
        del fields["audio"]
        parts += spoken
    images = fields.get("images")
    if isinstance(images, list):
        del fields["images"]
        for image in images:
            plain = media({"image": image}, "image") if isinstance(image, str) else []
            parts += plain or part_list([image])
    return parts


def calls(fields: Fields) -> list[Part]:
    """Pop the tool calls that stand beside the content, wherever a family puts them."""
    parts: list[Part] = []
    for holder, name in _held(fields, ("tool_calls", "invalid_tool_calls", "toolInvocations")):
        if isinstance(holder[name], list):
            parts = say_once(parts, [part for entry in _taken(fields, holder, name) for part in _call(entry)])
    for holder, name in _held(fields, ("function_call",)):
        if isinstance(holder[name], dict) and (called := convert(holder[name], call_of_chat)):
            _taken(fields, holder, name)
            parts = say_once(parts, called)
    return parts


def say_once(parts: list[Part], again: list[Part]) -> list[Part]:
    """Return the parts with those of `again` that are not among them; of two that say the same the fuller one stays."""
    if not parts or not again:
        return [*parts, *again]
    all_parts = list(parts)
    known = {_identity(part): index for index, part in enumerate(parts)}
    for part in again:
        index = known.get(_identity(part))
        if index is not None and _covers(part, all_parts[index]):
            all_parts[index] = part
        elif index is None or not _covers(all_parts[index], part):
            all_parts.append(part)
    return all_parts


def _call(entry: Any) -> list[Part]:
    if not isinstance(entry, dict):
        return [json_part(entry)]
    if "state" in entry:
        return understood({"type": "tool-invocation", "toolInvocation": entry}) or [json_part(entry)]
    is_usual = entry.get("type") in _CALL_TYPES
    return convert(entry, call_of_chat, "type" if is_usual else "") or [json_part(entry)]


def _held(fields: Fields, names: tuple[str, ...]) -> Iterator[tuple[Mapping[str, Any], str]]:
    """Find fields, also among those that LangChain keeps apart."""
    extra = fields.get("additional_kwargs")
    for holder in (fields, extra if isinstance(extra, dict) else {}):
        for name in names:
            if holder.get(name) is not None:
                yield holder, name


def _taken(fields: Fields, holder: Mapping[str, Any], name: str) -> Any:
    """Pop a field without touching what was sent, which only `fields` itself is a copy of."""
    if holder is fields:
        return fields.pop(name)
    fields["additional_kwargs"] = {key: value for key, value in fields["additional_kwargs"].items() if key != name}
    return holder[name]


def _identity(part: Part) -> tuple[Any, bytes]:
    mark = next((part[key] for key in ("id", "content") if isinstance(part.get(key), str)), part)
    return part["type"], render(mark)


def _covers(part: Part, other: Part) -> bool:
    """Say whether `part` says all that `other` says."""
    try:
        return all(value in (None, "", {}) or part.get(key) == value for key, value in other.items())
    except RecursionError:
        return False
