"""The deletion of traces from every table, in steps that can each be repeated.

What is to be deleted is noted first, on the disk; then the spans are entered in the ledger as deleted, under a name that the
note holds; then the rows are deleted; then the note says so. A deletion that ends anywhere between is completed by `complete`,
and entered once. How the rows leave the files is told in `removal`.
"""

from __future__ import annotations

import secrets
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from exporters.clickhouse.arrow import HexIds, change, command, insert, query
from exporters.clickhouse.client import Handle
from exporters.clickhouse.ledger import Ledger
from exporters.clickhouse.tombstones import OWNERS, RESPONSE, TRACE, Tombstones

OF_TRACES = ("traces", "logs", "span_content", "evaluations", "feedback", "approvals", "trace_tags", "span_references")
"""Tables beside `spans` that hold something under the id of a trace."""

TABLES = ("spans", *OF_TRACES)
"""All tables that hold something of a trace."""

OF_RESPONSES = ("logs", "span_content", "evaluations")
"""Of these, the ones that also hold something under the id of a response alone."""

REQUESTED, DELETED, REMOVED = 0, 1, 2
"""The steps of a deletion: see the column `step`."""

AT_ONCE = 1000
"""Traces, or responses, that one statement deletes."""

_NO_TIME = 0
"""Start of a trace of which nothing is stored, in ns."""


@dataclass(frozen=True)
class Request:
    """What is to be deleted in one project."""

    project: str
    trace_ids: Sequence[str] = ()
    responses: Sequence[str] = ()
    """Responses whose spans belong to deleted traces, and are not stored."""
    owner: tuple[str, str] | None = None
    """Session or user that is deleted, of which these are the traces: `SESSION` or `USER`, and the id."""
    requested_at: int = field(default_factory=time.time_ns)
    """ns since the epoch."""


@dataclass(frozen=True)
class _Noted:
    """One deletion, as the table `deletions` has it."""

    project: str
    entry: str
    rows: pa.Table
    """The columns what, id, first_start and last_start (int64, ns since the epoch)."""

    def table(self, requested_at: int) -> pa.Table:
        """Return it as the rows of the table."""
        names, times = ("project", "entry", "requested_at", "step"), ("requested_at", "first_start", "last_start")
        columns = {name: self.rows[name] for name in self.rows.column_names}
        for name, value in zip(names, (self.project, self.entry, requested_at, REQUESTED), strict=True):
            columns[name] = pa.array([value] * len(self.rows))
        return pa.table(columns | {name: columns[name].cast(pa.timestamp("ns", "UTC")) for name in times})

    def portions(self) -> Iterator[pa.Table]:
        """Its traces, some at a time: those that begin at about the same time together."""
        traces = self.rows.filter(pc.equal(self.rows["what"], TRACE)).sort_by("first_start")
        yield from (traces.slice(start, AT_ONCE) for start in range(0, len(traces), AT_ONCE))

    def responses(self) -> Iterator[list[str]]:
        """The ids of its responses, some at a time."""
        ids = self.rows.filter(pc.equal(self.rows["what"], RESPONSE))["id"]
        yield from (ids.slice(start, AT_ONCE).to_pylist() for start in range(0, len(ids), AT_ONCE))


