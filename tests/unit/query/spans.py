"""A reader that holds spans in memory, and an editor that remembers what it deleted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from collector.query.reader import Reference, SpanFilters
from collector.settings_attributes import Attributes

Row = dict[str, Any]


class StoredSpans:
    """Answers what the spans of `project` are asked for, from memory, and remembers the filters."""

    def __init__(self, *spans: Row, project: str = "default") -> None:
        self.rows = list(spans)
        self.project = project
        self.asked: list[SpanFilters] = []

    def spans(self, project: str, filters: SpanFilters) -> Sequence[Mapping[str, Any]]:
        self.asked.append(filters)
        found = [row for row in self.rows if project == self.project and _passes(row, filters)]
        found.sort(key=lambda row: (row["start_time"], row["span_id"]), reverse=filters.descending)
        return found[filters.offset : filters.offset + filters.limit]

    def trace(self, project: str, trace_id: str) -> tuple[Mapping[str, Any], Sequence[Mapping[str, Any]]] | None:
        found = [row for row in self.rows if project == self.project and row["trace_id"] == trace_id]
        found.sort(key=lambda row: (row["start_time"], row["span_id"]))
        roots = [row["span_id"] for row in found if not row["parent_span_id"]]
        return ({"trace_id": trace_id, "root_span_id": (roots or [""])[0]}, found) if found else None


class Deleting:
    """An editor that deletes from memory."""

    def __init__(self, store: StoredSpans) -> None:
        self._store = store

    def wait_until_stored(self) -> None:
        """Everything is in memory."""

    def delete_traces(self, project: str, trace_ids: Sequence[str]) -> int:
        assert project == self._store.project
        self._store.rows = [row for row in self._store.rows if row["trace_id"] not in trace_ids]
        return len(trace_ids)


def references_of(row: Row) -> set[Reference]:
    """What the attributes of a row refer to."""
    found = {Reference("trace", row["trace_id"])}
    for kind, parts in Attributes().references().items():
        values = [
            next((row["attributes"][name] for name in names if name in row["attributes"]), None) for names in parts
        ]
        if None not in values:
            found.add(Reference.of(kind, *map(str, values)))
    return found


def _passes(row: Row, filters: SpanFilters) -> bool:
    return all(
        (
            not filters.span_ids or row["span_id"] in filters.span_ids,
            not filters.span_uuids or row["span_uuid"] in filters.span_uuids,
            not filters.trace_ids or row["trace_id"] in filters.trace_ids,
            not filters.references or bool(references_of(row) & set(filters.references)),
            not filters.session_ids or row["session_id"] in filters.session_ids,
            not filters.kinds or row["kind"] in filters.kinds,
            not filters.names or row["name"] in filters.names,
            filters.started_after_ns is None or row["start_time"] >= filters.started_after_ns,
            filters.started_before_ns is None or row["start_time"] < filters.started_before_ns,
        )
    )
