"""A collector for capture scripts whose package brings its own exporter, or is no Python: it keeps the requests it is sent.

It answers every POST under `/v1/traces` (at any base path) as OTLP/HTTP does with protobuf, and any other call with `{}`.
"""

from __future__ import annotations

import gzip
import itertools
import json
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from recording import LARGEST, START, neutral

KEPT = (
    "service.name",
    "service.version",
    "deployment.environment.name",
    "telemetry.sdk.language",
    "telemetry.sdk.name",
)
"""Attributes of a resource that say nothing about the machine."""


class Sink:
    """The collector as a context manager: listens on 127.0.0.1, on a port that the system picks."""

    def __init__(self, directory: str) -> None:
        """Collect for files in this directory."""
        self._directory = Path(directory)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self.received: list[ExportTraceServiceRequest] = []
        self._server.sink = self  # type: ignore[attr-defined]

    @property
    def url(self) -> str:
        """The base URL of the collector."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def write(self, name: str) -> None:
        """Write all spans received since the last call as one request; ids are numbered in the order of their times."""
        path = self._directory / f"{name}.binpb"
        requests, self.received = self.received, []
        whole = ExportTraceServiceRequest()
        for request in requests:
            whole.MergeFrom(request)
        for resource_spans in whole.resource_spans:
            attributes = resource_spans.resource.attributes
            kept = [attribute for attribute in attributes if attribute.key in KEPT]
            del attributes[:]
            attributes.extend(kept)
        spans = spans_of(whole)
        _number(spans)
        _move_instants(spans)
        payload = neutral(whole).SerializeToString(deterministic=True)
        if not whole.resource_spans or len(payload) > LARGEST:
            raise SystemExit(f"{name}: {len(payload)} bytes; expected spans, in at most {LARGEST} bytes.")
        path.write_bytes(payload)
        print(f"{name}: {len(spans)} spans, {len(payload)} bytes")


def spans_of(request: ExportTraceServiceRequest) -> list[Span]:
    """Return the spans of a request, by their start."""
    spans = [span for resource in request.resource_spans for scope in resource.scope_spans for span in scope.spans]
    return sorted(spans, key=lambda span: (span.start_time_unix_nano, -span.end_time_unix_nano))


def _number(spans: list[Span]) -> None:
    numbers = itertools.count(1)
    ids: dict[bytes, bytes] = {b"": b""}
    for span in spans:
        for name, size in (("trace_id", 16), ("span_id", 8)):
            known = getattr(span, name)
            setattr(span, name, ids.setdefault(known, next(numbers).to_bytes(size, "big")))
    for span in spans:
        span.parent_span_id = ids.get(span.parent_span_id, b"")
        for link in span.links:
            link.trace_id, link.span_id = (
                ids.get(link.trace_id, bytes(15) + b"\xff"),
                ids.get(link.span_id, bytes(7) + b"\xff"),
            )


def _move_instants(spans: list[Span]) -> None:
    """Move the instants that stand in attributes as far as `neutral` moves the spans."""
    moved = timedelta(microseconds=(START - min((span.start_time_unix_nano for span in spans), default=START)) // 1000)
    for span in spans:
        for attribute in span.attributes:
            if attribute.key == "langfuse.observation.completion_start_time":
                instant = datetime.fromisoformat(json.loads(attribute.value.string_value)) + moved
                attribute.value.string_value = json.dumps(instant.isoformat().replace("+00:00", "Z"))


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = b"".join(self._body())
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        if not self.path.endswith("/v1/traces"):
            self._send(b"{}", "application/json")
            return
        sink: Any = self.server
        sink.sink.received.append(ExportTraceServiceRequest.FromString(body))
        self._send(ExportTraceServiceResponse().SerializeToString(), "application/x-protobuf")

    def _body(self) -> Iterator[bytes]:
        """Yield the body, which Node.js sends in chunks that each say how long they are."""
        if self.headers.get("Transfer-Encoding") != "chunked":
            yield self.rfile.read(int(self.headers.get("Content-Length", 0)))
            return
        while size := int(self.rfile.readline(), 16):
            yield self.rfile.read(size)
            self.rfile.readline()

    def do_GET(self) -> None:
        self._send(b"{}", "application/json")

    def log_message(self, format: str, *args: Any) -> None:
        """Print nothing."""

    def _send(self, body: bytes, content_type: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
