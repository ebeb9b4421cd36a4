"""Small columns that every signal needs: ids, times, names of numbers, and texts that repeat."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from collector.batch import byte_lengths

REMEMBERED = 8192
"""Bytes of the largest text, and rows of the longest constant column, that is remembered: a sender of ever new large ones
must not fill the memory."""

_HEX_DIGITS = np.frombuffer(bytes(range(256)).hex().encode(), np.uint16)


def hex_ids(ids: pa.BinaryArray) -> pa.StringArray:
    """Return the lowercase hex of binary values of any lengths."""
    offsets = np.frombuffer(ids.buffers()[1], np.int32)[ids.offset : ids.offset + len(ids) + 1]
    data = (
        np.frombuffer(ids.buffers()[2] or b"", np.uint8)[offsets[0] : offsets[-1]]
        if len(ids)
        else np.empty(0, np.uint8)
    )
    digits = _HEX_DIGITS[data]
    return pa.StringArray.from_buffers(len(ids), pa.py_buffer((offsets - offsets[0]) * 2), pa.py_buffer(digits))


def valid_ids(ids: pa.BinaryArray, size: int) -> npt.NDArray[np.bool_]:
    """Return which ids have `size` bytes, not all of them zero."""
    right_size = byte_lengths(ids) == size
    not_zero = pc.not_equal(ids, pa.scalar(bytes(size), ids.type)).to_numpy(zero_copy_only=False)
    valid: npt.NDArray[np.bool_] = right_size & not_zero
    return valid


def times(nanoseconds: pa.UInt64Array, *, zero_is_null: bool = False) -> pa.TimestampArray:
    """Times since the epoch; beyond the year 2262, which int64 nanoseconds cannot express, is the latest that they can."""
    numbers = np.minimum(nanoseconds.to_numpy(), np.uint64(2**63 - 1)).astype(np.int64)
    mask = numbers == 0 if zero_is_null else None
    return pa.array(numbers, pa.timestamp("ns", "UTC"), mask=mask)


def named(codes: pa.Int32Array, names: pa.StringArray) -> pa.DictionaryArray:
    """Return the name of each number; what has none, or is null, gets that of 0."""
    numbers = pc.fill_null(codes, 0).to_numpy()
    known = np.where((numbers >= 0) & (numbers < len(names)), numbers, 0).astype(np.int32)
    return pa.DictionaryArray.from_arrays(pa.array(known), names)


def repeated(values: list[str], indices: npt.NDArray[np.int64]) -> pa.DictionaryArray:
    """Return the value at each index."""
    if len(values) == 1:  # one resource, one scope: nearly every request
        return constant(values[0], len(indices))
    encoded = pa.array(values, pa.string()).dictionary_encode()
    return pa.DictionaryArray.from_arrays(encoded.indices.take(pa.array(indices)), encoded.dictionary)


def constant(value: str, rows: int) -> pa.DictionaryArray:
    """Return a column with the same text in every row."""
    build = _build_constant if max(len(value), rows) <= REMEMBERED else _build_constant.__wrapped__
    return build(value, rows)


@lru_cache(maxsize=512)
def _build_constant(value: str, rows: int) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, np.int32)), pa.array([value]))


def arrival(received_at: int, rows: int) -> pa.TimestampArray:
    """Return the column `received_at` of a request that arrived at this time, ns since the epoch."""
    return pa.array(np.full(rows, received_at // 1_000_000), pa.timestamp("ms", "UTC"))
