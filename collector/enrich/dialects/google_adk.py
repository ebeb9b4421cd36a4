"""Google's Agent Development Kit, in both of its formats, 1.0 to 2.13.

- Format 1 (the only one before 2.6): a span `call_llm` with the whole request and response as JSON, and since 1.25 a span
  `generate_content` below it for the same call. Format 2 has only the latter, with the conventions' attributes.
- The JSON says more than the attributes beside it: `output_tokens` was the total up to 1.7, lacked the thoughts up to 2.3,
  and cached tokens have an attribute since 2.4. So the usage is read from it wherever it is there.
- Before 2.4 the inner span knows neither cached tokens nor thoughts: it repeats the outer one's call with less.
- For a model that is reached through LiteLLM, `candidates_token_count` includes the reasoning already, and the attribute
  adds it once more (seen up to 2.13). In the JSON the total shows it; without it, the name of the model.
- Where content is not recorded, "{}" and "N/A" stand in its place.
- langfuse/langfuse#13988: cached tokens of models behind LiteLLM, lost by others, are in that JSON.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from collector.enrich.dialects.dialect import Dialect
from collector.enrich.dialects.reading import count, said, version
from collector.enrich.messages import canonical_messages, system_parts, tool_definitions
from collector.enrich.span_view import SpanView

_REQUEST, _RESPONSE = "gcp.vertex.agent.llm_request", "gcp.vertex.agent.llm_response"

_WITH_ALL_COUNTS = (2, 4)
"""The first version whose attributes split the usage."""
_ADDS_REASONING_TWICE = (2, 13)
"""The last version that was seen to do so."""

_OWN_MODELS = ("gemini", "claude", "gemma")
_RESOURCES = ("endpoints", "locations", "models", "projects", "publishers", "tunedmodels")
"""How names of models begin that are no provider's name: paths of resources."""

_NO_PARAMETERS = frozenset({"system_instruction", "tools"})
"""What of a request's configuration has columns of its own."""
_NO_METADATA = frozenset({"content", "finish_reason", "model_version", "usage_metadata"})
"""What of a response has columns of its own."""

_MODALITIES = (
    ("prompt_tokens_details", {"AUDIO": "input_audio_tokens", "IMAGE": "input_image_tokens"}),
    ("cache_tokens_details", {"AUDIO": "cache_read_audio_tokens", "IMAGE": "cache_read_image_tokens"}),
    ("candidates_tokens_details", {"AUDIO": "output_audio_tokens", "IMAGE": "output_image_tokens"}),
)


def read(view: SpanView) -> Mapping[str, Any]:
    """Return what the JSON of a model call holds, or of a tool call, and the usage that can be relied on."""
    request, response = _object(view, _REQUEST), _object(view, _RESPONSE)
    found: dict[str, Any] = {
        "kind": _kind(view),
        "tool_call_id": "" if view.get("gen_ai.tool.call.id") == "<not specified>" else None,
        **(_usage(view, response) if response else _usage_of_attributes(view)),
    }
    if request:
        found |= _asked(request)
        view.moved.add(_REQUEST)
    if response:
        found |= _answered(response)
        view.moved.add(_RESPONSE)
    for name, key in (("input", "gcp.vertex.agent.tool_call_args"), ("output", "gcp.vertex.agent.tool_response")):
        if view.get(key) != "{}" and (value := said(view, key)) is not None:
            found[name] = value
    return found


def _object(view: SpanView, key: str) -> dict[str, Any] | None:
    value = view.json(key)
    return value if isinstance(value, dict) and value else None


def _kind(view: SpanView) -> str | None:
    if view.name.startswith("agent_run ["):  # before 1.17, with no attribute at all
        return "AGENT"
    if (
        view.get("gen_ai.tool.name") == "(merged tools)"
    ):  # around the calls of several tools, each with a span of its own
        return "CHAIN"
    return None


