"""The PandaProbe documents as pydantic models: every key is always there, and nothing else is.

They declare the responses in the OpenAPI document and check what is rendered in tests; answering a request does not
go through them, for their cost.
"""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

SpanKind = Literal["AGENT", "TOOL", "LLM", "RETRIEVER", "CHAIN", "EMBEDDING", "OTHER"]
SpanStatusCode = Literal["UNSET", "OK", "ERROR"]
TraceStatus = Literal["PENDING", "RUNNING", "COMPLETED", "ERROR"]

Timestamp = Field(examples=["2026-01-31T12:00:00.123456+00:00"])


class Document(BaseModel):
    """A JSON object with exactly the declared keys."""

    model_config = ConfigDict(extra="forbid")


class SpanResponse(Document):
    """One step of a trace."""

    span_id: UUID
    trace_id: UUID
    parent_span_id: UUID | None
    name: str
    kind: SpanKind
    status: SpanStatusCode
    input: Any | None = Field(description='Of a model call: `{"messages": [{"role", "content", ...}]}`.')
    output: Any | None = Field(description="In the same form as `input`.")
    model: str | None = Field(description="The model that answered, or else the one that was asked.")
    token_usage: dict[str, Any] | None = Field(
        description="`prompt_tokens`, `completion_tokens`, `total_tokens`, `reasoning_tokens`, `cache_read_tokens`: "
        "those that were reported."
    )
    metadata: dict[str, Any] = Field(description="The span's attributes; what the collector found out: `spanledger`.")
    started_at: str = Timestamp
    ended_at: str | None = Timestamp
    error: str | None
    completion_start_time: str | None = Timestamp
    model_parameters: dict[str, Any] | None
    cost: dict[str, float] | None = Field(description="`total`, `input`, `output` in USD; null: not priced.")
    latency_ms: float | None
    time_to_first_token_ms: float | None


class TraceResponse(Document):
    """One trace with all its spans, ordered by start time."""

    trace_id: UUID
    project_id: UUID
    name: str
    status: TraceStatus
    input: Any | None = Field(description="The last user message.")
    output: Any | None = Field(description="The last assistant message.")
    metadata: dict[str, Any]
    started_at: str = Timestamp
    ended_at: str | None = Timestamp
    session_id: str | None
    user_id: str | None
    tags: list[str]
    environment: str | None
    release: str | None
    spans: list[SpanResponse]


class TraceListItem(Document):
    """A trace as lists show it."""

    trace_id: UUID
    name: str
    status: TraceStatus
    started_at: str = Timestamp
    ended_at: str | None = Timestamp
    session_id: str | None
    user_id: str | None
    tags: list[str]
    environment: str | None
    release: str | None
    latency_ms: float | None
    span_count: int
    total_tokens: int
    total_cost: float = Field(description="USD; model calls that are not priced count as 0.")


class TraceList(Document):
    """One page of traces."""

    items: list[TraceListItem]
    total: int = Field(description="How many traces match, on all pages together.")
    limit: int
    offset: int


class TracesDeleted(Document):
    """What became of `POST /traces/batch/delete`."""

    deleted: int = Field(description="How many of the traces there were.")


class TagsChanged(Document):
    """What became of `POST /traces/batch/tags`."""

    updated: int = Field(description="How many of the traces there are.")


class UserSummary(Document):
    """The traces of a user, summed up."""

    user_id: str
    trace_count: int
    first_seen: str = Timestamp
    last_seen: str = Timestamp
    error_count: int


class UserList(Document):
    """One page of users, latest first."""

    items: list[UserSummary]
    total: int = Field(description="How many users there are, on all pages together.")
    limit: int
    offset: int


class AnalyticsBucket(Document):
    """Traces that began in a period of time: `volume`, `errors` and `latency`."""

    bucket: str = Timestamp
    trace_count: int
    error_count: int
    avg_latency_ms: float | None
    p50_latency_ms: float | None
    p90_latency_ms: float | None
    p99_latency_ms: float | None


class TokenCostBucket(Document):
    """Usage of the traces that began in a period of time: `cost` and `tokens`."""

    bucket: str = Timestamp
    total_tokens: int
    prompt_tokens: int
    completion_tokens: int
    total_cost: float = Field(description="USD; model calls that are not priced count as 0.")


class TopModel(Document):
    """One of the models that were called most: `models`."""

    model: str
    call_count: int
    total_tokens: int
    total_cost: float = Field(description="USD; model calls that are not priced count as 0.")


class SessionSummary(Document):
    """The traces of a session, summed up."""

    session_id: str
    trace_count: int
    first_trace_at: str = Timestamp
    last_trace_at: str | None = Timestamp
    total_latency_ms: float | None
    has_error: bool
    user_id: str | None = Field(description="Of the first trace that names one.")
    tags: list[str]
    total_span_count: int
    total_tokens: int
    total_cost: float = Field(description="USD; model calls that are not priced count as 0.")


class SessionList(Document):
    """One page of sessions."""

    items: list[SessionSummary]
    total: int = Field(description="How many sessions match, on all pages together.")
    limit: int
    offset: int


class SessionDetail(SessionSummary):
    """A session, summed up over all its traces, with some of these in order of time."""

    traces: list[TraceResponse]


class SessionDeleted(Document):
    """What became of `DELETE /sessions/{session_id}`."""

    deleted: int = Field(description="How many traces the session had.")
