"""MLflow Tracing, exported over OTLP.

- Every value is JSON text, also of plain texts: ``"\\"CHAT_MODEL\\""``.
- ``mlflow.spanInputs`` and ``mlflow.spanOutputs`` are a provider's request and response, or a function's arguments and
  result. The response's own usage comes before ``mlflow.chat.tokenUsage``, which lacks reasoning tokens, and which embeddings
  do not have.
- ``mlflow.trace.tokenUsage`` and ``mlflow.trace.cost`` are the sums of a trace, and not read.
- Each chunk of a stream is an event, ``mlflow.chunk.item.0`` the first: `enrich.latency`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from collector.enrich.dialects.dialect import Dialect
from collector.enrich.dialects.model_call import documents, messages_or_value, read_request, read_response
from collector.enrich.messages import tool_definitions
from collector.enrich.span_view import SpanView
from collector.enrich.usage_objects import Usage

Found = dict[str, Any]

_KINDS = {
    "llm": "LLM",
    "chat_model": "LLM",
    "agent": "AGENT",
    "chain": "CHAIN",
    "workflow": "CHAIN",
    "task": "CHAIN",
    "parser": "CHAIN",
    "tool": "TOOL",
    "retriever": "RETRIEVER",
    "embedding": "EMBEDDING",
    "reranker": "RERANKER",
    "guardrail": "GUARDRAIL",
    "evaluator": "EVALUATOR",
    "memory": "OTHER",
}
_MODEL_CALLS = ("LLM", "CHAT_MODEL", "EMBEDDING")
_TAG = "mlflow.traceTag."
_COUNTS = {
    "input_tokens": "input_tokens",
    "output_tokens": "output_tokens",
    "total_tokens": "total_tokens",
    "cache_read_input_tokens": "cache_read_tokens",
    "cache_creation_input_tokens": "cache_write_tokens",
    "cache_creation_input_tokens_above_1hr": "cache_write_1h_tokens",
}


def read(view: SpanView) -> Mapping[str, Any]:
    """Return what the attributes of one span hold as JSON."""
    span_type = _decoded(view, "mlflow.spanType")
    found: Found = {
        "request_model": _decoded(view, "model") or _decoded(view, "mlflow.llm.model"),
        "response_model": _decoded(view, "mlflow.llm.model"),
        "provider": _decoded(view, "mlflow.llm.provider"),
        "session_id": _decoded(view, "mlflow.trace.session") or _decoded(view, "session.id"),
        "user_id": _decoded(view, "mlflow.trace.user") or _decoded(view, "user.id"),
        "metadata": {key[len(_TAG) :]: value for key, value in view.prefixed(_TAG)} or None,
        "cost_reported": _amount(view.json("mlflow.llm.cost")),
        **_usage(view.json("mlflow.chat.tokenUsage")),
    }
    content = _model_call(view, span_type) if span_type in _MODEL_CALLS else _step(view, span_type)
    return {**found, **content}


def _decoded(view: SpanView, key: str) -> str | None:
    """The text that the JSON under a key is."""
    value = view.json(key)
    return value if isinstance(value, str) and value else None


def _model_call(view: SpanView, span_type: str | None) -> Found:
    given, made = view.json("mlflow.spanInputs"), view.json("mlflow.spanOutputs")
    request, response = read_request(given), read_response(made)
    if span_type == "EMBEDDING":
        request["input"] = given.get("input", given) if isinstance(given, Mapping) else given
        response.pop("output", None)
    if "tool_definitions" not in request:
        request["tool_definitions"] = tool_definitions(view.json("mlflow.chat.tools"))
    for field, key, found in (("input", "mlflow.spanInputs", request), ("output", "mlflow.spanOutputs", response)):
        if found.get(field) is not None:
            view.moved.add(key)
    return {**request, **response}


def _step(view: SpanView, span_type: str | None) -> Found:
    given, made = view.take("mlflow.spanInputs"), view.take("mlflow.spanOutputs")
    if span_type == "RETRIEVER":
        alone = isinstance(given, Mapping) and len(given) == 1
        query = next(iter(given.values())) if alone else given
        return {"input": query if isinstance(query, str) else given, "output": documents(made) or made}
    if span_type == "TOOL":
        return {"input": given, "output": made, "tool_name": _decoded(view, "mlflow.spanFunctionName") or view.name}
    return {
        "input": messages_or_value(given, "user"),
        "output": messages_or_value(made, "assistant"),
        "agent_name": view.name if span_type == "AGENT" else None,
    }


def _usage(usage: Any) -> Usage:
    if not isinstance(usage, Mapping):
        return {}
    return {field: usage[name] for name, field in _COUNTS.items() if usage.get(name) is not None}


def _amount(cost: Any) -> float | None:
    amount = cost.get("total_cost") if isinstance(cost, Mapping) else None
    return float(amount) if isinstance(amount, int | float) and not isinstance(amount, bool) else None


DIALECT = Dialect(
    name="mlflow",
    scopes=("mlflow", "mlflow.*"),
    markers=("mlflow.spanType", "mlflow.spanInputs"),
    kinds={form: kind for name, kind in _KINDS.items() for form in (name, f'"{name}"')},
    text={"kind_name": ("mlflow.spanType",)},
    read=read,
)
