"""Our descriptors say the same as those of the published OTLP package, and leave closed only what is documented."""

from __future__ import annotations

import pyarrow as pa
import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1 import common_pb2
from opentelemetry.proto.logs.v1 import logs_pb2
from opentelemetry.proto.metrics.v1 import metrics_pb2
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1 import trace_pb2

from collector.decode import wire

PUBLISHED: dict[str, Descriptor] = {
    "AnyValue": common_pb2.AnyValue.DESCRIPTOR,
    "KeyValue": common_pb2.KeyValue.DESCRIPTOR,
    "Event": trace_pb2.Span.Event.DESCRIPTOR,
    "Link": trace_pb2.Span.Link.DESCRIPTOR,
    "Status": trace_pb2.Status.DESCRIPTOR,
    "Span": trace_pb2.Span.DESCRIPTOR,
    "ScopeSpans": trace_pb2.ScopeSpans.DESCRIPTOR,
    "ResourceSpans": trace_pb2.ResourceSpans.DESCRIPTOR,
    "ExportTraceServiceRequest": ExportTraceServiceRequest.DESCRIPTOR,
    "RequestLevels": ExportTraceServiceRequest.DESCRIPTOR,
    "ResourceLevels": trace_pb2.ResourceSpans.DESCRIPTOR,
    "ScopeLevel": trace_pb2.ScopeSpans.DESCRIPTOR,
    "LogRecord": logs_pb2.LogRecord.DESCRIPTOR,
    "Metric": metrics_pb2.Metric.DESCRIPTOR,
    "MetricData": metrics_pb2.Sum.DESCRIPTOR,
    "MetricDataLevel": metrics_pb2.Sum.DESCRIPTOR,
    "NumberDataPoint": metrics_pb2.NumberDataPoint.DESCRIPTOR,
    "HistogramDataPoint": metrics_pb2.HistogramDataPoint.DESCRIPTOR,
    "ExponentialHistogramDataPoint": metrics_pb2.ExponentialHistogramDataPoint.DESCRIPTOR,
    "Buckets": metrics_pb2.ExponentialHistogramDataPoint.Buckets.DESCRIPTOR,
    "LogRecordSkeleton": logs_pb2.LogRecord.DESCRIPTOR,
    "NumberDataPointSkeleton": metrics_pb2.NumberDataPoint.DESCRIPTOR,
    "HistogramDataPointSkeleton": metrics_pb2.HistogramDataPoint.DESCRIPTOR,
    "ExponentialHistogramDataPointSkeleton": metrics_pb2.ExponentialHistogramDataPoint.DESCRIPTOR,
    "SpanSkeleton": trace_pb2.Span.DESCRIPTOR,
    "EventSkeleton": trace_pb2.Span.Event.DESCRIPTOR,
    "LinkSkeleton": trace_pb2.Span.Link.DESCRIPTOR,
    "ResourceSkeleton": Resource.DESCRIPTOR,
    "ScopeSkeleton": common_pb2.InstrumentationScope.DESCRIPTOR,
}

# Messages that stay closed: declared as bytes. Everything in a skeleton does.
CLOSED = {
    ("AnyValue", "array_value"),
    ("AnyValue", "kvlist_value"),
    ("ScopeSpans", "scope"),
    ("ScopeSpans", "spans"),
    ("ResourceSpans", "resource"),
    *(("Metric", arm) for arm in ("gauge", "sum", "histogram", "exponential_histogram", "summary")),
    ("MetricData", "data_points"),
}
FULL = (
    *("AnyValue", "KeyValue", "Event", "Link", "Status", "Span", "ScopeSpans", "ResourceSpans", "LogRecord"),
    *("Metric", "MetricData", "NumberDataPoint", "HistogramDataPoint", "ExponentialHistogramDataPoint", "Buckets"),
)

FIELDS = [(message, *described) for message, fields in wire.MESSAGES.items() for described in fields]