def _asked(request: Mapping[str, Any]) -> dict[str, Any]:
    config = request.get("config")
    config = config if isinstance(config, dict) else {}
    return {
        "input": canonical_messages(request.get("contents"), "user"),
        "system_instructions": system_parts(config.get("system_instruction")),
        "tool_definitions": tool_definitions(config.get("tools")),
        "model_parameters": {name: value for name, value in config.items() if name not in _NO_PARAMETERS} or None,
    }


def _answered(response: Mapping[str, Any]) -> dict[str, Any]:
    reason, model = response.get("finish_reason"), response.get("model_version")
    content, failure = response.get("content"), response.get("error_code")
    return {
        "output": canonical_messages(content, "assistant") if isinstance(content, dict) else None,
        "response_model": model if isinstance(model, str) and model else None,
        "finish_reasons": [reason.lower()] if isinstance(reason, str) and reason else None,
        "error_type": str(failure) if failure else None,
        "metadata": {name: value for name, value in response.items() if name not in _NO_METADATA} or None,
    }


def _usage(view: SpanView, response: Mapping[str, Any]) -> dict[str, Any]:
    """The usage of the JSON, in Gemini's terms whatever the model."""
    reported = response.get("usage_metadata")
    if not isinstance(reported, dict):
        return {}
    prompt, candidates, total, tool_use, thoughts = (
        count(reported.get(f"{name}_token_count"))
        for name in ("prompt", "candidates", "total", "tool_use_prompt", "thoughts")
    )
    if prompt is None and candidates is None and thoughts is None:
        return {}
    asked, answered = (prompt or 0) + (tool_use or 0), candidates or 0
    inside = total == asked + answered if total else _through_litellm(view)
    return {
        "input_tokens": asked,
        "output_tokens": answered if inside else answered + (thoughts or 0),
        "total_tokens": total or None,
        "cache_read_tokens": count(reported.get("cached_content_token_count")),
        "reasoning_tokens": thoughts,
        **_by_modality(reported),
    }


def _by_modality(reported: Mapping[str, Any]) -> dict[str, Any]:
    found = {}
    for name, columns in _MODALITIES:
        details = reported.get(name)
        for detail in details if isinstance(details, list) else []:
            if isinstance(detail, dict) and (column := columns.get(str(detail.get("modality")))):
                found[column] = count(detail.get("token_count"))
    return found


def _usage_of_attributes(view: SpanView) -> dict[str, Any]:
    """What the attributes get wrong where there is no JSON to read."""
    released = version(view.scope_version)
    if view.get("gen_ai.operation.name") == "generate_content" and () < released < _WITH_ALL_COUNTS:
        return {"without_usage": True}
    output = count(view.get("gen_ai.usage.output_tokens"))
    reasoning = count(view.get("gen_ai.usage.reasoning.output_tokens"))
    if output is None:
        return {}
    if reasoning and _WITH_ALL_COUNTS <= released[:2] <= _ADDS_REASONING_TWICE and _through_litellm(view):
        return {"output_tokens": output - reasoning}
    thoughts = count(view.get("gen_ai.usage.experimental.reasoning_tokens"))
    if thoughts is not None and reasoning is None:
        return {"reasoning_tokens": thoughts, "output_tokens": output if _through_litellm(view) else output + thoughts}
    return {}


def _through_litellm(view: SpanView) -> bool:
    """Whether the model is none that ADK speaks to by itself: "openai/gpt-4o", "gpt-4o"."""
    first, slash, _ = (view.text("gen_ai.request.model") or "gemini").lower().partition("/")
    return first not in _RESOURCES if slash else not first.startswith(_OWN_MODELS)


DIALECT = Dialect(
    name="google_adk",
    scopes=("gcp.vertex.agent",),
    markers=("gcp.vertex.agent.*",),
    inclusive=True,
    kinds_of_names={"call_llm": "LLM", "invocation": "CHAIN"},
    text={"session_id": ("gen_ai.conversation.id", "gcp.vertex.agent.session_id")},
    read=read,
)
