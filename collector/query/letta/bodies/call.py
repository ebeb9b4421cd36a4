"""A model call as it is stored, parsed for rebuilding: canonical messages, parameters, usage."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from collector.enrich.messages import canonical_messages, system_parts
from collector.json_text import json_value, render
from collector.query.reader import Row

Part = Mapping[str, Any]
Message = Mapping[str, Any]
Json = dict[str, Any]

SYSTEM_ROLES = ("system", "developer")

_API_TYPES = ("openai.api.type", "gen_ai.openai.api.type")
_STATUSES = ("http.response.status_code", "http.status_code")

_FINISHES = {
    **dict.fromkeys(("stop", "end_turn", "completed", "complete", "eos", "finish_reason_stop"), "stop"),
    **dict.fromkeys(("length", "max_tokens", "max_output_tokens", "model_length", "incomplete"), "length"),
    **dict.fromkeys(("tool_call", "tool_calls", "tool-calls", "tool_use", "function_call"), "tool_call"),
    **dict.fromkeys(("content_filter", "content-filter", "content_filtered", "safety", "refusal"), "content_filter"),
    "stop_sequence": "stop_sequence",
}
"""What the providers and libraries call the reasons why a model stopped, in lower case, in the conventions' words."""

_PARAMETERS = {
    **dict.fromkeys(("max_output_tokens", "maxTokens", "maxOutputTokens"), "max_tokens"),
    **dict.fromkeys(("stop", "stopSequences"), "stop_sequences"),
    **dict.fromkeys(("choice.count", "candidate_count", "candidateCount"), "n"),
    "topP": "top_p",
    "topK": "top_k",
    "frequencyPenalty": "frequency_penalty",
    "presencePenalty": "presence_penalty",
}
"""What the families call a parameter, and what it is called here."""

_OF_CLIENTS = frozenset({"base_url", "api_base", "http_options", "timeout", "extra_headers", "headers"})
"""Parameters of client libraries, which no body has."""


@dataclass(frozen=True)
class Usage:
    """Numbers of tokens, None where not reported. Input includes what the cache has to do with, output the reasoning."""

    input: int | None
    output: int | None
    cache_read: int | None
    cache_write: int | None
    reasoning: int | None

    @property
    def total(self) -> int | None:
        """Input and output together; None if either is unknown."""
        return None if self.input is None or self.output is None else self.input + self.output

    @property
    def uncached_input(self) -> int | None:
        """Input that was neither read from a cache nor written into one: what Anthropic and Bedrock call the input."""
        return None if self.input is None else max(self.input - (self.cache_read or 0) - (self.cache_write or 0), 0)


@dataclass(frozen=True)
class Call:
    """A model call."""

    provider: str
    """As in `gen_ai.provider.name`."""
    operation: str
    api_type: str
    """``responses`` or ``chat_completions`` where the span says it."""
    request_model: str
    response_model: str
    response_id: str
    service_tier: str
    system: Sequence[Part]
    """Instructions that were sent apart from the messages."""
    asked: Sequence[Message]
    answered: Sequence[Message]
    tools: Sequence[Mapping[str, Any]]
    """``{"type", "name", "description"?, "parameters"?}``"""
    parameters: Mapping[str, Any]
    finish_reasons: Sequence[str]
    """As the span has them."""
    usage: Usage
    streamed: bool
    """The answer was streamed, as far as that is known."""
    latency_ms: int | None
    error: Mapping[str, Any] | None
    """Of a call that failed: message, type and, where known, the HTTP status as `code`."""

    @property
    def model(self) -> str:
        """The model that was asked, or else the one that answered."""
        return self.request_model or self.response_model

    def finish(self, position: int, names: Mapping[str, str]) -> str | None:
        """Return why an answer ended, in the provider's words; a reason that is not among `names` stays as it is."""
        message = self.answered[position] if position < len(self.answered) else {}
        reason = message.get("finish_reason")
        if not isinstance(reason, str) or not reason:
            reason = self.finish_reasons[min(position, len(self.finish_reasons) - 1)] if self.finish_reasons else None
        return None if reason is None else names.get(_FINISHES.get(reason.lower(), ""), reason)


