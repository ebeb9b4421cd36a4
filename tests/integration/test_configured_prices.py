"""A price of one's own, from the configuration file to the cost of a span and to the table of prices."""

from __future__ import annotations

import json
import time
import urllib.error
import uuid
from pathlib import Path

import grpc
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import TraceServiceStub

from tests.support.collector_process import CollectorProcess
from tests.support.otlp import key_values
from tests.support.store import in_child

CONFIGURATION = """
enrich:
  prices:
    overrides:
      - {model: our-model, rates: {input: 2, output: 8}}
"""

STORED = """
import sys, chdb
client = chdb.connect(sys.argv[1])
versions = "SELECT source, count() FROM prices GROUP BY source, version ORDER BY source"
costs = "SELECT cost_input, cost_output, cost_total, cost_source, startsWith(price_version, 'configuration ') FROM spans FINAL"
print(client.query(versions, "CSV").data(), client.query(costs, "CSV").data(), end="")
"""


def call(trace_id: bytes) -> ExportTraceServiceRequest:
    request = ExportTraceServiceRequest()
    now = time.time_ns()
    request.resource_spans.add().scope_spans.add().spans.add(
        trace_id=trace_id,
        span_id=b"\x01" * 8,
        name="chat our-model",
        start_time_unix_nano=now,
        end_time_unix_nano=now + 1000,
        attributes=key_values({
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "our gpus",
            "gen_ai.request.model": "our-model",
            "gen_ai.usage.input_tokens": 1000,
            "gen_ai.usage.output_tokens": 100,
        }),
    )  # fmt: skip
    return request


def total_cost(collector: CollectorProcess, trace_id: str) -> float:
    until = time.monotonic() + 20
    while True:
        try:
            return float(json.loads(collector.get(f"/traces/{trace_id}"))["spans"][0]["cost"]["total"])
        except urllib.error.HTTPError:
            if time.monotonic() > until:
                raise
            time.sleep(0.02)


def test_a_configured_price_bills_a_span_and_is_kept_as_data_over_restarts(tmp_path: Path) -> None:
    config = tmp_path / "spanledger.yaml"
    config.write_text(CONFIGURATION)
    trace_id = uuid.uuid4()
    request = call(trace_id.bytes)
    for _ in range(2):
        with CollectorProcess(tmp_path, config=config) as collector:
            with grpc.insecure_channel(collector.grpc_address) as channel:
                TraceServiceStub(channel).Export(request)
            assert total_cost(collector, str(trace_id)) == pytest.approx(0.0028)
            assert collector.terminate() == 0
    stored = in_child(STORED, tmp_path / "clickhouse")
    assert stored.returncode == 0, stored.stderr
    configured, package, cost = (line.strip().replace('"', "").split(",") for line in stored.stdout.split("\n")[:3])
    assert configured == ["configuration", "2"]
    assert (package[0], int(package[1]) > 5000) == ("genai-prices", True)
    assert cost == ["0.002", "0.0008", "0.0028", "computed", "1"]
