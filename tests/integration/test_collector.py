"""One collector process from outside: the gRPC services, partial success, freshness, the read API and its documentation."""

from __future__ import annotations

import json
import time
import urllib.error
import uuid
from collections.abc import Iterator

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from opentelemetry import trace as otel_trace
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import TraceServiceStub
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from tests.support.collector_process import CollectorProcess


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CollectorProcess]:
    directory = tmp_path_factory.mktemp("collector")
    with CollectorProcess(directory, "receive.max_request=1MiB", "journal.max_size=64MiB") as running:
        yield running
        assert running.terminate() == 0


@pytest.fixture
def channel(collector: CollectorProcess) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(collector.grpc_address) as opened:
        yield opened


def one_span(trace_id: bytes, span_id: bytes = b"\x01" * 8, name: str = "work") -> ExportTraceServiceRequest:
    request = ExportTraceServiceRequest()
    scope_spans = request.resource_spans.add().scope_spans.add()
    now = time.time_ns()
    scope_spans.spans.add(
        trace_id=trace_id, span_id=span_id, name=name, start_time_unix_nano=now, end_time_unix_nano=now + 1000
    )
    return request


def read_when_there(collector: CollectorProcess, trace_id: str) -> dict[str, object]:
    until = time.monotonic() + 20
    while True:
        try:
            found: dict[str, object] = json.loads(collector.get(f"/traces/{trace_id}"))
        except urllib.error.HTTPError as error:
            if error.code != 404 or time.monotonic() > until:
                raise
            time.sleep(0.02)
        else:
            return found


def test_the_health_service_says_serving(channel: grpc.Channel) -> None:
    stub = health_pb2_grpc.HealthStub(channel)
    for service in ("", "opentelemetry.proto.collector.trace.v1.TraceService"):
        answer = stub.Check(health_pb2.HealthCheckRequest(service=service))
        assert answer.status == health_pb2.HealthCheckResponse.SERVING


def test_reflection_describes_the_trace_service(channel: grpc.Channel) -> None:
    services = ProtoReflectionDescriptorDatabase(channel).get_services()
    assert "opentelemetry.proto.collector.trace.v1.TraceService" in services
    assert "grpc.health.v1.Health" in services


def test_an_empty_request_succeeds_without_partial_success(channel: grpc.Channel) -> None:
    answer = TraceServiceStub(channel).Export(ExportTraceServiceRequest())
    assert answer == ExportTraceServiceResponse()


def test_malformed_bytes_are_an_invalid_argument(channel: grpc.Channel) -> None:
    export = channel.unary_unary("/opentelemetry.proto.collector.trace.v1.TraceService/Export")
    with pytest.raises(grpc.RpcError) as refused:
        export(b"\x0a\xff\xff\xff\xff\x0f")
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "ExportTraceServiceRequest" in refused.value.details()


def test_a_request_over_the_limit_is_refused_without_retry_info(channel: grpc.Channel) -> None:
    request = one_span(uuid.uuid4().bytes, name="x" * (2 << 20))
    with pytest.raises(grpc.RpcError) as refused:
        TraceServiceStub(channel).Export(request)
    assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "grpc-status-details-bin" not in dict(refused.value.trailing_metadata() or ())


def test_invalid_spans_are_rejected_one_by_one_and_the_rest_is_kept(
    collector: CollectorProcess, channel: grpc.Channel
) -> None:
    trace_id = uuid.uuid4()
    request = one_span(trace_id.bytes)
    spans = request.resource_spans[0].scope_spans[0].spans
    for changes in (
        {"trace_id": b"short"},
        {"trace_id": bytes(16)},
        {"span_id": bytes(8)},
        {"start_time_unix_nano": 0},
    ):
        bad = spans.add()
        bad.CopyFrom(spans[0])
        for name, value in changes.items():
            setattr(bad, name, value)
    answer = TraceServiceStub(channel).Export(request)
    assert answer.partial_success.rejected_spans == 4
    for reason in ("trace_id", "span_id", "start time"):
        assert reason in answer.partial_success.error_message
    assert len(read_when_there(collector, str(trace_id))["spans"]) == 1  # type: ignore[arg-type]


def test_an_acknowledged_span_can_be_read_soon(collector: CollectorProcess, channel: grpc.Channel) -> None:
    trace_id = uuid.uuid4()
    TraceServiceStub(channel).Export(one_span(trace_id.bytes))
    trace = read_when_there(collector, trace_id.hex)
    assert trace["trace_id"] == str(trace_id)
    assert trace["status"] == "COMPLETED"


