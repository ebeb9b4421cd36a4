"""Batches for tests: OTLP messages, encoded to bytes and decoded as the collector does it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status

from collector.batch import VALUE_COLUMNS, SpanBatch
from collector.decode import Limits, decode_spans
from collector.enrich import PriceBook, enrich
from tests.support.otlp import key_values

START = 1_768_478_400 * 10**9
"""2026-01-15 12:00 UTC, in ns: when a span starts unless it says otherwise."""
SECOND = 10**9


@dataclass(frozen=True)
class Sent:
    """What a sender says about one span."""

    attributes: Mapping[str, Any] | Sequence[tuple[str, Any]] = field(default_factory=dict)
    name: str = "span"
    start: int = START
    end: int = START + SECOND
    failed: bool = False
    message: str = ""
    events: Sequence[tuple[str, Mapping[str, Any]]] = ()
    event_time: int = 0
    """When all of the events happen; 1 ns after the start if it is 0."""
    scope: str = ""
    scope_version: str = ""


def message(number: int, sent: Sent) -> Span:
    status = Status(code=Status.STATUS_CODE_ERROR if sent.failed else Status.STATUS_CODE_UNSET, message=sent.message)
    return Span(
        trace_id=bytes(15) + b"\x01",
        span_id=number.to_bytes(8, "big"),
        name=sent.name,
        start_time_unix_nano=sent.start,
        end_time_unix_nano=sent.end,
        attributes=key_values(sent.attributes),
        events=[
            Span.Event(name=name, time_unix_nano=sent.event_time or sent.start + 1, attributes=key_values(attributes))
            for name, attributes in sent.events
        ],
        status=status,
    )


def batch(*spans: Sent, resource: Mapping[str, Any] | None = None) -> SpanBatch:
    """Return the spans as decode gives them; their ids are 1, 2, 3..."""
    request = ExportTraceServiceRequest(
        resource_spans=[
            ResourceSpans(
                resource=Resource(attributes=key_values(resource or {})),
                scope_spans=[
                    ScopeSpans(
                        scope=InstrumentationScope(name=sent.scope, version=sent.scope_version),
                        spans=[message(number, sent)],
                    )
                    for number, sent in enumerate(spans, start=1)
                ],
            )
        ]
    )
    return decoded(request.SerializeToString(), START)


def decoded(payload: bytes, received_at: int) -> SpanBatch:
    result = decode_spans(payload, project="default", received_at=received_at, limits=Limits())
    assert result.rejections.count == 0, result.rejections.message
    return result.batch


@cache
def price_book() -> PriceBook:
    return PriceBook.load()


def enriched(*spans: Sent, resource: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
    """Return the rows of the enriched batch."""
    return rows(enrich(batch(*spans, resource=resource), price_book()))


def rows(spans: SpanBatch) -> list[dict[str, Any]]:
    """Return the columns of every row, and its attributes as (key, type, value) under `attributes`."""
    for column in spans.columns.columns:
        column.validate(full=True)
    found = spans.columns.to_pylist()
    for row in found:
        row["attributes"] = []
    flat = spans.attributes
    for position in range(len(flat)):
        values = [(name, getattr(flat, name)[position].as_py()) for name in VALUE_COLUMNS]
        present = [(name, value) for name, value in values if value is not None]
        assert len(present) <= 1, "a value has one type"
        for name, value in present:  # none: it was moved into a content column
            found[flat.row[position]]["attributes"].append((flat.key[position].as_py(), name, value))
    return found


def only(attributes: Mapping[str, Any] | Sequence[tuple[str, Any]], **more: Any) -> dict[str, Any]:
    """Return the one row of an enriched batch of one span with these attributes."""
    (row,) = enriched(Sent(attributes, **more))
    return row
