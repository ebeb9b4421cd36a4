"""One span as a dialect's reader sees it: for the rows whose values no table of keys can describe."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from collector.json_text import json_value

Event = tuple[str, int, Mapping[str, Any]]
"""Name, time in ns since 1970, attributes."""


@dataclass
class SpanView:
    """The attributes of one span by key, and what else a reader may need.

    A value is a str, int, float or bool, or, for what OTLP calls an array, a key-value list or bytes, the parsed JSON
    of it (see `collector.batch.Attributes`).
    """

    name: str
    scope: str
    scope_version: str
    start_time: int
    """ns since 1970."""
    attributes: Mapping[str, Any]
    moved: set[str] = field(default_factory=set)
    """Keys whose values went into a content column, and are to be taken out of the attributes: content is stored once."""
    load_events: Callable[[], Sequence[Event]] = field(default=tuple, repr=False)

    @cached_property
    def events(self) -> Sequence[Event]:
        """The span's events, in their order."""
        return self.load_events()

    def get(self, *keys: str) -> Any:
        """Return the value of the first of these keys that the span has with a value other than an empty text."""
        return next((value for key in keys if (value := self.attributes.get(key)) not in (None, "")), None)

    def text(self, *keys: str) -> str | None:
        """Return the first value that is a text."""
        return next((value for key in keys if isinstance(value := self.attributes.get(key), str) and value), None)

    def json(self, *keys: str) -> Any:
        """Return the first value, parsed where it is a text that holds JSON; None without one."""
        value = self.get(*keys)
        return json_value(value) if isinstance(value, str) else value

    def take(self, *keys: str) -> Any:
        """Return the first value as `json` does, and mark its attribute as moved into a content column."""
        for key in keys:
            if self.attributes.get(key) not in (None, ""):
                self.moved.add(key)
                return self.json(key)
        return None

    def prefixed(self, prefix: str) -> Iterator[tuple[str, Any]]:
        """Yield every key that starts with the prefix, and its value."""
        return ((key, value) for key, value in self.attributes.items() if key.startswith(prefix))

    def take_prefixed(self, prefix: str) -> list[tuple[str, Any]]:
        """Return every key with the prefix and its value, and mark them as moved into a content column."""
        found = list(self.prefixed(prefix))
        self.moved.update(key for key, _ in found)
        return found
