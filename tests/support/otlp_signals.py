"""Small builders of OTLP log and metric requests, as `tests.support.otlp` has them for traces."""

from __future__ import annotations

from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    AggregationTemporality,
    ExponentialHistogram,
    ExponentialHistogramDataPoint,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from tests.support.otlp import NOW, Pairs, any_value, key_values

TRACE_ID, SPAN_ID = b"\x11" * 16, b"\x22" * 8
DETAILS = "gen_ai.client.inference.operation.details"
EVALUATION = "gen_ai.evaluation.result"


def log_record(
    *,
    body: Any = None,
    event: str = "",
    at: int = NOW,
    observed: int = 0,
    trace_id: bytes = TRACE_ID,
    span_id: bytes = SPAN_ID,
    attributes: Pairs = (),
) -> LogRecord:
    """Return a log record of now, inside a span."""
    return LogRecord(
        time_unix_nano=at,
        observed_time_unix_nano=observed,
        trace_id=trace_id,
        span_id=span_id,
        event_name=event,
        body=None if body is None else any_value(body),
        attributes=key_values(attributes),
    )


def logs(
    *records: LogRecord, resource: Pairs = (("service.name", "a service"),), scope: str = "a scope"
) -> ExportLogsServiceRequest:
    """Return a request with these records under one resource and one scope."""
    scope_logs = ScopeLogs(scope=InstrumentationScope(name=scope), log_records=records)
    one = ResourceLogs(resource=Resource(attributes=key_values(resource)), scope_logs=[scope_logs])
    return ExportLogsServiceRequest(resource_logs=[one])


def number(value: float | None, *, at: int = NOW, attributes: Pairs = (), flags: int = 0) -> NumberDataPoint:
    """Return a data point of a sum or a gauge; a whole number is sent as one, None as no value."""
    point = NumberDataPoint(time_unix_nano=at, attributes=key_values(attributes), flags=flags)
    if isinstance(value, int):
        point.as_int = value
    elif value is not None:
        point.as_double = value
    return point


def gauge(name: str, *points: NumberDataPoint, unit: str = "") -> Metric:
    """Return a gauge."""
    return Metric(name=name, unit=unit, gauge=Gauge(data_points=points))


def counter(name: str, *points: NumberDataPoint, unit: str = "") -> Metric:
    """Return a monotonic sum that tells what came since its last point."""
    delta = AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA
    return Metric(name=name, unit=unit, sum=Sum(data_points=points, aggregation_temporality=delta, is_monotonic=True))


def histogram(name: str, *points: HistogramDataPoint, unit: str = "") -> Metric:
    """Return a histogram of all since the beginning."""
    cumulative = AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
    return Metric(name=name, unit=unit, histogram=Histogram(data_points=points, aggregation_temporality=cumulative))


def exponential_histogram(name: str, *points: ExponentialHistogramDataPoint) -> Metric:
    """Return an exponential histogram of all since the beginning."""
    cumulative = AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
    data = ExponentialHistogram(data_points=points, aggregation_temporality=cumulative)
    return Metric(name=name, exponential_histogram=data)


def metrics(*sent: Metric, resource: Pairs = (("service.name", "a service"),)) -> ExportMetricsServiceRequest:
    """Return a request with these metrics under one resource and one scope."""
    scope_metrics = ScopeMetrics(scope=InstrumentationScope(name="a scope"), metrics=sent)
    one = ResourceMetrics(resource=Resource(attributes=key_values(resource)), scope_metrics=[scope_metrics])
    return ExportMetricsServiceRequest(resource_metrics=[one])
