"""The Galtea documents as pydantic models: every key is always there, and nothing else is.

They declare the responses in the OpenAPI document and check what is rendered in tests; answering a request does not go
through them, for their cost.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

TraceType = Literal[
    "SPAN", "GENERATION", "EVENT", "AGENT", "TOOL", "CHAIN", "RETRIEVER", "EVALUATOR", "EMBEDDING", "GUARDRAIL"
]
TYPES: tuple[str, ...] = get_args(TraceType)

Timestamp = Annotated[str, Field(examples=["2026-01-31T12:00:00.123456Z"])]


class Document(BaseModel):
    """A JSON object with exactly the declared keys."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel)


class Trace(Document):
    """One span."""

    id: str = Field(description="`trace_` and the span id of OpenTelemetry, 16 hex digits.", examples=["trace_123"])
    inference_result_id: str = Field(description="As the span says; without that, the trace id of OpenTelemetry.")
    name: str
    type: TraceType
    description: str | None
    input_data: dict[str, Any] = Field(description="What is no JSON object stands under `value`; empty: there is none.")
    output_data: dict[str, Any] = Field(
        description="What is no JSON object stands under `value`; empty: there is none."
    )
    error: str | None
    latency_ms: float | None
    metadata: dict[str, Any] = Field(
        description="Model, parameters, tokens and cost; all other attributes; what else the collector knows: `spanledger`."
    )
    parent_trace_id: str | None
    start_time: Timestamp
    end_time: Timestamp | None
    created_at: Timestamp
    deleted_at: Timestamp | None = Field(description="Always null: what is deleted is gone.")


class SdkVersions(Document):
    """Which releases of the SDK can be used."""

    latest_sdk_version_published: str | None
    minimum_sdk_version_supported: str | None


class Deleted(Document):
    """What was deleted."""

    message: str


class Problem(Document):
    """Why there is no answer."""

    error: str = Field(description="The reason phrase of the status.")
    message: str
