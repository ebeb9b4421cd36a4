"""What a statement of people gives."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Answer:
    """What a statement gave."""

    content: bytes
    form: str
    """Format of the content, such as ``JSONEachRow``."""
    seconds: float
