"""What a dialect is: a table from our field names to attribute keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Dialect:
    """For each field of ours the attribute keys that may hold it; the first key that a span has wins.

    The five tables differ in how a value is read: `text` fields are strings; `content` fields may be large, are strings or
    structured values (kept as JSON text), and are moved out of the attributes; `tokens` are non-negative integers;
    `seconds` are durations in seconds; `lists` are arrays of strings, structured or as JSON text.
    """

    name: str
    text: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    content: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    tokens: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    seconds: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    lists: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
