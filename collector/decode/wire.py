"""The OTLP messages as columns: descriptors for reading the wire format straight into Arrow.

The published OTLP messages cannot become Arrow columns as they are, because AnyValue contains itself. Protobuf encodes a
nested message exactly like a `bytes` field, so the messages here declare as `bytes` whatever shall stay closed at this
step: the recursive arms of AnyValue, and in the frames whole records. Field numbers and types are those of
opentelemetry-proto 1.x (trace/v1, logs/v1, metrics/v1, common/v1); a test compares them with the published package.

The requests of the three signals differ in the names of their fields only: resources that hold scopes that hold records
(spans, log records, metrics), under the same numbers. So one frame, named as that of traces, reads all three.

Two kinds of readers come out of this module: Arrow readers (`read_request`, `read_spans`, ...: serialized messages to
columns) and skeletons (`SpanSkeleton`, ...: protobuf classes that only see the repeated fields of a message and carry the
rest through untouched, so that an oversized message can be cut without being decoded).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError, Message
from ptars import HandlerPool

from collector.batch import byte_lengths

_Field = descriptor_pb2.FieldDescriptorProto
_STRING, _BYTES, _BOOL, _DOUBLE = _Field.TYPE_STRING, _Field.TYPE_BYTES, _Field.TYPE_BOOL, _Field.TYPE_DOUBLE
_INT64, _INT32, _UINT32 = _Field.TYPE_INT64, _Field.TYPE_INT32, _Field.TYPE_UINT32
_FIXED64, _FIXED32, _SFIXED64 = _Field.TYPE_FIXED64, _Field.TYPE_FIXED32, _Field.TYPE_SFIXED64
_UINT64, _SINT32 = _Field.TYPE_UINT64, _Field.TYPE_SINT32

# message -> (field, number, type or message name, repeated)
MESSAGES: dict[str, list[tuple[str, int, int | str, bool]]] = {
    "AnyValue": [
        ("string_value", 1, _STRING, False),
        ("bool_value", 2, _BOOL, False),
        ("int_value", 3, _INT64, False),
        ("double_value", 4, _DOUBLE, False),
        ("array_value", 5, _BYTES, False),
        ("kvlist_value", 6, _BYTES, False),
        ("bytes_value", 7, _BYTES, False),
    ],
    "KeyValue": [("key", 1, _STRING, False), ("value", 2, "AnyValue", False)],
    "Event": [
        ("time_unix_nano", 1, _FIXED64, False),
        ("name", 2, _STRING, False),
        ("attributes", 3, "KeyValue", True),
        ("dropped_attributes_count", 4, _UINT32, False),
    ],
    "Link": [
        ("trace_id", 1, _BYTES, False),
        ("span_id", 2, _BYTES, False),
        ("trace_state", 3, _STRING, False),
        ("attributes", 4, "KeyValue", True),
        ("dropped_attributes_count", 5, _UINT32, False),
        ("flags", 6, _FIXED32, False),
    ],
    "Status": [("message", 2, _STRING, False), ("code", 3, _INT32, False)],
    "Span": [
        ("trace_id", 1, _BYTES, False),
        ("span_id", 2, _BYTES, False),
        ("trace_state", 3, _STRING, False),
        ("parent_span_id", 4, _BYTES, False),
        ("name", 5, _STRING, False),
        ("kind", 6, _INT32, False),
        ("start_time_unix_nano", 7, _FIXED64, False),
        ("end_time_unix_nano", 8, _FIXED64, False),
        ("attributes", 9, "KeyValue", True),
        ("dropped_attributes_count", 10, _UINT32, False),
        ("events", 11, "Event", True),
        ("dropped_events_count", 12, _UINT32, False),
        ("links", 13, "Link", True),
        ("dropped_links_count", 14, _UINT32, False),
        ("status", 15, "Status", False),
        ("flags", 16, _FIXED32, False),
    ],
    "LogRecord": [
        ("time_unix_nano", 1, _FIXED64, False),
        ("severity_number", 2, _INT32, False),
        ("severity_text", 3, _STRING, False),
        ("body", 5, "AnyValue", False),
        ("attributes", 6, "KeyValue", True),
        ("dropped_attributes_count", 7, _UINT32, False),
        ("flags", 8, _FIXED32, False),
        ("trace_id", 9, _BYTES, False),
        ("span_id", 10, _BYTES, False),
        ("observed_time_unix_nano", 11, _FIXED64, False),
        ("event_name", 12, _STRING, False),
    ],
    "Metric": [
        ("name", 1, _STRING, False),
        ("description", 2, _STRING, False),
        ("unit", 3, _STRING, False),
        ("gauge", 5, _BYTES, False),
        ("sum", 7, _BYTES, False),
        ("histogram", 9, _BYTES, False),
        ("exponential_histogram", 10, _BYTES, False),
        ("summary", 11, _BYTES, False),
    ],
    # Gauge, Sum, Histogram, ExponentialHistogram and Summary in one: they give the same numbers to the same fields.
    "MetricData": [
        ("data_points", 1, _BYTES, True),
        ("aggregation_temporality", 2, _INT32, False),
        ("is_monotonic", 3, _BOOL, False),
    ],
    "MetricDataLevel": [],
    "NumberDataPoint": [
        ("start_time_unix_nano", 2, _FIXED64, False),
        ("time_unix_nano", 3, _FIXED64, False),
        ("as_double", 4, _DOUBLE, False),
        ("as_int", 6, _SFIXED64, False),
        ("attributes", 7, "KeyValue", True),
        ("flags", 8, _UINT32, False),
    ],
    "HistogramDataPoint": [
        ("start_time_unix_nano", 2, _FIXED64, False),
        ("time_unix_nano", 3, _FIXED64, False),
        ("count", 4, _FIXED64, False),
        ("sum", 5, _DOUBLE, False),
        ("bucket_counts", 6, _FIXED64, True),
        ("explicit_bounds", 7, _DOUBLE, True),
        ("attributes", 9, "KeyValue", True),
        ("flags", 10, _UINT32, False),
        ("min", 11, _DOUBLE, False),
        ("max", 12, _DOUBLE, False),
    ],
    "Buckets": [("offset", 1, _SINT32, False), ("bucket_counts", 2, _UINT64, True)],
    "ExponentialHistogramDataPoint": [
        ("attributes", 1, "KeyValue", True),
        ("start_time_unix_nano", 2, _FIXED64, False),
        ("time_unix_nano", 3, _FIXED64, False),
        ("count", 4, _FIXED64, False),
        ("sum", 5, _DOUBLE, False),
        ("scale", 6, _SINT32, False),
        ("zero_count", 7, _FIXED64, False),
        ("positive", 8, "Buckets", False),
        ("negative", 9, "Buckets", False),
        ("flags", 10, _UINT32, False),
        ("min", 12, _DOUBLE, False),
        ("max", 13, _DOUBLE, False),
        ("zero_threshold", 14, _DOUBLE, False),
    ],
    "ScopeSpans": [("scope", 1, _BYTES, False), ("spans", 2, _BYTES, True), ("schema_url", 3, _STRING, False)],
    "ResourceSpans": [
        ("resource", 1, _BYTES, False),
        ("scope_spans", 2, "ScopeSpans", True),
        ("schema_url", 3, _STRING, False),
    ],
    "ExportTraceServiceRequest": [("resource_spans", 1, "ResourceSpans", True)],
    "RequestLevels": [("resource_spans", 1, "ResourceLevels", True)],
    "ResourceLevels": [("scope_spans", 2, "ScopeLevel", True)],
    "ScopeLevel": [],
    "SpanSkeleton": [("attributes", 9, _BYTES, True), ("events", 11, _BYTES, True), ("links", 13, _BYTES, True)],
    "EventSkeleton": [("attributes", 3, _BYTES, True)],
    "LinkSkeleton": [("attributes", 4, _BYTES, True)],
    "LogRecordSkeleton": [("attributes", 6, _BYTES, True)],
    "NumberDataPointSkeleton": [("attributes", 7, _BYTES, True)],
    "HistogramDataPointSkeleton": [("attributes", 9, _BYTES, True)],
    "ExponentialHistogramDataPointSkeleton": [("attributes", 1, _BYTES, True)],
    "ResourceSkeleton": [("attributes", 1, _BYTES, True)],
    "ScopeSkeleton": [("attributes", 3, _BYTES, True)],
}

_OPTIONAL: dict[str, tuple[str, ...]] = {"_sum": ("sum",), "_min": ("min",), "_max": ("max",)}
# message -> oneof -> its fields: so that "not set" can be told from zero. A oneof of one field stands for `optional`.
_ONEOFS: dict[str, dict[str, tuple[str, ...]]] = {
    "AnyValue": {"value": tuple(name for name, *_ in MESSAGES["AnyValue"])},
    "Metric": {"data": ("gauge", "sum", "histogram", "exponential_histogram", "summary")},
    "NumberDataPoint": {"value": ("as_double", "as_int")},
    "HistogramDataPoint": _OPTIONAL,
    "ExponentialHistogramDataPoint": _OPTIONAL,
}

_PACKAGE = "spanledger.wire"


def _file() -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto(name="spanledger/wire.proto", package=_PACKAGE, syntax="proto3")
    for message_name, fields in MESSAGES.items():
        message = file.message_type.add(name=message_name)
        for field_name, number, kind, repeated in fields:
            label = _Field.LABEL_REPEATED if repeated else _Field.LABEL_OPTIONAL
            field = message.field.add(name=field_name, number=number, label=label)
            if isinstance(kind, str):
                field.type, field.type_name = _Field.TYPE_MESSAGE, f".{_PACKAGE}.{kind}"
            else:
                field.type = kind  # type: ignore[assignment]
        for index, (oneof, members) in enumerate(_ONEOFS.get(message_name, {}).items()):
            message.oneof_decl.add(name=oneof)
            for field in message.field:
                if field.name in members:
                    field.oneof_index = index
    return file


_pool = descriptor_pool.DescriptorPool()
_pool.Add(_file())
_handlers = HandlerPool([_pool.FindFileByName("spanledger/wire.proto")])


def _message_class(name: str) -> type[Message]:
    return message_factory.GetMessageClass(_pool.FindMessageTypeByName(f"{_PACKAGE}.{name}"))


def _reader(name: str) -> Any:
    return _handlers.get_for_message(_pool.FindMessageTypeByName(f"{_PACKAGE}.{name}"))


_REQUEST = _reader("ExportTraceServiceRequest")
_REQUEST_LEVELS = _message_class("RequestLevels")

KeyValue = _message_class("KeyValue")

SpanSkeleton = _message_class("SpanSkeleton")
EventSkeleton = _message_class("EventSkeleton")
LinkSkeleton = _message_class("LinkSkeleton")
LogRecordSkeleton = _message_class("LogRecordSkeleton")
NumberDataPointSkeleton = _message_class("NumberDataPointSkeleton")
HistogramDataPointSkeleton = _message_class("HistogramDataPointSkeleton")
ExponentialHistogramDataPointSkeleton = _message_class("ExponentialHistogramDataPointSkeleton")
ResourceSkeleton = _message_class("ResourceSkeleton")
ScopeSkeleton = _message_class("ScopeSkeleton")

_SAFE_DEPTH = 4096
"""Messages of up to so many bytes are read without a look at their depth.

