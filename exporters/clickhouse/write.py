"""Writing batches of spans: the spans under their token, then the rows of the traces that they belong to."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from clickhouse_connect.driver.client import Client

from collector.batch import LogBatch, MetricBatch, SignalBatch
from exporters.clickhouse.arrow import insert
from exporters.clickhouse.client import Handle, statement
from exporters.clickhouse.rollup import roll_up
from exporters.clickhouse.table import records_table, spans_of_traces
from exporters.clickhouse.write_records import write_logs, write_metrics


class _TraceIds:
    """Trace ids (hex digits only) as the literal of an Array(String) parameter.

    The client escapes strings character by character, which for the thousands of ids of a batch takes longer than the
    query; it takes any other object as its text.
    """

    def __init__(self, trace_ids: list[str]) -> None:
        self._trace_ids = trace_ids

    def __str__(self) -> str:
        return "['" + "','".join(self._trace_ids) + "']"


class ClickHouseExporter:
    """Implements `exporters.base.Exporter` on one handle that may write; used by one thread, and the only writer."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle

    def write(self, batch: SignalBatch, token: str) -> None:
        """Store the batch, and recompute the traces of its spans: see `exporters.base.Exporter.write`."""
        if isinstance(batch, LogBatch):
            write_logs(self._handle, batch, token)
        elif isinstance(batch, MetricBatch):
            write_metrics(self._handle, batch, token)
        elif len(batch):
            self._write_spans(records_table(batch), token)

    def _write_spans(self, table: pa.Table, token: str) -> None:
        with self._handle.doing("inserting spans into ClickHouse") as client:
            insert(client, "insert_spans.sql", table, {"token": token})
        project_of_row = table["project"].cast(pa.string())
        projects = pc.unique(project_of_row).to_pylist()
        for project in projects:
            rows = table if len(projects) == 1 else table.filter(pc.equal(project_of_row, project))
            with self._handle.doing("recomputing traces in ClickHouse") as client:
                _recompute_traces(client, project, spans_of_traces(rows))

    def close(self) -> None:
        """Close the handle."""
        self._handle.close()


def _recompute_traces(client: Client, project: str, arrived: pa.Table) -> None:
    """Recompute the row of every trace that one of these spans belongs to, from all that is stored of it.

    A trace that has no row yet has no other spans than those that have just arrived, because nobody else writes: it is
    computed from them. Of the others all spans are read back.
    """
    trace_ids = pc.unique(arrived["trace_id"]).to_pylist()
    present = _arrow(client, "present_traces.sql", {"project": project, "trace_ids": _TraceIds(trace_ids)})
    versions = dict(zip(present["trace_id"].to_pylist(), present["version"].to_pylist(), strict=True))
    known = pc.is_in(arrived["trace_id"], value_set=present["trace_id"].combine_chunks())
    spans = [arrived.filter(pc.invert(known))]
    for (first, last), ids in _windows(arrived.filter(known), present).items():
        parameters = {"project": project, "trace_ids": _TraceIds(ids), "first": first, "last": last}
        stored = _arrow(client, "spans_of_traces.sql", parameters)
        spans.append(stored.select(arrived.column_names).cast(arrived.schema))
    traces = roll_up(pa.concat_tables(spans), versions)
    traces = traces.append_column("project", pa.array([project] * len(traces)))
    insert(client, "insert_traces.sql", traces, {})


def _arrow(client: Client, name: str, parameters: dict[str, Any]) -> pa.Table:
    # Not `query_arrow`, which sets its settings with a statement each before the query, and back after it.
    answer = client.raw_query(statement(name), parameters=parameters, fmt="Arrow")
    return pa.ipc.open_file(answer).read_all()


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
