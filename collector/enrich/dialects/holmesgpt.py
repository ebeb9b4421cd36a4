"""HolmesGPT: an investigation, its model calls, and its calls of tools.

Source: holmes/core/otel_tracing.py and holmes/core/tool_calling_llm.py of HolmesGPT/holmesgpt.

- The usage of a model call is that of all calls of the investigation until then (HolmesGPT/holmesgpt PR#2439): only that of
  the first is its own. What the others used cannot be told from one span. With that change a call has its own usage, and
  always tells of cached tokens, if only that there are none.
- `gen_ai.system` is ``litellm``, whoever the provider is; cached tokens are not told before that change, so that the cost is an
  upper bound.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from collector.enrich.dialects.dialect import Dialect
from collector.enrich.span_view import SpanView

_CACHED = ("gen_ai.usage.cache_read_input_tokens", "gen_ai.usage.cache_read.input_tokens")


def read(view: SpanView) -> Mapping[str, Any]:
    """Return whether the span is that of a tool, and whether its usage is that of all calls until then."""
    iteration = view.get("holmesgpt.iteration")
    later = isinstance(iteration, int) and iteration > 1
    return {
        "kind": "TOOL" if view.get("holmesgpt.tool.name") is not None else None,
        "running_total": True if later and view.get(*_CACHED) is None else None,
    }


DIALECT = Dialect(
    name="holmesgpt",
    scopes=("holmesgpt",),
    markers=("holmesgpt.*",),
    inclusive=True,
    kinds_of_names={"holmesgpt.investigation": "AGENT", "gen_ai.chat": "LLM"},
    text={"tool_name": ("holmesgpt.tool.name",)},
    tokens={
        "cache_read_tokens": ("gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.cache_read_input_tokens"),
        "cache_write_tokens": ("gen_ai.usage.cache_creation.input_tokens", "gen_ai.usage.cache_creation_input_tokens"),
    },
    read=read,
)
