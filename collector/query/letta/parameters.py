"""What requests to Letta's API may ask, with its bounds."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Path
from pydantic import BaseModel, Field

from collector.query.pandaprobe.filters import Text
from collector.query.reader import Reference, SpanFilters
from collector.query.times import Instant

MAX_STEPS = 200
MAX_MESSAGES = 1000

_UUID4 = "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
STEP_PATTERN = f"^step-{_UUID4}$"
STEP_EXAMPLE = "step-123e4567-e89b-42d3-8456-426614174000"
STEP = "letta.step"
"""The kind of reference that names a step."""
AGENT = "letta.agent"
"""The kind of reference that names an agent."""

StepPath = Annotated[
    str,
    Path(pattern=STEP_PATTERN, description="The ID of the step in the format 'step-<uuid4>'", examples=[STEP_EXAMPLE]),
]
StepId = Annotated[str, Field(pattern=STEP_PATTERN)]
MessageId = Annotated[str, Field(pattern=f"^message-{_UUID4}$")]
Order = Literal["asc", "desc"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def is_step_id(text: str) -> bool:
    """Say whether this has the form of a step's id."""
    return re.fullmatch(STEP_PATTERN.strip("^$"), text) is not None


class StepListParameters(BaseModel):
    """The parameters of `GET /v1/steps/`, as the Letta API documents them. An empty text filters nothing."""

    before: StepId | None = Field(None, description="Return steps before this step ID")
    after: StepId | None = Field(None, description="Return steps after this step ID")
    limit: int = Field(50, ge=1, le=MAX_STEPS, description="Maximum number of steps to return")
    order: Order = Field("desc", description="'asc' for oldest first, 'desc' for newest first")
    order_by: Literal["created_at"] = Field("created_at", description="Field to sort by")
    start_date: Instant | None = Field(None, description="Return steps since this ISO datetime")
    end_date: Instant | None = Field(None, description="Return steps until this ISO datetime")
    model: Text | None = Field(None, description="The model that was asked, or that answered")
    agent_id: Text | None = Field(None, description="The agent that performed the step")
    trace_ids: list[Text] = Field([], max_length=100, description="May be repeated; steps of any of these traces")
    feedback: Literal["positive", "negative"] | None = None
    has_feedback: bool | None = None
    tags: list[Text] = Field([], max_length=50, description="May be repeated; steps that have any of them")
    project_id: Text | None = Field(None, description="The project of the key; no other has steps to show")

    def filters(self) -> SpanFilters | None:
        """Return what the reader is asked for, without the cursors; None if no step can match."""
        asked = [trace_id for trace_id in self.trace_ids if trace_id]
        trace_ids = tuple(dict.fromkeys(hexadecimal for each in asked if (hexadecimal := _trace_id(each))))
        if asked and not trace_ids:
            return None
        return SpanFilters(
            limit=self.limit,
            trace_ids=trace_ids,
            references=(Reference(AGENT, self.agent_id),) if self.agent_id else (),
            kinds=("LLM",),
            model=self.model or None,
            label=self.feedback,
            has_feedback=self.has_feedback,
            tags=tuple(tag for tag in self.tags if tag),
            repeats=False,
            started_after_ns=None if self.start_date is None else _nanoseconds(self.start_date),
            started_before_ns=None if self.end_date is None else _nanoseconds(self.end_date) + 1,
            descending=self.order == "desc",
        )


class MessageListParameters(BaseModel):
    """The parameters of `GET /v1/steps/{step_id}/messages`, as the Letta API documents them."""

    before: MessageId | None = Field(None, description="Return messages before this message ID")
    after: MessageId | None = Field(None, description="Return messages after this message ID")
    limit: int = Field(100, ge=1, le=MAX_MESSAGES, description="Maximum number of messages to return")
    order: Order = Field("asc", description="'asc' for oldest first, 'desc' for newest first")
    order_by: Literal["created_at"] = Field("created_at", description="Field to sort by")


class FeedbackChange(BaseModel):
    """The body of `PATCH /v1/steps/{step_id}/feedback`: what is left out stays, null takes back."""

    feedback: Literal["positive", "negative"] | None = Field(
        None, description="Whether this feedback is positive or negative"
    )
    tags: list[Text] | None = Field(None, max_length=50, description="Feedback tags of the step")


def _trace_id(text: str) -> str | None:
    """Return a trace's id as 32 hex digits; None for what can be none."""
    try:
        return UUID(text).hex
    except ValueError:
        return None


def _nanoseconds(value: datetime) -> int:
    """Return the time in ns since 1970."""
    return (value - _EPOCH) // timedelta(microseconds=1) * 1000
