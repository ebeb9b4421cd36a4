"""Writing batches: an entry in the ledger, the spans under their token and what they refer to, then the rows of their traces.

What is stored of the traces is read before, so that every span is inserted with what was decided about it. What arrives
too late, because it was deleted or has expired, is left out. After a crash at any point the same batch, written again,
completes what is missing and changes nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from collector.batch import LogBatch, MetricBatch, SignalBatch
from collector.errors import Outcome, Retryable, StartError
from exporters.clickhouse.arrival import Arrival, arrive
from exporters.clickhouse.arrow import HexIds, change, insert
from exporters.clickhouse.connection import Connection
from exporters.clickhouse.days import in_few_days
from exporters.clickhouse.late import divide
from exporters.clickhouse.ledger import Ledger
from exporters.clickhouse.references import References, references_of
from exporters.clickhouse.table import records_table, spans_of_traces
from exporters.clickhouse.write_records import write_logs, write_metrics
from exporters.clickhouse.writing import Writing

_MINUTE = 60 * 10**9


class ClickHouseExporter:
    """Implements `exporters.base.Exporter` on the handle that writes; used by one thread."""

    def __init__(self, writing: Writing, references: References | None = None) -> None:
        """Write through `writing`; `references` are the kinds of references under which spans can be found."""
        self._writing = writing
        self._references = references or {}
        self._handle = writing.handle
        self._deleting = writing.deleting
        self._ledger = Ledger(writing.handle)

    def count_rejected(self, project: str, received_at_ns: int, reasons: Mapping[str, int]) -> None:
        """Count rejected spans: see `exporters.base.Exporter.count_rejected`. Any thread may call it."""
        self._ledger.count_rejected(project, received_at_ns, reasons)

    def write(self, batch: SignalBatch, token: str, *, again: bool = False) -> None:
        """Store the batch, and recompute the traces of its spans: see `exporters.base.Exporter.write`."""
        with self._writing.lock:
            self._writing.complete()
            if isinstance(batch, LogBatch):
                write_logs(self._handle, self._deleting, batch, token)
            elif isinstance(batch, MetricBatch):
                write_metrics(self._handle, batch, token)
            elif len(batch):
                self._write_spans(records_table(batch), token, again=again)

    def _write_spans(self, table: pa.Table, token: str, *, again: bool) -> None:
        # A row alone was written in no other part: if it was refused, it may be tried again.
        entered = again and self._ledger.is_entered(token, or_withdrawn=len(table) > 1)
        arrivals = self._arrivals(table, own=again)
        if not entered:
            self._ledger.enter(token, arrivals)
        elif any(len(arrival.standing) for arrival in arrivals) and not any(arrival.found for arrival in arrivals):
            # It was entered, and not stored. Since then another collector may have stored some of the same spans.
            self._ledger.enter_again(token, arrivals)
        try:
            self._store(table, arrivals, token)
        except Retryable:
            raise
        except Exception:
            self._ledger.withdraw(token)
            raise

    def close(self) -> None:
        """Enter what was rejected since the last batch, if the store answers, and close the handle."""
        if self._ledger.waits:
            with suppress(Outcome, StartError), self._writing.lock:
                self._ledger.flush()
        self._handle.close()

    def _arrivals(self, table: pa.Table, *, own: bool) -> list[Arrival]:
        """Compare the batch with what is stored, one project at a time."""
        spans = spans_of_traces(table)
        project_of_row = table["project"].cast(pa.string())
        projects = pc.unique(project_of_row).to_pylist()
        arrivals = []
        for project in projects:
            arrived = spans if len(projects) == 1 else spans.filter(pc.equal(project_of_row, project))
            arriving = divide(self._writing, project, arrived)
            arrival = arrive(project, arriving.kept, arriving.stored, own=own)
            if len(arriving.deleted) or len(arriving.expired):
                arrival = arrival.with_others(arriving.deleted, arriving.expired)
            arrivals.append(arrival)
        return arrivals

    def _store(self, table: pa.Table, arrivals: Sequence[Arrival], token: str) -> None:
        if len(standing := _standing(table, arrivals)):
            # References first: a span that can be read can be found.
            references = references_of(standing, self._references)
            if len(references):
                with self._handle.doing("inserting references of spans into ClickHouse") as connection:
                    insert(connection, "insert_span_references.sql", references, {"token": token})
            for spans, own in in_few_days(standing, "start_time", token, of=table):
                with self._handle.doing("inserting spans into ClickHouse") as connection:
                    insert(connection, "insert_spans.sql", spans, {"token": own})
        for arrival in arrivals:
            with self._handle.doing("recomputing traces in ClickHouse") as connection:
                correct_counts(connection, arrival.project, arrival.turned)
                _delete_stale(connection, arrival.project, arrival.stale)
                insert_traces(connection, arrival.project, arrival.traces)


def _standing(table: pa.Table, arrivals: Sequence[Arrival]) -> pa.Table:
    """Return the rows that stand for their spans, with the column `counts`."""
    stands, counts = np.zeros(len(table), bool), np.zeros(len(table), bool)
    for arrival in arrivals:
        stands[arrival.standing] = True
        counts[arrival.standing] = arrival.counts
    decided = table.append_column("counts", pa.array(counts))
    return decided if stands.all() else decided.filter(pa.array(stands))


def insert_traces(connection: Connection, project: str, traces: pa.Table) -> None:
    """Insert rows of traces, which lack only the column project."""
    if len(traces):
        insert(connection, "insert_traces.sql", traces.append_column("project", pa.array([project] * len(traces))), {})


def correct_counts(connection: Connection, project: str, turned: pa.Table) -> None:
    """Change the column `counts` of stored spans: trace_id, span_id, start_time (ns) and the new value."""
    for value in (False, True):
        spans = turned.filter(pc.equal(turned["counts"], value))
        if len(spans):
            parameters = {"counts": value, **where_stored(project, spans), "spans": HexIds(_joined(spans))}
            change(connection, "update_counts.sql", parameters)


def _delete_stale(connection: Connection, project: str, stale: pa.Table) -> None:
    if len(stale):
        minutes = (stale["start_time"].to_numpy() // _MINUTE).tolist()
        rows = [f"{span}{minute}" for span, minute in zip(_joined(stale), minutes, strict=True)]
        where = where_stored(project, stale)
        where |= {"first": min(minutes) * _MINUTE, "last": (max(minutes) + 1) * _MINUTE}
        change(connection, "delete_stale.sql", {**where, "rows": HexIds(rows)})


def where_stored(project: str, spans: pa.Table) -> dict[str, object]:
    """Parameters that lead to the granules of these spans."""
    bounds = pc.min_max(spans["start_time"]).as_py()
    trace_ids = HexIds(pc.unique(spans["trace_id"]).to_pylist())
    return {"project": project, "trace_ids": trace_ids, "first": bounds["min"], "last": bounds["max"]}


def _joined(spans: pa.Table) -> list[str]:
    joined: list[str] = pc.binary_join_element_wise(spans["trace_id"], spans["span_id"], "").to_pylist()
    return joined
