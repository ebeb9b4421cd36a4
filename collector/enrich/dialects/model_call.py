"""Requests and responses of providers' APIs, and of LangChain's models, which several instrumentations keep whole as JSON.

What they hold is taken apart into our fields: messages, system instructions, tools, parameters; the response's model,
id, finish reasons and usage.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from collector.enrich.messages import canonical_messages, system_parts, tool_definitions
from collector.enrich.parameters import PREFIX
from collector.enrich.span_view import SpanView
from collector.enrich.usage_objects import langchain_usage, provider_usage
from collector.json_text import json_value

Found = dict[str, Any]

_SPOKEN = ("messages", "contents", "input", "inputs", "prompt", "prompts")
_SYSTEM = ("system", "systemInstruction", "system_instruction", "instructions")
_TOOLS = ("tools", "functions", "toolConfig")
_ANSWERS = ("choices", "candidates", "generations", "output", "outputs")
_NO_PARAMETERS = frozenset({*_SPOKEN, *_SYSTEM, *_TOOLS, "model", "modelId"})


def read_request(value: Any) -> Found:
    """Return what a request holds: messages under `input`, and the rest of what it asks for; empty for what is none."""
    if not isinstance(value, Mapping):
        return _without_absent({"input": canonical_messages(value, "user")})
    spoken = {name: value[name] for name in _SPOKEN if value.get(name) is not None}
    system = next((value[name] for name in _SYSTEM if value.get(name)), None)
    tools = next((value[name] for name in _TOOLS if value.get(name)), None)
    parameters = {name: each for name, each in value.items() if name not in _NO_PARAMETERS and each is not None}
    model, stream = value.get("model") or value.get("modelId"), value.get("stream")
    return _without_absent({
        "input": canonical_messages(spoken, "user") if spoken else None,
        "system_instructions": system_parts(system) if system is not None else None,
        "tool_definitions": tool_definitions(tools) if tools is not None else None,
        "model_parameters": parameters or None,
        "request_model": model if isinstance(model, str) else None,
        "streaming": stream if isinstance(stream, bool) else None,
    })  # fmt: skip


def read_response(value: Any) -> Found:
    """Return what a response holds: messages under `output`, and what it says about itself; empty for what is none."""
    if not isinstance(value, Mapping):
        return _without_absent({"output": canonical_messages(value, "assistant")})
    answer = {name: value[name] for name in _ANSWERS if value.get(name) is not None}
    messages = canonical_messages(answer or _message(value), "assistant")
    usage = next((value[key] for key in ("usage", "usageMetadata", "usage_metadata") if value.get(key)), None)
    found: Found = {
        "output": messages,
        "response_model": _text(value, "model", "modelVersion", "model_version"),
        "response_id": _text(value, "id", "responseId", "response_id"),
        "service_tier": _text(value, "service_tier")
        or (_text(usage, "service_tier") if isinstance(usage, Mapping) else None),
        "finish_reasons": finish_reasons(messages) or None,
        **provider_usage(usage),
        **_without_absent(_langchain(value)),
    }
    return _without_absent(found)


def parameters(view: SpanView, asked: Mapping[str, Any]) -> Found | None:
    """Return the parameters of a call: those in attributes of the conventions, and over them those of the request."""
    said = {key.removeprefix(PREFIX): value for key, value in view.prefixed(PREFIX)}
    return {name: value for name, value in {**said, **asked}.items() if name != "model"} or None


def finish_reasons(messages: Any) -> list[str]:
    """Return why the model stopped, for each of its messages that says so."""
    if not isinstance(messages, list):
        return []
    return [reason for message in messages if isinstance(reason := message.get("finish_reason"), str) and reason]


def messages_or_value(value: Any, role: str) -> Any:
    """Return the messages that a value is or holds, where it clearly is or holds some; otherwise the value as it is.

    For spans of an application's own steps: what they are given and return may look like anything.
    """
    parsed = json_value(value) if isinstance(value, str) else value
    spoken = parsed.get("messages") if isinstance(parsed, Mapping) else parsed
    if isinstance(spoken, list) and spoken and all(map(_is_message, spoken)):
        return canonical_messages(spoken, role) or value
    return canonical_messages([parsed], role) or value if _is_message(parsed) else value


def documents(value: Any) -> list[Found] | None:
    """Return retrieved documents as ``{id, score, content, metadata}``, and what else each says; None for no list of any."""
    if not isinstance(value, list) or not all(isinstance(each, Mapping) for each in value):
        return None
    found = []
    for each in value:
        dumped = each.get("kwargs") if "lc" in each else None  # LangChain's form of an object
        said = dumped if isinstance(dumped, Mapping) else each
        fields = {name: inner for name, inner in said.items() if inner is not None and inner != {}}
        if fields.get("type") == "Document":
            del fields["type"]
        content = next((name for name in ("content", "page_content", "text", "pageContent") if name in fields), None)
        if content is not None:
            fields["content"] = fields.pop(content)
        found.append(fields)
    return found


def _message(value: Mapping[str, Any]) -> Found:
    """The message that a response itself is: Anthropic's."""
    names = ("role", "content", "message", "stop_reason", "text", "completion", "tool_calls")
    return {name: value[name] for name in names if value.get(name) is not None}


def _langchain(value: Mapping[str, Any]) -> Found:
    """What LangChain's result says of the response: it stands in the message of the first generation."""
    generations: Any = value.get("generations")
    while isinstance(generations, list) and generations:
        generations = generations[0]
    if not isinstance(generations, Mapping):
        return {}
    message = generations.get("message")
    fields = message.get("kwargs", message) if isinstance(message, Mapping) else {}
    if not isinstance(fields, Mapping):
        return {}
    about, usage = fields.get("response_metadata"), fields.get("usage_metadata")
    about = about if isinstance(about, Mapping) else {}
    reason = _text(about, "finish_reason", "stop_reason")
    return {
        "response_model": _text(about, "model_name", "model"),
        "response_id": _text(about, "id"),
        "service_tier": _text(about, "service_tier"),
        "finish_reasons": [reason] if reason else None,
        **(langchain_usage(usage) if isinstance(usage, Mapping) else {}),
    }


def _is_message(value: Any) -> bool:
    return isinstance(value, Mapping) and (
        isinstance(value.get("role"), str)
        or "lc" in value
        or (isinstance(value.get("type"), str) and "content" in value)
    )


def _text(value: Mapping[str, Any], *names: str) -> str | None:
    return next((found for name in names if isinstance(found := value.get(name), str) and found), None)


def _without_absent(found: Found) -> Found:
    return {name: value for name, value in found.items() if value is not None}
