"""Laminar: its SDK, whose instrumentations descend from OpenLLMetry's.

Source: lmnr 0.8.1.

- Kinds are values of `lmnr.span.type`; DEFAULT is any function, or an agent by its operation. An embedding is LLM.
- All spans have one scope; whose call it is stands in `lmnr.span.instrumentation_scope.name`.
- Messages are the provider's own under the conventions' keys; those of a response's span leave out the system message,
  which is among the indexed ones.
- Input tokens include cached ones. What was written into the cache is told apart by how long it is kept.
- Session, user, tags and metadata are association properties.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from collector.enrich.dialects.dialect import Dialect
from collector.enrich.dialects.indexed import conventional_messages, indexed_messages, said
from collector.enrich.span_view import SpanView

METADATA = "lmnr.association.properties.metadata."
_KEPT = "gen_ai.usage.cache_creation.input_tokens.ephemeral_"


def read(view: SpanView) -> Mapping[str, Any]:
    """Return messages in canonical form, kinds that the type does not tell, metadata and sums."""
    indexed, found = indexed_messages(view), conventional_messages(view)
    longer = {
        name: value for name, value in indexed.items() if said(indexed, name) > said(found, name) or name not in found
    }
    found |= longer
    found["metadata"] = {key.removeprefix(METADATA): value for key, value in view.prefixed(METADATA)}
    kind = (view.text("lmnr.span.type") or "").upper()
    if kind == "LLM" and view.name.endswith(".embeddings"):
        found |= {"kind": "EMBEDDING", "operation": "embeddings"}
    elif kind == "DEFAULT" and view.get("gen_ai.operation.name") is None:
        found["kind"] = "CHAIN"
    if kind == "TOOL" and view.text("gen_ai.tool.name") is None:
        found["tool_name"] = view.name
    if view.get("gen_ai.request.batch") is True:
        found["service_tier"] = "batch"
    return found | _sums(view)


def _sums(view: SpanView) -> dict[str, Any]:
    """Amounts of which only the parts are reported."""
    found: dict[str, Any] = {}
    kept = [view.get(f"{_KEPT}{time}") for time in ("5m", "1h")]
    total = view.get("gen_ai.usage.cache_creation_input_tokens", "gen_ai.usage.cache_creation.input_tokens")
    if total is None and any(isinstance(part, int) for part in kept):
        found["cache_write_tokens"] = sum(part for part in kept if isinstance(part, int))
    costs = [view.get("gen_ai.usage.input_cost"), view.get("gen_ai.usage.output_cost")]
    if view.get("gen_ai.usage.cost") is None and all(isinstance(part, int | float) for part in costs):
        found["cost_reported"] = float(sum(costs))
    return found


DIALECT = Dialect(
    name="laminar",
    scopes=("lmnr.tracer", "@lmnr-ai/*"),
    markers=("lmnr.*",),
    inclusive=None,
    kinds={
        "llm": "LLM",
        "tool": "TOOL",
        "cached": "CHAIN",
        "executor": "CHAIN",
        "evaluation": "CHAIN",
        "pipeline": "CHAIN",
        "evaluator": "EVALUATOR",
        "human_evaluator": "EVALUATOR",
    },
    operations={"llm": "chat", "tool": "execute_tool"},
    text={
        "kind_name": ("lmnr.span.type",),
        "session_id": ("lmnr.association.properties.session_id",),
        "user_id": ("lmnr.association.properties.user_id",),
        "service_tier": ("anthropic.response.service_tier",),
    },
    content={"input": ("lmnr.span.input",), "output": ("lmnr.span.output",)},
    tokens={
        "total_tokens": ("llm.usage.total_tokens",),
        "cache_read_tokens": ("gen_ai.usage.cache_read_input_tokens",),
        "cache_write_tokens": ("gen_ai.usage.cache_creation_input_tokens",),
        "cache_write_1h_tokens": (f"{_KEPT}1h",),
        "reasoning_tokens": ("gen_ai.usage.reasoning_tokens",),
        "input_audio_tokens": ("gen_ai.usage.audio_input_tokens",),
        "output_audio_tokens": ("gen_ai.usage.audio_output_tokens",),
    },
    lists={"tags": ("lmnr.association.properties.tags",)},
    flags={"streaming": ("llm.is_streaming",)},
    read=read,
)
