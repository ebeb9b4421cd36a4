"""What spans name outside their trace, by the attributes that are configured: rows for the table `span_references`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import reduce

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

References = Mapping[str, Sequence[Sequence[str]]]
"""By kind of reference, the attributes that make its value: for each part of it their names, of which the first that a span
has counts."""

MAX_LENGTH = 1024
"""Characters of a value; nobody can ask for a longer one."""

_SPAN_COLUMNS = ("project", "start_time", "trace_id", "span_id", "received_at")
_MAPS = ("attributes_string", "attributes_int")


def references_of(spans: pa.Table, kinds: References) -> pa.Table:
    """Return the references of spans, which have the columns of `exporters.clickhouse.table.records_table`.

    Only attributes that are strings, not empty ones, or integers make a reference; if a part is missing there is none.
    Parts are joined so that they can be told apart: see `joined`.
    """
    found = [rows for kind, parts in kinds.items() if (rows := _of_kind(spans, kind, parts)) is not None]
    return pa.concat_tables(found) if found else pa.table({})


def joined(parts: Sequence[pa.Array]) -> pa.Array:
    """Return texts that are made of several, null where one is: each but the last has its length in characters in front.

    `collector.query.reader.Reference.of` does the same for one value.
    """
    lengths = [pc.utf8_length(part).cast(pa.string()) for part in parts[:-1]]
    told = [pc.binary_join_element_wise(length, part, ":") for length, part in zip(lengths, parts[:-1], strict=True)]
    return reduce(lambda left, right: pc.binary_join_element_wise(left, right, ""), [*told, parts[-1]])


def _of_kind(spans: pa.Table, kind: str, parts: Iterable[Sequence[str]]) -> pa.Table | None:
    texts = []
    for names in parts:
        text = _text(spans, names)
        if text is None:
            return None
        texts.append(text)
    value = joined(texts)
    rows = np.flatnonzero(pc.less_equal(pc.utf8_length(value), MAX_LENGTH).fill_null(False))
    columns = {name: spans[name].take(pa.array(rows)) for name in _SPAN_COLUMNS}
    return pa.table({"kind": pa.array([kind] * len(rows), pa.string()), "value": value.take(pa.array(rows)), **columns})


def _text(spans: pa.Table, names: Iterable[str]) -> pa.Array | None:
    """The text of the first of these attributes that each span has, null where it has none; None if no span has any."""
    found = [text for name in names for text in (_picked(spans[of].combine_chunks(), name) for of in _MAPS)]
    texts = [text for text in found if text is not None]
    return pc.coalesce(*texts) if texts else None


def _picked(attributes: pa.MapArray, name: str) -> pa.Array | None:
    """The values of one key of a column of maps, as text; null where there is none, and for an empty one."""
    keys = attributes.keys
    code = pc.index(keys.dictionary, name).as_py()
    positions = np.flatnonzero(keys.indices.to_numpy() == code) if code >= 0 else ()
    if not len(positions):
        return None
    rows = np.searchsorted(attributes.offsets.to_numpy(), positions, side="right") - 1
    position_of_row = np.full(len(attributes), -1, np.int64)
    position_of_row[rows] = positions
    texts = attributes.items.take(pa.array(position_of_row, mask=position_of_row < 0)).cast(pa.string())
    return pc.if_else(pc.equal(texts, ""), pa.scalar(None, pa.string()), texts)
