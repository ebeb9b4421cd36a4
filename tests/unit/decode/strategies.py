"""Random ExportTraceServiceRequests: everything that the published messages can hold, extremes included."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status

from collector.decode import Limits
from tests.support.otlp import NOW, any_value

texts = st.one_of(
    st.sampled_from(["", "\x00", "a\x00b", '"', "\\", "\n", "é", "𝄞", "\u2028", "\ufeff", "\U0010ffff"]),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
)
keys = st.one_of(st.sampled_from(["", "a", "b", "service.name", "gen_ai.request.model"]), texts)
counts = st.one_of(st.sampled_from([0, 1, 2**32 - 1]), st.integers(0, 2**32 - 1))
int64s = st.one_of(
    st.sampled_from([0, -1, 2**53 + 1, -(2**53) - 1, 2**63 - 1, -(2**63)]), st.integers(-(2**63), 2**63 - 1)
)
doubles = st.one_of(
    st.sampled_from([0.0, -0.0, 1.0, 1e21, 1e22, 1e300, 5e-324, 2.0**53, float("nan"), float("inf"), float("-inf")]),
    st.floats(),
)
scalars = st.one_of(st.none(), texts, st.booleans(), int64s, doubles, st.binary(max_size=9))
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=6
).map(any_value)
kvlists_with_repeated_keys = st.lists(st.tuples(st.sampled_from("ab"), scalars), min_size=1, max_size=4).map(
    lambda pairs: AnyValue(kvlist_value={"values": [KeyValue(key=k, value=any_value(v)) for k, v in pairs]})
)
key_values = st.builds(KeyValue, key=keys, value=st.none() | values | kvlists_with_repeated_keys)
attributes = st.lists(key_values, max_size=4)

limits = Limits()
starts = st.one_of(
    st.just(NOW),
    st.integers(NOW - limits.accept_past - 2, NOW - limits.accept_past + 2),
    st.integers(NOW + limits.accept_future - 2, NOW + limits.accept_future + 2),
    st.sampled_from([0, 1, 2**63, 2**64 - 1]),
)
times = st.one_of(st.just(NOW), st.sampled_from([0, 1, 2**63 - 1, 2**63, 2**64 - 1]), st.integers(0, 2**64 - 1))


def _ids(size: int) -> st.SearchStrategy[bytes]:
    valid = st.binary(min_size=size, max_size=size)
    return st.one_of(valid, valid, valid, st.just(bytes(size)), st.binary(max_size=size + 2))


events = st.builds(Span.Event, time_unix_nano=times, name=texts, attributes=attributes, dropped_attributes_count=counts)
links = st.builds(
    Span.Link,
    trace_id=_ids(16),
    span_id=_ids(8),
    trace_state=texts,
    attributes=attributes,
    dropped_attributes_count=counts,
    flags=counts,
)
codes: Any = st.sampled_from([*range(8), 77, -1, 2**31 - 1, -(2**31)])
spans = st.builds(
    Span,
    trace_id=_ids(16),
    span_id=_ids(8),
    trace_state=texts,
    parent_span_id=st.one_of(st.just(b""), st.just(bytes(8)), _ids(8)),
    flags=counts,
    name=texts,
    kind=codes,
    start_time_unix_nano=st.one_of(st.just(NOW), st.just(NOW), starts),
    end_time_unix_nano=times,
    attributes=attributes,
    dropped_attributes_count=counts,
    events=st.lists(events, max_size=3),
    dropped_events_count=counts,
    links=st.lists(links, max_size=3),
    dropped_links_count=counts,
    status=st.none() | st.builds(Status, message=texts, code=codes),
)
scopes = st.builds(InstrumentationScope, name=texts, version=texts, attributes=attributes)
scope_spans = st.builds(ScopeSpans, scope=st.none() | scopes, spans=st.lists(spans, max_size=3), schema_url=texts)
resource_spans = st.builds(
    ResourceSpans,
    resource=st.none() | st.builds(Resource, attributes=attributes),
    scope_spans=st.lists(scope_spans, max_size=2),
    schema_url=texts,
)
requests = st.builds(ExportTraceServiceRequest, resource_spans=st.lists(resource_spans, max_size=2))
