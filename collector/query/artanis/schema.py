"""The Artanis documents as pydantic models: every key is always there, and nothing else is.

They declare the responses in the OpenAPI document and check what is rendered in tests; answering a request does not
go through them, for their cost.
"""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

TraceStatus = Literal["running", "completed"]

Timestamp = Field(examples=["2026-04-08T09:00:00.000Z"])


class Document(BaseModel):
    """A JSON object with exactly the declared keys."""

    model_config = ConfigDict(extra="forbid")


class TraceItem(Document):
    """A trace as lists show it."""

    id: UUID
    status: TraceStatus = Field(description="A trace that failed is completed; `metadata.error_count` tells of it.")
    metadata: dict[str, Any]
    createdAt: str = Timestamp  # noqa: N815 - as documented
    updatedAt: str = Timestamp  # noqa: N815


class Traces(Document):
    """Traces of a project, newest first."""

    traces: list[TraceItem]


class Span(Document):
    """One step of a trace."""

    id: UUID
    parentSpanId: UUID | None  # noqa: N815
    stepId: str  # noqa: N815
    input: Any | None
    output: Any | None
    approvedOutput: Any | None = Field(  # noqa: N815
        description="Null: not reviewed; equal to `output`: accepted as it is; else: corrected."
    )
    promptVersionId: str | None  # noqa: N815
    metadata: dict[str, Any]
    createdAt: str = Timestamp  # noqa: N815


class FeedbackItem(Document):
    """What a reviewer says about a span; about its root span, where it is about the whole trace."""

    id: UUID
    spanId: UUID  # noqa: N815
    userId: str = Field(description="The UUID of zeros where nobody is named.")  # noqa: N815
    content: str
    createdAt: str = Timestamp  # noqa: N815


class Trace(TraceItem):
    """One trace with its spans and all feedback on it."""

    spans: list[Span]
    feedback: list[FeedbackItem]


class Nothing(Document):
    """An empty object."""


class Problem(BaseModel):
    """Why there is no answer."""

    error: str
