"""Flattened messages to canonical JSON text, by their shape: the spans of one application differ in little but the words.

The converters of `flattened` run once for each shape, on marks in place of the words; the text that comes out is cut at the
marks, and after that the words of a span only have to be put between the pieces. The outcome is the same. What the words
themselves decide (nothing is said, parts are said as JSON, a call is said twice) is converted the long way, and so are all
rare forms.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import orjson

from collector.enrich.messages.flattened import content_parts, unflatten
from collector.enrich.messages.message import Message
from collector.json_text import json_value, render

Converter = Callable[[list[dict[str, Any]], str], list[Message] | None]
Template = tuple[list[bytes], list[int]]
"""The pieces of text between the values, and which leaf stands between them."""

MOST_LEAVES = 256
"""Leaves of an array whose shape is remembered. This and the following bound the memory of shapes."""
_MOST_TEMPLATES = 16
_LONGEST_STRUCTURE = 40
_MOST_ELEMENTS = 16_384

_CALL = r"(?:contents|tool_calls)\.\d+\.(?:tool_call\.)?(?:function\.)?"
_LEAF = re.compile(
    rf"""(?:message\.)?(?:
        (?P<structure> role | finish_reason | contents\.\d+\.message_content\.type )
      | (?P<content>   content )
      | (?P<text>      contents\.\d+\.message_content\.text )
      | (?P<id>        {_CALL}id )
      | (?P<name>      {_CALL}name )
      | (?P<arguments> {_CALL}arguments )
      | (?P<other>     name | tool_call_id | prompt\.text | completion\.text )
    )$""",
    re.VERBOSE,
)
_OF_CALLS = ("id", "name", "arguments")
_MARK = re.compile('"\ue000(\\d+)\ue001"')
_BEFORE_JSON = frozenset("[{ \t\r\n")


def flattened_text(
    keys: Sequence[str], values: Sequence[Any], prefix: str, convert: Converter, default_role: str
) -> str | None:
    """Return the JSON text of the canonical messages of a flattened array; None if there are none.

    Keys and values are its leaves, as in `unflatten`; `convert` is what makes messages of what that returns.
    """
    if len(keys) <= MOST_LEAVES:
        shape = _shape(tuple(keys), prefix, convert, default_role)
        text = shape.filled(values) if shape else None
        if text is not None:
            return text
    leaves = zip(keys, values, strict=True)
    messages = convert(unflatten(leaves, prefix, limit=_MOST_ELEMENTS), default_role)
    return render(messages).decode() if messages else None


class _Shape:
    """The leaves of an array, each of a usual kind, and what comes of them."""

    def __init__(self, keys: tuple[str, ...], prefix: str, kinds: list[str], convert: Converter, role: str) -> None:
        self._keys, self._prefix, self._kinds, self._convert, self._role = keys, prefix, kinds, convert, role
        self._structure = [place for place, kind in enumerate(kinds) if kind == "structure"]
        self._groups, self._calls = _groups(keys, prefix, kinds)
        self._templates: dict[tuple[tuple[str, ...], tuple[tuple[int, ...], ...]], Template | None] = {}

    def filled(self, values: Sequence[Any]) -> str | None:
        """Return the text with these values in it; None if they have to go the long way."""
        written = self._written(values)
        if written is None:
            return None
        alike = tuple([_pattern([written[place] for place in group]) for group in self._groups])
        for ids, others in self._calls:
            if len(set(alike[ids])) < len(alike[ids]) and any(alike[other] != alike[ids] for other in others):
                return None
        template = self._template(tuple([values[place] for place in self._structure]), alike)
        if template is None:
            return None
        pieces, places = template
        text = [pieces[0]]
        for place, piece in zip(places, pieces[1:], strict=True):
            text += (written[place], piece)
        return b"".join(text).decode()

    def _written(self, values: Sequence[Any]) -> list[bytes] | None:
        """The values as JSON; None if one of them has to go the long way."""
        written = []
        for kind, value in zip(self._kinds, values, strict=True):
            if not isinstance(value, str) or not value:
                return None
            if value[0] in _BEFORE_JSON:
                if kind == "content" and content_parts(value) is not value:
                    return None
                if kind == "arguments":
                    parsed = json_value(value)
                    written.append(render(parsed if isinstance(parsed, dict) else value))
                    continue
            written.append(orjson.dumps(value))
        return written

    def _template(self, structure: tuple[str, ...], alike: tuple[tuple[int, ...], ...]) -> Template | None:
        """The template for these roles and types, where these leaves say the same."""
        shape = (structure, alike)
        if shape in self._templates:
            return self._templates[shape]
        if len(self._templates) == _MOST_TEMPLATES or any(len(value) > _LONGEST_STRUCTURE for value in structure):
            return None
        marks = [f"\ue000{place}\ue001" for place in range(len(self._keys))]
        for place, value in zip(self._structure, structure, strict=True):
            marks[place] = value
        for group, pattern in zip(self._groups, alike, strict=True):
            for place, first in zip(group, pattern, strict=True):
                marks[place] = marks[group[first]]
        self._templates[shape] = found = self._cut(marks)
        return found

    def _cut(self, marks: list[str]) -> Template | None:
        leaves = zip(self._keys, marks, strict=True)
        messages = self._convert(unflatten(leaves, self._prefix, limit=_MOST_ELEMENTS), self._role)
        text = render(messages).decode() if messages else ""
        if "arguments" in self._kinds and '"tool_call_response"' in text:
            return None  # what a tool answered is kept as it is, also where it looks like the arguments of a call
        pieces = _MARK.split(text) if text else []
        if not pieces or any("\ue000" in piece for piece in pieces[::2]):
            return None
        return [piece.encode() for piece in pieces[::2]], [int(place) for place in pieces[1::2]]


@lru_cache(maxsize=1024)
def _shape(keys: tuple[str, ...], prefix: str, convert: Converter, role: str) -> _Shape | None:
    """Return the shape of these leaves; None if one of them is of no usual kind."""
    kinds: list[str] = []
    calls: dict[str, set[str]] = {}
    for key in keys:
        match = _LEAF.match(key[len(prefix) + 1 :].partition(".")[2])
        if match is None or match.lastgroup is None:
            return None
        kinds.append(match.lastgroup)
        if match.lastgroup in _OF_CALLS:
            calls.setdefault(key.rpartition(".")[0].removesuffix(".function"), set()).add(match.lastgroup)
    if any("name" not in said for said in calls.values()):
        return None  # no call, whatever it is
    return _Shape(keys, prefix, kinds, convert, role)


def _groups(
    keys: tuple[str, ...], prefix: str, kinds: list[str]
) -> tuple[list[list[int]], list[tuple[int, list[int]]]]:
    """Leaves of one message that are said once if they are alike: as groups, and which groups are those of its calls."""
    by_message: dict[str, dict[str, list[int]]] = {}
    for place, (key, kind) in enumerate(zip(keys, kinds, strict=True)):
        message = by_message.setdefault(key[len(prefix) + 1 :].partition(".")[0], {})
        message.setdefault("text" if kind == "content" else kind, []).append(place)
    groups: list[list[int]] = []
    calls: list[tuple[int, list[int]]] = []
    for message in by_message.values():
        if len(message.get("text", ())) > 1:
            groups.append(message["text"])
        if max(len(message.get(kind, ())) for kind in _OF_CALLS) > 1:
            # A call without an id stands for itself: its group is shorter, and so unlike that of the ids.
            calls.append((len(groups), [len(groups) + 1, len(groups) + 2]))
            groups += [message.get(kind, []) for kind in _OF_CALLS]
    return groups, calls


def _pattern(values: list[bytes]) -> tuple[int, ...]:
    """For each value the place of the first that is the same."""
    first: dict[bytes, int] = {}
    return tuple([first.setdefault(value, place) for place, value in enumerate(values)])
