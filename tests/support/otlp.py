"""Small builders of OTLP trace requests, with the published protobuf classes.

    request(span(name="chat", attributes={"gen_ai.usage.input_tokens": 12}), resource={"service.name": "shop"})

A builder fills in what a valid message needs (ids, times near now) and leaves the rest alone; what it has no parameter for
is set on the message that it returns. `field` writes what the published classes cannot: any bytes under any number.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterable, Mapping
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status

NOW = time.time_ns()
"""The time of this test run, ns since the epoch."""
MILLISECOND = 1_000_000

Pairs = Mapping[str, Any] | Iterable[tuple[str, Any]]

_numbers = itertools.count(1)


def any_value(value: Any) -> AnyValue:
    """Return the AnyValue of a Python value: None is the empty one, an AnyValue stays as it is."""
    match value:
        case AnyValue():
            return value
        case None:
            return AnyValue()
        case bool():
            return AnyValue(bool_value=value)
        case int():
            return AnyValue(int_value=value)
        case float():
            return AnyValue(double_value=value)
        case str():
            return AnyValue(string_value=value)
        case bytes():
            return AnyValue(bytes_value=value)
        case Mapping():
            result = AnyValue()
            result.kvlist_value.SetInParent()
            result.kvlist_value.values.extend(key_values(value))
            return result
        case list() | tuple():
            result = AnyValue()
            result.array_value.SetInParent()
            result.array_value.values.extend(any_value(element) for element in value)
            return result
    raise TypeError(f"no AnyValue for {value!r}")


def key_values(pairs: Pairs) -> list[KeyValue]:
    """Return KeyValue messages; pairs instead of a mapping allow a key to repeat."""
    items = pairs.items() if isinstance(pairs, Mapping) else pairs
    return [KeyValue(key=key, value=any_value(value)) for key, value in items]


def span(
    *,
    trace_id: bytes = b"\x11" * 16,
    span_id: bytes | None = None,
    parent: bytes = b"",
    name: str = "a span",
    kind: int = Span.SPAN_KIND_CLIENT,
    start: int = NOW,
    end: int | None = None,
    attributes: Pairs = (),
    events: Iterable[Span.Event] = (),
    links: Iterable[Span.Link] = (),
    status: Status | None = None,
) -> Span:
    """Return a valid span: with an id of its own, started now, 25 ms long."""
    return Span(
        trace_id=trace_id,
        span_id=next(_numbers).to_bytes(8, "big") if span_id is None else span_id,
        parent_span_id=parent,
        name=name,
        kind=kind,
        start_time_unix_nano=start,
        end_time_unix_nano=start + 25 * MILLISECOND if end is None else end,
        attributes=key_values(attributes),
        events=events,
        links=links,
        status=status,
    )


def event(name: str = "an event", *, at: int = NOW + MILLISECOND, attributes: Pairs = ()) -> Span.Event:
    """Return a span event, 1 ms after `NOW`."""
    return Span.Event(name=name, time_unix_nano=at, attributes=key_values(attributes))


def link(*, trace_id: bytes = b"\x22" * 16, span_id: bytes = b"\x33" * 8, attributes: Pairs = ()) -> Span.Link:
    """Return a span link."""
    return Span.Link(trace_id=trace_id, span_id=span_id, attributes=key_values(attributes))


def resource_spans(
    *spans: Span, resource: Pairs | None = None, scope: str | None = None, scope_attributes: Pairs = ()
) -> ResourceSpans:
    """Return spans under one scope of one resource; without `resource` or `scope` that message is not set."""
    scope_spans = ScopeSpans(spans=spans)
    if scope is not None:
        scope_spans.scope.CopyFrom(InstrumentationScope(name=scope, attributes=key_values(scope_attributes)))
    result = ResourceSpans(scope_spans=[scope_spans])
    if resource is not None:
        result.resource.CopyFrom(Resource(attributes=key_values(resource)))
    return result


def request(
    *spans: Span,
    resource: Pairs | None = (("service.name", "a service"),),
    scope: str | None = "a scope",
    scope_attributes: Pairs = (),
) -> ExportTraceServiceRequest:
    """Return a request with these spans under one resource and one scope."""
    one = resource_spans(*spans, resource=resource, scope=scope, scope_attributes=scope_attributes)
    return ExportTraceServiceRequest(resource_spans=[one])


def varint(number: int) -> bytes:
    """Return the wire format of a number; a negative one takes ten bytes, as in int64."""
    number &= 2**64 - 1
    encoded = bytearray()
    while number > 127:
        encoded.append(number & 127 | 128)
        number >>= 7
    return bytes([*encoded, number])


def field(number: int, content: bytes | int) -> bytes:
    """Return one field in wire format: bytes with their length, an integer as varint."""
    if isinstance(content, int):
        return varint(number << 3) + varint(content)
    return varint(number << 3 | 2) + varint(len(content)) + content


def closed_request(*spans: bytes, resource: bytes = b"", scope: bytes = b"") -> bytes:
    """Return a serialized request around serialized spans, which need not be valid."""
    in_scope = field(1, scope) + b"".join(field(2, closed) for closed in spans)
    return field(1, field(1, resource) + field(2, in_scope))
