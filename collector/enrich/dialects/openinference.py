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

from collector.enrich.dialects.dialect import Dialect
from collector.enrich.messages import canonical_messages, openinference_messages, tool_definitions, unflatten
from collector.enrich.span_view import SpanView
from collector.json_text import json_value

JSON = "application/json"
MOST_LEAVES = 2_000
"""Flattened leaves of one array that are rebuilt; more stay attributes."""
LONGEST_RESPONSE = 200_000
"""Characters of a raw response that is looked into."""

_NO_PARAMETERS = frozenset({"model", "model_name", "stream", "_type", "tools", "functions", "messages", "input"})


def read(view: SpanView) -> Mapping[str, Any]:
    """Return what the tables do not describe: content by the kind of the span, and objects that hold several fields."""
    kind = (view.text("openinference.span.kind") or "").upper()
    content = _CONTENT.get(kind, _step)
    return {**_request(view), **_provider(view), **content(view), "evaluations": _evaluations(view), **_about(view)}


def _request(view: SpanView) -> dict[str, Any]:
    """What `invocation_parameters` hold: parameters, the model that was asked for, whether it streamed."""
    text = view.text("llm.invocation_parameters", "embedding.invocation_parameters")
    if text is None:
        return {}
    parameters, model, streams = _parameters(text)
    named = view.text("llm.request.model_name", "embedding.model_name") is not None
    return {"model_parameters": parameters, "request_model": None if named else model, "streaming": streams}


@lru_cache(maxsize=512)
def _parameters(text: str) -> tuple[dict[str, Any] | None, str | None, bool | None]:
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


def _provider(view: SpanView) -> dict[str, Any]:
    """The provider where `llm.provider` alone does not tell: clouds that serve models by several ways."""
    provider, system = view.text("llm.provider"), view.text("llm.system")
    if provider == "google" and system == "vertexai":
        return {"provider": system}
    if provider == "azure" and system not in (None, "openai"):
        return {"provider": "azure.ai.inference"}
    return {}


def _about(view: SpanView) -> dict[str, Any]:
    metadata = view.json("metadata")
    found: dict[str, Any] = {"metadata": metadata if isinstance(metadata, dict) and metadata else None}
    if "llm.cost.total" not in view.attributes:
        parts = [view.get("llm.cost.prompt"), view.get("llm.cost.completion")]
        if all(isinstance(part, int | float) and not isinstance(part, bool) for part in parts):
            found["cost_reported"] = float(sum(parts))
    return found


def _model_call(view: SpanView) -> dict[str, Any]:
    return {
        "input": _messages(view, ("llm.input_messages", "llm.prompts"), "user") or _raw(view, "input", "user"),
        "output": _messages(view, ("llm.output_messages", "llm.choices"), "assistant")
        or _raw(view, "output", "assistant"),
        "tool_definitions": _tools(view),
        "operation": "text_completion" if _has(view, "llm.prompts.") and not view.get("gen_ai.operation.name") else None,
        **_response(view),
    }


def _embedding(view: SpanView) -> dict[str, Any]:
    texts = [value for key, value in view.prefixed("embedding.embeddings.") if key.endswith(".embedding.text")]
    said = [{"type": "text", "content": text} for text in texts if isinstance(text, str)]
    view.moved.update(
        key for key, _ in view.prefixed("embedding.embeddings.") if key.endswith(".embedding.text") and said
    )
    return {"input": [{"role": "user", "parts": said}] if said else _raw(view, "input", "user")}


def _tool(view: SpanView) -> dict[str, Any]:
    output, result = view.get("output.value"), view.json("output.value")
    data = result.get("data") if isinstance(result, dict) and result.get("type") == "tool" else None
    if isinstance(data, dict) and "content" in data:  # a message of LangChain around the result
        call_id = data.get("tool_call_id")
        return {
            "input": _taken(view, "input.value"),
            "output": data["content"],
            "tool_call_id": call_id if isinstance(call_id, str) and not view.text("tool.id") else None,
        }
    return {
        "input": _taken(view, "input.value") or _taken(view, "tool.parameters"),
        "output": None if output is None else _taken(view, "output.value"),
    }


def _retriever(view: SpanView) -> dict[str, Any]:
    found = _documents(view, "retrieval.documents")
    return {"input": _taken(view, "input.value"), "output": found or _taken(view, "output.value")}


def _reranker(view: SpanView) -> dict[str, Any]:
    query, documents = view.text("reranker.query"), _documents(view, "reranker.input_documents")
    if query is not None:
        view.moved.add("reranker.query")
    asked = {name: value for name, value in (("query", query), ("documents", documents)) if value}
    return {
        "input": asked or _taken(view, "input.value"),
        "output": _documents(view, "reranker.output_documents") or _taken(view, "output.value"),
        **_request(view),
    }