The Arrow reader skips unknown fields, and of those the groups (of which OTLP has none) by calling itself, without a limit:
at a hundred bytes of stack for each byte, 100 KB of nested groups end the process. So protobuf, which has a limit of 100
levels, reads a longer message first: at the levels that the Arrow reader will open, and only those.
"""


_LENGTH_PAST_THE_END = b"\xff" * 5 + b"\x01"
"""How every varint within 2**32 below 2**64 ends. As the length of something it makes the Arrow reader panic, which prints
lines to the log; as a number it is a negative one. So a request that has such bytes is read by protobuf first."""


def _check_depth(levels: type[Message], message: bytes) -> None:
    if len(message) > _SAFE_DEPTH:
        try:
            levels.FromString(message)
        except DecodeError as error:
            raise ValueError(str(error)) from error


def _read(reader: Callable[[Any], pa.RecordBatch], messages: Any) -> pa.RecordBatch:
    try:
        return reader(messages)
    except BaseException as error:
        # The Arrow reader panics at a length near 2**64. A panic is no Exception, and its class cannot be imported.
        if type(error).__name__ != "PanicException":
            raise
        raise ValueError(f"failed to decode Protobuf message: {error}") from None


def read_request(payload: bytes, published: type[Message]) -> pa.StructArray:
    """Read a request of any signal down to its records, which stay closed (bytes); `published` is its protobuf class.

    Returns the `resource_spans` as a struct array (resource: binary, scope_spans: list<struct>, schema_url: string).
    Raises ValueError when the bytes are not such a message.
    """
    _check_depth(_REQUEST_LEVELS, payload)
    if _LENGTH_PAST_THE_END in payload:
        try:
            published.FromString(payload)
        except DecodeError as error:
            raise ValueError(str(error)) from error
    return _read(_REQUEST.list_to_record_batch, [payload]).column(0).flatten()


class ArrowReader:
    """Reads serialized messages of one kind into a record batch, a row each, nested fields as lists and structs."""

    def __init__(self, message: str, levels: str | None = None) -> None:
        """`levels` names the message that sees what this one opens: by default it is `message` itself."""
        self._reader = _reader(message)
        self._levels = _message_class(levels or message)

    def __call__(self, closed: pa.BinaryArray) -> pa.RecordBatch:
        """Read them; null is the empty message. Raises ValueError when one of them is not such a message."""
        for row in np.flatnonzero(byte_lengths(closed) > _SAFE_DEPTH).tolist():
            _check_depth(self._levels, closed[row].as_py())
        return _read(self._reader.array_to_record_batch, closed)


read_spans = ArrowReader("Span")
read_log_records = ArrowReader("LogRecord")
read_metrics = ArrowReader("Metric")
read_metric_data = ArrowReader("MetricData", levels="MetricDataLevel")
read_number_data_points = ArrowReader("NumberDataPoint")
read_histogram_data_points = ArrowReader("HistogramDataPoint")
read_exponential_histogram_data_points = ArrowReader("ExponentialHistogramDataPoint")
