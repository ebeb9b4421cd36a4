"""Langfuse's SDKs (Python 3 to 5, JavaScript 4 and 5), and spans that carry its attributes.

- The keys of ``usage_details`` are buckets that exclude each other, the opposite of the conventions: ``input`` is without
  what ``input_cached_tokens`` and the like count, ``output`` without ``output_reasoning_tokens``. All that start with
  ``input`` or ``cache`` make up the input, all that start with ``output`` the output. But where the total is just ``input`` and
  ``output``, these do include the others. The wrapper of the OpenAI client hands on OpenAI's own usage object instead.
- Structured values are JSON texts, one metadata value at a time; a plain text is itself. ``completion_start_time`` is a time
  in quotes.
- Releases of Python up to 3.3.0 may call a generation a span; a generation alone has a model.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from collector.enrich.dialects.dialect import Dialect
from collector.enrich.dialects.model_call import (
    documents,
    finish_reasons,
    messages_or_value,
    read_request,
    read_response,
)
from collector.enrich.span_view import SpanView
from collector.enrich.usage_objects import provider_usage, total
from collector.json_text import json_value

Found = dict[str, Any]

_OBSERVATION = "langfuse.observation."
_READ = frozenset({"cached_tokens", "cached", "cache_read", "cache_read_tokens", "cache_read_input_tokens"})
_WRITE = frozenset(
    {"cache_creation", "cache_write", "cache_creation_5m", "cache_write_tokens", "cache_creation_input_tokens"}
)
_WRITE_1H = frozenset({"cache_creation_1h", "cache_creation_input_tokens_1h"})
_REASONING = frozenset({"reasoning", "reasoning_tokens"})
_AUDIO = frozenset({"audio", "audio_tokens"})
_IMAGE = frozenset({"image", "image_tokens"})
_PROVIDERS_OWN = frozenset({"prompt_tokens", "completion_tokens", "promptTokenCount", "inputTokens"})
"""Names that no bucket has: the details are a provider's usage object."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def read(view: SpanView) -> Mapping[str, Any]:
    """Return what the attributes of one observation hold as JSON."""
    found: Found = {
        "metadata": _metadata(view) or None,
        "cost_reported": _amount(view.json(_OBSERVATION + "cost_details")),
        "time_to_first_token_ns": _time_to_first_token(view),
        **_usage(view.json(_OBSERVATION + "usage_details")),
    }
    if (version := view.get(_OBSERVATION + "prompt.version")) is not None:
        found["prompt_version"] = str(version)
    kind = view.text(_OBSERVATION + "type")
    if kind in (None, "span") and view.text(_OBSERVATION + "model.name"):
        found["kind"], kind = "LLM", "generation"
    reason = found["metadata"].get("finish_reason") if found["metadata"] else None
    found["finish_reasons"] = [reason] if isinstance(reason, str) and reason else None
    if isinstance(parameters := view.json(_OBSERVATION + "model.parameters"), Mapping):
        found["model_parameters"] = dict(parameters) or None
        tier = parameters.get("service_tier")
        found["service_tier"] = tier if isinstance(tier, str) else None
    return {**found, **_content(view, kind or "")}


def _content(view: SpanView, kind: str) -> Found:
    if kind == "embedding":
        return {}
    found: Found = {}
    given, made = view.json(_OBSERVATION + "input"), view.json(_OBSERVATION + "output")
    if kind == "generation":
        request, response = read_request(given), read_response(made)
        found = {
            name: request[name] for name in ("input", "system_instructions", "tool_definitions") if name in request
        }
        found |= {"output": response["output"]} if "output" in response else {}
        found |= {"finish_reasons": reasons} if (reasons := finish_reasons(found.get("output"))) else {}
    elif kind == "retriever":
        found = {"output": documents(made)}
    elif kind != "tool":
        found = {"input": messages_or_value(given, "user"), "output": messages_or_value(made, "assistant")}
    for name in ("input", "output"):
        if found.get(name) is not None:
            view.moved.add(_OBSERVATION + name)
    return found


def _metadata(view: SpanView) -> Found:
    """The metadata of the trace and, over it, that of the observation."""
    found: Found = {}
    for key in ("langfuse.metadata", "langfuse.trace.metadata", _OBSERVATION + "metadata"):
        whole = view.json(key)
        if isinstance(whole, Mapping):
            found |= whole
        for name, value in view.prefixed(key + "."):
            found[name[len(key) + 1 :]] = json_value(value) if isinstance(value, str) else value
    return found


