"""Storing what people think of traces."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from exporters.clickhouse.writing import Writing


class ReviewEdits:
    """The part of `collector.query.editor.Editor` that stores reviews."""

    def __init__(self, writing: Writing) -> None:
        self._writing = writing

    def add_feedback(self, project: str, feedback: Sequence[Any]) -> None:
        """Store what people think."""
        raise NotImplementedError

    def remove_feedback(self, project: str, trace_id: str, feedback_id: str) -> bool:
        """Take one back."""
        raise NotImplementedError

    def set_approval(self, project: str, approval: Any) -> None:
        """Store the output that a reviewer approves of."""
        raise NotImplementedError
