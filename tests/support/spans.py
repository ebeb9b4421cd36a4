"""Enriched batches from real OTLP bytes: what the exporters are tested with.

    batch(span(1, parent=None), chat(2, parent=1, tokens=(100, 20)))

Spans are protobuf messages, so a test can change what no builder offers. They travel the way of every request: bytes,
`decode_spans`, `enrich` with the real price book.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from collector.batch import LogBatch, SpanBatch
from collector.decode import Limits, decode_logs, decode_spans
from collector.enrich import PriceBook, enrich
from collector.enrich.event_logs import enrich_logs
from tests.support.otlp import NOW, key_values
from tests.support.otlp_signals import logs

SECOND = 1_000_000_000
HOUR = 3600 * SECOND
DAY = 24 * HOUR

NOON = 1_767_268_800 * SECOND
"""2026-01-01T12:00:00Z"""

MODEL = "gpt-4o"
"""Priced since 2024 at 2.5 and 10 USD per million tokens; the tests ask the book, and do not rely on it."""


def trace_id(number: int) -> bytes:
    """16 bytes that end in the number."""
    return number.to_bytes(16, "big")


def span_id(number: int) -> bytes:
    """8 bytes that end in the number."""
    return number.to_bytes(8, "big")


def span(
    number: int,
    *,
    parent: int | None = None,
    trace: int = 1,
    start: int = NOON,
    seconds: float | None = 1,
    error: str | None = None,
    name: str | None = None,
    values: Mapping[str, Any] | None = None,
) -> Span:
    """A span; `seconds` None leaves its end open, `error` makes it fail, `values` are its attributes."""
    status = Status(code=Status.STATUS_CODE_ERROR, message=error) if error is not None else Status()
    return Span(
        trace_id=trace_id(trace),
        span_id=span_id(number),
        parent_span_id=b"" if parent is None else span_id(parent),
        name=f"span {number}" if name is None else name,
        kind=Span.SPAN_KIND_INTERNAL,
        start_time_unix_nano=start,
        end_time_unix_nano=0 if seconds is None else start + int(seconds * SECOND),
        attributes=key_values(values or {}),
        status=status,
    )


def operation(
    kind: str, number: int, *, tokens: tuple[int, int] | None = (1000, 100), model: str = MODEL, **changes: Any
) -> Span:
    """A span of a GenAI operation ("chat", "invoke_agent"); `tokens` are input and output, None reports no usage."""
    values = {"gen_ai.operation.name": kind, "gen_ai.provider.name": "openai", "gen_ai.request.model": model}
    if tokens is not None:
        values |= {"gen_ai.usage.input_tokens": tokens[0], "gen_ai.usage.output_tokens": tokens[1]}
    return span(number, values={**values, **changes.pop("values", {})}, **changes)


def chat(number: int, **changes: Any) -> Span:
    """A model call."""
    return operation("chat", number, **changes)


def agent(number: int, **changes: Any) -> Span:
    """An agent run, which repeats the usage of the model calls below it."""
    return operation("invoke_agent", number, **changes)


def request(spans: Sequence[Span], resource: Mapping[str, Any] | None = None, scope_name: str = "tests") -> bytes:
    """The bytes that an exporter sends."""
    message = ExportTraceServiceRequest()
    part = message.resource_spans.add()
    part.resource.attributes.extend(key_values({"service.name": "shop"} if resource is None else resource))
    scope = part.scope_spans.add()
    scope.scope.name, scope.scope.version = scope_name, "1.0"
    scope.spans.extend(spans)
    return message.SerializeToString()


@cache
def prices() -> PriceBook:
    """The real price book; loading it takes a moment."""
    return PriceBook.load()


def batch(
    *spans: Span,
    project: str = "default",
    received_at: int | None = None,
    resource: Mapping[str, Any] | None = None,
    limits: Limits | None = None,
    scope_name: str = "tests",
) -> SpanBatch:
    """The spans as delivery hands them to an exporter. They arrive after the last of them began, unless told."""
    arrived = max(one.start_time_unix_nano for one in spans) + SECOND if received_at is None else received_at
    decoded = decode_spans(
        request(spans, resource, scope_name),
        project=project,
        received_at=arrived,
        limits=limits or Limits(accept_past=100 * DAY),
    )
    assert not decoded.rejections.count, decoded.rejections.message
    return enrich(decoded.batch, prices())


def log_batch(project: str, *records: LogRecord, received_at: int = NOW) -> LogBatch:
    """Log records as delivery hands them to an exporter."""
    payload = logs(*records).SerializeToString()
    limits = Limits(accept_past=10**18)
    return enrich_logs(decode_logs(payload, project=project, received_at=received_at, limits=limits).batch)
