"""The demo: what the instrumented program exports over OTLP/gRPC, and what a person sees of it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent import futures
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import grpc
import pytest
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as otlp
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc as otlp_grpc
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from tests.demo import program, run
from tests.demo.model_server import ANSWER, ModelServer

CHAT = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.response.model": "gpt-4o-2024-08-06",
    "gen_ai.usage.input_tokens": 100,
    "gen_ai.usage.cache_read.input_tokens": 60,
    "gen_ai.usage.output_tokens": 20,
    "gen_ai.usage.reasoning.output_tokens": 5,
}


class Recorder(otlp_grpc.TraceServiceServicer):
    """A collector that keeps every request, or refuses all of them."""

    def __init__(self, refusal: grpc.StatusCode | None) -> None:
        self.requests: list[otlp.ExportTraceServiceRequest] = []
        self._refusal = refusal

    def Export(  # noqa: N802 - the name that the service has in OTLP
        self, request: otlp.ExportTraceServiceRequest, context: grpc.ServicerContext
    ) -> otlp.ExportTraceServiceResponse:
        if self._refusal is not None:
            context.abort(self._refusal, "refused by the test")
        self.requests.append(request)
        return otlp.ExportTraceServiceResponse()

    def spans(self) -> list[tuple[str, Span]]:
        """Return every recorded span with the name of its scope, by start time."""
        found = [
            (scope_spans.scope.name, span)
            for request in self.requests
            for resource_spans in request.resource_spans
            for scope_spans in resource_spans.scope_spans
            for span in scope_spans.spans
        ]
        return sorted(found, key=lambda item: item[1].start_time_unix_nano)


@contextmanager
def recording(refusal: grpc.StatusCode | None = None) -> Iterator[tuple[str, Recorder]]:
    recorder = Recorder(refusal)
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=2))
    otlp_grpc.add_TraceServiceServicer_to_server(recorder, server)  # type: ignore[no-untyped-call]
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"http://127.0.0.1:{port}", recorder
    finally:
        server.stop(grace=0).wait()


@pytest.fixture(autouse=True)
def _environment_is_restored(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "")


@pytest.fixture(scope="module")
def exported() -> Iterator[tuple[str, Recorder]]:
    with ModelServer() as model_server, recording() as (endpoint, recorder):
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "")
            trace_id = program.run(endpoint, model_server.openai_url)
        yield trace_id, recorder


def attributes_of(span: Span) -> dict[str, Any]:
    return {item.key: getattr(item.value, item.value.WhichOneof("value") or "") for item in span.attributes}


def test_one_run_is_one_trace_under_the_agent_span(exported: tuple[str, Recorder]) -> None:
    trace_id, recorder = exported
    spans = [span for _, span in recorder.spans()]
    assert {span.trace_id.hex() for span in spans} == {trace_id}
    assert [span.name for span in spans] == [
        "invoke_agent shop-assistant",
        "embeddings text-embedding-3-small",
        "chat gpt-4o",
        "execute_tool look_up_order",
        "chat gpt-4o",
        "chat gpt-4o",
        "chat gpt-4o-broken",
    ]
    assert len(spans) == program.SPAN_COUNT
    assert [span.parent_span_id for span in spans] == [b""] + [spans[0].span_id] * 6


def test_the_model_calls_come_from_the_published_instrumentation(exported: tuple[str, Recorder]) -> None:
    scopes = [scope for scope, _ in exported[1].spans()]
    published = "opentelemetry.instrumentation.genai.openai"
    own = "shop_assistant"
    assert scopes == [own, published, published, own, published, published, published]


def test_the_resource_names_the_service_and_its_environment(exported: tuple[str, Recorder]) -> None:
    resource = exported[1].requests[0].resource_spans[0].resource
    found = {item.key: item.value.string_value for item in resource.attributes}
    assert (found["service.name"], found["deployment.environment.name"]) == ("shop-assistant", "demo")


def test_the_chats_carry_models_tokens_and_messages(exported: tuple[str, Recorder]) -> None:
    spans = [span for _, span in exported[1].spans()]
    chats = [attributes_of(spans[index]) for index in (2, 4, 5)]
    assert [{key: chat[key] for key in CHAT} for chat in chats] == [CHAT] * 3
    outputs = [json.loads(chat["gen_ai.output.messages"])[0]["parts"][0] for chat in chats]
    assert outputs[0]["type"] == "tool_call"
    assert [output["content"] for output in outputs[1:]] == [ANSWER, ANSWER]
    last_input = json.loads(chats[1]["gen_ai.input.messages"])[-1]
    assert last_input["role"] == "tool"
    assert last_input["parts"][0]["id"] == outputs[0]["id"]


def test_only_the_streaming_chat_has_a_time_to_its_first_chunk(exported: tuple[str, Recorder]) -> None:
    key = "gen_ai.response.time_to_first_chunk"
    spans = [span for _, span in exported[1].spans()]
    assert [key in attributes_of(span) for span in spans] == [False] * 5 + [True, False]


def test_the_embedding_the_tool_and_the_agent_say_what_they_are(exported: tuple[str, Recorder]) -> None:
    spans = [attributes_of(span) for _, span in exported[1].spans()]
    assert spans[1]["gen_ai.operation.name"] == "embeddings"
    assert spans[1]["gen_ai.usage.input_tokens"] == 8
    assert spans[3]["gen_ai.operation.name"] == "execute_tool"
    assert json.loads(spans[3]["gen_ai.tool.call.arguments"]) == {"order_id": "A-1001"}
    assert json.loads(spans[3]["gen_ai.tool.call.result"]) == program.ORDERS["A-1001"]
    assert spans[0]["gen_ai.operation.name"] == "invoke_agent"
    assert (spans[0]["gen_ai.conversation.id"], spans[0]["user.id"]) == ("conversation-42", "user-7")
    assert json.loads(spans[0]["gen_ai.output.messages"])[0]["parts"][0]["content"] == ANSWER


def test_only_the_failing_call_is_an_error(exported: tuple[str, Recorder]) -> None:
    spans = [span for _, span in exported[1].spans()]
    assert [span.status.code == Status.STATUS_CODE_ERROR for span in spans] == [False] * 6 + [True]
    assert attributes_of(spans[6])["error.type"] == "openai.InternalServerError"


def test_spans_that_the_collector_refuses_are_a_failure_and_not_a_trace_id() -> None:
    with (
        ModelServer(first_chunk_delay=0) as model_server,
        recording(grpc.StatusCode.PERMISSION_DENIED) as (endpoint, _),
        pytest.raises(program.ExportError, match="acknowledged 0 of 7 spans"),
    ):
        program.run(endpoint, model_server.openai_url)


def api_span(span: Span) -> dict[str, Any]:
    """Return the span as the read API would show it, with a cost that only 12 decimals can hold."""
    attributes = attributes_of(span)
    tokens = attributes.get("gen_ai.usage.input_tokens")
    first_chunk = attributes.get("gen_ai.response.time_to_first_chunk")
    return {
        "span_id": span.span_id.hex(),
        "parent_span_id": span.parent_span_id.hex() or None,
        "name": span.name,
        "kind": "LLM",
        "model": attributes.get("gen_ai.response.model"),
        "token_usage": tokens
        and {"prompt_tokens": tokens, "completion_tokens": attributes.get("gen_ai.usage.output_tokens")},
        "cost": tokens and {"total": 0.000000000001 * tokens},
        "error": span.status.message or None,
        "latency_ms": 1.5,
        "time_to_first_token_ms": first_chunk and 12.5,
    }


class ReadAPI(BaseHTTPRequestHandler):
    """A stub of the read API that shows what the recorder holds. It says RUNNING once, as a collector may."""

    recorder: Recorder
    answers: int

    def do_GET(self) -> None:
        body: dict[str, Any] = {}
        if self.path.startswith("/traces/"):
            type(self).answers += 1
            spans = [span for _, span in self.recorder.spans()]
            assert self.path == f"/traces/{spans[0].trace_id.hex()}"
            status = "COMPLETED" if self.answers > 1 else "RUNNING"
            body = {"trace_id": spans[0].trace_id.hex(), "name": spans[0].name, "status": status}
            body["spans"] = [api_span(span) for span in spans]
        payload = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def log_message(self, format: str, *args: Any) -> None:
        """Print nothing."""


@contextmanager
def read_api(recorder: Recorder) -> Iterator[str]:
    handler = type("RecordedReadAPI", (ReadAPI,), {"recorder": recorder, "answers": 0})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_the_demo_shows_the_tree_the_json_the_exact_total_and_where_to_look(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    with recording() as (endpoint, recorder), read_api(recorder) as url:
        assert run.main(otlp_endpoint=endpoint, read_api=url) == 0
    out = capsys.readouterr().out
    trace_url = f"{url}/traces/{recorder.spans()[0][1].trace_id.hex()}"
    tree, _, rest = out.partition(f"GET {trace_url}\n")
    assert tree.count("LLM ") == program.SPAN_COUNT
    assert "chat gpt-4o-broken  1.5 ms  Error code: 500" in tree
    assert "gpt-4o-2024-08-06  100 in / 20 out tokens  $0.0000000001  1.5 ms\n" in tree
    assert "text-embedding-3-small  8 in tokens  $0.000000000008  1.5 ms\n" in tree
    assert tree.count("1.5 ms  first token after 12.5 ms\n") == 1
    document, _, end = rest.partition("\n\nTotal cost: ")
    assert len(json.loads(document)["spans"]) == program.SPAN_COUNT
    assert end.startswith("$0.000000000308 (USD)\n")
    assert f"Next: {trace_url}\n" in end


def test_a_trace_that_never_completes_is_one_sentence_and_exit_code_1(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "READ_SECONDS", 0.0)
    with recording() as (endpoint, recorder), read_api(recorder) as url:
        assert run.main(otlp_endpoint=endpoint, read_api=url) == 1
    error = capsys.readouterr().err
    assert error.startswith("demo: the trace was not complete after 0 s: ")
    assert error.endswith("gave status RUNNING and 7 of 7 spans.\n")


def unused_url() -> str:
    """Return a URL on the loopback interface where nothing listens any more."""
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        return f"http://127.0.0.1:{server.server_port}"


def install_collector(root: Path, source: str) -> None:
    """Put a program of this source in the place of the collector's command line."""
    (root / "collector").mkdir()
    (root / "collector" / "__init__.py").touch()
    (root / "collector" / "cli.py").write_text(source)


