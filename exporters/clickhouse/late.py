"""What arrives too late: it is acknowledged, entered in the ledger as accepted and deleted, or expired, and not stored.

Deleted is what belongs to a deleted trace. Expired is what starts on a day of which the spans have expired, and what belongs
to a trace that began on one: its row tells of spans that are not there any more, so it cannot be computed again with others.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from exporters.clickhouse.deleting import Deleting, Request
from exporters.clickhouse.stored import Stored, stored_of
from exporters.clickhouse.tombstones import OWNERS, RESPONSE, TRACE, traces_of_owners
from exporters.clickhouse.writing import Writing


@dataclass(frozen=True)
class Arriving:
    """Spans of one project that arrive: the columns of ``sql/spans_of_traces.sql``."""

    kept: pa.Table
    deleted: pa.Table
    """Those of deleted traces."""
    expired: pa.Table
    """Those that expire at once."""
    stored: Stored
    """What is stored of the traces of the kept ones."""


def divide(writing: Writing, project: str, arrived: pa.Table) -> Arriving:
    """Find out what of these spans belongs to deleted traces, and read what is stored of all others.

    A trace of which it turns out now that it belongs to a deleted session or user, and had begun when that was deleted,
    is deleted, with all that is stored of it. Raises `Retryable` or `Permanent`.
    """
    deleting = writing.deleting
    tombstones = deleting.tombstones
    deleted, kept = _parted(arrived, tombstones.among(project, TRACE, arrived["trace_id"])["id"])
    with writing.handle.doing("reading traces in ClickHouse") as connection:
        stored = stored_of(connection, project, kept, writing.edited_tags)
    if owned := _of_deleted_owners(deleting, project, kept, stored):
        deleting.delete(Request(project, owned))
        ids = pa.chunked_array([owned], pa.string())
        more, kept = _parted(kept, ids)
        deleted = pa.concat_tables([deleted, more])
        stored = replace(stored, spans=_parted(stored.spans, ids)[1])
    if len(deleted):
        _forget_responses(deleting, project, deleted)
    expired, kept = _expired(kept, stored, writing.expiring.first_kept(project))
    if len(expired):
        stored = replace(stored, spans=_parted(stored.spans, pc.unique(kept["trace_id"]))[0])
    return Arriving(kept, deleted, expired, stored)


def without_deleted(deleting: Deleting, rows: pa.Table) -> pa.Table:
    """Return rows of `logs`, `span_content` or `evaluations` without those of deleted traces."""
    if not {TRACE, RESPONSE} & deleting.tombstones.kinds():
        return rows
    project_of_row = rows["project"].cast(pa.string())
    ids = pa.table({name: rows[name].cast(pa.string()) for name in ("trace_id", "response_id")})
    gone = np.zeros(len(rows), bool)
    for project in pc.unique(project_of_row).to_pylist():
        own = np.flatnonzero(pc.equal(project_of_row, project).to_numpy())
        gone[own] = deleting.tombstones.rows_of_deleted(project, ids.take(pa.array(own))).to_numpy()
    return rows.filter(pa.array(~gone)) if gone.any() else rows


def _expired(spans: pa.Table, stored: Stored, first_kept: int) -> tuple[pa.Table, pa.Table]:
    """Return the spans that expire at once, and the others; `first_kept` is a start time in ns since the epoch."""
    if not first_kept:
        return spans.slice(0, 0), spans
    older = pa.array([trace for trace, start in stored.begun.items() if start < first_kept], pa.string())
    over = pc.or_(pc.less(spans["start_time"], first_kept), pc.is_in(spans["trace_id"], value_set=older))
    return spans.filter(over), spans.filter(pc.invert(over))


def _parted(spans: pa.Table, trace_ids: pa.Array | pa.ChunkedArray) -> tuple[pa.Table, pa.Table]:
    """Return the spans of these traces, and the others."""
    if not len(trace_ids):
        return spans.slice(0, 0), spans
    ids = trace_ids.combine_chunks() if isinstance(trace_ids, pa.ChunkedArray) else trace_ids
    among = pc.is_in(spans["trace_id"], value_set=ids)
    return spans.filter(among), spans.filter(pc.invert(among))


def _of_deleted_owners(deleting: Deleting, project: str, kept: pa.Table, stored: Stored) -> list[str]:
    if not OWNERS.keys() & deleting.tombstones.kinds():
        return []
    spans = pa.concat_tables([kept, stored.spans])
    found = {what: deleting.tombstones.among(project, what, spans[column]) for what, column in OWNERS.items()}
    return traces_of_owners(spans, found) if any(map(len, found.values())) else []


def _forget_responses(deleting: Deleting, project: str, deleted: pa.Table) -> None:
    """Delete what arrived, or will arrive, under the ids of responses that these spans tell of."""
    told = pc.unique(deleted["response_id"])
    known = deleting.tombstones.among(project, RESPONSE, told)["id"].to_pylist()
    if new := sorted({*told.to_pylist()} - {"", *known}):
        deleting.delete(Request(project, responses=new))
