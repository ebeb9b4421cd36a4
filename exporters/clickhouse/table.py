"""An enriched batch as the Arrow table that goes into `spans`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from collector.batch import SpanBatch

_MAPS = {
    "attributes_string": "string",
    "attributes_int": "integer",
    "attributes_double": "double",
    "attributes_bool": "boolean",
    "attributes_json": "json",
}


def spans_table(batch: SpanBatch) -> pa.Table:
    """Return the batch's columns and one map column per attribute type, under the names of the table `spans`."""
    columns: dict[str, Any] = dict(zip(batch.columns.schema.names, batch.columns.columns, strict=True))
    key = batch.attributes.key.dictionary_encode()
    for name, value in _MAPS.items():
        columns[name] = _map(batch, key, getattr(batch.attributes, value))
    return pa.table(columns)


def _map(batch: SpanBatch, key: pa.DictionaryArray, values: pa.Array) -> pa.MapArray:
    present = values.is_valid()
    rows = batch.attributes.row[present.to_numpy(zero_copy_only=False)]
    offsets = np.zeros(len(batch) + 1, np.int32)
    np.cumsum(np.bincount(rows, minlength=len(batch)), out=offsets[1:])
    return pa.MapArray.from_arrays(pa.array(offsets), key.filter(present), values.filter(present))
