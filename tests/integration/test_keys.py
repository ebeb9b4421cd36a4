"""A collector with API keys, from outside: who may send, who may ask, and about which project."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import time
import urllib.error
import uuid
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from pandaprobe.api import PlatformClient
from pandaprobe.api.errors import AuthenticationError, NotFoundError
from pandaprobe.config import SdkConfig

from collector.auth import hash_of, new_key
from tests.support.collector_process import ROOT, CollectorProcess
from tests.support.otlp import request, span
from tests.support.otlp_signals import gauge, log_record, logs, metrics, number

SERVICES = {"traces": "trace.v1.TraceService", "logs": "logs.v1.LogsService", "metrics": "metrics.v1.MetricsService"}
KEYS = {name: new_key() for name in ("shop", "forum", "shop, which only reads")}

UNAUTHENTICATED, DENIED = grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED


def configuration(directory: Path) -> Path:
    entries = [
        f"{{name: '{name}', project: {name.partition(',')[0]}, hash: '{hash_of(key)}', "
        f"scopes: [{'read' if ',' in name else 'write, read'}]}}"
        for name, key in KEYS.items()
    ]
    path = directory / "spanledger.yaml"
    path.write_text("auth:\n  keys:\n" + "".join(f"    - {entry}\n" for entry in entries))
    return path


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CollectorProcess]:
    directory = tmp_path_factory.mktemp("collector")
    with CollectorProcess(directory, "receive.max_request=1MiB", config=configuration(directory)) as running:
        yield running
        assert running.terminate() == 0


@pytest.fixture
def channel(collector: CollectorProcess) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(collector.grpc_address) as opened:
        yield opened


def export(channel: grpc.Channel, payload: bytes, signal: str = "traces", **metadata: str) -> grpc.StatusCode:
    """The code of the answer."""
    sent = tuple((name.replace("_", "-"), value) for name, value in metadata.items())
    call = channel.unary_unary(f"/opentelemetry.proto.collector.{SERVICES[signal]}/Export")
    try:
        call(payload, metadata=sent, timeout=30)
    except grpc.RpcError as error:
        code: grpc.StatusCode = error.code()
        return code
    return grpc.StatusCode.OK


def trace_when_there(collector: CollectorProcess, trace_id: str, key: str) -> dict[str, object]:
    until = time.monotonic() + 20
    while True:
        try:
            found: dict[str, object] = json.loads(collector.get(f"/traces/{trace_id}", Authorization=f"Bearer {key}"))
        except urllib.error.HTTPError as error:
            if error.code != 404 or time.monotonic() > until:
                raise
            time.sleep(0.02)
        else:
            return found


def status_of(collector: CollectorProcess, path: str, **headers: str) -> int:
    try:
        collector.get(path, **headers)
    except urllib.error.HTTPError as error:
        return error.code
    return 200


PAYLOADS = {
    "traces": request(span()),
    "logs": logs(log_record(body="x")),
    "metrics": metrics(gauge("gen_ai.x", number(1))),
}


@pytest.mark.parametrize("signal", SERVICES)
def test_every_service_takes_a_key_that_may_write_and_no_other(channel: grpc.Channel, signal: str) -> None:
    payload = PAYLOADS[signal].SerializeToString()
    shop, reader = KEYS["shop"], KEYS["shop, which only reads"]
    assert export(channel, payload, signal, authorization=f"Bearer {shop}") is grpc.StatusCode.OK
    assert export(channel, payload, signal, x_api_key=shop) is grpc.StatusCode.OK
    assert export(channel, payload, signal, x_api_key=shop, x_project_name="shop") is grpc.StatusCode.OK
    assert export(channel, payload, signal) is UNAUTHENTICATED
    assert export(channel, payload, signal, x_api_key=shop[:-1]) is UNAUTHENTICATED
    assert export(channel, payload, signal, authorization=f"Basic {shop}") is UNAUTHENTICATED
    assert export(channel, payload, signal, x_api_key=reader) is DENIED
    assert export(channel, payload, signal, x_api_key=shop, x_project_name="forum") is DENIED


def test_a_refused_request_is_not_even_read_and_counted(collector: CollectorProcess, channel: grpc.Channel) -> None:
    def refused(code: grpc.StatusCode) -> float:
        return collector.metric(rf'spanledger_requests_total{{code="{code.name}",signal="traces"}}')

    before = refused(UNAUTHENTICATED)
    assert export(channel, b"\xff") is UNAUTHENTICATED
    assert export(channel, bytes(16 << 20)) is UNAUTHENTICATED, "though it is too large as well"
    assert refused(UNAUTHENTICATED) == before + 2
    assert export(channel, b"\xff", x_api_key=KEYS["shop"]) is grpc.StatusCode.INVALID_ARGUMENT


def test_health_and_reflection_need_no_key(channel: grpc.Channel) -> None:
    assert health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest()).status == 1
    assert (
        "opentelemetry.proto.collector.trace.v1.TraceService"
        in ProtoReflectionDescriptorDatabase(channel).get_services()
    )


def test_a_trace_is_there_for_the_keys_of_its_project_and_404_for_others(
    collector: CollectorProcess, channel: grpc.Channel
) -> None:
    trace_id = uuid.uuid4()
    assert export(channel, request(span(trace_id=trace_id.bytes)).SerializeToString(), x_api_key=KEYS["shop"]) is (
        grpc.StatusCode.OK
    )
    for name in ("shop", "shop, which only reads"):
        assert trace_when_there(collector, trace_id.hex, KEYS[name])["trace_id"] == str(trace_id)
    for base in ("", "/pandaprobe"):
        assert status_of(collector, f"{base}/traces/{trace_id}", X_API_Key=KEYS["shop"]) == 200
        assert status_of(collector, f"{base}/traces/{trace_id}", X_API_Key=KEYS["forum"]) == 404
        assert status_of(collector, f"{base}/traces/{trace_id}") == 401
    listed = json.loads(collector.get("/traces", X_API_Key=KEYS["forum"]))
    assert str(trace_id) not in [item["trace_id"] for item in listed["items"]]


def test_the_same_trace_id_in_two_projects_is_two_traces(collector: CollectorProcess, channel: grpc.Channel) -> None:
    trace_id = uuid.uuid4()
    for name in ("shop", "forum"):
        sent = request(span(trace_id=trace_id.bytes, name=f"of the {name}"))
        assert export(channel, sent.SerializeToString(), x_api_key=KEYS[name]) is grpc.StatusCode.OK
    for name in ("shop", "forum"):
        assert trace_when_there(collector, trace_id.hex, KEYS[name])["name"] == f"of the {name}"


@pytest.mark.parametrize("header", ["authorization=Bearer%20{}", "x-api-key={}"])
def test_the_sdk_sends_the_key_that_its_environment_names(
    collector: CollectorProcess, monkeypatch: pytest.MonkeyPatch, header: str
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://{collector.grpc_address}")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", header.format(KEYS["forum"]))
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter()))
    with provider.get_tracer("tests").start_as_current_span("from an SDK") as made:
        trace_id = f"{made.get_span_context().trace_id:032x}"
    provider.shutdown()
    assert trace_when_there(collector, trace_id, KEYS["forum"])["name"] == "from an SDK"


def test_the_client_of_pandaprobe_reads_its_project_and_is_told_when_it_names_another(
    collector: CollectorProcess, channel: grpc.Channel
) -> None:
    trace_id = uuid.uuid4()
    export(channel, request(span(trace_id=trace_id.bytes)).SerializeToString(), x_api_key=KEYS["shop"])
    trace_when_there(collector, trace_id.hex, KEYS["shop"])

    async def read(key: str, project: str) -> str:
        config = SdkConfig(api_key=key, project_name=project, endpoint=collector.url)
        async with PlatformClient(config=config) as client:
            return str((await client.traces.get(str(trace_id))).trace_id)

    assert asyncio.run(read(KEYS["shop"], "shop")) == str(trace_id)
    with pytest.raises(NotFoundError):
        asyncio.run(read(KEYS["forum"], "forum"))
    for key, project in ((KEYS["shop"], "forum"), (new_key(), "shop")):
        with pytest.raises(AuthenticationError):
            asyncio.run(read(key, project))


def serve(directory: Path, *settings: str, config: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = CollectorProcess(directory, *settings, config=config).command
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_beyond_loopback_it_starts_with_keys_and_not_without(tmp_path: Path) -> None:
    everywhere = "receive.grpc.endpoint=0.0.0.0:0"
    refused = serve(tmp_path, everywhere)
    assert refused.returncode == 2
    assert refused.stderr.startswith('spanledger: --set: receive.grpc.endpoint is "0.0.0.0:0": other machines could')
    assert "configure auth.keys" in refused.stderr
    with CollectorProcess(tmp_path, everywhere, config=configuration(tmp_path)) as collector:
        assert "with one of the API keys of the configuration: 3, of 2 projects" in "".join(collector.output)
        port = collector.grpc_address.rpartition(":")[2]
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            assert export(channel, b"") is UNAUTHENTICATED
            assert export(channel, b"", x_api_key=KEYS["shop"]) is grpc.StatusCode.OK
