"""Reviews as pydantic models: the bodies that are taken, with their bounds, and the responses."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from collector.json_text import without_lone_surrogates

# A page after this many entries is not read: all before it would be.
MAX_OFFSET = 10_000


_Text = Annotated[str, AfterValidator(without_lone_surrogates)]
User = Annotated[_Text, Field(max_length=1024)]
Content = Annotated[_Text, Field(max_length=32_768)]
Tag = Annotated[_Text, Field(max_length=256)]


def _no_truth_value(value: object) -> object:
    """Refuse what Python takes for 0 and 1."""
    if isinstance(value, bool):
        raise ValueError("A score is a number, not true or false")
    return value


Score = Annotated[float, BeforeValidator(_no_truth_value), Field(allow_inf_nan=False)]

Timestamp = Field(examples=["2026-01-31T12:00:00.123456+00:00"])


class FeedbackBody(BaseModel):
    """What somebody thinks."""

    model_config = ConfigDict(extra="forbid")

    feedback_id: UUID | None = Field(None, description="To replace earlier feedback, or to send it twice safely.")
    span_id: str | None = Field(
        None, description="OpenTelemetry's 16 hex digits or the span's UUID; else: of the trace."
    )
    user_id: User = Field("", description="Who says so.")
    label: Literal["positive", "negative"] | None = None
    score: Score | None = None
    content: Content = Field("", description="Comment.")
    tags: list[Tag] = Field([], max_length=50)

    @model_validator(mode="after")
    def _says_something(self) -> FeedbackBody:
        if self.label is None and self.score is None and not self.content and not self.tags:
            raise ValueError("Give at least one of label, score, content and tags")
        return self


class ApprovalBody(BaseModel):
    """The output that a reviewer wants, or that the span's own is right."""

    model_config = ConfigDict(extra="forbid")

    output: Any = Field(None, description="Any JSON value but null.")
    accept: bool = Field(False, description="Instead of `output`: take the span's own.")
    user_id: User = Field("", description="Who approves of it.")

    @model_validator(mode="after")
    def _is_one_of_both(self) -> ApprovalBody:
        if self.accept == (self.output is not None):
            raise ValueError('Give either output, which may not be null, or "accept": true')
        return self


class FeedbackResponse(BaseModel):
    """Feedback as it is stored."""

    feedback_id: UUID
    trace_id: UUID
    span_id: UUID | None = Field(description="Null: of the whole trace.")
    user_id: str | None
    label: Literal["positive", "negative"] | None
    score: float | None
    content: str | None
    tags: list[str]
    source: str = Field(description="`native`, `otlp`, or the API that it came by.")
    created_at: str = Timestamp


class FeedbackList(BaseModel):
    """One page of the feedback on a trace, by time."""

    items: list[FeedbackResponse]
    limit: int
    offset: int


class ApprovalResponse(BaseModel):
    """The output that a reviewer approves of."""

    trace_id: UUID
    span_id: UUID
    output: Any
    accepted: bool = Field(description="Whether it is the span's own.")
    user_id: str | None
    created_at: str = Timestamp
