"""Reading back what is stored of some traces: their rows, and all their spans."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from exporters.clickhouse.arrow import HexIds, query
from exporters.clickhouse.connection import Connection
from exporters.clickhouse.table import ROLL_UP_TEXTS
from exporters.clickhouse.tags import EditedTags, TagEdit


@dataclass(frozen=True)
class Stored:
    """What is stored of the traces that some spans belong to."""

    versions: dict[str, int]
    """The version of the present row of each trace that has one."""
    spans: pa.Table
    """All rows of their spans: the columns of ``sql/spans_of_traces.sql``."""
    tag_edits: dict[str, TagEdit] = field(default_factory=dict)
    """How the tags of those traces were edited by hand of which they were."""
    begun: dict[str, int] = field(default_factory=dict)
    """When each trace that has a row begins, in ns since the epoch."""


def stored_of(connection: Connection, project: str, arrived: pa.Table, edited_tags: EditedTags) -> Stored:
    """Return what is stored of the traces of these spans, which have the columns of ``sql/spans_of_traces.sql``.

    A trace that has no row yet has no spans either, because nobody else writes: nothing is read of it.
    """
    trace_ids = pc.unique(arrived["trace_id"]).to_pylist()
    present = query(connection, "present_traces.sql", {"project": project, "trace_ids": HexIds(trace_ids)})
    known = pc.is_in(arrived["trace_id"], value_set=present["trace_id"].combine_chunks())
    spans = [arrived.schema.empty_table()]
    for starts, ids in _windows(arrived.filter(known), present).items():
        found = spans_between(connection, project, ids, starts)
        spans.append(found.select(arrived.column_names).cast(arrived.schema))
    names = present["trace_id"].to_pylist()
    versions = dict(zip(names, present["version"].to_pylist(), strict=True))
    begun = dict(zip(names, present["first"].to_pylist(), strict=True))
    return Stored(versions, pa.concat_tables(spans), edited_tags.of(connection, project, names), begun)


def spans_between(
    connection: Connection, project: str, trace_ids: list[str], starts: tuple[int, int], more: Sequence[str] = ()
) -> pa.Table:
    """Return all rows of the spans of these traces whose starts lie between two, in ns since the epoch.

    They have the columns of ``sql/spans_of_traces.sql`` and `more`: columns of `spans` (which may be among those), or
    expressions with a name.
    """
    parameters = {"project": project, "trace_ids": HexIds(trace_ids), "first": starts[0], "last": starts[1]}
    columns = "".join(f",\n    {column}" for column in more if column not in ROLL_UP_TEXTS)
    return query(connection, "spans_of_traces.sql", parameters, {"/*, more*/": columns})


def _windows(arrived: pa.Table, present: pa.Table) -> dict[tuple[int, int], list[str]]:
    """Group the present traces by the window of start times (ns) in which their spans lie.

    Most lie within the window of what has just arrived. One that began earlier or reaches further gets a window of its
    own, so that it does not widen the search for all others.
    """
    windows: dict[tuple[int, int], list[str]] = {}
    if not len(arrived):
        return windows
    start = np.asarray(arrived["start_time"])
    earliest, latest = int(start.min()), int(start.max())
    for trace_id, first, last in zip(
        *(present[name].to_pylist() for name in ("trace_id", "first", "last")), strict=True
    ):
        windows.setdefault((min(first, earliest), max(last, latest)), []).append(trace_id)
    return windows