class Deleting:
    """Deletes through the handle that writes; used under its lock. Every method raises `Retryable` or `Permanent`."""

    def __init__(self, handle: Handle) -> None:
        self.tombstones = Tombstones(handle)
        self._handle = handle
        self._ledger = Ledger(handle)
        self._interrupted = True

    def forget(self) -> None:
        """Look again at what is deleted, and whether a deletion was interrupted: by another process."""
        self.tombstones.forget()
        self._interrupted = True

    def extents(self, project: str, trace_ids: Sequence[str]) -> pa.Table:
        """Return which of these traces are stored, and where their spans lie: trace_id, first and last (ns)."""
        found = []
        with self._handle.doing("reading traces in ClickHouse") as connection:
            for start in range(0, max(len(trace_ids), 1), AT_ONCE):
                parameters = {"project": project, "trace_ids": HexIds(trace_ids[start : start + AT_ONCE])}
                found.append(query(connection, "present_traces.sql", parameters).select(("trace_id", "first", "last")))
        return pa.concat_tables(found)

    def traces_of(self, project: str, owner: tuple[str, str], before: int) -> list[str]:
        """Return the traces of a session or a user that begin before a time in ns since the epoch."""
        what, name = owner
        column = {"/*owner*/": OWNERS[what]}
        with self._handle.doing("looking for traces in ClickHouse") as connection:
            named = query(connection, "traces_of_owner.sql", {"project": project, "owner": name}, column)["trace_id"]
        traces = self.extents(project, named.to_pylist())
        traces = traces.filter(pc.less(traces["first"], before)).sort_by("first")
        found: list[str] = []
        with self._handle.doing("looking for traces in ClickHouse") as connection:
            for start in range(0, len(traces), AT_ONCE):
                some = traces.slice(start, AT_ONCE).rename_columns(("id", "first_start", "last_start"))
                parameters = {**_where(project, some), "owner": name}
                found += query(connection, "traces_still_of_owner.sql", parameters, column)["trace_id"].to_pylist()
        return found

    def delete(self, request: Request) -> None:
        """Delete these traces, whatever is stored of them, and remember them."""
        noted = self._noted(request)
        self._interrupted = True
        with self._handle.doing("noting a deletion in ClickHouse") as connection:
            insert(connection, "insert_deletions.sql", noted.table(request.requested_at), {})
        self.tombstones.add(pc.unique(noted.rows["what"]).to_pylist())
        self._carry_out(noted)
        self._interrupted = False

    def complete(self, through: int = REQUESTED) -> None:
        """Complete the deletions that were interrupted; `through` `DELETED`: repeat also those that were not.

        The latter deletes what came back, because the machine lost its power before the marks were on the disk, or what
        another process wrote while it did not know of the deletion yet. It is not entered in the ledger.
        """
        if through == REQUESTED and not (self._interrupted and self.tombstones.kinds()):
            return
        for one in self.unfinished(through):
            with self._handle.doing("reading deletions in ClickHouse") as connection:
                rows = query(connection, "deletion.sql", {"entry": one["entry"]})
            noted = _Noted(one["project"], one["entry"], rows)
            if one["step"] == REQUESTED:
                self._carry_out(noted)
            else:
                self._delete_rows(noted)
        self._interrupted = False

    def unfinished(self, through: int) -> list[dict[str, Any]]:
        """Return the deletions that have not come further than this step: entry, project and step."""
        with self._handle.doing("reading deletions in ClickHouse") as connection:
            found: list[dict[str, Any]] = query(connection, "unfinished_deletions.sql", {"step": through}).to_pylist()
        return found

    def mark(self, entry: str, step: int) -> None:
        """Note that a deletion has come as far as this step."""
        with self._handle.doing("noting a deletion in ClickHouse") as connection:
            command(connection, "mark_deletion.sql", {"entry": entry, "step": step})

    # --- one deletion -------------------------------------------------------------------------------------------------

    def _noted(self, request: Request) -> _Noted:
        """Look up where the spans lie, and which answers they tell of: these are deleted with them."""
        stored = self.extents(request.project, request.trace_ids)
        places = {row["trace_id"]: (row["first"], row["last"]) for row in stored.to_pylist()}
        rows = [(TRACE, one, *places.get(one, (_NO_TIME, _NO_TIME))) for one in request.trace_ids]
        entry = f"deletion {request.requested_at} {secrets.token_hex(4)}"
        _, responses = self._standing(_Noted(request.project, entry, _rows(rows)))
        rows += [(RESPONSE, one, _NO_TIME, _NO_TIME) for one in sorted({*responses, *request.responses})]
        if request.owner:
            rows.append((*request.owner, _NO_TIME, _NO_TIME))
        return _Noted(request.project, entry, _rows(rows))

    def _carry_out(self, noted: _Noted) -> None:
        if not self._ledger.has(noted.entry):
            self._ledger.enter_deleted(noted.entry, noted.project, self._standing(noted)[0])
        self._delete_rows(noted)
        self.mark(noted.entry, DELETED)

    def _standing(self, noted: _Noted) -> tuple[Counter[int], set[str]]:
        """Count the spans that stand, by day since the epoch; return also the responses that they tell of."""
        days: Counter[int] = Counter()
        responses: set[str] = set()
        with self._handle.doing("counting spans in ClickHouse") as connection:
            for traces in filter(len, map(_stored, noted.portions())):
                for row in query(connection, "standing_of_traces.sql", _where(noted.project, traces)).to_pylist():
                    days[row["day"]] += row["spans"]
                    responses.update(row["response_ids"])
        return days, responses

    def _delete_rows(self, noted: _Noted) -> None:
        """Delete from all tables: first the row of the trace, without which no list shows it."""
        with self._handle.doing("deleting from ClickHouse") as connection:
            for traces in noted.portions():
                parameters = {"project": noted.project, "trace_ids": HexIds(traces["id"].to_pylist())}
                for table in OF_TRACES:
                    change(connection, "delete_of_traces.sql", parameters, {"/*table*/": table})
                if len(stored := _stored(traces)):
                    change(connection, "delete_spans.sql", _where(noted.project, stored))
            for ids in noted.responses():
                for table in OF_RESPONSES:
                    parameters = {"project": noted.project, "response_ids": ids}
                    change(connection, "delete_of_responses.sql", parameters, {"/*table*/": table})


def _rows(rows: Sequence[tuple[str, str, int, int]]) -> pa.Table:
    names, types = ("what", "id", "first_start", "last_start"), (pa.string(), pa.string(), pa.int64(), pa.int64())
    columns = zip(*rows, strict=True) if rows else ((), (), (), ())
    return pa.table({name: pa.array(column, kind) for name, kind, column in zip(names, types, columns, strict=True)})


def _stored(traces: pa.Table) -> pa.Table:
    """Return those of these traces that had spans when they were deleted."""
    return traces.filter(pc.not_equal(traces["last_start"], _NO_TIME))


def _where(project: str, traces: pa.Table) -> dict[str, object]:
    """Parameters that lead to the granules of the spans of these traces."""
    first, last = pc.min(traces["first_start"]).as_py(), pc.max(traces["last_start"]).as_py()
    return {"project": project, "trace_ids": HexIds(traces["id"].to_pylist()), "first": first, "last": last}
