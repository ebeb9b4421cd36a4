"""Decoding against the published protobuf classes as the reference, span by span and attribute by attribute."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

from tests.support.otlp import NOW, event, field, link, request, resource_spans, span
from tests.unit.decode.reference import Reference, decode, facts, rows
from tests.unit.decode.strategies import requests

TEXT = pa.string()
NAME = pa.dictionary(pa.int32(), TEXT)
COUNT = pa.uint32()
TIME = pa.timestamp("ns", "UTC")
# The documented columns (see collector.batch), in order.
SCHEMA = {
    "project": NAME,
    "received_at": pa.timestamp("ms", "UTC"),
    **dict.fromkeys(("trace_id", "span_id", "parent_span_id", "trace_state"), TEXT),
    "flags": COUNT,
    "name": TEXT,
    "span_kind": NAME,
    "start_time": TIME,
    "end_time": TIME,
    "status_code": NAME,
    "status_message": TEXT,
    **dict.fromkeys(("resource", "service_name", "resource_schema_url"), NAME),
    **dict.fromkeys(("scope_name", "scope_version", "scope_attributes", "scope_schema_url"), NAME),
    **dict.fromkeys(("dropped_attributes_count", "dropped_events_count", "dropped_links_count"), COUNT),
    **dict.fromkeys(("cut_attributes", "cut_events", "cut_links", "cut_values"), COUNT),
    "events": pa.list_(
        pa.struct({"time": TIME, "name": TEXT, "attributes": TEXT, "dropped_attributes_count": COUNT}),
    ),
    "links": pa.list_(
        pa.struct(
            {
                **dict.fromkeys(("trace_id", "span_id", "trace_state"), TEXT),
                "flags": COUNT,
                "attributes": TEXT,
                "dropped_attributes_count": COUNT,
            }
        )
    ),
}


@given(requests)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_every_request_becomes_what_the_published_classes_read(message: ExportTraceServiceRequest) -> None:
    decoded = facts(decode(message))
    expected = Reference(message).facts

    assert decoded.rejected == expected.rejected
    assert decoded.rows == expected.rows
    assert decoded.attributes == expected.attributes


@pytest.mark.parametrize(
    "message",
    [
        ExportTraceServiceRequest(),
        ExportTraceServiceRequest(resource_spans=[ResourceSpans(), ResourceSpans()]),
        ExportTraceServiceRequest(resource_spans=[ResourceSpans(scope_spans=[ScopeSpans(), ScopeSpans()])]),
        request(span(trace_id=b"")),
    ],
    ids=["no resource", "no scope", "no span", "no valid span"],
)
def test_a_request_without_a_valid_span_is_a_batch_without_rows(message: ExportTraceServiceRequest) -> None:
    batch = decode(message).batch

    assert len(batch) == 0
    assert len(batch.attributes) == 0
    assert {field.name: field.type for field in batch.columns.schema} == SCHEMA


def test_the_columns_are_those_documented_with_their_types() -> None:
    batch = decode(request(span(events=[event()], links=[link()]))).batch

    assert {field.name: field.type for field in batch.columns.schema} == SCHEMA


def test_the_columns_of_spans_without_events_have_the_same_types() -> None:
    assert {field.name: field.type for field in decode(request(span())).batch.columns.schema} == SCHEMA


def test_spans_keep_their_order_and_the_resource_and_scope_they_came_under() -> None:
    message = ExportTraceServiceRequest(
        resource_spans=[
            resource_spans(span(name="1"), span(name="2"), resource={"service.name": "a"}, scope="s"),
            resource_spans(resource={"service.name": "nothing sent"}, scope="none"),
            resource_spans(span(name="3"), resource={"service.name": "b"}, scope="t"),
            resource_spans(span(name="4"), resource={"service.name": "a"}, scope="u"),
        ]
    )

    decoded = rows(decode(message).batch)

    names = [(row["name"], row["service_name"], row["scope_name"]) for row in decoded]
    assert names == [("1", "a", "s"), ("2", "a", "s"), ("3", "b", "t"), ("4", "a", "u")]


def test_a_rejected_span_takes_nothing_of_its_neighbours_with_it() -> None:
    bad = span(name="bad", span_id=b"1", attributes={"k": "bad"}, events=[event("bad")], links=[link()])
    message = ExportTraceServiceRequest(
        resource_spans=[
            resource_spans(bad, span(name="1", attributes={"k": 1}, events=[event("e1")]), resource={"r": 1}),
            resource_spans(span(name="2", attributes={"k": 2}, events=[event("e2")]), bad, resource={"r": 2}),
        ]
    )

    decoded = facts(decode(message))

    assert [(row["name"], row["resource"], row["events"][0]["name"]) for row in decoded.rows] == [
        ("1", "{'r': 1}", "e1"),
        ("2", "{'r': 2}", "e2"),
    ]
    assert decoded.attributes == [(0, "k", "integer", "1"), (1, "k", "integer", "2")]


def test_an_end_that_was_not_sent_is_null_and_one_beyond_int64_is_the_latest_there_is() -> None:
    batch = decode(request(span(end=0), span(end=2**64 - 1), span(end=NOW))).batch

    assert batch.column("end_time").cast(pa.int64()).to_pylist() == [None, 2**63 - 1, NOW]


def test_a_service_name_that_is_no_string_stays_in_the_resource_only() -> None:
    row = rows(decode(request(span(), resource={"service.name": 7})).batch)[0]

    assert row["service_name"] == ""
    assert row["resource"] == "{'service.name': 7}"


def test_of_a_resource_sent_in_two_pieces_the_last_is_kept() -> None:
    """Protobuf would merge them. No encoder writes a resource in pieces: here it is a closed field, and the last wins."""
    first, second = request(resource={"a": 1}), request(resource={"b": 2})
    pieces = [message.resource_spans[0].resource.SerializeToString() for message in (first, second)]
    scope_spans = field(2, field(2, span().SerializeToString()))

    row = rows(decode(field(1, field(1, pieces[0]) + field(1, pieces[1]) + scope_spans)).batch)[0]

    assert row["resource"] == "{'b': 2}"


def test_a_status_sent_in_two_pieces_is_merged() -> None:
    closed = span().SerializeToString() + field(15, field(2, b"why")) + field(15, field(3, 2))
    message = request(Span.FromString(closed))

    row = rows(decode(message).batch)[0]

    assert (row["status_code"], row["status_message"]) == ("ERROR", "why")


def test_unknown_fields_are_passed_over() -> None:
    closed = span(name="known").SerializeToString() + field(99, b"?") + field(98, 7) + field(5000, field(1, b"?"))
    in_scope = field(2, closed) + field(77, b"?")
    payload = field(1, field(2, in_scope) + field(1000, b"?")) + field(8, 1)

    assert [row["name"] for row in rows(decode(payload).batch)] == ["known"]
