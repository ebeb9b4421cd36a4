"""Lists of OTLP KeyValues to the flat attribute columns of a batch, and AnyValues to its value columns."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from collector.batch import Attributes, byte_lengths, total_bytes
from collector.decode.limits import Limits, cut_strings
from collector.decode.values import json_values

_SCALARS = ("string_value", "int_value", "double_value", "bool_value")
_NESTED = ("array_value", "kvlist_value", "bytes_value")


def decode_attributes(lists: pa.ListArray, limits: Limits) -> tuple[Attributes, npt.NDArray[np.int64]]:
    """Flatten a list<struct<key, value>> column, a list per row, into `Attributes`.

    Returns them, and per row how many keys and values were cut to `limits.max_value_length`.
    """
    row = np.repeat(np.arange(len(lists), dtype=np.int32), np.diff(lists.offsets.to_numpy()))
    key, value = lists.flatten().flatten()
    columns, cut = decode_values(value, limits)
    key, cut_keys = cut_strings(key, limits.max_value_length)
    return Attributes(row=row, key=key, **columns), np.bincount(
        row[np.concatenate([cut, cut_keys])], minlength=len(lists)
    )


def decode_values(values: pa.StructArray, limits: Limits) -> tuple[dict[str, pa.Array], npt.NDArray[np.int64]]:
    """Split AnyValues into the value columns of `Attributes`: of each value exactly one is not null.

    Returns them, and the positions of the values that were cut to `limits.max_value_length`.
    """
    arms = dict(zip((field.name for field in values.type), values.flatten(), strict=True))
    scalar = _keep_one_arm(arms)

    limit = limits.max_value_length
    arms["string_value"], cut = cut_strings(arms["string_value"], limit)
    nested = []
    for name in _NESTED:
        # What is nested cannot be cut at a length and stay readable: too long, it becomes the JSON text null.
        if total_bytes(arms[name]) > limit and (too_long := byte_lengths(arms[name]) > limit).any():
            cut = np.concatenate([cut, np.flatnonzero(too_long)])
            arms[name] = pc.if_else(pa.array(too_long), pa.scalar(None, pa.binary()), arms[name])
        nested.append((name, arms[name]))
    columns = {
        "string": arms["string_value"],
        "integer": arms["int_value"],
        "double": arms["double_value"],
        "boolean": arms["bool_value"],
        "json": json_values(nested, pc.invert(scalar)),
    }
    return columns, cut


def _keep_one_arm(arms: dict[str, pa.Array]) -> pa.BooleanArray:
    """Where a sender set several arms of the oneof, keep one scalar, so that a value has one type.

    Returns which values are scalars.
    """
    scalar = pc.or_(
        pc.or_(arms["string_value"].is_valid(), arms["int_value"].is_valid()),
        pc.or_(arms["double_value"].is_valid(), arms["bool_value"].is_valid()),
    )
    present = sum(len(arms[name]) - arms[name].null_count for name in _SCALARS)
    if present == scalar.true_count:
        return scalar
    taken = arms["string_value"].is_valid()
    for name in _SCALARS[1:]:
        arm = arms[name]
        arms[name] = pc.if_else(taken, pa.scalar(None, arm.type), arm)
        taken = pc.or_(taken, arm.is_valid())
    return scalar
