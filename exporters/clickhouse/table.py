"""Enriched batches as the Arrow tables that are inserted, and spans as what trace rows are computed from."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from collector.batch import SignalBatch

_MAPS = {
    "attributes_string": "string",
    "attributes_int": "integer",
    "attributes_double": "double",
    "attributes_bool": "boolean",
    "attributes_json": "json",
}


def records_table(batch: SignalBatch) -> pa.Table:
    """Return the batch's columns and one map column per attribute type, under the names of the table of its signal."""
    columns: dict[str, Any] = dict(zip(batch.columns.schema.names, batch.columns.columns, strict=True))
    key = batch.attributes.key.dictionary_encode()
    for name, value in _MAPS.items():
        columns[name] = _map(batch, key, getattr(batch.attributes, value))
    return pa.table(columns)


ROLL_UP_TEXTS = (
    "trace_id", "span_id", "parent_span_id", "name", "kind", "operation", "status_code", "service_name", "environment",
    "release", "session_id", "user_id", "response_id", "scope_name", "request_model", "response_model",
)  # fmt: skip
"""The columns of ``sql/spans_of_traces.sql`` that hold texts."""

ARRIVING = 1 << 62
"""What arrives is written after all that is stored: its positions begin here."""


def spans_of_traces(spans: pa.Table) -> pa.Table:
    """Return of a table for `spans` what a trace row is computed from: the columns of ``sql/spans_of_traces.sql``.

    Times are int64 ns, `cost` is int64 in 1e-12 USD, `counts` is null: it is not decided yet. `position` is the row in
    this table, above `ARRIVING`.
    """
    columns = {name: spans[name].cast(pa.string()) for name in ROLL_UP_TEXTS}
    columns["received_at"] = spans["received_at"].cast(pa.int64())
    columns["start_time"] = spans["start_time"].cast(pa.int64())
    columns["end_time"] = spans["end_time"].cast(pa.int64())
    columns["tags"] = spans["tags"]
    columns["input_tokens"], columns["output_tokens"] = spans["input_tokens"], spans["output_tokens"]
    columns["cost"] = money_units(spans["cost_total"].combine_chunks())
    columns["counts"] = pa.nulls(len(spans), pa.bool_())
    columns["position"] = pa.array(np.arange(ARRIVING, ARRIVING + len(spans)))
    return pa.table(columns)


def money_units(money: pa.Decimal128Array) -> pa.Int64Array:
    """Return amounts of Decimal(18, 12) as integers of 1e-12 USD."""
    if not len(money):
        return pa.array([], pa.int64())
    units = np.frombuffer(money.buffers()[1], np.int64)[::2][money.offset : money.offset + len(money)]
    return pa.array(units, mask=money.is_null().to_numpy(zero_copy_only=False))


def _map(batch: SignalBatch, key: pa.DictionaryArray, values: pa.Array) -> pa.MapArray:
    present = values.is_valid()
    rows = batch.attributes.row[present.to_numpy(zero_copy_only=False)]
    offsets = np.zeros(len(batch) + 1, np.int32)
    np.cumsum(np.bincount(rows, minlength=len(batch)), out=offsets[1:])
    return pa.MapArray.from_arrays(pa.array(offsets), key.filter(present), values.filter(present))
