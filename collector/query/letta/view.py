"""The Letta view: a model call's row to the documented JSON objects.

Pure: rows as `collector.query.reader` describes them in, dictionaries out, with every key that the API has. The README of
this folder says what fills which.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from collector.project import project_uuid
from collector.query.letta.bodies import Bodies
from collector.query.letta.feedback import Verdict
from collector.query.reader import Row
from collector.settings_attributes import LettaAttributes

Document = dict[str, Any]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_STOP_REASONS = {
    **dict.fromkeys(("stop", "end_turn", "stop_sequence", "eos", "completed", "complete"), "end_turn"),
    **dict.fromkeys(
        ("length", "max_tokens", "max_output_tokens", "model_length", "model_context_window_exceeded"),
        "max_tokens_exceeded",
    ),
    **dict.fromkeys(("malformed_function_call", "unexpected_tool_call", "malformed_tool_use"), "invalid_tool_call"),
    **dict.fromkeys(("cancelled", "canceled"), "cancelled"),
    "malformed_model_output": "invalid_llm_response",
    "error": "llm_api_error",
}
"""Finish reasons of providers, in lower case, in Letta's words. A call that asks for tools ends no run: it has none."""

_CANCELLATIONS = ("cancelled", "canceled", "cancellederror", "cancelederror", "cancelled_error")
"""Types of errors, in lower case, of calls that were given up."""


def attribute(row: Row, names: Sequence[str]) -> str | None:
    """Return the first of these attributes that a span has and that is not empty, as text; None if it has none."""
    values = (row["attributes"].get(name) for name in names)
    return next((str(value) for value in values if isinstance(value, str | int) and value != ""), None)


def provider_trace(step_id: str, row: Row, bodies: Bodies, names: LettaAttributes) -> Document:
    """Return the ProviderTrace of a model call: the documented keys, then those that the published client knows besides."""
    created = timestamp(row["start_time"] if row["end_time"] is None else row["end_time"])
    return {
        "request_json": bodies.request,
        "response_json": bodies.response,
        "id": f"provider_trace-{row['span_uuid']}",
        "created_at": created,
        "created_by_id": None,
        "last_updated_by_id": None,
        "step_id": step_id,
        "updated_at": created,
        "agent_id": attribute(row, names.agent),
        "agent_tags": None,
        "billing_context": None,
        "call_type": None,
        "compaction_settings": None,
        "latency_ms": None if row["latency_ns"] is None else round(row["latency_ns"] / 1e6),
        "llm_config": None,
        "org_id": None,
        "run_id": attribute(row, names.run),
        "source": f"spanledger: {bodies.origin}",
    }


def step_document(project: str, step_id: str, row: Row, verdict: Verdict, names: LettaAttributes) -> Document:
    """Return the Step of a model call."""
    model = row["request_model"] or row["response_model"]
    read, written, reasoning = (row[f"{name}_tokens"] for name in ("cache_read", "cache_write", "reasoning"))
    counted = [row[name] for name in ("input_tokens", "output_tokens") if row[name] is not None]
    status = _status(row)
    failed = status in ("failed", "cancelled")
    return {
        "id": step_id,
        "agent_id": attribute(row, names.agent),
        "cache_write_tokens": written,
        "cached_input_tokens": read,
        "completion_tokens": row["output_tokens"],
        "completion_tokens_details": _known(reasoning_tokens=reasoning),
        "context_window_limit": None,
        "error_data": _error_data(row) if failed else None,
        "error_type": row["error_type"] or None if failed else None,
        "feedback": verdict.label,
        "messages": [],
        "model": model or None,
        "model_endpoint": None,
        "model_handle": f"{row['provider']}/{model}" if row["provider"] and model else None,
        "origin": None,
        "project_id": project_uuid(project),
        "prompt_tokens": row["input_tokens"],
        "prompt_tokens_details": _known(cached_tokens=read, cache_creation_tokens=written),
        "provider_category": None,
        "provider_id": None,
        "provider_name": row["provider"] or None,
        "reasoning_tokens": reasoning,
        "request_id": None,
        "run_id": attribute(row, names.run),
        "status": status,
        "stop_reason": _stop_reason(row, status),
        "tags": list(dict.fromkeys((*row["tags"], *verdict.tags))),
        "tid": None,
        "total_tokens": sum(counted) if counted else None,
        "trace_id": row["trace_id"],
    }


def metrics_document(project: str, step_id: str, row: Row, names: LettaAttributes) -> Document:
    """Return the StepMetrics of a model call. Tools run in spans of their own: their time is not in it."""
    return {
        "id": step_id,
        "agent_id": attribute(row, names.agent),
        "base_template_id": None,
        "llm_request_ns": row["latency_ns"],
        "llm_request_start_ns": row["start_time"],
        "project_id": project_uuid(project),
        "provider_id": None,
        "run_id": attribute(row, names.run),
        "step_ns": row["latency_ns"],
        "step_start_ns": row["start_time"],
        "template_id": None,
        "tool_execution_ns": None,
    }


def timestamp(time_ns: int) -> str:
    """Return a time in ns since 1970 as RFC 3339 in UTC, cut to microseconds."""
    text = (_EPOCH + timedelta(microseconds=time_ns // 1000)).isoformat(timespec="microseconds")
    return text.removesuffix("+00:00") + "Z"


def _status(row: Row) -> str:
    if row["status_code"] == "ERROR":
        kind = row["error_type"].rpartition(".")[2].lower()
        return "cancelled" if kind in _CANCELLATIONS else "failed"
    return "pending" if row["end_time"] is None else "success"


def _stop_reason(row: Row, status: str) -> str | None:
    if status in ("failed", "cancelled"):
        return "cancelled" if status == "cancelled" else "llm_api_error"
    return next((found for reason in row["finish_reasons"] if (found := _STOP_REASONS.get(reason.lower()))), None)


def _error_data(row: Row) -> Document:
    """Return the error's message and, where the span tells it, where it was raised."""
    raised = [event["attributes"] for event in row["events"] if event["name"] == "exception"]
    traceback = raised[-1].get("exception.stacktrace") if raised else None
    return {"message": row["error"] or row["status_message"], **({"traceback": traceback} if traceback else {})}


def _known(**counts: int | None) -> dict[str, int] | None:
    return {name: count for name, count in counts.items() if count is not None} or None
