"""Our descriptors say the same as those of the published OTLP package, and leave closed only what is documented."""

from __future__ import annotations

import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1 import common_pb2
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
}
FULL = ("AnyValue", "KeyValue", "Event", "Link", "Status", "Span", "ScopeSpans", "ResourceSpans")

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


# New in the published protocol, and not for traces: values of profiles that refer to a table of strings.
NOT_FOR_TRACES = {"string_value_strindex", "key_strindex"}


@pytest.mark.parametrize("message", FULL)
def test_no_published_field_is_missing(message: str) -> None:
    names = {name for name, *_ in wire.MESSAGES[message]}

    assert set(PUBLISHED[message].fields_by_name) - NOT_FOR_TRACES == names


@pytest.mark.parametrize("message", [name for name in wire.MESSAGES if name.endswith("Skeleton")])
def test_a_skeleton_sees_every_repeated_field(message: str) -> None:
    repeated = {field.name for field in PUBLISHED[message].fields if field.is_repeated}

    assert repeated - {"entity_refs"} == {name for name, *_ in wire.MESSAGES[message]}


@pytest.mark.parametrize("message", [name for name in wire.MESSAGES if "Level" in name])
def test_the_levels_that_are_checked_for_depth_are_those_of_the_frame(message: str) -> None:
    """They open what `read_request` opens: the messages on the way to the spans, and not the spans."""
    opened = {name for name, _, kind, _ in wire.MESSAGES[message] if isinstance(kind, str)}

    frame = {
        "RequestLevels": "ExportTraceServiceRequest",
        "ResourceLevels": "ResourceSpans",
        "ScopeLevel": "ScopeSpans",
    }
    assert opened == {name for name, _, kind, _ in wire.MESSAGES[frame[message]] if isinstance(kind, str)}
