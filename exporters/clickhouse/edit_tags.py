"""Editing the tags of traces."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

import pyarrow as pa

from exporters.clickhouse.arrow import insert, query
from exporters.clickhouse.connection import Connection
from exporters.clickhouse.tags import TagEdit, apply_edits, tag_edits
from exporters.clickhouse.writing import Writing


class TagEdits:
    """The part of `collector.query.editor.Editor` that edits tags."""

    def __init__(self, writing: Writing) -> None:
        self._writing = writing

    def edit_tags(self, project: str, trace_ids: Sequence[str], add: Sequence[str], remove: Sequence[str]) -> int:
        """Add tags to traces and remove others; one that is in both is added. Return how many of the traces there are,
        also where there is nothing to change.

        First the edits are stored, then they are applied to the trace rows, each of these only where it changes something:
        the same call again changes nothing, and completes one that a crash cut in two. Raises `Retryable` or `Permanent`.
        """
        with self._writing.lock, self._writing.handle.doing("editing tags in ClickHouse") as connection:
            which = {"project": project, "trace_ids": list(trace_ids)}
            present = query(connection, "present_traces.sql", which)["trace_id"].to_pylist()
            if present and (add or remove):
                before = tag_edits(connection, project, present)
                after = {trace_id: before.get(trace_id, TagEdit()).then(add, remove) for trace_id in present}
                changed = {key: edit for key, edit in after.items() if edit != before.get(key, TagEdit())}
                self._writing.edited_tags.note()
                _store(connection, project, changed)
                apply_edits(connection, project, present)
            return len(present)


def _store(connection: Connection, project: str, edits: Mapping[str, TagEdit]) -> None:
    if not edits:
        return
    # Later than the rows that they replace, also if the clock was set back.
    now = max(time.time_ns() // 1000, *(edit.updated_at + 1 for edit in edits.values()))
    rows = pa.table(
        {
            "project": pa.array([project] * len(edits)),
            "trace_id": pa.array(edits),
            "added": pa.array([sorted(edit.added) for edit in edits.values()], pa.list_(pa.string())),
            "removed": pa.array([sorted(edit.removed) for edit in edits.values()], pa.list_(pa.string())),
            "updated_at": pa.array([now] * len(edits), pa.timestamp("us", "UTC")),
        }
    )
    insert(connection, "insert_trace_tags.sql", rows, {})
