"""Writing batches: the spans under their token, then the rows of the traces that they belong to."""

from __future__ import annotations

from typing import Any, BinaryIO, cast

import pyarrow as pa
import pyarrow.compute as pc
from clickhouse_connect.driver.client import Client

from collector.batch import SpanBatch
from exporters.clickhouse.client import Handle, statement
from exporters.clickhouse.rollup import roll_up
from exporters.clickhouse.table import spans_table

_INSERT_SETTINGS: dict[str, Any] = {
    # On by default since ClickHouse 26.3, and then the token would not protect.
    "async_insert": 0,
    # The engine would collapse duplicates inside the batch before it writes, at the price of another copy of all rows.
    # It collapses them when it merges, and readers use FINAL.
    "optimize_on_insert": 0,
}


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
    """Implements `exporters.base.Exporter` on one handle that may write; used by one thread."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle
        self._buffer = pa.allocate_buffer(1 << 20)

    def write(self, batch: SpanBatch, token: str) -> None:
        """Store the batch and recompute its traces: see `exporters.base.Exporter.write`."""
        if not len(batch):
            return
        table = spans_table(batch)
        with self._handle.doing("inserting spans into ClickHouse") as client:
            settings = {**_INSERT_SETTINGS, "insert_deduplication_token": token}
            self._insert(client, "spans", table, settings)
        for project in pc.unique(table["project"].cast(pa.string())).to_pylist():
            self._recompute_traces(project, table.filter(pc.equal(table["project"].cast(pa.string()), project)))

    def close(self) -> None:
        """Close the handle."""
        self._handle.close()

    def _recompute_traces(self, project: str, spans: pa.Table) -> None:
        """Recompute the row of every trace that one of these spans belongs to, from all that is stored of it."""
        extents = (
            spans.select(["trace_id", "start_time"])
            .group_by("trace_id")
            .aggregate([("start_time", "min"), ("start_time", "max")])
        )
        first = extents["start_time_min"].cast(pa.int64()).to_numpy()
        last = extents["start_time_max"].cast(pa.int64()).to_numpy()
        trace_ids = extents["trace_id"].to_pylist()
        with self._handle.doing("recomputing traces in ClickHouse") as client:
            present = _arrow(client, "present_traces.sql", {"project": project, "trace_ids": _TraceIds(trace_ids)})
            versions = dict(zip(present["trace_id"].to_pylist(), present["version"].to_pylist(), strict=True))
            stored = []
            usual = (int(first.min()), int(last.max()))
            for (begin, end), ids in _windows(usual, trace_ids, present).items():
                parameters = {"project": project, "trace_ids": _TraceIds(ids), "first": begin, "last": end}
                stored.append(_arrow(client, "spans_of_traces.sql", parameters))
            traces = roll_up(pa.concat_tables(stored), versions)
            traces = traces.append_column("project", pa.array([project] * len(traces)))
            # Every row is new, by its version: nothing may be taken for a repetition.
            self._insert(client, "traces", traces, {**_INSERT_SETTINGS, "insert_deduplicate": 0})

    def _insert(self, client: Client, name: str, table: pa.Table, settings: dict[str, Any]) -> None:
        """Insert an Arrow table; as `Client.insert_arrow` does, but through a buffer that is kept from batch to batch."""
        size = table.nbytes + (table.nbytes >> 3) + (1 << 20)
        if self._buffer.size < size:
            self._buffer = pa.allocate_buffer(size)
        sink = pa.FixedSizeBufferWriter(self._buffer)
        with pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table)
        block = cast(BinaryIO, memoryview(self._buffer)[: sink.tell()])  # the client takes any buffer
        client.raw_insert(name, table.column_names, block, settings, "Arrow")


def _arrow(client: Client, name: str, parameters: dict[str, Any]) -> pa.Table:
    return client.query_arrow(statement(name), parameters=parameters, use_strings=True)


def _windows(usual: tuple[int, int], trace_ids: list[str], present: pa.Table) -> dict[tuple[int, int], list[str]]:
    """Group traces by the window of start times (ns) in which their spans lie.

    Most traces lie within the window of the batch. One that began earlier or reaches further gets a window of its own,
    so that it does not widen the search for all others.
    """
    windows: dict[tuple[int, int], list[str]] = {}
    known = {row["trace_id"]: (row["first"], row["last"]) for row in present.to_pylist()}
    for trace_id in trace_ids:
        first, last = known.get(trace_id, usual)
        windows.setdefault((min(first, usual[0]), max(last, usual[1])), []).append(trace_id)
    return windows
