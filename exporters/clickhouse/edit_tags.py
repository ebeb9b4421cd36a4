"""Editing the tags of traces."""

from __future__ import annotations

from collections.abc import Sequence

from exporters.clickhouse.writing import Writing


class TagEdits:
    """The part of `collector.query.editor.Editor` that edits tags."""

    def __init__(self, writing: Writing) -> None:
        self._writing = writing

    def edit_tags(self, project: str, trace_ids: Sequence[str], add: Sequence[str], remove: Sequence[str]) -> int:
        """Add tags to traces and remove others."""
        raise NotImplementedError
