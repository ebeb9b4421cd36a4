"""Letta's documents as pydantic models: every key is always there, and nothing else is.

They declare the responses in the OpenAPI document and check what is rendered in tests; answering a request does not go
through them, for their cost.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

StepStatus = Literal["pending", "success", "failed", "cancelled"]
StopReason = Literal[
    "end_turn", "error", "llm_api_error", "invalid_llm_response", "invalid_tool_call", "max_steps", "max_tokens_exceeded",
    "no_tool_call", "tool_rule", "cancelled", "insufficient_credits", "requires_approval",
    "context_window_overflow_in_system_prompt",
]  # fmt: skip

Timestamp = Annotated[str, Field(examples=["2026-01-31T12:00:00.123456Z"])]


class Document(BaseModel):
    """A JSON object with exactly the declared keys."""

    model_config = ConfigDict(extra="forbid")


class ProviderTrace(Document):
    """What was sent to the provider of a model, and what came back."""

    request_json: dict[str, Any] = Field(description="JSON content of the provider request")
    response_json: dict[str, Any] = Field(description="JSON content of the provider response")
    id: str = Field(description="The human-friendly ID of the Provider_trace")
    created_at: Timestamp = Field(description="When the call ended")
    created_by_id: str | None
    last_updated_by_id: str | None
    step_id: str = Field(description="ID of the step that this trace is associated with")
    updated_at: Timestamp
    agent_id: str | None
    agent_tags: list[str] | None
    billing_context: dict[str, Any] | None
    call_type: str | None
    compaction_settings: dict[str, Any] | None
    latency_ms: int | None
    llm_config: dict[str, Any] | None
    org_id: str | None
    run_id: str | None
    source: str = Field(
        description="Where the bodies come from: `spanledger: request=reported, response=rebuilt`; reported: as the span "
        "carries them, rebuilt: from what is stored, in the provider's own form."
    )


class Step(Document):
    """A model call."""

    id: str
    agent_id: str | None
    cache_write_tokens: int | None
    cached_input_tokens: int | None
    completion_tokens: int | None
    completion_tokens_details: dict[str, int] | None
    context_window_limit: int | None
    error_data: dict[str, Any] | None
    error_type: str | None
    feedback: Literal["positive", "negative"] | None
    messages: list[dict[str, Any]] = Field(description="Always empty; see `GET /v1/steps/{step_id}/messages`.")
    model: str | None = Field(description="The model that was asked, or else the one that answered.")
    model_endpoint: str | None
    model_handle: str | None
    origin: str | None
    project_id: str | None
    prompt_tokens: int | None
    prompt_tokens_details: dict[str, int] | None
    provider_category: str | None
    provider_id: str | None
    provider_name: str | None
    reasoning_tokens: int | None
    request_id: str | None
    run_id: str | None
    status: StepStatus
    stop_reason: StopReason | None
    tags: list[str]
    tid: str | None
    total_tokens: int | None
    trace_id: str


class StepMetrics(Document):
    """How long a model call took."""

    id: str
    agent_id: str | None
    base_template_id: str | None
    llm_request_ns: int | None
    llm_request_start_ns: int
    project_id: str | None
    provider_id: str | None
    run_id: str | None
    step_ns: int | None
    step_start_ns: int
    template_id: str | None
    tool_execution_ns: int | None


class LettaMessage(Document):
    """What all messages have."""

    id: str
    date: Timestamp
    name: str | None
    otid: str | None
    sender_id: str | None
    step_id: str
    is_err: bool | None
    seq_id: int | None
    run_id: str | None


class SystemMessage(LettaMessage):
    """Instructions."""

    message_type: Literal["system_message"]
    content: str


class UserMessage(LettaMessage):
    """What a user says, or shows: then a list of texts and images."""

    message_type: Literal["user_message"]
    content: str | list[dict[str, Any]]


class AssistantMessage(LettaMessage):
    """What the model says."""

    message_type: Literal["assistant_message"]
    content: str


class ReasoningMessage(LettaMessage):
    """What the model thinks."""

    message_type: Literal["reasoning_message"]
    reasoning: str
    source: Literal["reasoner_model"]
    signature: str | None


class HiddenReasoningMessage(LettaMessage):
    """What the model thinks and the provider keeps to itself."""

    message_type: Literal["hidden_reasoning_message"]
    state: Literal["redacted", "omitted"]
    hidden_reasoning: str | None


class ToolCall(Document):
    """A call of a tool."""

    name: str
    arguments: str
    tool_call_id: str


class ToolCallMessage(LettaMessage):
    """The model asks for a tool."""

    message_type: Literal["tool_call_message"]
    tool_call: ToolCall
    tool_calls: list[ToolCall]


class ToolReturn(Document):
    """What a tool has returned."""

    type: Literal["tool"]
    tool_return: str
    status: Literal["success", "error"]
    tool_call_id: str
    stdout: list[str] | None
    stderr: list[str] | None


class ToolReturnMessage(LettaMessage):
    """What a tool has returned."""

    message_type: Literal["tool_return_message"]
    tool_return: str
    status: Literal["success", "error"]
    tool_call_id: str
    stdout: list[str] | None
    stderr: list[str] | None
    tool_returns: list[ToolReturn]


StepMessage = Annotated[
    SystemMessage
    | UserMessage
    | AssistantMessage
    | ReasoningMessage
    | HiddenReasoningMessage
    | ToolCallMessage
    | ToolReturnMessage,
    Field(discriminator="message_type"),
]


class Health(Document):
    """The service answers."""

    version: str
    status: Literal["ok"]
