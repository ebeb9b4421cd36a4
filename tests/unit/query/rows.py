"""Stored rows and a reader that holds them: what the read API is tested with."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from fastapi import FastAPI

from collector.auth import Keys, Scope
from collector.query.api import Backend
from collector.query.app import create_app
from collector.query.reader import SessionFilters, TraceFilters
from collector.settings_attributes import Attributes

TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
TRACE_UUID = "0af76519-16cd-43dd-8448-eb211c80319c"
ROOT_ID = "b7ad6b7169203331"
START = 1_767_225_600_123_456_789
"""2026-01-01T00:00:00.123456789Z"""

Row = dict[str, Any]


def text_message(role: str, content: str, **extra: Any) -> Row:
    return {"role": role, "parts": [{"type": "text", "content": content}], **extra}


def trace_row(**changes: Any) -> Row:
    """A completed trace with everything filled in."""
    row = {
        "trace_id": TRACE_ID,
        "name": "answer a question",
        "status": "COMPLETED",
        "start_time": START,
        "end_time": START + 2_500_000_000,
        "latency_ns": 2_500_000_000,
        "session_id": "session-1",
        "user_id": "user-1",
        "environment": "production",
        "release": "1.2.3",
        "tags": ["paid", "beta"],
        "service_name": "shop",
        "span_count": 2,
        "error_count": 0,
        "input_tokens": 100,
        "output_tokens": 20,
        "cost_total": Decimal("0.000450000000"),
        "root_span_id": ROOT_ID,
    }
    return row | changes


def running_trace_row(**changes: Any) -> Row:
    """A trace whose root has not arrived, from an application that sets nothing optional."""
    absent = dict.fromkeys(("session_id", "user_id", "environment", "release", "root_span_id"), "")
    unknown = dict.fromkeys(("end_time", "latency_ns", "cost_total"))
    counts = {"span_count": 1, "input_tokens": 0, "output_tokens": 0}
    return trace_row(status="RUNNING", tags=[], **absent, **unknown, **counts) | changes


def bare_span_row(**changes: Any) -> Row:
    """A span that says nothing but what every OTLP span says."""
    texts = (
        "parent_span_id parent_span_uuid status_message provider operation request_model response_model session_id "
        "user_id agent_name tool_name tool_call_id input output system_instructions tool_definitions token_basis "
        "cost_source price_provider price_model price_version price_tier unpriced_reason error error_type scope_name "
        "scope_version prompt_name prompt_version service_tier usage_problem"
    )
    numbers = (
        "time_to_first_token_ns input_tokens output_tokens cache_read_tokens cache_write_tokens reasoning_tokens "
        "cost_input cost_output cost_total cost_reported price_effective_date"
    )
    lists = "finish_reasons tags tool_calls events links evaluations"
    row: Row = {
        "trace_id": TRACE_ID,
        "span_id": ROOT_ID,
        "span_uuid": "11111111-1111-4111-8111-111111111111",
        "name": "handle request",
        "kind": "CHAIN",
        "status_code": "UNSET",
        "start_time": START,
        "end_time": START + 2_500_000_000,
        "latency_ns": 2_500_000_000,
        "received_at": START // 1_000_000 + 3_000,
        "attributes": {},
        "metadata": {},
        "model_parameters": {},
        "counts": False,
        "resource": {"service.name": "shop"},
        "service_name": "shop",
        **dict.fromkeys(texts.split(), ""),
        **dict.fromkeys(numbers.split()),
        **{name: [] for name in lists.split()},
        **dict.fromkeys(("cut_attributes", "cut_values", "cut_events", "cut_links"), 0),
    }
    return row | changes


def model_call_row(**changes: Any) -> Row:
    """A priced, streamed chat call with a system instruction, below the root."""
    row = bare_span_row(
        span_id="00f067aa0ba902b7",
        parent_span_id=ROOT_ID,
        span_uuid="22222222-2222-4222-8222-222222222222",
        parent_span_uuid="11111111-1111-4111-8111-111111111111",
        name="chat gpt-4o",
        kind="LLM",
        status_code="OK",
        start_time=START + 1_000_000,
        end_time=START + 801_000_000,
        latency_ns=800_000_000,
        time_to_first_token_ns=250_000_000,
        provider="openai",
        operation="chat",
        request_model="gpt-4o",
        response_model="gpt-4o-2024-08-06",
        finish_reasons=["stop"],
        input=json.dumps([text_message("user", "What is the capital of France?")]),
        output=json.dumps([text_message("assistant", "Paris.", finish_reason="stop")]),
        system_instructions=json.dumps([{"type": "text", "content": "Be brief."}]),
        input_tokens=100,
        output_tokens=20,
        cache_read_tokens=60,
        cache_write_tokens=0,
        reasoning_tokens=5,
        model_parameters={"temperature": 0.5, "max_tokens": 256},
        token_basis="inclusive",
        counts=True,
        cost_input=Decimal("0.000250000000"),
        cost_output=Decimal("0.000200000000"),
        cost_total=Decimal("0.000450000000"),
        cost_source="computed",
        price_provider="openai",
        price_model="gpt-4o",
        price_version="2026.1",
        price_tier="standard",
        price_effective_date=date(2025, 6, 1),
        scope_name="opentelemetry.instrumentation.openai",
        scope_version="1.3",
    )
    row["attributes"] = {
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.request.temperature": 0.5,
        "gen_ai.request.max_tokens": 256,
        "app.feature": "search",
    }
    return row | changes


def session_row(**changes: Any) -> Row:
    """A session of which everything is known."""
    row: Row = {
        "session_id": "session-1",
        "trace_count": 2,
        "start_time": START,
        "end_time": START + 9_000_000_000,
        "latency_ns": 3_500_000_000,
        "has_error": 1,
        "user_id": "user-1",
        "tags": ["beta", "paid"],
        "span_count": 5,
        "input_tokens": 100,
        "output_tokens": 20,
        "cost_total": Decimal("0.000450000000"),
    }
    return row | changes


def running_session_row(**changes: Any) -> Row:
    """A session of which no trace has ended, from an application that sets nothing optional."""
    unknown = dict.fromkeys(("end_time", "latency_ns", "cost_total"))
    counts = {"has_error": 0, "input_tokens": 0, "output_tokens": 0}
    return session_row(user_id="", tags=[], **unknown, **counts) | changes


def user_row(**changes: Any) -> Row:
    row = {"user_id": "user-1", "trace_count": 3, "error_count": 1}
    return row | {"first_start_time": START, "last_start_time": START + 5_000_000_000} | changes


def period_row(**changes: Any) -> Row:
    """What the store knows of a period, for every metric that has periods."""
    row: Row = {"bucket": START // 10**9, "trace_count": 4, "error_count": 1, "latency_average": 2.5e9}
    row |= {"latency_p50": 2e9, "latency_p90": 4e9, "latency_p99": 5e9}
    row |= {"input_tokens": 100, "output_tokens": 20, "cost_total": Decimal("0.000450000000")}
    return row | changes


def model_row(**changes: Any) -> Row:
    row = {"model": "gpt-4o", "call_count": 7, "input_tokens": 100, "output_tokens": 20}
    return row | {"cost_total": Decimal("0.000450000000")} | changes


class StoredTraces:
    """A reader that answers from memory and remembers what it was asked.

    Beside one trace it holds one session, of this trace, one user, and one row of analytics.
    """

    def __init__(
        self,
        *,
        answer: tuple[Row, Sequence[Row]] | None = None,
        session: Row | None = None,
        user: Row | None = None,
        period: Row | None = None,
        error: Exception | None = None,
    ) -> None:
        self.answer = answer
        self.session_row, self.user_row, self.period_row = session, user, period
        self.error = error
        self.asked: list[tuple[Any, ...]] = []

    def _ask(self, *question: Any) -> None:
        self.asked.append(question)
        if self.error:
            raise self.error

    def trace(self, project: str, trace_id: str) -> tuple[Mapping[str, Any], Sequence[Mapping[str, Any]]] | None:
        self._ask(project, trace_id)
        return self.answer if self.answer and self.answer[0]["trace_id"] == trace_id else None

    def traces(self, project: str, filters: TraceFilters) -> tuple[Sequence[Mapping[str, Any]], int]:
        self._ask(project, filters)
        return ([self.answer[0]], 1) if self.answer else ([], 0)

    def sessions(self, project: str, filters: SessionFilters) -> tuple[Sequence[Row], int]:
        self._ask(project, filters)
        return ([self.session_row], 1) if self.session_row else ([], 0)

    def session(self, project: str, session_id: str, limit: int, offset: int) -> Any:
        self._ask(project, session_id, limit, offset)
        if not self.session_row or self.session_row["session_id"] != session_id:
            return None
        return self.session_row, [self.answer] if self.answer else []

    def users(self, project: str, limit: int, offset: int) -> tuple[Sequence[Row], int]:
        self._ask(project, limit, offset)
        return ([self.user_row], 1) if self.user_row else ([], 0)

    def analytics(self, project: str, metric: str, granularity: str, after: int, before: int) -> Sequence[Row]:
        self._ask(project, metric, granularity, after, before)
        return [model_row() if metric == "models" else self.period_row] if self.period_row else []


class Edits:
    """An editor that knows some traces, all of one session, and remembers what it was asked.

    A trace that is deleted is not there any more, unless the editor `forgets` what it has done.
    """

    def __init__(self, *traces: str, session: str = "session-1", forgets: bool = False) -> None:
        self.traces = set(traces)
        self.session = session
        self.forgets = forgets
        self.asked: list[tuple[Any, ...]] = []

    def delete_traces(self, project: str, trace_ids: Sequence[str]) -> int:
        self.asked.append(("delete_traces", project, trace_ids))
        return self._delete(self.traces.intersection(trace_ids))

    def delete_session(self, project: str, session_id: str) -> int:
        self.asked.append(("delete_session", project, session_id))
        return self._delete(self.traces if session_id == self.session else set())

    def edit_tags(self, project: str, trace_ids: Sequence[str], add: Sequence[str], remove: Sequence[str]) -> int:
        self.asked.append(("edit_tags", project, trace_ids, add, remove))
        return len(self.traces.intersection(trace_ids))

    def _delete(self, found: set[str]) -> int:
        if not self.forgets:
            self.traces = self.traces - found
        return len(found)


class OneProject(Keys):
    """Whoever asks, it is about this project."""

    def __init__(self, name: str) -> None:
        self._name = name

    @property
    def one_project(self) -> bool:
        return False

    def project(self, key: str | None, scope: Scope, *, named: str | None = None) -> str:
        return self._name


def application(
    store: Any,
    *,
    editor: Any = None,
    project: str = "default",
    keys: Keys | None = None,
    ready: Callable[[], str | None] = lambda: None,
) -> FastAPI:
    """The read API over a store in memory, for one project, or for those of the keys."""
    backend = Backend(store, editor, keys or OneProject(project), Attributes())
    return create_app(backend, version="9.9.9", ready=ready)
