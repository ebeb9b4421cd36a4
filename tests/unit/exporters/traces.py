"""Rows as `spans_of_traces.sql` returns them, and a slow, plain reference of what a trace row says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import pyarrow as pa

from exporters.clickhouse.rollup import roll_up
from tests.unit.exporters.counted import counted_ids

Row = dict[str, Any]

SCHEMA = pa.schema(
    {
        **dict.fromkeys(("trace_id", "span_id", "parent_span_id"), pa.string()),
        "received_at": pa.timestamp("ms", "UTC"),
        **dict.fromkeys(("start_time", "end_time"), pa.int64()),
        **dict.fromkeys(("name", "kind", "status_code"), pa.string()),
        **dict.fromkeys(("service_name", "environment", "release", "session_id", "user_id"), pa.string()),
        "tags": pa.list_(pa.string()),
        **dict.fromkeys(("operation", "response_id", "scope_name", "request_model", "response_model"), pa.string()),
        **dict.fromkeys(("input_tokens", "output_tokens", "cost", "position"), pa.int64()),
    }
)
TEXTS = ("service_name", "environment", "release", "session_id", "user_id")


def row(span_id: str, parent: str = "", **changes: Any) -> Row:
    """A span that reports no usage; without a parent it is a root."""
    plain: Row = {
        "trace_id": "t",
        "span_id": span_id,
        "parent_span_id": parent,
        "received_at": 0,
        "start_time": 10,
        "end_time": 20,
        "name": f"name of {span_id}",
        "kind": "OTHER",
        "status_code": "UNSET",
        **dict.fromkeys(TEXTS, ""),
        "tags": [],
        **dict.fromkeys(("operation", "response_id", "scope_name", "request_model", "response_model"), ""),
        **dict.fromkeys(("input_tokens", "output_tokens", "cost")),
        "position": 0,
    }
    return plain | changes


def call(span_id: str, parent: str = "", tokens: int = 100, **changes: Any) -> Row:
    """A model call with as many output tokens as input tokens, at one unit of money a token."""
    usage = {"input_tokens": tokens, "output_tokens": tokens, "cost": 2 * tokens}
    return row(span_id, parent, **({"kind": "LLM"} | usage | changes))


def table(rows: Iterable[Row]) -> pa.Table:
    """The rows as they come from ClickHouse."""
    return pa.Table.from_pylist(list(rows), schema=SCHEMA)


def reference(rows: Sequence[Row], versions: Mapping[str, int]) -> list[Row]:
    """What `roll_up` must return, one trace and one span at a time."""
    traces = latest(rows)
    return [_trace(trace_id, traces[trace_id], versions.get(trace_id, 0) + 1) for trace_id in sorted(traces)]


def latest(rows: Sequence[Row]) -> dict[str, dict[str, Row]]:
    """The row that stands for each span, by trace and span id."""
    traces: dict[str, dict[str, Row]] = {}
    for one in sorted(rows, key=lambda one: (one["received_at"], one["position"])):
        traces.setdefault(one["trace_id"], {})[one["span_id"]] = one
    return traces


def _trace(trace_id: str, by_id: dict[str, Row], version: int) -> Row:
    spans = sorted(by_id.values(), key=lambda one: (one["start_time"], one["span_id"]))
    roots = [one for one in spans if one["parent_span_id"] == ""]
    first = (roots or spans)[0]
    ids = counted_ids(by_id)
    counted = [one for one in spans if one["span_id"] in ids]
    start, last_start = spans[0]["start_time"], spans[-1]["start_time"]
    ends = [one["end_time"] for one in spans if one["end_time"] is not None]
    end = max(ends) if roots and ends and max(ends) >= start else None
    costs = [one["cost"] for one in counted if one["cost"] is not None]
    failed = any(one["status_code"] == "ERROR" for one in roots)
    return {
        "trace_id": trace_id,
        "version": version,
        "status": "RUNNING" if not roots else "ERROR" if failed else "COMPLETED",
        "name": first["name"],
        "root_span_id": first["span_id"] if roots else "",
        "start_time": start,
        "last_start_time": last_start,
        "end_time": end,
        "latency_ns": None if end is None else end - start,
        **{name: next((one[name] for one in [first, *spans] if one[name]), "") for name in TEXTS},
        "tags": sorted({tag for one in spans for tag in one["tags"]}),
        "span_count": len(spans),
        "error_count": sum(one["status_code"] == "ERROR" for one in spans),
        "input_tokens": sum(one["input_tokens"] or 0 for one in counted),
        "output_tokens": sum(one["output_tokens"] or 0 for one in counted),
        "cost_total": Decimal(sum(costs)).scaleb(-12) if costs else None,
        "unpriced_spans": len(counted) - len(costs),
    }


def plain(rolled: pa.Table) -> list[Row]:
    """The trace rows as plain values, times in ns."""
    for name in ("start_time", "last_start_time", "end_time"):
        column = rolled.schema.get_field_index(name)
        rolled = rolled.set_column(column, name, rolled[name].cast(pa.int64()))
    return rolled.to_pylist()


def rolled(*rows: Row, versions: dict[str, int] | None = None) -> Row:
    """The row of the only trace."""
    (trace,) = plain(roll_up(table(rows), versions or {}))
    return trace


def wrapper(span_id: str, parent: str = "", tokens: int = 100, **changes: Any) -> Row:
    """An agent that reports usage."""
    return call(span_id, parent, tokens, kind="AGENT", **changes)
