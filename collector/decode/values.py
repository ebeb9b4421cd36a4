"""Attribute values that are no plain scalars, and attributes as JSON objects.

JSON is how values are kept that have no column type of their own. An int64 stays exact, a double keeps a fraction or an
exponent so that it can be told from an integer, and what JSON has no word for is written as the OTLP/JSON mapping writes
it: ``{"bytesValue": "<base64>"}``, ``{"doubleValue": "NaN"}``.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
from google.protobuf.message import DecodeError
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValueList

from collector.batch import VALUE_COLUMNS, Attributes

JsonValue = Any

_NEEDS_ESCAPE = r'[\x00-\x1f"\\]'
_ESCAPED_BYTES = np.array([byte < 0x20 or byte in b'"\\' for byte in range(256)])


def any_value(value: AnyValue) -> JsonValue:  # noqa: PLR0911 - one per arm
    """Return an AnyValue as what `orjson.dumps` writes in the way described above."""
    match value.WhichOneof("value"):
        case "string_value":
            return value.string_value
        case "bool_value":
            return value.bool_value
        case "int_value":
            return value.int_value
        case "double_value":
            return _double(value.double_value)
        case "array_value":
            return [any_value(element) for element in value.array_value.values]
        case "kvlist_value":
            return key_values(value.kvlist_value.values)
        case "bytes_value":
            return {"bytesValue": base64.b64encode(value.bytes_value).decode()}
    return None


def key_values(pairs: Any) -> dict[str, JsonValue]:
    """Return repeated KeyValue messages as a dict; of equal keys the last wins."""
    return {pair.key: any_value(pair.value) for pair in pairs}


def _double(number: float) -> JsonValue:
    if math.isfinite(number):
        return number
    return {"doubleValue": "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"}


def _parsed(kind: type[Any], values: pa.BinaryArray) -> pa.StringArray:
    """JSON text of serialized ArrayValue or KeyValueList messages. Equal ones, which are frequent, are parsed once."""
    encoded = values.dictionary_encode()
    texts = []
    for value in encoded.dictionary:
        try:
            message = kind.FromString(value.as_py())
        except DecodeError as error:
            raise ValueError(str(error)) from error
        content = key_values(message.values) if kind is KeyValueList else [any_value(v) for v in message.values]
        texts.append(orjson.dumps(content).decode())
    return pa.array(texts, pa.string()).take(encoded.indices)


def _bytes_texts(values: pa.BinaryArray) -> pa.StringArray:
    wrapped = ({"bytesValue": base64.b64encode(value).decode()} for value in values.to_pylist())
    return pa.array([orjson.dumps(value).decode() for value in wrapped], pa.string())


def json_values(arms: Sequence[tuple[str, pa.BinaryArray]], other: pa.BooleanArray) -> pa.StringArray:
    """Return the JSON text of every value that is no scalar, and null for the scalars.

    `arms` are the arms array_value, kvlist_value and bytes_value of AnyValue, null where not set; `other` is true where
    no scalar arm is set. A value without any arm set is the JSON text ``null``. Raises ValueError on malformed messages.
    """
    texts = pc.if_else(other, pa.scalar("null", pa.string()), pa.scalar(None, pa.string()))
    for name, values in arms:
        if values.null_count < len(values):
            present = pc.and_(values.is_valid(), other)
            texts = pc.replace_with_mask(texts, present, _TEXTS[name](values.filter(present)))
    return texts


_TEXTS: dict[str, Callable[[pa.BinaryArray], pa.StringArray]] = {
    "array_value": lambda values: _parsed(ArrayValue, values),
    "kvlist_value": lambda values: _parsed(KeyValueList, values),
    "bytes_value": _bytes_texts,
}


def _quoted(values: pa.StringArray) -> pa.StringArray:
    """JSON string literals; null stays null."""
    quoted = pc.binary_join_element_wise('"', values, '"', "")
    data = values.buffers()[2]
    if data is None or not _ESCAPED_BYTES[np.frombuffer(data, np.uint8)].any():
        return quoted  # one look at all bytes is cheaper than a pattern on every string
    unsafe = pc.fill_null(pc.match_substring_regex(values, _NEEDS_ESCAPE), False)
    if pc.any(unsafe).as_py():
        escaped = [orjson.dumps(text).decode() for text in values.filter(unsafe).to_pylist()]
        quoted = pc.replace_with_mask(quoted, unsafe, pa.array(escaped, pa.string()))
    return quoted


def _double_texts(values: pa.DoubleArray) -> pa.StringArray:
    if values.null_count == len(values):
        return pa.nulls(len(values), pa.string())
    texts = values.cast(pa.string())
    whole = pc.match_substring_regex(texts, r"^-?[0-9]+$")
    texts = pc.if_else(whole, pc.binary_join_element_wise(texts, ".0", ""), texts)
    odd = pc.fill_null(pc.invert(pc.is_finite(values)), False)
    if pc.any(odd).as_py():
        named = [orjson.dumps(_double(number)).decode() for number in values.filter(odd).to_pylist()]
        texts = pc.replace_with_mask(texts, odd, pa.array(named, pa.string()))
    return texts


def plain_texts(values: Mapping[str, pa.Array]) -> pa.StringArray:
    """Return the text of each value, given as the value columns of `Attributes`: a string as it is, all else as JSON."""
    return pc.coalesce(
        values["string"],
        values["integer"].cast(pa.string()),
        _double_texts(values["double"]),
        values["boolean"].cast(pa.string()),
        values["json"],
    )


def json_objects(offsets: pa.Int32Array, attributes: Attributes) -> pa.StringArray:
    """Return attributes as JSON objects, one per interval of `offsets` (which are as in a list array)."""
    columns = {name: getattr(attributes, name) for name in VALUE_COLUMNS}
    values = plain_texts({**columns, "string": _quoted(attributes.string)})
    members = pc.binary_join_element_wise(_quoted(attributes.key), values, ":")
    joined = pc.binary_join(pa.ListArray.from_arrays(offsets, members), ",")
    return pc.binary_join_element_wise("{", joined, "}", "")