def _usage(details: Any) -> Found:
    if not isinstance(details, Mapping):
        return {}
    nested = any(isinstance(value, Mapping) for value in details.values())
    if (nested or not _PROVIDERS_OWN.isdisjoint(details)) and (usage := provider_usage(details)):
        return usage
    counts = {name: count for name, count in details.items() if count is not None and not isinstance(count, Mapping)}
    made = [name for name in counts if name.startswith("output")]
    read = [name for name in counts if name not in made and name.startswith(("input", "cache"))]
    whole = [*_plain(read, "input"), *_plain(made, "output")]
    parts = len(whole) < len(read) + len(made) and counts.get("total") == total(*(counts[name] for name in whole))
    cached = [name for name in read if _bare(name) in _READ | _WRITE | _WRITE_1H]
    uncached = _plain(read, "input") if parts else [name for name in read if name not in cached]
    return {
        "inclusive": parts if read else None,
        "input_tokens": total(*(counts[name] for name in uncached)) if uncached or not cached else 0,
        "output_tokens": total(*(counts[name] for name in (_plain(made, "output") if parts else made))),
        "total_tokens": counts.get("total", counts.get("total_tokens")),
        "cache_read_tokens": _bucket(counts, read, _READ),
        "cache_write_tokens": _bucket(counts, read, _WRITE | _WRITE_1H),
        "cache_write_1h_tokens": _bucket(counts, read, _WRITE_1H),
        "reasoning_tokens": _bucket(counts, made, _REASONING),
        "input_audio_tokens": _bucket(counts, read, _AUDIO),
        "output_audio_tokens": _bucket(counts, made, _AUDIO),
        "input_image_tokens": _bucket(counts, read, _IMAGE),
        "output_image_tokens": _bucket(counts, made, _IMAGE),
    }


def _plain(names: Iterable[str], side: str) -> list[str]:
    """The names of what a side's total is counted under, where its other counts are parts of it."""
    return [name for name in names if name in (side, f"{side}_tokens")]


def _bucket(counts: Mapping[str, Any], names: Iterable[str], wanted: frozenset[str]) -> Any:
    """The sum of the buckets of these names."""
    return total(*(counts[name] for name in names if _bare(name) in wanted))


def _bare(name: str) -> str:
    """The name of a bucket without the side that it belongs to."""
    return name.removeprefix("input_").removeprefix("output_")


def _amount(details: Any) -> float | None:
    """The total of reported costs, in USD."""
    if not isinstance(details, Mapping):
        return None
    amounts = {
        name: amount
        for name, amount in details.items()
        if isinstance(amount, int | float) and not isinstance(amount, bool)
    }
    if "total" in amounts:
        return float(amounts["total"])
    return float(sum(amounts.values())) if amounts else None


def _time_to_first_token(view: SpanView) -> int | None:
    """The time from the start to ``completion_start_time``, in ns; it is told in microseconds, so a little less than 0 is 0."""
    text = view.json(_OBSERVATION + "completion_start_time")
    text = json_value(text) if isinstance(text, str) and text.startswith('"') else text
    if not isinstance(text, str):
        return None
    try:
        instant = datetime.fromisoformat(text)
        since = (instant if instant.tzinfo else instant.replace(tzinfo=UTC)) - _EPOCH
    except (ValueError, OverflowError):
        return None
    passed = since // timedelta(microseconds=1) * 1000 - view.start_time
    return max(passed, 0) if passed > -1000 else None


DIALECT = Dialect(
    name="langfuse",
    scopes=("langfuse-sdk", "langfuse-sdk.*"),
    markers=("langfuse.observation.*",),
    kinds={
        "generation": "LLM",
        "embedding": "EMBEDDING",
        "agent": "AGENT",
        "tool": "TOOL",
        "chain": "CHAIN",
        "retriever": "RETRIEVER",
        "guardrail": "GUARDRAIL",
        "evaluator": "EVALUATOR",
        "event": "OTHER",
    },
    text={
        "kind_name": ("langfuse.observation.type",),
        "request_model": ("langfuse.observation.model.name",),
        "session_id": ("langfuse.session.id", "session.id"),
        "user_id": ("langfuse.user.id", "user.id"),
        "prompt_name": ("langfuse.observation.prompt.name",),
        "environment": ("langfuse.environment",),
        "release": ("langfuse.release",),
    },
    content={"input": ("langfuse.observation.input",), "output": ("langfuse.observation.output",)},
    lists={"tags": ("langfuse.trace.tags", "langfuse.tags")},
    read=read,
)
