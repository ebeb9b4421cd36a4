"""OpenInference: the conventions of Arize, which Phoenix and its instrumentations write.

Source: openinference-semantic-conventions 0.1.42, and spans of the instrumentations of openai, anthropic and langchain.

- Messages are flattened over an attribute for each leaf (``llm.input_messages.0.message.role``), and so are documents, tools
  and evaluations. The raw request and response stand beside them in `input.value` and `output.value`.
- Spans that are no model call (CHAIN, AGENT) may have flattened messages too, but not all of them: `input.value` has.
- `llm.model_name` is the model that answered, once there is an answer; the one that was asked for may stand only in
  `llm.invocation_parameters`.
- `llm.provider` is who serves the model, `llm.system` who made it; some write only the latter.
- The instrumentations of openai, anthropic and langchain count cached tokens as input, others (Bedrock's) did not; all
  report a total, which tells.
- Service tier, id of the response and how long the cache is kept stand only in the raw response.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from collector.enrich.dialects.dialect import Dialect, Reader
from collector.enrich.dialects.indexed import LONGEST_REMEMBERED, remembered_definitions
from collector.enrich.messages import (
    canonical_messages,
    flattened_text,
    openinference_messages,
    tool_definitions,
    unflatten,
)
from collector.enrich.span_view import SpanView
from collector.json_text import json_value

MOST_ELEMENTS = 16_384
"""Elements of a flattened array of documents or the like."""
LONGEST_RESPONSE = 200_000
"""Characters of a raw response that is looked into."""

_NO_PARAMETERS = frozenset({"model", "model_name", "stream", "_type", "tools", "functions", "messages", "input"})
_EVALUATIONS = (("evaluations", "evaluation"), ("annotations", "annotation"))


def read(view: SpanView) -> Mapping[str, Any]:
    """Return what the tables do not describe: content by the kind of the span, and objects that hold several fields."""
    kind = view.text("openinference.span.kind") or ""
    return {**_CONTENT.get(kind.upper(), _step)(view), **_about(view)}


def _about(view: SpanView) -> dict[str, Any]:
    """What any span may say."""
    found: dict[str, Any] = {}
    metadata = view.json("metadata")
    if isinstance(metadata, dict):
        found["metadata"] = metadata
    parts = (view.get("llm.cost.prompt"), view.get("llm.cost.completion"))
    if "llm.cost.total" not in view.attributes and all(isinstance(part, int | float) for part in parts):
        found["cost_reported"] = float(sum(parts))
    if not view.arrays.keys().isdisjoint(("evaluations", "annotations")):
        found["evaluations"] = _evaluations(view)
    return found


def _model_call(view: SpanView) -> dict[str, Any]:
    arrays = view.arrays
    found = _request(view) | _response(view)
    found["input"] = _messages(view, "llm.input_messages", "user") or _messages(view, "llm.prompts", "user")
    found["output"] = _messages(view, "llm.output_messages", "assistant") or _messages(view, "llm.choices", "assistant")
    for side, role in (("input", "user"), ("output", "assistant")):
        if found[side] is None:
            found[side] = _raw(view, f"{side}.value", role)
    if "llm.tools" in arrays:
        found["tool_definitions"] = _tools(view)
    if "llm.prompts" in arrays and not view.get("gen_ai.operation.name"):
        found["operation"] = "text_completion"
    return found


def _embedding(view: SpanView) -> dict[str, Any]:
    keys, values = view.arrays.get("embedding.embeddings", ((), ()))
    texts = {
        key: value
        for key, value in zip(keys, values, strict=True)
        if key.endswith(".embedding.text") and isinstance(value, str)
    }
    view.moved.update(texts)
    parts = [{"type": "text", "content": text} for text in texts.values()]
    spoken = [{"role": "user", "parts": parts}] if parts else _raw(view, "input.value", "user")
    return {"input": spoken, **_request(view)}


def _tool(view: SpanView) -> dict[str, Any]:
    result = _container(view, "output.value")
    data = result.get("data") if isinstance(result, dict) and result.get("type") == "tool" else None
    if isinstance(data, dict) and "content" in data:  # a message of LangChain around the result
        call_id = data.get("tool_call_id")
        named = view.text("tool.id") is not None or not isinstance(call_id, str)
        return {
            "input": _taken(view, "input.value"),
            "output": data["content"],
            "tool_call_id": None if named else call_id,
        }
    return {
        "input": _taken(view, "input.value") or _taken(view, "tool.parameters"),
        "output": _taken(view, "output.value"),
    }


def _retriever(view: SpanView) -> dict[str, Any]:
    documents = _documents(view, "retrieval.documents")
    return {"input": _taken(view, "input.value"), "output": documents or _taken(view, "output.value")}


def _reranker(view: SpanView) -> dict[str, Any]:
    query = {"query": view.get("reranker.query"), "documents": _documents(view, "reranker.input_documents")}
    asked = {name: value for name, value in query.items() if value}
    if "query" in asked:
        view.moved.add("reranker.query")
    return {
        "input": asked or _taken(view, "input.value"),
        "output": _documents(view, "reranker.output_documents") or _taken(view, "output.value"),
        **_request(view),
    }


def _step(view: SpanView) -> dict[str, Any]:
    """A step of the application itself: what it was given and returned, as messages where it is messages."""
    found = {
        "input": _messages_or_value(view, "input.value", "user"),
        "output": _messages_or_value(view, "output.value", "assistant"),
    }
    return found | ({"tool_definitions": _tools(view)} if "llm.tools" in view.arrays else {})


_CONTENT: dict[str, Reader] = {
    "LLM": _model_call,
    "DECISION": _model_call,
    "EMBEDDING": _embedding,
    "TOOL": _tool,
    "RETRIEVER": _retriever,
    "RERANKER": _reranker,
}


def _request(view: SpanView) -> dict[str, Any]:
    """The provider where one attribute does not tell, and what the invocation parameters hold."""
    found: dict[str, Any] = {}
    provider, system = view.text("llm.provider"), view.text("llm.system")
    if provider == "google" and system == "vertexai":
        found["provider"] = system
    elif provider == "azure" and system not in (None, "openai"):
        found["provider"] = "azure.ai.inference"
    text = view.text("llm.invocation_parameters", "embedding.invocation_parameters")
    if text is not None:
        read_parameters = _parameters if len(text) <= LONGEST_REMEMBERED else _parameters.__wrapped__
        found["model_parameters"], model, found["streaming"] = read_parameters(text)
        if view.text("llm.request.model_name", "embedding.model_name") is None:
            found["request_model"] = model
    return found


@lru_cache(maxsize=256)
def _parameters(text: str) -> tuple[dict[str, Any] | None, str | None, bool | None]:
    """The parameters, the model that was asked for, and whether the answer was to be streamed."""
    value = json_value(text)
    if not isinstance(value, dict):
        return None, None, None
    parameters = {key: each for key, each in value.items() if each is not None and key not in _NO_PARAMETERS}
    model, streams = value.get("model") or value.get("model_name"), value.get("stream")
    return (
        parameters or None,
        model if isinstance(model, str) else None,
        streams if isinstance(streams, bool) else None,
    )


def _messages(view: SpanView, prefix: str, role: str) -> str | None:
    array = view.arrays.get(prefix)
    text = flattened_text(*array, prefix, openinference_messages, role) if array else None
    if array and text is not None:
        view.moved.update(array[0])
    return text


def _raw(view: SpanView, key: str, role: str) -> Any:
    """The raw request or response as messages. It stays an attribute as well, since it says more."""
    value = view.json(key)
    return None if value is None else canonical_messages(value, role) or value


def _messages_or_value(view: SpanView, key: str, role: str) -> Any:
    value = _taken(view, key)
    held = _container(view, key)
    spoken = held.get("messages") if isinstance(held, dict) else held
    is_spoken = isinstance(spoken, list) and all(map(_is_message, spoken))
    return (canonical_messages(held, role) if is_spoken else None) or value


def _container(view: SpanView, key: str) -> Any:
    """The object or array that a value is, or that its text holds; None for any other."""
    value = view.attributes.get(key)
    if isinstance(value, str):
        value = json_value(value) if value[:1] in ("{", "[") else None
    return value if isinstance(value, dict | list) else None


def _is_message(value: Any) -> bool:
    return isinstance(value, dict) and ("role" in value or "lc" in value or ("type" in value and "data" in value))


def _taken(view: SpanView, key: str) -> Any:
    """The value as it was sent, which moves into a content column."""
    value = view.get(key)
    if value is not None:
        view.moved.add(key)
    return value


def _elements(view: SpanView, prefix: str, name: str) -> list[dict[str, Any]]:
    """The elements of a flattened array, each without the one name that all of them are under."""
    keys, values = view.arrays.get(prefix, ((), ()))
    found = unflatten(zip(keys, values, strict=True), prefix, limit=MOST_ELEMENTS)
    return [inner for element in found if isinstance(inner := element.get(name), dict)]


def _tools(view: SpanView) -> list[dict[str, Any]] | None:
    """The tools that were offered; OpenInference holds the schema of each as JSON text."""
    keys, values = view.arrays["llm.tools"]
    short = [value for value in values if isinstance(value, str) and len(value) <= LONGEST_REMEMBERED]
    definitions = [remembered_definitions(value) for value in short]
    if len(definitions) < len(values) or not all(definitions):
        definitions = [tool_definitions(_elements(view, "llm.tools", "tool"))]
    found = [definition for each in definitions for definition in each or ()]
    if found:
        view.moved.update(keys)
    return found or None


def _documents(view: SpanView, prefix: str) -> list[dict[str, Any]] | None:
    found = []
    for document in _elements(view, prefix, "document"):
        metadata = document.get("metadata")
        found.append(document | ({"metadata": json_value(metadata)} if isinstance(metadata, str) else {}))
    if found:
        view.moved.update(view.arrays[prefix][0])
    return found or None


def _evaluations(view: SpanView) -> list[dict[str, Any]]:
    found = []
    for prefix, name in _EVALUATIONS:
        for each in _elements(view, prefix, name):
            score = each.get("score")
            found.append({
                "name": str(each.get("name") or ""),
                "score": float(score) if isinstance(score, int | float) else None,
                "label": str(each.get("label") or ""),
                "explanation": str(each.get("explanation") or ""),
            })  # fmt: skip
    return found


def _response(view: SpanView) -> dict[str, Any]:
    """What only the raw response says: its id, the service tier, and what was written into the cache for an hour."""
    text = view.text("output.value")
    if text is None or len(text) > LONGEST_RESPONSE or not text.startswith("{"):
        return {}
    response = json_value(text)
    if not isinstance(response, dict):
        return {}
    response = _of_langchain(response) or response
    usage = response.get("usage")
    usage = usage if isinstance(usage, dict) else {}
    kept = usage.get("cache_creation")
    hour = kept.get("ephemeral_1h_input_tokens") if isinstance(kept, dict) else None
    found = {
        "response_id": response.get("id"),
        "service_tier": response.get("service_tier") or usage.get("service_tier"),
    }
    texts: dict[str, Any] = {name: value for name, value in found.items() if isinstance(value, str)}
    return texts | ({"cache_write_1h_tokens": hour} if isinstance(hour, int) else {})


def _of_langchain(response: Mapping[str, Any]) -> dict[str, Any] | None:
    """What LangChain's result says of the response: it stands in the message of the first generation."""
    inner: Any = response.get("generations")
    while isinstance(inner, list) and inner:
        inner = inner[0]
    for name in ("message", "kwargs", "response_metadata"):
        inner = inner.get(name) if isinstance(inner, dict) else None
    return inner if isinstance(inner, dict) else None


