"""The PandaProbe view: a trace's row and its spans' rows to the documented JSON objects.

Pure: rows as `collector.query.reader` describes them in, dictionaries out. The README of this folder says which span
attributes fill which field. What the documented shape has no field for is shown in `metadata`: a span's attributes
under their own keys, and what the collector found out under the one key ``spanledger``, where the two cannot collide.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from collector.project import project_uuid
from collector.query.content import last_message, span_content
from collector.query.reader import Row

EVIDENCE = "spanledger"
"""The metadata key that holds what the collector knows beyond the documented fields."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SHOWN_KINDS = frozenset({"AGENT", "TOOL", "LLM", "RETRIEVER", "CHAIN", "EMBEDDING", "OTHER"})
_PARAMETER_PREFIX = "gen_ai.request."
_NO_PARAMETER = "gen_ai.request.model"

_TOKEN_USAGE = (
    ("prompt_tokens", "input_tokens"),
    ("completion_tokens", "output_tokens"),
    ("reasoning_tokens", "reasoning_tokens"),
    ("cache_read_tokens", "cache_read_tokens"),
)

# Columns shown as they are, when they say something.
_SPAN_EVIDENCE = (
    "span_id",
    "parent_span_id",
    "provider",
    "operation",
    "agent_name",
    "tool_name",
    "tool_call_id",
    "finish_reasons",
    "prompt_name",
    "prompt_version",
    "service_tier",
    "token_basis",
    "usage_problem",
    "cost_source",
    "price_provider",
    "price_model",
    "price_version",
    "price_tier",
    "unpriced_reason",
    "error_type",
    "status_message",
)
_CUTS = ("cut_attributes", "cut_values", "cut_events", "cut_links")


def trace_document(project: str, trace: Row, spans: Sequence[Row]) -> dict[str, Any]:
    """Return the TraceResponse of a trace. `spans` are ordered by start time, then span id."""
    trace_uuid = str(uuid.UUID(trace["trace_id"]))
    root = [index for index, span in enumerate(spans) if span["span_id"] == trace["root_span_id"]]
    resource = spans[(root or [0])[0]]["resource"] if spans else {}
    shown = [_span_document(trace_uuid, span, resource) for span in spans]
    shown_root = [shown[index] for index in root]
    model_calls = [document for document in shown if document["kind"] == "LLM"]
    # A call that failed, or whose instrumentation captures no messages, says nothing: the next one may.
    others = [document for document in shown if document["kind"] in ("AGENT", "CHAIN")]
    return {
        "trace_id": trace_uuid,
        "project_id": project_uuid(project),
        "name": trace["name"],
        "status": trace["status"],
        "input": _trace_content("input", "user", [*shown_root, *model_calls, *others]),
        "output": _trace_content("output", "assistant", [*shown_root, *reversed(model_calls), *others]),
        "metadata": {EVIDENCE: _trace_evidence(trace, resource)},
        "started_at": timestamp(trace["start_time"]),
        "ended_at": timestamp_or_none(trace["end_time"]),
        "session_id": trace["session_id"] or None,
        "user_id": trace["user_id"] or None,
        "tags": list(trace["tags"]),
        "environment": trace["environment"] or None,
        "release": trace["release"] or None,
        "spans": shown,
    }


def trace_list_item(trace: Row) -> dict[str, Any]:
    """Return the TraceListItem of a trace row."""
    return {
        "trace_id": str(uuid.UUID(trace["trace_id"])),
        "name": trace["name"],
        "status": trace["status"],
        "started_at": timestamp(trace["start_time"]),
        "ended_at": timestamp_or_none(trace["end_time"]),
        "session_id": trace["session_id"] or None,
        "user_id": trace["user_id"] or None,
        "tags": list(trace["tags"]),
        "environment": trace["environment"] or None,
        "release": trace["release"] or None,
        "latency_ms": milliseconds(trace["latency_ns"]),
        "span_count": trace["span_count"],
        "total_tokens": trace["input_tokens"] + trace["output_tokens"],
        "total_cost": float(trace["cost_total"] or 0),
    }


def _span_document(trace_uuid: str, span: Row, trace_resource: Row) -> dict[str, Any]:
    """Return the SpanResponse of a span row; its resource is shown only where it is not the trace's."""
    start, kind = span["start_time"], span["kind"]
    first_token = span["time_to_first_token_ns"]
    metadata = dict(span["metadata"])
    for key, value in span["attributes"].items():
        if key == _NO_PARAMETER or not key.startswith(_PARAMETER_PREFIX):  # parameters are shown as such
            metadata[key] = value
    evidence = _span_evidence(span, trace_resource)
    if EVIDENCE in metadata:
        evidence["attribute"] = metadata[EVIDENCE]
    metadata[EVIDENCE] = evidence
    return {
        "span_id": span["span_uuid"],
        "trace_id": trace_uuid,
        "parent_span_id": span["parent_span_uuid"] or None,
        "name": span["name"],
        "kind": kind if kind in _SHOWN_KINDS else "OTHER",
        "status": span["status_code"],
        "input": span_content(kind, span["input"], "user", span["system_instructions"]),
        "output": span_content(kind, span["output"], "assistant"),
        "model": span["response_model"] or span["request_model"] or None,
        "token_usage": _token_usage(span),
        "metadata": metadata,
        "started_at": timestamp(start),
        "ended_at": timestamp_or_none(span["end_time"]),
        "error": span["error"] or None,
        "completion_start_time": None if first_token is None else timestamp(start + first_token),
        "model_parameters": span["model_parameters"] or None,
        "cost": _cost(span),
        "latency_ms": milliseconds(span["latency_ns"]),
        "time_to_first_token_ms": milliseconds(first_token),
    }