@pytest.mark.parametrize(("message", "name", "number", "kind", "repeated"), FIELDS, ids=str)
def test_a_field_has_the_number_and_the_type_of_the_published_one(
    message: str, name: str, number: int, kind: int | str, repeated: bool
) -> None:
    published = PUBLISHED[message].fields_by_name[name]

    assert published.number == number
    assert published.is_repeated == repeated
    if isinstance(kind, str):
        assert published.message_type is PUBLISHED[kind]
    elif published.type == FieldDescriptor.TYPE_MESSAGE:
        assert kind == FieldDescriptor.TYPE_BYTES
        assert (message, name) in CLOSED or message.endswith("Skeleton")
    elif published.type == FieldDescriptor.TYPE_ENUM:
        assert kind == FieldDescriptor.TYPE_INT32  # the same on the wire, and open to values of later versions
    else:
        assert kind == published.type


def test_what_is_named_as_closed_is_closed() -> None:
    closed = {(m, name) for m, name, _, kind, _ in FIELDS if kind == FieldDescriptor.TYPE_BYTES}

    assert closed >= CLOSED


# Values of profiles that refer to a table of strings are for profiles alone. What data points besides are examples of, and
# what application code says about a metric, is not kept.
NOT_READ = {"string_value_strindex", "key_strindex", "exemplars", "metadata"}


@pytest.mark.parametrize("message", FULL)
def test_no_published_field_is_missing(message: str) -> None:
    names = {name for name, *_ in wire.MESSAGES[message]}

    assert set(PUBLISHED[message].fields_by_name) - NOT_READ == names


@pytest.mark.parametrize("message", [name for name in wire.MESSAGES if name.endswith("Skeleton")])
def test_a_skeleton_sees_every_repeated_field(message: str) -> None:
    repeated = {field.name for field in PUBLISHED[message].fields if field.is_repeated}

    # Buckets are numbers, which are not opened any further.
    assert repeated - {"entity_refs", "exemplars", "bucket_counts", "explicit_bounds"} == {
        name for name, *_ in wire.MESSAGES[message]
    }


@pytest.mark.parametrize("message", [name for name in wire.MESSAGES if "Level" in name])
def test_the_levels_that_are_checked_for_depth_are_those_of_the_frame(message: str) -> None:
    """They open what `read_request` opens: the messages on the way to the spans, and not the spans."""
    opened = {name for name, _, kind, _ in wire.MESSAGES[message] if isinstance(kind, str)}

    frame = {
        "RequestLevels": "ExportTraceServiceRequest",
        "ResourceLevels": "ResourceSpans",
        "ScopeLevel": "ScopeSpans",
        "MetricDataLevel": "MetricData",
    }
    assert opened == {name for name, _, kind, _ in wire.MESSAGES[frame[message]] if isinstance(kind, str)}


@pytest.mark.parametrize("request_class", [ExportLogsServiceRequest, ExportMetricsServiceRequest])
def test_the_frame_of_traces_is_that_of_every_signal(request_class: type) -> None:
    """The same numbers for resource, scopes, scope, records and schema URLs, whatever the fields are called."""

    def shape(message: Descriptor, depth: int = 0) -> dict[int, object]:
        inner = {f.number: f for f in message.fields if f.is_repeated}
        plain: dict[int, object] = {f.number: f.type for f in message.fields if not f.is_repeated}
        return plain | {n: shape(f.message_type, depth + 1) if depth < 2 else None for n, f in inner.items()}

    assert shape(request_class.DESCRIPTOR) == shape(ExportTraceServiceRequest.DESCRIPTOR)


@pytest.mark.parametrize("kind", ["Gauge", "Sum", "Histogram", "ExponentialHistogram", "Summary"])
def test_the_data_of_every_kind_of_metric_has_the_fields_of_one(kind: str) -> None:
    described = {name: (number, repeated) for name, number, _, repeated in wire.MESSAGES["MetricData"]}

    published = metrics_pb2.DESCRIPTOR.message_types_by_name[kind].fields
    assert {f.name: (f.number, f.is_repeated) for f in published}.items() <= described.items()


@pytest.mark.parametrize(
    "message", ["Metric", "NumberDataPoint", "HistogramDataPoint", "ExponentialHistogramDataPoint"]
)
def test_a_field_whose_absence_says_something_is_null_when_it_is_not_set(message: str) -> None:
    with_presence = {f.name for f in PUBLISHED[message].fields if f.containing_oneof is not None}
    assert with_presence

    read = wire.ArrowReader(message)(pa.array([b""], pa.binary()))
    assert {name for name in with_presence if read.column(name).to_pylist() == [None]} == with_presence