def test_a_collector_that_dies_at_start_is_reported_with_its_last_words(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(run, "ROOT", tmp_path)
    install_collector(tmp_path, 'raise SystemExit("spanledger: the journal is in use")')
    assert run.main(otlp_endpoint="http://127.0.0.1:1", read_api=unused_url()) == 1
    assert "it said:\nspanledger: the journal is in use\n" in capsys.readouterr().err


STAND_IN = """
import http.server, pathlib, signal, sys

class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()

def end(*_):
    pathlib.Path("stopped").write_text("by SIGTERM")
    sys.exit(0)

signal.signal(signal.SIGTERM, end)
pathlib.Path("arguments").write_text("\\n".join(sys.argv[1:]))
http.server.HTTPServer(("127.0.0.1", PORT), Ready).serve_forever()
"""


def test_a_collector_that_the_demo_starts_is_ended_by_sigterm_and_its_data_is_removed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    url = unused_url()
    monkeypatch.setattr(run, "ROOT", tmp_path)
    install_collector(tmp_path, STAND_IN.replace("PORT", url.rpartition(":")[2]))
    with run.collector(url) as started:
        command, _, journal, _, clickhouse = (tmp_path / "arguments").read_text().split("\n")
        data = Path(journal.removeprefix("journal.directory=")).parent
        assert (started, command) == (True, "serve")
        assert clickhouse == f"clickhouse.url=chdb:{data}/clickhouse"
        assert data.is_dir()
    assert (tmp_path / "stopped").read_text() == "by SIGTERM"
    assert not data.exists()