def _step(view: SpanView) -> dict[str, Any]:
    """A step of the application itself: what it was given and returned, as messages where it is messages."""
    return {
        "input": _messages_or_value(view, "input.value", "user"),
        "output": _messages_or_value(view, "output.value", "assistant"),
        "tool_definitions": _tools(view),
    }


_CONTENT = {
    "LLM": _model_call,
    "DECISION": _model_call,
    "EMBEDDING": _embedding,
    "TOOL": _tool,
    "RETRIEVER": _retriever,
    "RERANKER": _reranker,
}


def _has(view: SpanView, prefix: str) -> bool:
    return any(True for _ in view.prefixed(prefix))


def _messages(view: SpanView, prefixes: tuple[str, ...], role: str) -> list[dict[str, Any]] | None:
    for prefix in prefixes:
        flat = _array(view, prefix)
        if flat and (messages := openinference_messages(flat, role)):
            view.take_prefixed(prefix + ".")
            return messages
    return None


def _array(view: SpanView, prefix: str) -> list[dict[str, Any]]:
    """The elements of a flattened array; none where it has more leaves than are rebuilt."""
    leaves = list(view.prefixed(prefix + "."))
    return unflatten(leaves, prefix, limit=8 * MOST_LEAVES) if 0 < len(leaves) <= MOST_LEAVES else []


def _tools(view: SpanView) -> list[dict[str, Any]] | None:
    tools = _array(view, "llm.tools")
    found = tool_definitions([_schema(tool) for tool in tools]) if tools else None
    if found:
        view.take_prefixed("llm.tools.")
    return found


def _schema(tool: Mapping[str, Any]) -> Any:
    inner = tool.get("tool")
    schema = inner.get("json_schema") if isinstance(inner, dict) else None
    return json_value(schema) if isinstance(schema, str) else schema or tool


def _raw(view: SpanView, side: str, role: str) -> Any:
    """What stands in `input.value` or `output.value`, as messages. The raw text stays an attribute: it says more."""
    value = view.json(f"{side}.value")
    return None if value is None else canonical_messages(value, role) or value


def _messages_or_value(view: SpanView, key: str, role: str) -> Any:
    value = view.json(key)
    if value is None:
        return None
    view.moved.add(key)
    spoken = value.get("messages") if isinstance(value, dict) else value
    messages = canonical_messages(value, role) if isinstance(spoken, list) and all(map(_is_message, spoken)) else None
    return messages or view.get(key)


def _is_message(value: Any) -> bool:
    return isinstance(value, dict) and ("role" in value or "lc" in value or ("type" in value and "data" in value))


def _taken(view: SpanView, key: str) -> Any:
    """The value as it was sent, which moves into a content column."""
    value = view.get(key)
    if value is not None:
        view.moved.add(key)
    return value


def _documents(view: SpanView, prefix: str) -> list[dict[str, Any]] | None:
    found = []
    for element in _array(view, prefix):
        document = element.get("document")
        if isinstance(document, dict):
            metadata = document.get("metadata")
            parsed = {"metadata": json_value(metadata)} if isinstance(metadata, str) else {}
            found.append({**document, **parsed})
    if found:
        view.take_prefixed(prefix + ".")
    return found or None


def _evaluations(view: SpanView) -> list[dict[str, Any]] | None:
    found = []
    for prefix, name in (("evaluations", "evaluation"), ("annotations", "annotation")):
        for element in _array(view, prefix):
            evaluation = element.get(name)
            if isinstance(evaluation, dict) and isinstance(evaluation.get("name"), str):
                score = evaluation.get("score")
                found.append({
                    "name": evaluation["name"],
                    "score": float(score) if isinstance(score, int | float) else None,
                    "label": str(evaluation.get("label") or ""),
                    "explanation": str(evaluation.get("explanation") or ""),
                })  # fmt: skip
    return found or None


def _response(view: SpanView) -> dict[str, Any]:
    """What only the raw response says."""
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
    fields = {
        "response_id": response.get("id"),
        "service_tier": response.get("service_tier") or usage.get("service_tier"),
    }
    found: dict[str, Any] = {name: value for name, value in fields.items() if isinstance(value, str)}
    hour = kept.get("ephemeral_1h_input_tokens") if isinstance(kept, dict) else None
    return found | ({"cache_write_1h_tokens": hour} if isinstance(hour, int) else {})


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
