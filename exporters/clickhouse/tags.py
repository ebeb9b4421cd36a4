"""Tags of traces that were edited by hand: what a trace row has besides those of its spans, and what it does not have.

A row of `traces` is computed from spans whenever spans arrive, so edits are kept by themselves, in `trace_tags`, and applied
to every row that is computed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from exporters.clickhouse.arrow import HexIds, change, query
from exporters.clickhouse.connection import Connection


@dataclass(frozen=True)
class TagEdit:
    """How the tags of one trace were edited. No tag is in both sets."""

    added: frozenset[str] = frozenset()
    removed: frozenset[str] = frozenset()
    updated_at: int = 0
    """When, in us since the epoch."""

    def then(self, add: Sequence[str], remove: Sequence[str]) -> TagEdit:
        """Return the edits with others after them. A tag that is both removed and added is added."""
        return TagEdit(
            (self.added - frozenset(remove)) | frozenset(add),
            (self.removed | frozenset(remove)) - frozenset(add),
            self.updated_at,
        )

    def apply(self, tags: Sequence[str]) -> list[str]:
        """Return the tags of the trace, sorted, from those of its spans."""
        return sorted((set(tags) - self.removed) | self.added)


class EditedTags:
    """Whether there are any edits at all: while there are none, writing a batch asks for none."""

    def __init__(self) -> None:
        self._known: bool | None = None

    def note(self) -> None:
        """There are some from now on."""
        self._known = True

    def forget(self) -> None:
        """Find out again whether there are any."""
        self._known = None

    def of(self, connection: Connection, project: str, trace_ids: Sequence[str]) -> dict[str, TagEdit]:
        """Return the edits of those of these traces that have any. Raises what the connection raises."""
        if not trace_ids:
            return {}
        if self._known is None:
            self._known = bool(query(connection, "has_trace_tags.sql", {})["edited"][0].as_py())
        return tag_edits(connection, project, trace_ids) if self._known else {}


def tag_edits(connection: Connection, project: str, trace_ids: Sequence[str]) -> dict[str, TagEdit]:
    """Return the edits of those of these traces that have any. Raises what the connection raises."""
    found = query(connection, "trace_tags_of.sql", {"project": project, "trace_ids": HexIds(trace_ids)})
    return {
        row["trace_id"]: TagEdit(frozenset(row["added"]), frozenset(row["removed"]), row["updated_at"])
        for row in found.to_pylist()
    }


def with_edits(traces: pa.Table, edits: Mapping[str, TagEdit]) -> pa.Table:
    """Return rows of traces, computed from spans, with their tags as they were edited."""
    if not edits:
        return traces
    nothing = TagEdit()
    tags = [
        edits.get(trace_id, nothing).apply(of_spans)
        for trace_id, of_spans in zip(traces["trace_id"].to_pylist(), traces["tags"].to_pylist(), strict=True)
    ]
    position = traces.schema.get_field_index("tags")
    return traces.set_column(position, "tags", pa.array(tags, pa.list_(pa.string())))


_THESE = "project = {project:String} AND trace_id IN {trace_ids:Array(String)}"
_ALL = "(project, trace_id) IN (SELECT project, trace_id FROM trace_tags)"


def apply_edits(connection: Connection, project: str, trace_ids: Sequence[str]) -> None:
    """Apply the edits to the rows of these traces. Raises what the connection raises."""
    parameters = {"project": project, "trace_ids": HexIds(trace_ids)}
    change(connection, "apply_trace_tags.sql", parameters, {"/*which*/ 1": _THESE})


def complete_edits(connection: Connection) -> None:
    """Apply the edits that a crash kept from the rows of their traces. Raises what the connection raises."""
    if query(connection, "has_trace_tags.sql", {})["edited"][0].as_py():
        change(connection, "apply_trace_tags.sql", {}, {"/*which*/ 1": _ALL})