DIALECT = Dialect(
    name="openinference",
    scopes=("openinference.*", "@arizeai/openinference-*"),
    markers=("openinference.span.kind",),
    inclusive=None,
    kinds={
        "llm": "LLM",
        "embedding": "EMBEDDING",
        "reranker": "RERANKER",
        "decision": "LLM",
        "chain": "CHAIN",
        "agent": "AGENT",
        "tool": "TOOL",
        "retriever": "RETRIEVER",
        "guardrail": "GUARDRAIL",
        "evaluator": "EVALUATOR",
        "prompt": "OTHER",
        "unknown": "OTHER",
    },
    operations={
        "llm": "chat",
        "embedding": "embeddings",
        "tool": "execute_tool",
        "retriever": "retrieval",
        "reranker": "rerank",
        "agent": "invoke_agent",
    },
    text={
        "kind_name": ("openinference.span.kind",),
        "provider": ("llm.provider", "decision.provider", "llm.system", "decision.system"),
        "request_model": (
            "llm.request.model_name",
            "embedding.model_name",
            "reranker.model_name",
            "decision.request.model_name",
        ),
        "response_model": (
            "llm.response.model_name",
            "llm.model_name",
            "decision.response.model_name",
            "decision.model_name",
        ),
        "agent_name": ("agent.name",),
        "tool_name": ("tool.name",),
        "tool_call_id": ("tool.id", "tool_call.id"),
        "prompt_name": ("prompt.id",),
        "prompt_version": ("llm.prompt_template.version",),
    },
    tokens={
        "input_tokens": ("llm.token_count.prompt", "decision.token_count.input"),
        "output_tokens": ("llm.token_count.completion", "decision.token_count.output"),
        "total_tokens": ("llm.token_count.total",),
        "cache_read_tokens": (
            "llm.token_count.prompt_details.cache_read",
            "llm.token_count.prompt_details.cache_input",
        ),
        "cache_write_tokens": ("llm.token_count.prompt_details.cache_write",),
        "reasoning_tokens": ("llm.token_count.completion_details.reasoning",),
        "input_audio_tokens": ("llm.token_count.prompt_details.audio",),
        "output_audio_tokens": ("llm.token_count.completion_details.audio",),
    },
    lists={"finish_reasons": ("llm.finish_reason",)},
    amounts={"cost_reported": ("llm.cost.total",)},
    read=read,
)
"""Values of `openinference.span.kind` as operations: what OpenInference itself writes for them when it is told to write the
conventions of OpenTelemetry as well."""
