"""Requests to and responses from the APIs, and the states of frameworks, which hold messages in one of their fields."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from collector.enrich.messages.message import FINISH_REASONS, Message, with_rest

_INPUTS = ("messages", "contents", "input", "prompt", "prompts", "inputs", "items")
_OUTPUTS = ("choices", "candidates", "generations", "message", "delta", "output", "outputs", "content", "response")
SYSTEM = ("system", "systemInstruction", "system_instruction", "instructions")
"""Fields of a request that hold system instructions."""

# What requests and responses say besides messages, and what has columns of its own or is no content.
_PARAMETERS = frozenset({
    # both
    "id", "object", "created", "created_at", "createTime", "model", "type", "index", "service_tier",
    # requests
    "temperature", "top_p", "top_k", "topP", "topK", "max_tokens", "max_completion_tokens", "max_output_tokens", "maxTokens",
    "n", "stop", "stop_sequences", "stopSequences", "seed", "stream", "stream_options", "frequency_penalty", "presence_penalty",
    "logit_bias", "top_logprobs", "tools", "functions", "tool_choice", "toolChoice", "parallel_tool_calls", "max_tool_calls",
    "response_format", "reasoning_effort", "verbosity", "modalities", "prediction", "store", "include", "truncation",
    "background", "previous_response_id", "prompt_cache_key", "prompt_cache_retention", "safety_identifier",
    "generationConfig", "generation_config", "safetySettings", "safety_settings", "inferenceConfig", "toolConfig", "modelId",
    "invocation_params", *SYSTEM,
    # responses
    "usage", "usage_metadata", "usageMetadata", "system_fingerprint", "modelVersion", "model_version", "responseId",
    "response_id", "stop_sequence", "llm_output", "status", "incomplete_details", "completed_at", "billing", "done",
    "total_duration", "load_duration", "prompt_eval_count", "prompt_eval_duration", "eval_count", "eval_duration",
    "sdk_http_response",
})  # fmt: skip
_OBJECT_PARAMETERS = frozenset({"text", "reasoning", "audio", "thinking", "metrics", "trace", "config"})
"""Parameters if they are objects; as texts they are somebody's content."""


@dataclass(frozen=True, slots=True)
class Held:
    """What one field of an envelope holds, whose words it is, and what stands beside it, parameters apart."""

    value: Any
    role: str
    beside: dict[str, Any]
    is_input: bool


def contents(envelope: Mapping[str, Any], default_role: str) -> Iterator[Held]:
    """Yield what the fields hold that may be messages, the likeliest first."""
    for name in (*_INPUTS, *_OUTPUTS):
        held = envelope.get(name)
        if held is None:
            continue
        beside = {key: inner for key, inner in envelope.items() if key != name and not _is_parameter(key, inner)}
        if isinstance(held, str) and (name == "content" or not all(map(_is_reason_or_flag, beside.items()))):
            continue  # a text among other things is a field of somebody's record
        is_input = name in _INPUTS
        role = default_role if is_input else "assistant"
        if isinstance(held, list) and held and is_input and all(isinstance(each, str) for each in held):
            held = [{"role": role, "content": each} for each in held]
        yield Held(held, role, beside, is_input)


def closed(messages: list[Message], beside: dict[str, Any]) -> list[Message]:
    """Return the messages with what stands beside them on the last one."""
    rest, last = dict(beside), messages[-1]
    reason = next((key for key in FINISH_REASONS if isinstance(rest.get(key), str)), None)
    if reason is not None and "finish_reason" not in last:
        last = {**last, "finish_reason": rest.pop(reason)}
    return [*messages[:-1], with_rest(last, rest)]


def without_parameters(response: dict[str, Any]) -> dict[str, Any]:
    """Return a response that is a message itself (Anthropic's) without what is not part of the message."""
    return {key: inner for key, inner in response.items() if not _is_parameter(key, inner)}


def _is_parameter(key: str, value: Any) -> bool:
    return key in _PARAMETERS or (key in _OBJECT_PARAMETERS and isinstance(value, dict))


def _is_reason_or_flag(field: tuple[str, Any]) -> bool:
    key, value = field
    return key in FINISH_REASONS or not isinstance(value, str | list | dict) or not value
