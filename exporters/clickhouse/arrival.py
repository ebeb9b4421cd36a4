"""What spans that arrive make of the traces that are stored: pure arithmetic on columns, no I/O.

For each span one row stands: the latest. Rows of one span that start in the same minute have the same sort key, and the
engine lets the latest stand. Of rows in different minutes it would show each: those that do not stand are stale, and are
deleted. Whether a span counts may change when its parent, its children or a second report arrive: for the spans that are
stored already, that is one column of a few rows.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from exporters.clickhouse.counting import Forest, forest
from exporters.clickhouse.rollup import trace_rows
from exporters.clickhouse.stored import Stored
from exporters.clickhouse.table import ARRIVING
from exporters.clickhouse.tags import with_edits
from exporters.clickhouse.tree import Bools, Ints

_MINUTE = 60 * 10**9


@dataclass(frozen=True)
class Arrival:
    """The consequences of some spans of one project. Times are ns since the epoch."""

    project: str
    traces: pa.Table
    """The new rows of their traces, but for the column project."""
    standing: Ints
    """Rows of the batch that stand for their spans, and are to be inserted."""
    counts: Bools
    """Of each of these, whether it counts."""
    received: Ints
    """Start times of all rows that arrived."""
    given_way: Ints
    """Start times of all rows, arriving or stored, that stand no more."""
    turned: pa.Table
    """Stored spans whose column `counts` is to be changed: trace_id, span_id, start_time and the new value, counts."""
    stale: pa.Table
    """Stored rows that do not stand, in other minutes than the one that does: trace_id, span_id, start_time."""
    found: bool = False
    """Whether rows of the batch itself are stored already; only looked for where they may be."""
    deleted: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    """Start times of the rows that arrived of deleted traces, and are not stored."""
    expired: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    """Start times of the rows that arrived when their time to be kept was over, and are not stored."""

    def with_others(self, deleted: pa.Table, expired: pa.Table) -> Arrival:
        """Return the same with these spans, which arrived as well: of deleted traces, and those that have expired."""
        gone, over = (spans["start_time"].to_numpy() for spans in (deleted, expired))
        return replace(self, received=np.concatenate([self.received, gone, over]), deleted=gone, expired=over)


def arrive(project: str, arrived: pa.Table, stored: Stored, *, own: bool = False) -> Arrival:
    """Work out what these spans change.

    `arrived` has the columns of ``sql/spans_of_traces.sql``, with ascending positions from `ARRIVING` on. `own`:
    these rows may have been inserted before; then a stored row that was received in the same millisecond is not another one
    that gives way, but the same.
    """
    grown = forest(pa.concat_tables([arrived, stored.spans]) if len(stored.spans) else arrived)
    positions = arrived["position"].to_numpy()
    standing = grown.spans["position"].to_numpy()
    is_new = standing >= ARRIVING
    stands, counts = np.zeros(len(arrived), bool), np.zeros(len(arrived), bool)
    rows = np.searchsorted(positions, standing[is_new])
    stands[rows], counts[rows] = True, grown.counts[is_new]
    received = arrived["start_time"].to_numpy()
    shown = _shown(stored.spans)
    fate = _fate(shown, grown)
    same = _also_in(shown, arrived) if own else np.zeros(len(shown), bool)
    gives_way = fate.gives_way & ~same
    return Arrival(
        project=project,
        traces=with_edits(trace_rows(grown, stored.versions), stored.tag_edits),
        standing=positions[stands] - ARRIVING,
        counts=counts[stands],
        received=received,
        given_way=np.concatenate([received[~stands], shown["start_time"].to_numpy()[gives_way]]),
        turned=fate.turned,
        stale=shown.filter(pa.array(fate.stale)).select(("trace_id", "span_id", "start_time")),
        found=bool(same.any()),
    )


@dataclass(frozen=True)
class _Fate:
    """What becomes of the rows that the engine shows before the arrival."""

    gives_way: Bools
    stale: Bools
    turned: pa.Table


def _shown(stored: pa.Table) -> pa.Table:
    """Return the rows that the engine shows with FINAL: the latest of each span and minute."""
    if not len(stored):
        return stored
    minutes = stored.append_column("minute", pa.array(stored["start_time"].to_numpy() // _MINUTE))
    keys = [(name, "ascending") for name in ("trace_id", "span_id", "minute", "received_at", "position")]
    ordered = minutes.take(pc.sort_indices(minutes, keys)).combine_chunks()
    same = pc.and_(
        pc.and_(*(pc.equal(ordered[name][1:], ordered[name][:-1]) for name in ("trace_id", "span_id"))),
        pc.equal(ordered["minute"][1:], ordered["minute"][:-1]),
    )
    return ordered.filter(pa.array(np.append(~same.to_numpy(), True))).drop_columns("minute")


def _fate(shown: pa.Table, grown: Forest) -> _Fate:
    if not len(shown):  # as for most batches
        nothing = np.zeros(0, bool)
        return _Fate(nothing, nothing, shown.select(("trace_id", "span_id", "start_time", "counts")))
    successor = pc.index_in(_keys(shown), value_set=_keys(grown.spans)).to_numpy()
    stands = np.ones(len(shown), bool)
    for name in ("position", "received_at", "start_time"):
        stands &= shown[name].to_numpy() == grown.spans[name].to_numpy()[successor]
    minute = shown["start_time"].to_numpy() // _MINUTE
    same_minute = minute == grown.spans["start_time"].to_numpy()[successor] // _MINUTE
    counts = grown.counts[successor]
    turned = stands & (shown["counts"].to_numpy() != counts)
    table = shown.select(("trace_id", "span_id", "start_time")).append_column("counts", pa.array(counts))
    return _Fate(~stands, ~stands & ~same_minute, table.filter(pa.array(turned)))


def _keys(spans: pa.Table) -> pa.Array:
    return pc.binary_join_element_wise(spans["trace_id"], spans["span_id"], "").combine_chunks()


def _also_in(shown: pa.Table, arrived: pa.Table) -> Bools:
    """Which of the stored rows are among those that arrive: received in the same millisecond, with the same start."""
    names = ("trace_id", "span_id", "received_at", "start_time")
    arriving = set(zip(*(arrived[name].to_pylist() for name in names), strict=True))
    rows = zip(*(shown[name].to_pylist() for name in names), strict=True)
    return np.array([row in arriving for row in rows], bool)