def test_a_trace_is_running_until_its_root_arrives(collector: CollectorProcess, channel: grpc.Channel) -> None:
    trace_id = uuid.uuid4()
    child = one_span(trace_id.bytes, span_id=b"\x02" * 8)
    child.resource_spans[0].scope_spans[0].spans[0].parent_span_id = b"\x01" * 8
    TraceServiceStub(channel).Export(child)
    running = read_when_there(collector, str(trace_id))
    assert (running["status"], running["ended_at"]) == ("RUNNING", None)

    root = one_span(trace_id.bytes, name="root")
    root.resource_spans[0].scope_spans[0].spans[0].status.code = 2
    TraceServiceStub(channel).Export(root)
    until = time.monotonic() + 20
    while (trace := read_when_there(collector, str(trace_id)))["status"] == "RUNNING" and time.monotonic() < until:
        time.sleep(0.02)
    assert (trace["status"], trace["name"]) == ("ERROR", "root")


def test_the_published_exporter_delivers_a_trace(collector: CollectorProcess) -> None:
    provider = TracerProvider(resource=Resource({"service.name": "unmodified"}))
    exporter = OTLPSpanExporter(endpoint=f"http://{collector.grpc_address}", insecure=True)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with provider.get_tracer("tests").start_as_current_span("outer"):
        context = otel_trace.get_current_span().get_span_context()
        with provider.get_tracer("tests").start_as_current_span("inner"):
            pass
    provider.shutdown()
    until = time.monotonic() + 20
    while True:
        trace = read_when_there(collector, f"{context.trace_id:032x}")
        spans = trace["spans"]
        assert isinstance(spans, list)
        if len(spans) == 2:
            break
        assert time.monotonic() < until
    outer, inner = sorted(spans, key=lambda span: span["name"], reverse=True)
    assert (outer["name"], inner["name"]) == ("outer", "inner")
    assert inner["parent_span_id"] == outer["span_id"]


def test_unknown_and_bad_trace_ids_get_the_documented_errors(collector: CollectorProcess) -> None:
    unknown = uuid.uuid4()
    with pytest.raises(urllib.error.HTTPError) as missing:
        collector.get(f"/traces/{unknown}")
    assert missing.value.code == 404
    assert json.loads(missing.value.read()) == {"detail": f"Trace {unknown} not found."}
    with pytest.raises(urllib.error.HTTPError) as bad:
        collector.get("/traces/not-a-trace")
    assert bad.value.code == 422
    assert json.loads(bad.value.read())["errors"][0]["field"] == "path -> trace_id"


def test_the_api_describes_itself_and_its_health(collector: CollectorProcess) -> None:
    paths = json.loads(collector.get("/openapi.json"))["paths"]
    assert {"/traces", "/traces/{trace_id}", "/healthz", "/readyz"} <= paths.keys()
    assert "<html" in collector.get("/docs")
    assert json.loads(collector.get("/healthz")) == {"status": "ok"}
    assert json.loads(collector.get("/readyz")) == {"status": "ready"}


def test_a_full_journal_refuses_with_unavailable_and_retry_info(tmp_path_factory: pytest.TempPathFactory) -> None:
    directory = tmp_path_factory.mktemp("full")
    # Batches are cut so late that nothing leaves the journal while this test runs.
    settings = (
        "receive.max_request=1MiB",
        "journal.max_size=4MiB",
        "deliver.batch_age=10m",
        "deliver.batch_rows=1000000",
    )
    with CollectorProcess(directory, *settings) as collector, grpc.insecure_channel(collector.grpc_address) as channel:
        stub = TraceServiceStub(channel)
        acknowledged = 0

        def fill() -> None:
            nonlocal acknowledged
            for _ in range(50):
                stub.Export(one_span(uuid.uuid4().bytes, name="x" * 500_000))
                acknowledged += 1

        with pytest.raises(grpc.RpcError) as refused:
            fill()
        assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
        assert b"RetryInfo" in dict(refused.value.trailing_metadata() or ())["grpc-status-details-bin"]
        assert acknowledged >= 2
        assert json.loads(collector.get("/healthz")) == {"status": "ok"}
        assert collector.terminate() == 0, "the stop delivers what waits"
