"""The configuration file as nested text: YAML read strictly, ``--set`` applied, ``${env:NAME}`` expanded.

Nothing is guessed and nothing is constructed: every scalar stays the text that was written, so that ``sync: off`` is
the word "off" and not a boolean, and the key's own type reads it (`collector.settings_values`). Only the parser of
PyYAML is used; anchors, aliases, tags, duplicate keys and further documents are refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import yaml

from collector.errors import StartError
from collector.settings_values import shown

Value: TypeAlias = "str | list[Value] | dict[str, Value] | None"
"""A node of the file; an empty value is None."""

MAX_FILE_BYTES = 1024 * 1024
MAX_DEPTH = 16

_REFERENCE = re.compile(r"\$\{env:([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")
# PyYAML lets these out where an escape ("\\UFFFFFFFF") or a directive (%YAML) holds too large a number.
_PARSER_OVERFLOWS = (ValueError, OverflowError)


class Problem(NamedTuple):
    """One thing that is wrong: the dotted key, and the rest of the sentence about it."""

    key: str
    sentence: str


class _RefusedError(Exception):
    """The file is YAML that we do not take; its text is the rest of the sentence about the file."""


def read_document(path: Path) -> dict[str, Value]:
    """Return what the YAML file holds; an empty file is an empty mapping.

    StartError says in one line why it cannot be used: missing, unreadable, too large, not UTF-8, not (plain) YAML.
    """
    try:
        return _document(_text(path))
    except OSError as error:
        reason = f"cannot be read ({error.strerror}): give the path of a readable file"
    except UnicodeDecodeError as error:
        reason = f"not UTF-8 at byte {error.start}: save it as UTF-8"
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        reason = f"{line}not YAML, {shown(error.problem or 'the structure is broken')}: correct it or quote the value"
    except yaml.reader.ReaderError as error:
        reason = f"not YAML, character {error.position} is a control character: remove it"
    except _PARSER_OVERFLOWS:
        reason = "not YAML, an escape or a directive holds a number out of range: correct it"
    except _RefusedError as error:
        reason = str(error)
    raise StartError(f"config {shown(str(path))}: {reason}")


def _text(path: Path) -> str:
    with path.open("rb") as file:
        content = file.read(MAX_FILE_BYTES + 1)
    if len(content) > MAX_FILE_BYTES:
        raise _RefusedError("larger than 1MiB, which no configuration is: give the path of a configuration file")
    return content.decode("utf-8")


def _document(text: str) -> dict[str, Value]:
    events = iter(yaml.parse(text, Loader=yaml.SafeLoader))
    value: Value = None
    documents = 0
    for event in events:
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise _RefusedError(f"{_line(event)}: a second document starts here: allowed is one")
            value = _value(next(events), events, ())
    if value is None:
        return {}
    if not isinstance(value, dict):
        kind = "a list" if isinstance(value, list) else f'"{shown(value)}"'
        raise _RefusedError(
            f"the top level is {kind}: allowed is a mapping of sections, such as journal: {{sync: always}}"
        )
    return value


def _value(event: Any, events: Iterator[Any], path: tuple[str, ...]) -> Value:
    """Build the node that starts with this event, and take its further events from the iterator."""
    if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
        raise _RefusedError(f"{_line(event)}: anchors and aliases (& and *) are not allowed: write the value out")
    if event.tag is not None:
        tag = shown(event.tag.replace("tag:yaml.org,2002:", "!!"))
        raise _RefusedError(f"{_line(event)}: the tag {tag} is not allowed: write the value without a tag")
    if len(path) > MAX_DEPTH:
        raise _RefusedError(f"{_line(event)}: nested deeper than any key: correct it")
    if isinstance(event, yaml.ScalarEvent):
        return _scalar(event)
    if isinstance(event, yaml.SequenceStartEvent):
        items: list[Value] = []
        while not isinstance(event := next(events), yaml.SequenceEndEvent):
            items.append(_value(event, events, (*path, str(len(items)))))
        return items
    return _mapping(events, path)


def _scalar(event: Any) -> str | None:
    is_plain = event.style is None
    return None if is_plain and event.value in ("", "~", "null", "Null", "NULL") else str(event.value)


def _mapping(events: Iterator[Any], path: tuple[str, ...]) -> dict[str, Value]:
    items: dict[str, Value] = {}
    while not isinstance(event := next(events), yaml.MappingEndEvent):
        key = _value(event, events, path)
        if not isinstance(key, str):
            raise _RefusedError(f"{_line(event)}: a key is empty or not a word: write it as KEY: VALUE")
        if key in items:
            raise _RefusedError(f"{_line(event)}: {shown('.'.join((*path, key)))} is given twice: keep one")
        items[key] = _value(next(events), events, (*path, key))
    return items


def _line(event: Any) -> str:
    return f"line {event.start_mark.line + 1}"


def apply_overrides(document: dict[str, Value], overrides: Sequence[str]) -> frozenset[str]:
    """Set each ``a.b.c=value`` in the document, the last one of a key wins; return the keys that were set.

    The value is read as a YAML scalar, so quotes are taken off; what is no scalar, such as ``[::1]:4317``, is taken as
    it stands. StartError when an override has another form, or goes through a key that holds a value.
    """
    keys = set()
    for override in overrides:
        key, equals, text = override.partition("=")
        *sections, name = key.split(".")
        if not equals or not all((*sections, name)) or len(sections) > MAX_DEPTH:
            raise StartError(f'--set "{shown(override)}": allowed is KEY=VALUE, such as journal.max_size=1GiB')
        section = document
        for depth, part in enumerate(sections, start=1):
            child = section.get(part)
            if child is None:
                child = section[part] = {}
            if not isinstance(child, dict):
                through = ".".join(sections[:depth])
                raise StartError(f"--set {shown(key)}: {shown(through)} holds a value, not keys: correct one of them")
            section = child
        section[name] = _override_value(text)
        keys.add(key)
    return frozenset(keys)


def _override_value(text: str) -> str | None:
    try:
        nodes = [event for event in yaml.parse(text, Loader=yaml.SafeLoader) if isinstance(event, yaml.NodeEvent)]
    except (yaml.YAMLError, *_PARSER_OVERFLOWS):
        return text
    if not nodes:
        return None
    node, *others = nodes
    is_scalar = isinstance(node, yaml.ScalarEvent) and not others and node.anchor is None and node.tag is None
    return _scalar(node) if is_scalar else text


def expand(document: Mapping[str, Value], environ: Mapping[str, str]) -> tuple[dict[str, Value], list[Problem]]:
    """Return the document with ``${env:NAME}`` and ``${env:NAME:-default}`` replaced, and what could not be replaced.

    The default stands for a variable that is unset or empty, as in a shell. What a variable holds is not expanded
    again.
    """
    problems: list[Problem] = []

    def expanded(value: Value, key: str) -> Value:
        if isinstance(value, dict):
            return {name: expanded(child, f"{key}.{name}") for name, child in value.items()}
        if isinstance(value, list):
            return [expanded(child, f"{key}[{position}]") for position, child in enumerate(value)]
        return _expand_text(value, key, environ, problems) if isinstance(value, str) else value

    return {name: expanded(child, name) for name, child in document.items()}, problems


def _expand_text(text: str, key: str, environ: Mapping[str, str], problems: list[Problem]) -> str:
    def held(reference: re.Match[str]) -> str:
        name, default = reference.groups()
        if name not in environ and default is None:
            advice = f"set it, or write ${{env:{name}:-default}}"
            problems.append(Problem(key, f"needs the environment variable {name}, which is not set: {advice}"))
        return environ.get(name, "") or default or ""

    if "${" in _REFERENCE.sub("", text):
        problems.append(Problem(key, f'is "{shown(text)}": allowed are ${{env:NAME}} and ${{env:NAME:-default}}'))
        return text
    return _REFERENCE.sub(held, text)
