"""The Galtea view: a span's row to the documented JSON object.

Pure: rows as `collector.query.reader` describes them in, dictionaries out. Tokens, cost and model have no field of their
own in the document: they are in `metadata`, under the names that Galtea has for them elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from collector.json_text import json_value
from collector.query.attributes import attribute, text_attribute
from collector.query.content import span_content
from collector.query.galtea.ids import shown_id
from collector.query.galtea.schema import TYPES
from collector.query.reader import Row
from collector.query.times import rfc3339
from collector.settings_attributes import GalteaAttributes

EVIDENCE = "spanledger"
"""The metadata key that holds what the collector knows beyond the rest."""

ORIGINAL_TYPE = "galtea.span.original_type"
"""The metadata key that holds a type which is none of Galtea's."""

TYPE_OF_KIND = {
    "AGENT": "AGENT",
    "LLM": "GENERATION",
    "TOOL": "TOOL",
    "RETRIEVER": "RETRIEVER",
    "RERANKER": "RETRIEVER",
    "CHAIN": "CHAIN",
    "EMBEDDING": "EMBEDDING",
    "GUARDRAIL": "GUARDRAIL",
    "EVALUATOR": "EVALUATOR",
    "OTHER": "SPAN",
}

# Names that Galtea has for them on inference results, and the column.
_USAGE = (
    ("inputTokens", "input_tokens"),
    ("outputTokens", "output_tokens"),
    ("cacheReadInputTokens", "cache_read_tokens"),
    ("cacheWriteInputTokens", "cache_write_tokens"),
    ("reasoningTokens", "reasoning_tokens"),
)

# Columns shown as they are, when they say something.
_EVIDENCE = (
    "trace_id",
    "kind",
    "operation",
    "agent_name",
    "tool_name",
    "session_id",
    "user_id",
    "tags",
    "finish_reasons",
    "evaluations",
    "token_basis",
    "usage_problem",
    "cost_source",
    "price_model",
    "price_version",
    "unpriced_reason",
    "error_type",
)


def span_document(span: Row, names: GalteaAttributes) -> dict[str, Any]:
    """Return the documented object of a span. `names` are the attributes that fill it."""
    kind = span["kind"]
    shown_type, original_type = _type(span, names)
    given, made = attribute(span, names.input), attribute(span, names.output)
    if given is None and not _is_conversation(span):
        given = span["input"] or None
    error = text_attribute(span, names.error)
    return {
        "id": shown_id(span["span_id"]),
        "inferenceResultId": text_attribute(span, names.inference_result) or span["trace_id"],
        "name": span["name"],
        "type": shown_type,
        "description": text_attribute(span, names.description),
        "inputData": _as_object(
            span_content(kind, span["input"], "user", span["system_instructions"]) if given is None else _parsed(given)
        ),
        "outputData": _as_object(span_content(kind, span["output"], "assistant") if made is None else _parsed(made)),
        "error": error or span["error"] or None,
        "latencyMs": None if span["latency_ns"] is None else span["latency_ns"] / 1e6,
        "metadata": _metadata(span, names, original_type),
        "parentTraceId": shown_id(span["parent_span_id"]),
        "startTime": rfc3339(span["start_time"]),
        "endTime": None if span["end_time"] is None else rfc3339(span["end_time"]),
        "createdAt": rfc3339(span["received_at"] * 1_000_000),
        "deletedAt": None,
    }


def _is_conversation(span: Row) -> bool:
    """Whether system instructions are a part of what went in, and not only beside an object that the program names so."""
    return not isinstance(json_value(span["input"]), dict) if span["input"] else True


def _type(span: Row, names: GalteaAttributes) -> tuple[str, str | None]:
    """Return the type of a span, and what it says instead if that is none."""
    said = text_attribute(span, names.type)
    if said is None:
        return TYPE_OF_KIND[span["kind"]], None
    return (said.upper(), None) if said.upper() in TYPES else ("SPAN", said)


def _metadata(span: Row, names: GalteaAttributes, original_type: str | None) -> dict[str, Any]:
    """Return everything that has no field. Of one name, what the application calls metadata is shown, then attributes."""
    shown_elsewhere = {
        name
        for field in ("inference_result", "type", "description", "input", "output", "error", "metadata")
        for name in getattr(names, field)
    }
    own = {name: value for name, value in span["attributes"].items() if name not in shown_elsewhere}
    own |= span["metadata"]
    given = attribute(span, names.metadata)
    if given is not None:
        own |= _as_object(_parsed(given))
    found = _found_out(span)
    if original_type is not None:
        found[ORIGINAL_TYPE] = original_type
    evidence = {column: span[column] for column in _EVIDENCE if span[column]}
    evidence["id"] = f"trace_{span['span_uuid']}"
    if span["time_to_first_token_ns"] is not None:
        evidence["timeToFirstTokenMs"] = span["time_to_first_token_ns"] / 1e6
    if EVIDENCE in own:
        evidence["attribute"] = own[EVIDENCE]
    evidence.update({name: value for name, value in found.items() if name in own and own[name] != value})
    return {**found, **own, EVIDENCE: evidence}


def _found_out(span: Row) -> dict[str, Any]:
    """Return model, parameters, tokens and cost, as far as they are known."""
    found: dict[str, Any] = {}
    for name, value in (
        ("model", span["response_model"] or span["request_model"]),
        ("provider", span["provider"]),
    ):
        if value:
            found[name] = value
    found |= span["model_parameters"]
    found |= {name: span[column] for name, column in _USAGE if span[column] is not None}
    counts = [span[column] for column in ("input_tokens", "output_tokens") if span[column] is not None]
    if counts:
        found["tokens"] = sum(counts)
    for name, column in (("cost", "cost_total"), ("inputCost", "cost_input"), ("outputCost", "cost_output")):
        if span[column] is not None:
            found[name] = float(span[column])
    return found


def _parsed(value: Any) -> Any:
    """Return what an attribute holds: a text that is JSON is the value that it is."""
    return json_value(value) if isinstance(value, str) else value


def _as_object(value: Any) -> dict[str, Any]:
    """Return a JSON object: anything else is put under ``value``, as Galtea's packages do; nothing is an empty one."""
    if value is None:
        return {}
    return dict(value) if isinstance(value, Mapping) else {"value": value}
