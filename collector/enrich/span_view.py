"""One span as a dialect's reader sees it: for the rows whose values no table of keys can describe."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from collector.json_text import json_value

Event = tuple[str, int, Mapping[str, Any]]
"""Name, time in ns since 1970, attributes."""

_BEFORE_INDEX = re.compile(r"(.+?)\.\d{1,9}(?:\.|$)")


def arrays_of(keys: Iterable[str]) -> dict[str, str]:
    """Return the keys that are leaves of a flattened array, ``PREFIX.<index>...``, each with its prefix."""
    return {key: match[1] for key in keys if (match := _BEFORE_INDEX.match(key))}


@dataclass
class SpanView:
    """The attributes of one span by key, and what else a reader may need.

    A value is a str, int, float or bool, or, for what OTLP calls an array, a key-value list or bytes, the parsed JSON
    of it (see `collector.batch.Attributes`).
    """

    name: str
    scope: str
    start_time: int
    """ns since 1970."""
    attributes: Mapping[str, Any]
    scope_version: str = ""
    moved: set[str] = field(default_factory=set)
    """Keys whose values went into a content column, and are to be taken out of the attributes: content is stored once."""
    keys: Sequence[str] = ()
    """The keys in the order in which they were sent; one may repeat."""
    array_of: Mapping[str, str] | None = field(default=None, repr=False)
    """What `arrays_of` says of all keys of the batch, so that it is said once."""
    load_events: Callable[[], Sequence[Event]] = field(default=tuple, repr=False)

    @cached_property
    def events(self) -> Sequence[Event]:
        """The span's events, in their order."""
        return self.load_events()

    @cached_property
    def arrays(self) -> Mapping[str, tuple[list[str], list[Any]]]:
        """The flattened arrays, by what stands before the index in their keys: the keys, and their values."""
        array_of = arrays_of(self.attributes) if self.array_of is None else self.array_of
        found: dict[str, tuple[list[str], list[Any]]] = {}
        last = ""
        keys: list[str] = []
        values: list[Any] = []
        for key, value in self.attributes.items():
            prefix = array_of.get(key)
            if prefix is not None:
                if prefix != last:
                    keys, values = found.setdefault(prefix, ([], []))
                    last = prefix
                keys.append(key)
                values.append(value)
        return found

    def get(self, *keys: str) -> Any:
        """Return the value of the first of these keys that the span has with a value other than an empty text."""
        for key in keys:
            value = self.attributes.get(key)
            if value is not None and value != "":
                return value
        return None

    def text(self, *keys: str) -> str | None:
        """Return the first value that is a text."""
        for key in keys:
            value = self.attributes.get(key)
            if isinstance(value, str) and value:
                return value
        return None

    def json(self, *keys: str) -> Any:
        """Return the first value, parsed where it is a text that holds JSON; None without one."""
        value = self.get(*keys)
        return json_value(value) if isinstance(value, str) else value

    def take(self, *keys: str) -> Any:
        """Return the first value as `json` does, and mark its attribute as moved into a content column."""
        for key in keys:
            if (value := self.json(key)) is not None:
                self.moved.add(key)
                return value
        return None

    def prefixed(self, prefix: str) -> Iterator[tuple[str, Any]]:
        """Yield every key that starts with the prefix, and its value."""
        return ((key, value) for key, value in self.attributes.items() if key.startswith(prefix))

    def take_prefixed(self, prefix: str) -> list[tuple[str, Any]]:
        """Return every key with the prefix and its value, and mark them as moved into a content column."""
        found = list(self.prefixed(prefix))
        self.moved.update(key for key, _ in found)
        return found
