"""Spans that real packages sent, as the scripts in `tests/capture` recorded them, and what is made of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from collector.enrich import enrich
from tests.unit.enrich.building import decoded, price_book, rows

RECORDED = Path(__file__).parents[3] / "data" / "otlp"


def captured(name: str) -> list[dict[str, Any]]:
    """Return the enriched rows of a recorded request, by start time; of two at the same time, the later sent first."""
    return received((RECORDED / f"{name}.binpb").read_bytes())


def received(payload: bytes) -> list[dict[str, Any]]:
    """Return the enriched rows of a request that comes in when its last span ends, in the same order."""
    request = ExportTraceServiceRequest.FromString(payload)
    spans = [span for resource in request.resource_spans for scope in resource.scope_spans for span in scope.spans]
    received_at = max(span.end_time_unix_nano for span in spans)
    found = rows(enrich(decoded(payload, received_at), price_book()))
    found.reverse()
    return sorted(found, key=lambda row: row["start_time"])
