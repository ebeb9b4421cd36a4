"""Galtea: attributes that say what a span is and what went in and out, on spans of any instrumentation.

Source: galtea 4 and 5 (`infrastructure/telemetry/attributes.py`). `galtea.span.*` is the current spelling, `galtea.trace.*`
the one that its packages write. Input and output are JSON texts, or plain ones.
"""

from __future__ import annotations

from collector.enrich.dialects import genai
from collector.enrich.dialects.dialect import Dialect

# What went in and out of a model is what the instrumentation has captured; these say what the program made of it.
_CONTENT = {
    "input": ("galtea.span.input", "galtea.trace.input"),
    "output": ("galtea.span.output", "galtea.trace.output"),
}

DIALECT = Dialect(
    name="galtea",
    markers=("galtea.*",),
    kinds={
        "generation": "LLM",
        "agent": "AGENT",
        "tool": "TOOL",
        "chain": "CHAIN",
        "retriever": "RETRIEVER",
        "evaluator": "EVALUATOR",
        "embedding": "EMBEDDING",
        "guardrail": "GUARDRAIL",
        "span": "OTHER",
        "event": "OTHER",
    },
    text={
        "kind_name": ("galtea.span.type", "galtea.trace.type"),
        "session_id": ("galtea.session.custom_id", "galtea.session.id"),
    },
    content={field: (*genai.DIALECT.content[field], *keys) for field, keys in _CONTENT.items()},
)
