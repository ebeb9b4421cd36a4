"""Logs and metrics from outside: the gRPC services, the published SDK with all three signals, and real GenAI events."""

from __future__ import annotations

import json
import logging
import time
import urllib.error
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import grpc
import openai
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.genai.openai import OpenAIInstrumentor
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import set_span_in_context

from tests.demo.model_server import ANSWER, ModelServer
from tests.support.collector_process import CollectorProcess
from tests.support.otlp import request, span
from tests.support.otlp_signals import DETAILS, gauge, log_record, logs, metrics, number
from tests.support.stored import stored

LOGS = "opentelemetry.proto.collector.logs.v1.LogsService"
METRICS = "opentelemetry.proto.collector.metrics.v1.MetricsService"
TRACES = "opentelemetry.proto.collector.trace.v1.TraceService"


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


def export(channel: grpc.Channel, service: str, payload: bytes) -> bytes:
    answer: bytes = channel.unary_unary(f"/{service}/Export")(payload, timeout=20)
    return answer


def trace_when(collector: CollectorProcess, trace_id: str, enough: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The trace as the read API shows it, once it is complete; or what is there of it after a while."""
    until = time.monotonic() + 20
    while True:
        try:
            found: dict[str, Any] = json.loads(collector.get(f"/traces/{trace_id}"))
        except urllib.error.HTTPError:  # not there yet
            found = {}
        if (found and enough(found)) or time.monotonic() > until:
            return found
        time.sleep(0.05)


def message_texts(content: Any) -> list[tuple[str, str]]:
    return [(message["role"], message["content"]) for message in (content or {}).get("messages", [])]


# --- the services -----------------------------------------------------------------------------------------------------


def test_the_services_of_all_signals_are_healthy_and_described(channel: grpc.Channel) -> None:
    stub = health_pb2_grpc.HealthStub(channel)
    described = ProtoReflectionDescriptorDatabase(channel).get_services()
    for service in (TRACES, LOGS, METRICS):
        answer = stub.Check(health_pb2.HealthCheckRequest(service=service))
        assert answer.status == health_pb2.HealthCheckResponse.SERVING
        assert service in described


@pytest.mark.parametrize("service", [LOGS, METRICS])
def test_an_empty_request_succeeds_without_partial_success(channel: grpc.Channel, service: str) -> None:
    assert export(channel, service, b"") == b""


@pytest.mark.parametrize(
    ("service", "name"), [(LOGS, "ExportLogsServiceRequest"), (METRICS, "ExportMetricsServiceRequest")]
)
def test_malformed_bytes_are_an_invalid_argument(channel: grpc.Channel, service: str, name: str) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        export(channel, service, b"\x0a\xff\xff\xff\xff\x0f")
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert name in refused.value.details()


@pytest.mark.parametrize("service", [LOGS, METRICS])
def test_a_request_over_the_limit_is_refused_without_retry_info(channel: grpc.Channel, service: str) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        export(channel, service, bytes(2 << 20))
    assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "grpc-status-details-bin" not in dict(refused.value.trailing_metadata() or ())


def test_records_outside_the_accepted_range_are_rejected_one_by_one(channel: grpc.Channel) -> None:
    sent = logs(log_record(at=1), log_record(at=time.time_ns()), log_record(at=2))
    answer = ExportLogsServiceResponse.FromString(export(channel, LOGS, sent.SerializeToString()))
    assert answer.partial_success.rejected_log_records == 2
    assert "time is outside the accepted range" in answer.partial_success.error_message

    points = metrics(gauge("gen_ai.x", number(1, at=1), number(1, at=time.time_ns())))
    told = ExportMetricsServiceResponse.FromString(export(channel, METRICS, points.SerializeToString()))
    assert told.partial_success.rejected_data_points == 1


def test_requests_are_counted_by_signal(collector: CollectorProcess, channel: grpc.Channel) -> None:
    def counted(signal: str) -> float:
        lines = collector.get("/metrics").splitlines()
        (line,) = [
            each for each in lines if each.startswith(f'spanledger_requests_total{{code="OK",signal="{signal}"}}')
        ]
        return float(line.rsplit(" ", 1)[1])

    export(channel, TRACES, b"")
    before = {signal: counted(signal) for signal in ("traces", "logs", "metrics")}
    export(channel, LOGS, logs(log_record()).SerializeToString())
    export(channel, METRICS, b"")
    export(channel, TRACES, request(span()).SerializeToString())
    assert {signal: counted(signal) - before[signal] for signal in before} == {"traces": 1, "logs": 1, "metrics": 1}


# --- the published SDK ------------------------------------------------------------------------------------------------


class App:
    """An application whose SDK sends all three signals to one endpoint."""

    def __init__(self, address: str) -> None:
        resource = Resource({"service.name": "shop"})
        target: dict[str, Any] = {"endpoint": f"http://{address}", "insecure": True}
        self.traces = TracerProvider(resource=resource)
        self.traces.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(**target)))
        self.logs = LoggerProvider(resource=resource)
        self.logs.add_log_record_processor(SimpleLogRecordProcessor(OTLPLogExporter(**target)))
        reader = PeriodicExportingMetricReader(OTLPMetricExporter(**target), export_interval_millis=3_600_000)
        self.metrics = MeterProvider(resource=resource, metric_readers=[reader])
        self.tracer = self.traces.get_tracer("app")
        self.logger = self.logs.get_logger("app")
        self.meter = self.metrics.get_meter("app")

    def shutdown(self) -> None:
        for provider in (self.traces, self.logs, self.metrics):
            provider.shutdown()


@pytest.fixture
def app(collector: CollectorProcess) -> Iterator[App]:
    running = App(collector.grpc_address)
    yield running
    running.shutdown()


def test_an_sdk_that_sends_all_three_signals_to_one_endpoint_sees_no_error(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with CollectorProcess(tmp_path) as collector:
        app = App(collector.grpc_address)
        with caplog.at_level(logging.WARNING, logger="opentelemetry"), app.tracer.start_as_current_span("work") as work:
            record = LogRecord(body="paid", severity_number=SeverityNumber.INFO, attributes={"order": 7})
            app.logger.emit(record)
            app.meter.create_counter("http.requests").add(3, {"route": "/"})
            app.meter.create_histogram("gen_ai.client.token.usage", unit="{token}").record(
                120, {"gen_ai.token.type": "input"}
            )
            app.meter.create_counter("operation.cost").add(0.25)
        app.shutdown()
        assert [each.getMessage() for each in caplog.records] == []
        assert collector.metric("spanledger_dropped_data_points_total") == 1
        assert collector.metric("spanledger_acknowledged_data_points_total") == 2
        assert collector.metric("spanledger_acknowledged_log_records_total") == 1
        context = work.get_span_context()
        assert collector.terminate() == 0
    log = "SELECT body, severity_number, service_name, scope_name, trace_id, span_id, attributes_int['order'] FROM logs FINAL"
    ids = [f"{context.trace_id:032x}", f"{context.span_id:016x}"]
    assert stored(tmp_path, log) == [["paid", 9, "shop", "app", *ids, 7]]
    usage = "SELECT metric, type, unit, count, sum, value, attributes_string FROM metrics FINAL ORDER BY metric"
    assert stored(tmp_path, usage) == [
        ["gen_ai.client.token.usage", "histogram", "{token}", 1, 120.0, None, {"gen_ai.token.type": "input"}],
        ["operation.cost", "sum", "", None, None, 0.25, {}],
    ]


EVENTS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("gen_ai.system.message", {"content": "Be brief"}),
    ("gen_ai.user.message", {"content": "Where is my order?"}),
    ("gen_ai.choice", {"index": 0, "finish_reason": "stop", "message": {"content": "There"}}),
)


@pytest.mark.parametrize("before", [2, 0, 3])
def test_message_events_of_the_sdk_join_their_span_whichever_comes_first(
    collector: CollectorProcess, app: App, before: int
) -> None:
    """As the instrumentations up to version 1.36 of the conventions send them: each record is a request of its own."""
    with app.tracer.start_as_current_span("chat gpt-4o") as call:
        call.set_attributes({"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o"})
        records = [LogRecord(event_name=name, body=body, timestamp=time.time_ns()) for name, body in EVENTS]
        for record in records[:before]:
            app.logger.emit(record)
    for record in reversed(records[before:]):
        app.logger.emit(record)

    trace_id = f"{call.get_span_context().trace_id:032x}"
    trace = trace_when(
        collector, trace_id, lambda found: bool(found["spans"][0]["input"] and found["spans"][0]["output"])
    )
    (shown,) = trace["spans"]
    assert message_texts(shown["input"]) == [("system", "Be brief"), ("user", "Where is my order?")]
    assert message_texts(shown["output"]) == [("assistant", "There")]
    assert message_texts(trace["input"]) == [("user", "Where is my order?")]


def test_an_event_without_ids_joins_by_the_id_of_the_response(collector: CollectorProcess, app: App) -> None:
    """As OpenLIT sends it after a streamed call: outside of every span."""
    response_id = f"chatcmpl-{uuid.uuid4().hex}"
    messages = [{"role": "assistant", "parts": [{"type": "text", "content": "streamed"}]}]
    attributes = {"gen_ai.response.id": response_id, "gen_ai.output.messages": messages}
    app.logger.emit(LogRecord(event_name=DETAILS, attributes=attributes, body=""))
    with app.tracer.start_as_current_span("chat gpt-4o") as call:
        call.set_attributes({"gen_ai.operation.name": "chat", "gen_ai.response.id": response_id})
    trace_id = f"{call.get_span_context().trace_id:032x}"
    trace = trace_when(collector, trace_id, lambda found: bool(found["spans"][0]["output"]))
    assert message_texts(trace["spans"][0]["output"]) == [("assistant", "streamed")]


def test_an_evaluation_result_is_shown_with_its_span(collector: CollectorProcess, app: App) -> None:
    with app.tracer.start_as_current_span("chat gpt-4o") as call:
        call.set_attributes({"gen_ai.operation.name": "chat"})
    attributes = {"gen_ai.evaluation.name": "relevance", "gen_ai.evaluation.score.value": 0.9}
    app.logger.emit(
        LogRecord(event_name="gen_ai.evaluation.result", attributes=attributes, context=set_span_in_context(call))
    )
    trace_id = f"{call.get_span_context().trace_id:032x}"

    def evaluated(found: dict[str, Any]) -> bool:
        return "evaluations" in found["spans"][0]["metadata"]["spanledger"]

    (shown,) = trace_when(collector, trace_id, evaluated)["spans"]
    (found,) = shown["metadata"]["spanledger"]["evaluations"]
    assert datetime.fromisoformat(found.pop("time")) <= datetime.now(UTC)
    assert found == {"name": "relevance", "score": 0.9, "label": "", "explanation": ""}


def test_the_published_instrumentation_with_content_in_events_only_shows_its_messages(
    collector: CollectorProcess, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "EVENT_ONLY")
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_EMIT_EVENT", "true")
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    instrumentor = OpenAIInstrumentor()
    providers = {"tracer_provider": app.traces, "logger_provider": app.logs, "meter_provider": app.metrics}
    instrumentor.instrument(**providers)
    try:
        with ModelServer(0.0) as server, app.tracer.start_as_current_span("outer") as outer:
            client = openai.OpenAI(base_url=server.openai_url, api_key="none")
            client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "Where is my order?"}])
    finally:
        instrumentor.uninstrument()
    app.metrics.force_flush()

    trace_id = f"{outer.get_span_context().trace_id:032x}"

    def said(found: dict[str, Any]) -> bool:
        return any(shown["output"] for shown in found["spans"])

    trace = trace_when(collector, trace_id, said)
    (call,) = [shown for shown in trace["spans"] if shown["kind"] == "LLM"]
    assert message_texts(call["input"]) == [("user", "Where is my order?")]
    assert message_texts(call["output"]) == [("assistant", ANSWER)]
    assert not any(key.endswith(".messages") for key in call["metadata"])
    assert collector.metric("spanledger_acknowledged_data_points_total") >= 2
