"""VoltAgent (1.x and 2.x).

Source: packages/core/src/agent of VoltAgent/voltagent.

- `span.type` is the kind of a span below an agent's, which has `entity.type` "agent" alone; both are there on all others.
- The model call has `llm.usage.*`, the agent repeats their sum as `usage.*`; cached tokens are those of the AI SDK, which
  counts them as input.
- A cost is that of OpenRouter.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from collector.enrich.dialects.dialect import Dialect
from collector.enrich.dialects.reading import said, said_text
from collector.enrich.messages import canonical_messages
from collector.enrich.span_view import SpanView


def read(view: SpanView) -> Mapping[str, Any]:
    """Return the content of a span, which are messages for models and agents."""
    kind = view.text("span.type") or "agent"
    system = said_text(view, "agent.instructions")
    found: dict[str, Any] = {"system_instructions": [{"type": "text", "content": system}] if system else None}
    if kind in ("llm", "agent", "summary"):
        asked, answered = said(view, "llm.messages", "agent.messages", "input"), said(view, "output")
        found["input"] = canonical_messages(asked, "user") or asked
        found["output"] = canonical_messages(answered, "assistant") or answered
    else:
        found["input"], found["output"] = said(view, "input"), said(view, "output")
    return found


def _usage(name: str) -> tuple[str, ...]:
    return f"llm.usage.{name}_tokens", f"usage.{name}_tokens"


DIALECT = Dialect(
    name="voltagent",
    scopes=("@voltagent/*",),
    markers=("voltagent.*",),
    inclusive=True,
    kinds={
        "llm": "LLM",
        "summary": "CHAIN",
        "tool": "TOOL",
        "retriever": "RETRIEVER",
        "memory": "OTHER",
        "vector": "RETRIEVER",
        "embedding": "EMBEDDING",
        "guardrail": "GUARDRAIL",
        "scorer": "EVALUATOR",
        "middleware": "CHAIN",
        "agent": "AGENT",
        "workflow": "CHAIN",
        "workflow-step": "CHAIN",
    },
    text={
        "kind_name": ("span.type", "entity.type"),
        "operation": ("gen_ai.operation.name", "llm.operation"),
        "request_model": ("llm.model", "ai.model.name"),
        "provider": ("llm.provider",),
        "session_id": ("conversation.id",),
        "agent_name": ("subagent.name", "entity.name"),
        "tool_name": ("tool.name",),
        "tool_call_id": ("tool.call.id",),
    },
    tokens={
        "input_tokens": _usage("prompt"),
        "output_tokens": _usage("completion"),
        "total_tokens": _usage("total"),
        "cache_read_tokens": _usage("cached"),
        "reasoning_tokens": _usage("reasoning"),
    },
    amounts={"cost_reported": ("usage.cost",)},
    lists={"finish_reasons": ("llm.finish_reason", "ai.response.finish_reason")},
    read=read,
)
