"""The PandaProbe view of sums: rows of sessions, users and periods of time to the documented JSON objects. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from collector.query.pandaprobe.view import milliseconds, timestamp, timestamp_or_none, trace_document
from collector.query.reader import Metric, Row

_SECOND = 10**9


def session_summary(session: Row) -> dict[str, Any]:
    """Return the SessionSummary of a session's row."""
    return {
        "session_id": session["session_id"],
        "trace_count": session["trace_count"],
        "first_trace_at": timestamp(session["start_time"]),
        "last_trace_at": timestamp_or_none(session["end_time"]),
        "total_latency_ms": milliseconds(session["latency_ns"]),
        "has_error": bool(session["has_error"]),
        "user_id": session["user_id"] or None,
        "tags": list(session["tags"]),
        "total_span_count": session["span_count"],
        **_tokens_and_cost(session),
    }


def session_document(project: str, session: Row, traces: Sequence[tuple[Row, Sequence[Row]]]) -> dict[str, Any]:
    """Return the SessionDetail of a session's row and the traces that are shown, each with its spans."""
    return {**session_summary(session), "traces": [trace_document(project, *trace) for trace in traces]}


def user_summary(user: Row) -> dict[str, Any]:
    """Return the UserSummary of a user's row."""
    return {
        "user_id": user["user_id"],
        "trace_count": user["trace_count"],
        "first_seen": timestamp(user["first_start_time"]),
        "last_seen": timestamp(user["last_start_time"]),
        "error_count": user["error_count"],
    }


def analytics_document(metric: Metric, rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Return the rows of a metric, each in the shape that the metric has."""
    return [_SHAPES[metric](row) for row in rows]


def _analytics_bucket(row: Row) -> dict[str, Any]:
    return {
        "bucket": timestamp(row["bucket"] * _SECOND),
        "trace_count": row["trace_count"],
        "error_count": row["error_count"],
        "avg_latency_ms": _finite_milliseconds(row["latency_average"]),
        "p50_latency_ms": _finite_milliseconds(row["latency_p50"]),
        "p90_latency_ms": _finite_milliseconds(row["latency_p90"]),
        "p99_latency_ms": _finite_milliseconds(row["latency_p99"]),
    }


def _token_cost_bucket(row: Row) -> dict[str, Any]:
    usage = _tokens_and_cost(row)
    return {
        "bucket": timestamp(row["bucket"] * _SECOND),
        "total_tokens": usage["total_tokens"],
        "prompt_tokens": row["input_tokens"] or 0,
        "completion_tokens": row["output_tokens"] or 0,
        "total_cost": usage["total_cost"],
    }


def _top_model(row: Row) -> dict[str, Any]:
    return {"model": row["model"], "call_count": row["call_count"], **_tokens_and_cost(row)}


_SHAPES: Mapping[Metric, Callable[[Row], dict[str, Any]]] = {
    "volume": _analytics_bucket,
    "errors": _analytics_bucket,
    "latency": _analytics_bucket,
    "cost": _token_cost_bucket,
    "tokens": _token_cost_bucket,
    "models": _top_model,
}


def _tokens_and_cost(row: Row) -> dict[str, Any]:
    """Return the sums as trace lists show them: what is not known counts as 0."""
    cost: Decimal | None = row["cost_total"]
    return {
        "total_tokens": (row["input_tokens"] or 0) + (row["output_tokens"] or 0),
        "total_cost": float(cost or 0),
    }


def _finite_milliseconds(duration_ns: float | None) -> float | None:
    """Return a duration; None if it is the average of nothing."""
    return None if duration_ns is None or math.isnan(duration_ns) else milliseconds(duration_ns)