def call_of(row: Row) -> Call:
    """Return the model call that a span's row describes."""
    attributes = row["attributes"]
    tools = json_value(row["tool_definitions"]) if row["tool_definitions"] else []
    return Call(
        provider=row["provider"],
        operation=row["operation"],
        api_type=next((str(attributes[name]) for name in _API_TYPES if name in attributes), ""),
        request_model=row["request_model"],
        response_model=row["response_model"],
        response_id=row["response_id"],
        service_tier=row["service_tier"],
        system=(system_parts(row["system_instructions"]) or []) if row["system_instructions"] else [],
        asked=messages_of(row["input"], "user"),
        answered=messages_of(row["output"], "assistant"),
        tools=[tool for tool in tools if isinstance(tool, dict)] if isinstance(tools, list) else [],
        parameters={_PARAMETERS.get(name, name): value for name, value in row["model_parameters"].items()},
        finish_reasons=row["finish_reasons"],
        usage=Usage(
            row["input_tokens"],
            row["output_tokens"],
            row["cache_read_tokens"],
            row["cache_write_tokens"],
            row["reasoning_tokens"],
        ),
        streamed=row["time_to_first_token_ns"] is not None,
        latency_ms=None if row["latency_ns"] is None else round(row["latency_ns"] / 1e6),
        error=_error(row),
    )


def messages_of(text: str, role: str) -> list[Message]:
    """Return stored content as canonical messages; what is nothing like messages is one of this role, as text."""
    if not text:
        return []
    return list(canonical_messages(json_value(text), role) or [{"role": role, "parts": [text_part(text)]}])


def text_part(text: str) -> Part:
    """Return a canonical part of text."""
    return {"type": "text", "content": text}


def _error(row: Row) -> Mapping[str, Any] | None:
    if row["status_code"] != "ERROR":
        return None
    code = next((row["attributes"][name] for name in _STATUSES if name in row["attributes"]), None)
    return known({"message": row["error"] or row["status_message"], "type": row["error_type"] or None, "code": code})


def known(fields: Mapping[str, Any]) -> Json:
    """Return the fields that are not None."""
    return {name: value for name, value in fields.items() if value is not None}


def rest(fields: Mapping[str, Any], *named: str) -> Json:
    """Return what a part or a message says beside the fields that have a place of their own."""
    return {name: value for name, value in fields.items() if name not in named and value is not None}


def parameters(call: Call, names: Mapping[str, str]) -> Json:
    """Return the parameters that say something, under the provider's names; those without one keep theirs."""
    return {
        names.get(name, name): value
        for name, value in call.parameters.items()
        if name not in _OF_CLIENTS and value not in (None, "", [], {})
    }


def stream(call: Call) -> Json:
    """Return the parameter with which an answer is streamed, for APIs that have one, if it was."""
    return {"stream": True} if call.streamed else {}


def as_text(value: Any) -> str:
    """Return a value as text: itself, or its JSON."""
    return value if isinstance(value, str) else render(value).decode()


def as_object(value: Any) -> Json:
    """Return arguments as the object that APIs want; one that is none (cut off, or not recorded) under `input`."""
    parsed = json_value(value) if isinstance(value, str) and value else value
    if parsed is None or parsed == "":
        return {}
    return parsed if isinstance(parsed, dict) else {"input": parsed}


def result_of(part: Part) -> Any:
    """Return what a `tool_call_response` part answers."""
    return part["response"] if "response" in part else part.get("result")


def plain_text(parts: Sequence[Part]) -> str | None:
    """Return the one text that the parts are; None if they are more than that."""
    if len(parts) != 1 or parts[0].keys() != {"type", "content"} or parts[0]["type"] != "text":
        return None
    return str(parts[0]["content"])


def instructions(call: Call) -> list[Part]:
    """Return all instructions, also those among the messages: for APIs that have a place of its own for them."""
    spoken = [part for message in call.asked if message["role"] in SYSTEM_ROLES for part in message["parts"]]
    return [*call.system, *spoken]


def conversation(call: Call, roles: Mapping[str, str]) -> list[tuple[str, list[Part]]]:
    """Return what was said, without instructions, as turns: a turn for each change of the role.

    `roles` are the provider's; a role without one speaks as a user.
    """
    turns: list[tuple[str, list[Part]]] = []
    before = ""
    for message in call.asked:
        if message["role"] in SYSTEM_ROLES:
            continue
        role = roles.get(message["role"], roles["user"])
        # Results of several tools answer one turn of the model's; what people say twice stays two messages.
        if turns and message["role"] == before == "tool":
            turns[-1][1].extend(message["parts"])
        else:
            turns.append((role, list(message["parts"])))
        before = message["role"]
    return turns


def all_parts(messages: Iterable[Message]) -> list[Part]:
    """Return the parts of all messages."""
    return [part for message in messages for part in message["parts"]]
