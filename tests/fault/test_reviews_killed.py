"""kill -9 after a review was answered: it is there after the restart."""

from __future__ import annotations

import json
import time
import urllib.request
from pathlib import Path
from typing import Any

import grpc

from tests.support.collector_process import CollectorProcess
from tests.support.spans import SECOND, request, span, span_id, trace_id

EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
TRACE = f"/traces/{trace_id(1).hex()}"
APPROVAL = f"{TRACE}/spans/{span_id(1).hex()}/approval"


def send(collector: CollectorProcess, method: str, path: str, body: Any = None) -> Any:
    sent = None if body is None else json.dumps(body).encode()
    asked = urllib.request.Request(collector.url + path, sent, {"Content-Type": "application/json"}, method=method)
    with urllib.request.urlopen(asked, timeout=30) as response:
        return json.loads(response.read() or b"null")


def test_reviews_that_were_answered_outlive_a_kill(tmp_path: Path) -> None:
    collector = CollectorProcess(tmp_path).start()
    try:
        values = {"artanis.output": '{"category": "billing"}'}
        spans = request([span(1, start=time.time_ns() - SECOND, values=values)])
        with grpc.insecure_channel(collector.grpc_address) as channel:
            channel.unary_unary(EXPORT)(spans, timeout=20)
        until = time.monotonic() + 30
        while f'"{trace_id(1).hex()}"' not in collector.get("/traces").replace("-", "") and time.monotonic() < until:
            time.sleep(0.05)
        kept = send(collector, "POST", f"{TRACE}/feedback", {"content": "kept", "tags": ["a"]})
        removed = send(collector, "POST", f"{TRACE}/feedback", {"content": "removed"})
        approval = send(collector, "PUT", APPROVAL, {"accept": True})
        send(collector, "DELETE", f"{TRACE}/feedback/{removed['feedback_id']}")
        collector.kill()
        collector.start()
        assert send(collector, "GET", f"{TRACE}/feedback")["items"] == [kept]
        assert send(collector, "GET", APPROVAL) == approval
        shown = send(collector, "GET", f"/artanis/api{TRACE}")
        assert shown["spans"][0]["approvedOutput"] == shown["spans"][0]["output"] == {"category": "billing"}
        assert [each["content"] for each in shown["feedback"]] == ["kept"]
    finally:
        collector.kill()
