"""The parameters of a model call as one JSON object, made once for each combination of values."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from collector.batch import VALUE_COLUMNS, SpanBatch, pick
from collector.json_text import json_value, render

PREFIX = "gen_ai.request."
_MODEL = "model"
"""No parameter: it has a column of its own."""


def model_parameters(batch: SpanBatch) -> pa.StringArray:
    """Return the attributes ``gen_ai.request.*`` of each span as a JSON object, without that prefix; ``""`` for none."""
    keys = sorted(key for key in batch.attributes.keys if key.startswith(PREFIX))
    names = [name for key in keys if (name := key.removeprefix(PREFIX)) != _MODEL]
    group = np.zeros(len(batch), np.int64)
    distinct: list[dict[str, object]] = [{}]
    for name in names:
        for kind in VALUE_COLUMNS:
            column = pick(batch, PREFIX + name, kind)
            if column.null_count == len(column):
                continue
            encoded = column.dictionary_encode()
            values = [json_value(value) if kind == "json" else value for value in encoded.dictionary.to_pylist()]
            codes = encoded.indices.cast(pa.int64()).fill_null(len(values)).to_numpy()
            combined, group = np.unique(group * (len(values) + 1) + codes, return_inverse=True)
            pairs = [divmod(int(pair), len(values) + 1) for pair in combined]
            distinct = [
                distinct[before] if code == len(values) else {**distinct[before], name: values[code]}
                for before, code in pairs
            ]
    texts = pa.array([render(each).decode() if each else "" for each in distinct], pa.string())
    return texts.take(pa.array(group))
