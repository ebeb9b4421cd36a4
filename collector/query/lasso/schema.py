"""The Lasso documents as pydantic models: every key is always there, and nothing else is.

They declare the responses in the OpenAPI document and check what is rendered in tests; answering a request does not go
through them, for their cost.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

ErrorType = Literal[
    "invalid_request",
    "unauthenticated",
    "insufficient_credits",
    "forbidden",
    "not_found",
    "conflict",
    "validation_error",
    "rate_limited",
    "internal_error",
]


class Document(BaseModel):
    """A JSON object with exactly the declared keys."""

    model_config = ConfigDict(extra="forbid")


class RequestDetails(Document):
    """What the model was asked: by the first call of the run."""

    system_prompt: str | None
    user_content: str | None
    tools: list[Any] = Field(description="Definitions of tools as they were sent.")


class ResponseDetails(Document):
    """What came of it."""

    text: str | None = Field(description="Of the last call that answered with text.")
    iterations: int | None = Field(description="Model calls of the run.")
    tool_calls: list[Any] = Field(description="`id`, `name` and `arguments` of each, of all calls.")
    thought_summary: str | None
    sources: list[Any]


class ColumnTrace(Document):
    """The latest run that filled one column."""

    column_key: str
    model: str | None
    confidence: float | None = Field(description="0 to 1.")
    request: RequestDetails
    response: ResponseDetails


class RowTraces(Document):
    """The columns of one row, in the order in which their runs began."""

    data: list[ColumnTrace]


class Problem(Document):
    """Why there is no answer."""

    status_code: int
    error_type: ErrorType
    message: str
    request_id: str
