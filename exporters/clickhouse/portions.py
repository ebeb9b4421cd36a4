"""All stored traces that have all their spans, a bounded portion at a time, by the minutes in which the traces begin."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from exporters.clickhouse.arrow import query
from exporters.clickhouse.connection import Connection
from exporters.clickhouse.expiring import first_kept
from exporters.clickhouse.stored import spans_between
from exporters.clickhouse.tree import Bools

MOST_SPANS, MOST_TRACES = 100_000, 20_000
"""A portion holds about as many, so that it takes some hundred megabytes of memory at most."""

BEGINNING, END = 0, 2**63 - 1
"""No span starts before or after, in ns since the epoch. An earlier time would not survive the way to the shards."""

_MINUTE = 60 * 10**9
_DAY = 1440


@dataclass(frozen=True)
class Portion:
    """The traces of a project that begin between `first` and `last` (ns since the epoch; the end excluded).

    Where a minute has too many, they are dealt by a hash of their ids into `buckets`, of which this is one.
    """

    project: str
    first: int
    last: int
    spans: int
    """How many spans they have, by their rows."""
    bucket: int = 0
    buckets: int = 1


@dataclass(frozen=True)
class Period:
    """Spans that start from `since` on and before `until`, in ns since the epoch."""

    since: int = BEGINNING
    until: int = END

    def contains(self, times: Any) -> Bools:
        """Return which of these times (int64 ns) lie in it."""
        found: Bools = (times >= self.since) & (times < self.until)
        return found


EVER = Period()


def portions(connection: Connection, period: Period = EVER) -> list[Portion]:
    """Divide all traces that have, or may have, spans in a period, but for those of which spans have expired."""
    found = query(connection, "traces_by_minute.sql", {"since": period.since, "until": period.until}).to_pylist()
    expired = first_kept(connection)
    return list(_divided(row for row in found if row["minute"] * _MINUTE >= expired.get(row["project"], BEGINNING)))


def _divided(minutes: Iterable[Mapping[str, Any]]) -> Iterator[Portion]:
    """Join small minutes that follow each other in a project and a day, and divide large ones."""
    joined: list[Mapping[str, Any]] = []
    for minute in minutes:
        if joined and (_place(joined[0]) != _place(minute) or _size([*joined, minute]) > 1):
            yield _joined(joined)
            joined = []
        joined.append(minute)
        if len(joined) == 1 and (buckets := int(np.ceil(_size(joined)))) > 1:
            whole = _joined(joined)
            share = whole.spans // buckets
            yield from (Portion(whole.project, whole.first, whole.last, share, n, buckets) for n in range(buckets))
            joined = []
    if joined:
        yield _joined(joined)


def _place(minute: Mapping[str, Any]) -> tuple[str, int]:
    return minute["project"], minute["minute"] // _DAY


def _size(minutes: Sequence[Mapping[str, Any]]) -> float:
    """How many portions these minutes fill."""
    spans, traces = (sum(int(minute[name]) for minute in minutes) for name in ("spans", "traces"))
    return max(spans / MOST_SPANS, traces / MOST_TRACES)


def _joined(minutes: Sequence[Mapping[str, Any]]) -> Portion:
    first, last = minutes[0], minutes[-1]
    spans = sum(minute["spans"] for minute in minutes)
    return Portion(first["project"], first["minute"] * _MINUTE, (last["minute"] + 1) * _MINUTE, spans)


def read_portion(
    connection: Connection, portion: Portion, period: Period = EVER, more: Sequence[str] = ()
) -> tuple[pa.Table, pa.Table]:
    """Return the trace rows of a portion, by trace id, and all stored rows of their spans.

    Traces have the columns of ``sql/traces_of_portion.sql``, spans those of ``sql/spans_of_traces.sql`` and `more`, which
    are columns of `spans` or expressions with a name. Only traces that may have spans in the period are returned.
    """
    parameters = {
        "project": portion.project,
        "first": portion.first,
        "end": portion.last,
        "bucket": portion.bucket,
        "buckets": portion.buckets,
        "since": period.since,
        "until": period.until,
    }
    traces = query(connection, "traces_of_portion.sql", parameters)
    spans = [
        spans_between(connection, portion.project, ids, (portion.first, last), more)
        for last, ids in _reaches(traces, portion)
    ]
    return traces, pa.concat_tables(spans) if spans else _no_spans(connection, portion.project, more)


def _reaches(traces: pa.Table, portion: Portion) -> Iterator[tuple[int, list[str]]]:
    """Group the traces by how far they reach, so that a long one does not widen the search for all others."""
    last = traces["last_start_time"].to_numpy()
    minutes_beyond = np.maximum((last - portion.last) // _MINUTE, 0) + 1
    groups = np.ceil(np.log2(minutes_beyond)).astype(np.int64)
    for group in np.unique(groups).tolist():
        rows = np.flatnonzero(groups == group)
        yield int(last[rows].max()), traces["trace_id"].take(pa.array(rows)).to_pylist()


def _no_spans(connection: Connection, project: str, more: Sequence[str]) -> pa.Table:
    return spans_between(connection, project, [], (0, -1), more)


def differences(stored: pa.Table, right: pa.Table) -> dict[str, Bools]:
    """Compare tables of the same rows; return for each column of `right` where `stored` has another value."""
    return {name: _differs(stored[name], right[name]) for name in right.column_names}


def _differs(stored: pa.ChunkedArray, right: pa.ChunkedArray) -> Bools:
    if pa.types.is_list(right.type):
        stored, right = (_texts(column) for column in (stored, right))
    if pa.types.is_dictionary(right.type):
        right = right.cast(pa.string())
    if pa.types.is_timestamp(right.type):
        right = right.cast(pa.int64())
    unequal = pc.not_equal(stored.cast(right.type), right).fill_null(False).to_numpy()
    one_missing: Bools = stored.is_null().to_numpy() != right.is_null().to_numpy()
    found: Bools = unequal | one_missing
    return found


def _texts(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(["\0".join(value or ()) for value in column.to_pylist()], pa.string())])
