"""Deleting traces."""

from __future__ import annotations

from collections.abc import Sequence

from exporters.clickhouse.writing import Writing


class Deletions:
    """The part of `collector.query.editor.Editor` that deletes."""

    def __init__(self, writing: Writing) -> None:
        self._writing = writing

    def delete_traces(self, project: str, trace_ids: Sequence[str]) -> int:
        """Delete these traces."""
        raise NotImplementedError

    def delete_session(self, project: str, session_id: str) -> int:
        """Delete the traces of a session."""
        raise NotImplementedError

    def delete_user(self, project: str, user_id: str) -> int:
        """Delete the traces of a user."""
        raise NotImplementedError
