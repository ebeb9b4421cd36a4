"""Genkit (1.42).

- Everything is in `genkit:input` and `genkit:output`, the request and response of an action as JSON;
  `genkit:metadata:subtype` is what kind of action it is. The name of a model is "plugin/model".
- `usage` lacks what the plugin does not know, such as OpenAI's cached tokens; the response of the provider beside it (`raw`)
  has it, and the name of the model that answered.
- Of Gemini, `outputTokens` lacks the thoughts: the total shows it.
- `generate` above a model call has a copy of its usage, which is not read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from collector.enrich.dialects.dialect import Dialect
from collector.enrich.dialects.reading import count
from collector.enrich.messages import canonical_messages, tool_definitions
from collector.enrich.span_view import SpanView

_INPUT, _OUTPUT = "genkit:input", "genkit:output"


def read(view: SpanView) -> Mapping[str, Any]:
    """Return what the request and the response of an action hold."""
    given, gave = view.json(_INPUT), view.json(_OUTPUT)
    subtype = view.text("genkit:metadata:subtype")
    if subtype == "model":
        return _model(view, _dict(given), _dict(gave))
    found: dict[str, Any]
    if subtype == "retriever":
        query = _text(_dict(given).get("query"))
        found = {"operation": "retrieval", "input": query or given, "output": _documents(gave)}
    elif subtype == "embedder":
        found = {**_named(view), "operation": "embeddings", "input": given}  # the vectors stay where they are
    elif view.text("genkit:type") == "util":
        found = {
            "input": canonical_messages(_dict(given).get("messages"), "user") or given,
            "output": canonical_messages([message], "assistant") if (message := _dict(gave).get("message")) else gave,
        }
    else:
        found = {**_called(view, subtype), "input": given, "output": gave}
    view.moved.update(key for key, name in ((_INPUT, "input"), (_OUTPUT, "output")) if found.get(name) is not None)
    return found


def _model(view: SpanView, request: Mapping[str, Any], response: Mapping[str, Any]) -> dict[str, Any]:
    raw, message = _dict(response.get("raw")), _dict(response.get("message"))
    candidates = response.get("candidates")  # before 1.0
    if not message and isinstance(candidates, list) and candidates:
        message = _dict(_dict(candidates[0]).get("message"))
    reason, parameters = response.get("finishReason"), dict(_dict(request.get("config")))
    parameters |= {name: request[name] for name in ("toolChoice", "output") if request.get(name)}
    all_asked = request.get("messages") and not request.get("docs")  # documents for the model have no column
    view.moved.update(key for key, held in ((_INPUT, all_asked), (_OUTPUT, message)) if held)
    return {
        **_named(view),
        "operation": "chat",
        "response_model": _string(raw.get("model")) or _string(raw.get("modelVersion")),
        "response_id": _string(raw.get("id")) or _string(raw.get("responseId")),
        "service_tier": _string(raw.get("service_tier")),
        "input": canonical_messages(request.get("messages"), "user"),
        "output": canonical_messages([message], "assistant") if message else None,
        "tool_definitions": tool_definitions(request.get("tools")) if request.get("tools") else None,
        "model_parameters": parameters or None,
        "finish_reasons": [reason] if isinstance(reason, str) and reason else None,
        **_usage(_dict(response.get("usage")), _dict(raw.get("usage"))),
    }


def _usage(usage: Mapping[str, Any], raw: Mapping[str, Any]) -> dict[str, Any]:
    """Genkit's numbers, and what only the provider's own say."""
    asked = _dict(raw.get("prompt_tokens_details") or raw.get("input_tokens_details"))
    answered = _dict(raw.get("completion_tokens_details") or raw.get("output_tokens_details"))
    found = {
        "input_tokens": usage.get("inputTokens"),
        "output_tokens": usage.get("outputTokens"),
        "total_tokens": usage.get("totalTokens"),
        "cache_read_tokens": _first(
            usage.get("cachedContentTokens"), asked.get("cached_tokens"), raw.get("cache_read_input_tokens")
        ),
        "cache_write_tokens": raw.get("cache_creation_input_tokens"),
        "reasoning_tokens": _first(usage.get("thoughtsTokens"), answered.get("reasoning_tokens")),
    }
    if "cache_read_input_tokens" in raw:  # Anthropic's, whose input tokens are passed on
        found["inclusive"] = count(usage.get("inputTokens")) != count(raw.get("input_tokens"))
    return found


def _first(*values: Any) -> Any:
    return next((value for value in values if value is not None), None)


def _named(view: SpanView) -> dict[str, str]:
    """Plugin and model: "openai/gpt-4o"."""
    plugin, slash, model = (view.text("genkit:name") or "").partition("/")
    return {"provider": plugin, "request_model": model} if slash else {"request_model": plugin}


def _called(view: SpanView, subtype: str | None) -> dict[str, Any]:
    """Which tool or agent was called."""
    match subtype:
        case "tool" | "tool.v2":
            return {"operation": "execute_tool", "tool_name": view.text("genkit:name")}
        case "agent":
            return {"operation": "invoke_agent", "agent_name": view.text("genkit:name")}
    return {}


def _documents(value: Any) -> Any:
    documents = _dict(value).get("documents")
    if not isinstance(documents, list):
        return value
    return [{"content": _text(document), "metadata": _dict(_dict(document).get("metadata"))} for document in documents]


def _text(document: Any) -> str:
    parts = _dict(document).get("content")
    texts = [part.get("text") for part in parts if isinstance(part, dict)] if isinstance(parts, list) else [parts]
    return "".join(text for text in texts if isinstance(text, str))


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _string(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


DIALECT = Dialect(
    name="genkit",
    scopes=("genkit-tracer",),
    markers=("genkit:*",),
    kinds={
        "model": "LLM",
        "background-model": "LLM",
        "tool": "TOOL",
        "tool.v2": "TOOL",
        "retriever": "RETRIEVER",
        "indexer": "OTHER",
        "reranker": "RERANKER",
        "embedder": "EMBEDDING",
        "evaluator": "EVALUATOR",
        "agent": "AGENT",
        "flow": "CHAIN",
        "prompt": "CHAIN",
        "executable-prompt": "CHAIN",
        "util": "CHAIN",
        "flowstep": "CHAIN",
    },
    text={
        "kind_name": ("genkit:metadata:subtype", "genkit:type"),
        "session_id": ("genkit:sessionId",),
    },
    read=read,
)
