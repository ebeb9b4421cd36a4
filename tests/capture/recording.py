"""Recording what an instrumentation sends: raw OTLP requests, the same on every machine as far as that is possible.

A capture script runs a real package against the fake model server of `tests/demo` and writes each case as one serialized
ExportTraceServiceRequest. What differs from run to run is made the same: ids come from a counter, times are moved so that
the first span of a case starts at `START`, the server's port becomes 8080, UUIDs are numbered, and the paths of the
machine that stand in stack traces are cut to the names of packages. Everything else is as the package sent it.
"""

from __future__ import annotations

import itertools
import re
import site
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from google.protobuf.message import Message
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.id_generator import IdGenerator

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

START = 1_768_478_400 * 10**9
"""2026-01-15 12:00 UTC, in ns."""
RESOURCE = Resource({"service.name": "shop-assistant", "deployment.environment.name": "test"})
LARGEST = 20 * 1024
"""Bytes that a recorded request may have."""


class CountedIds(IdGenerator):
    """Ids 1, 2, 3..."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)

    def generate_span_id(self) -> int:
        """Return the next id of a span."""
        return next(self._numbers)

    def generate_trace_id(self) -> int:
        """Return the next id of a trace."""
        return (next(self._numbers) << 64) | 0xABC


class Recorder:
    """A tracer provider, and the requests that come of it, a file for each case."""

    def __init__(self, directory: str, dialect: str, provider: TracerProvider | None = None) -> None:
        """Record with a provider of its own, or with that of an SDK that insists on making one."""
        self._directory, self._dialect = Path(directory), dialect
        self._exporter = InMemorySpanExporter()
        own = TracerProvider(resource=RESOURCE, id_generator=CountedIds(), shutdown_on_exit=False)
        self.provider = own if provider is None else provider
        self.provider.id_generator = CountedIds()
        self.provider.add_span_processor(SimpleSpanProcessor(self._exporter))

    @contextmanager
    def case(self, name: str) -> Iterator[None]:
        """Write the spans that end inside the block to ``<dialect>_<name>.binpb``."""
        self._exporter.clear()
        yield
        self.provider.force_flush()
        request = encode_spans(self._exporter.get_finished_spans())
        written = neutral(request).SerializeToString(deterministic=True)
        if not request.resource_spans or len(written) > LARGEST:
            raise SystemExit(
                f"{self._dialect}_{name}: {len(written)} bytes; expected spans, in at most {LARGEST} bytes."
            )
        (self._directory / f"{self._dialect}_{name}.binpb").write_bytes(written)
        print(f"{self._dialect}_{name}: {len(self._exporter.get_finished_spans())} spans, {len(written)} bytes")


def neutral(request: ExportTraceServiceRequest) -> ExportTraceServiceRequest:
    """Change in place what differs from run to run and from machine to machine."""
    spans = [span for resource in request.resource_spans for scope in resource.scope_spans for span in scope.spans]
    moved = START - min((span.start_time_unix_nano for span in spans), default=START)
    for span in spans:
        span.start_time_unix_nano += moved
        span.end_time_unix_nano += moved
        for event in span.events:
            event.time_unix_nano += moved
    uuids: dict[str, str] = {}
    for message in _messages(request):
        for field, value in message.ListFields():
            if field.type == field.TYPE_STRING and not field.is_repeated:
                setattr(message, field.name, _neutral_text(value, uuids))
        if getattr(message, "key", "") in ("server.port", "net.peer.port") and message.value.int_value > 8080:
            message.value.int_value = 8080
    return request


def _messages(message: Message) -> Iterable[Message]:
    yield message
    for field, value in message.ListFields():
        if field.type == field.TYPE_MESSAGE:
            for inner in value if field.is_repeated else [value]:
                yield from _messages(inner)


def _renamed(uuids: dict[str, str], match: re.Match[str]) -> str:
    return uuids.setdefault(match[0], f"00000000-0000-4000-8000-{len(uuids) + 1:012d}")


_UUID = re.compile(r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b")
_PACKAGES = "|".join(re.escape(path) for path in [*site.getsitepackages(), str(Path(re.__file__).parents[1])])


def _neutral_text(text: str, uuids: dict[str, str]) -> str:
    text = _UUID.sub(lambda match: _renamed(uuids, match), text)
    text = re.sub(r'("created(?:_at)?": ?)[\d.]+', rf"\g<1>{START // 10**9}", text)
    text = re.sub(r"(127\.0\.0\.1|localhost):\d+", r"\1:8080", text)
    text = re.sub(rf"(?:{_PACKAGES})/", "", text)
    return text.replace(f"{ROOT}/", "")


def attempt(call: Callable[[], object]) -> None:
    """Make a call that must fail."""
    try:
        call()
    except Exception as failure:
        print(f"  failed as expected: {type(failure).__name__}")
        return
    raise SystemExit("a call succeeded that must fail")
