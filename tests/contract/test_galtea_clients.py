"""The published packages of Galtea, 5.12 and 4.41, as they are, against a running collector."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import TraceServiceStub

from tests.support.clients import client_python, readme_example
from tests.support.collector_process import CollectorProcess
from tests.support.spans import SECOND, chat, request, span

VERSIONS = ("5.12.0", "4.41.0")
HERE = Path(__file__).parent

Answers = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CollectorProcess]:
    """A collector with the spans of the README's program, and for each version a trace that it may delete."""
    with CollectorProcess(tmp_path_factory.mktemp("galtea")) as running:
        environment = {**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{running.grpc_address}"}
        program = readme_example("collector/query/galtea/README.md")
        subprocess.run([sys.executable, "-c", program], env=environment, timeout=60, check=True)
        now = time.time_ns()
        deleted = [
            part
            for number, _ in enumerate(VERSIONS, 1)
            for part in (
                span(10 * number, trace=number, start=now, name="to be deleted"),
                chat(10 * number + 1, trace=number, parent=10 * number, start=now + SECOND // 10),
            )
        ]
        with grpc.insecure_channel(running.grpc_address) as channel:
            TraceServiceStub(channel).Export(ExportTraceServiceRequest.FromString(request(deleted)))
        eventually(lambda: len(listed(running)) == 2 + 2 * len(VERSIONS))
        yield running
        assert running.terminate() == 0


def eventually(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.05)


def listed(collector: CollectorProcess) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(collector.get("/galtea/traces"))
    return found


@pytest.fixture(scope="module", params=VERSIONS)
def answers(request: pytest.FixtureRequest, collector: CollectorProcess) -> Answers:
    """What the package of one version returned or raised, by call."""
    version = str(request.param)
    number = VERSIONS.index(version) + 1
    tool = next(each for each in listed(collector) if each["name"] == "fetch_user_data")
    ids = {
        "tool": tool["id"],
        "trace": tool["metadata"]["spanledger"]["trace_id"],
        "inference_result": "ir_123",
        "session": "session_7",
        "deleted": f"trace_{10 * number:016x}",
        "deleted_step": f"trace_{10 * number + 1:016x}",
    }
    python = client_python(f"galtea=={version}", HERE / "galtea_requirements.txt")
    command = [str(python), str(HERE / "galtea_client.py"), json.dumps(ids)]
    environment = {**os.environ, "GALTEA_API_URL": f"{collector.url}/galtea", "NO_PROXY": "127.0.0.1", "NO_COLOR": "1"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"call"')]
    assert lines[0] == {"call": "version", "returns": [version]}
    return {line["call"]: line for line in lines}


def names(answers: Answers, call: str) -> list[str]:
    return [each["name"] for each in answers[call]["returns"]]


def test_a_span_is_got_with_what_its_attributes_say(answers: Answers) -> None:
    (span,) = answers["get"]["returns"]
    assert span["inferenceResultId"] == "ir_123"
    assert (span["name"], span["type"]) == ("fetch_user_data", "TOOL")
    assert span["description"] == "Fetches user data from the database by ID"
    assert span["inputData"] == {"user_id": "123"}
    assert span["outputData"] == {"name": "John Doe", "email": "john@example.com"}
    assert span["metadata"]["session.id"] == "session_7"
    assert span["latencyMs"] >= 0
    (parent,) = [each for each in answers["list by session"]["returns"] if each["name"] == "answer"]
    assert (span["parentTraceId"], parent["type"]) == (parent["id"], "AGENT")


def test_what_is_not_there_is_an_entity_that_is_not_found(answers: Answers) -> None:
    missing = answers["get missing"]
    assert missing["status"] == 404
    assert "HTTPError" in missing["raises"]
    if "list by id" in answers:  # 5.x has an exception of its own, with the message of the body as its text
        assert "EntityNotFoundException" in missing["raises"]
        assert missing["text"] == "Trace trace_ffffffffffffffff not found"


def test_lists_are_filtered_sorted_and_paged(answers: Answers) -> None:
    assert names(answers, "list by inference result") == ["answer", "fetch_user_data"]
    assert names(answers, "list by trace id") == ["answer", "fetch_user_data"]
    assert names(answers, "list by session") == ["answer", "fetch_user_data"]
    assert names(answers, "list by another session") == []
    assert names(answers, "list by everything") == ["fetch_user_data"]
    assert names(answers, "list the second") == ["fetch_user_data"]
    assert answers["list too much"]["status"] == 422


def test_a_list_by_ids_needs_all_of_them(answers: Answers) -> None:
    if "list by id" in answers:
        assert names(answers, "list by id") == ["fetch_user_data"]
        assert answers["list by missing id"]["status"] == 404


def test_a_trace_is_deleted_by_its_first_span_and_by_no_other(answers: Answers) -> None:
    assert answers["delete a step"]["status"] == 409
    assert "raises" not in answers["delete"]
    for call in ("get deleted", "get deleted step", "delete missing"):
        assert answers[call]["status"] == 404, call
