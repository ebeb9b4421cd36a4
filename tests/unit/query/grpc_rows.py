"""The rows of `tests.unit.query.rows` with the columns that only the gRPC read API shows."""

from __future__ import annotations

from typing import Any

from tests.unit.query import rows
from tests.unit.query.rows import Row


def trace_row(**changes: Any) -> Row:
    return rows.trace_row(unpriced_spans=0) | changes


def running_trace_row(**changes: Any) -> Row:
    return rows.running_trace_row(unpriced_spans=0) | changes


def bare_span_row(**changes: Any) -> Row:
    return rows.bare_span_row(response_id="", tags=[]) | changes


def model_call_row(**changes: Any) -> Row:
    return rows.model_call_row(response_id="chatcmpl-1", tags=["paid"]) | changes