def _trace_content(field: str, role: str, candidates: Sequence[dict[str, Any]]) -> Any:
    """Return the last message of this role of the first candidate that has one; None if none has."""
    for document in candidates:
        content = last_message(document[field], role)
        if content is not None:
            return content
    return None


def _token_usage(span: Row) -> dict[str, int] | None:
    """Return the reported counts, and the sum of prompt and completion; None if the span reports neither."""
    usage = {shown: span[column] for shown, column in _TOKEN_USAGE if span[column] is not None}
    reported = [usage[key] for key in ("prompt_tokens", "completion_tokens") if key in usage]
    if reported:
        usage["total_tokens"] = sum(reported)
    return usage or None


def _cost(span: Row) -> dict[str, float] | None:
    """Return the cost in USD; None if the span is not priced, which is not the same as free."""
    total: Decimal | None = span["cost_total"]
    if total is None:
        return None
    cost = {"total": float(total)}
    for key in ("input", "output"):
        if span[f"cost_{key}"] is not None:
            cost[key] = float(span[f"cost_{key}"])
    return cost


def _span_evidence(span: Row, trace_resource: Row) -> dict[str, Any]:
    """Return what is known of a span beyond the documented fields; what is empty is left out."""
    evidence = {column: span[column] for column in _SPAN_EVIDENCE if span[column]}
    if span["kind"] not in _SHOWN_KINDS:
        evidence["kind"] = span["kind"]
    if span["response_model"] and span["request_model"] not in ("", span["response_model"]):
        evidence["request_model"] = span["request_model"]
    if span["input_tokens"] is not None or span["output_tokens"] is not None:
        evidence["counts"] = span["counts"]
    if span["cost_reported"] is not None:
        evidence["cost_reported"] = float(span["cost_reported"])
    if span["cache_write_tokens"] is not None:
        evidence["cache_write_tokens"] = span["cache_write_tokens"]
    if span["price_effective_date"] is not None:
        evidence["price_effective_date"] = span["price_effective_date"].isoformat()
    if span["tool_definitions"]:
        evidence["tool_definitions"] = span_content("TOOL", span["tool_definitions"], "")
    if span["tool_calls"] and not span["output"]:
        evidence["tool_calls"] = span["tool_calls"]
    evidence.update(_evaluations(span))
    if span["scope_name"]:
        evidence["scope"] = {"name": span["scope_name"], "version": span["scope_version"]}
    if span["resource"] != trace_resource:
        evidence["resource"] = span["resource"]
    if span["events"]:
        evidence["events"] = [{**event, "time": timestamp(event["time"])} for event in span["events"]]
    if span["links"]:
        evidence["links"] = span["links"]
    evidence.update({column: span[column] for column in _CUTS if span[column]})
    return evidence


def _evaluations(span: Row) -> dict[str, Any]:
    """Return the evaluations, if there are any; one that came as an event has the time of it, and who it is by."""
    found = []
    for evaluation in span["evaluations"]:
        shown = {key: value for key, value in evaluation.items() if key not in ("time", "user_id")}
        if evaluation.get("user_id"):
            shown["user_id"] = evaluation["user_id"]
        if "time" in evaluation:
            shown["time"] = timestamp(evaluation["time"])
        found.append(shown)
    return {"evaluations": found} if found else {}


def _trace_evidence(trace: Row, resource: Row) -> dict[str, Any]:
    """Return the trace's totals and where it came from."""
    cost: Decimal | None = trace["cost_total"]
    return {
        "service_name": trace["service_name"],
        "resource": resource,
        "root_span_id": trace["root_span_id"],
        "span_count": trace["span_count"],
        "error_count": trace["error_count"],
        "latency_ms": milliseconds(trace["latency_ns"]),
        "input_tokens": trace["input_tokens"],
        "output_tokens": trace["output_tokens"],
        "cost_total": None if cost is None else float(cost),
    }


def timestamp(time_ns: int) -> str:
    """Return a time in ns since 1970 as ISO 8601 in UTC, cut to microseconds."""
    return (_EPOCH + timedelta(microseconds=time_ns // 1000)).isoformat(timespec="microseconds")


def timestamp_or_none(time_ns: int | None) -> str | None:
    """Return `timestamp`, or None of None."""
    return None if time_ns is None else timestamp(time_ns)


def milliseconds(duration_ns: float | None) -> float | None:
    """Return a duration in ns as milliseconds."""
    return None if duration_ns is None else duration_ns / 1e6
