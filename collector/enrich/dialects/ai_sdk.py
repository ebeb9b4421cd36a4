"""Vercel AI SDK, versions 3 to 7.

Up to version 6, and in 7 with `LegacyOpenTelemetry`, its spans are of the scope ``ai``: one for what the application called
(``ai.generateText``) around one for each call of a model (``ai.generateText.doGenerate``) and of a tool (``ai.toolCall``).
Version 7 writes the conventions' attributes under the scope ``gen_ai``, with the same nesting (``invoke_agent``,
``agent_step``, ``chat``), and more under ``ai.*`` where asked for. `@langfuse/vercel-ai-sdk` writes these under ``ai``.

- The outer spans repeat the usage of the inner ones: all of it or, in versions 3 to 5, that of the last step. They are AGENT
  and CHAIN.
- Up to version 5, input tokens are what the provider reports: Anthropic and Bedrock leave cached ones out. From version 6
  they are all input tokens. Where ``noCacheTokens`` is there it tells; else the provider's own usage in
  ``ai.response.providerMetadata``, which also has the cached tokens where no attribute has them. That metadata is of the
  last step, so on outer spans it is only read for versions 3 to 5.
- A provider is named with its API (``openai.chat``).
- Lists are lists of JSON texts (``ai.prompt.tools``, ``ai.values``).
- Metadata and session of the application are in ``ai.telemetry.metadata.*``, in version 7 in ``ai.settings.context.*`` (and
  only on outer spans).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from collector.enrich.dialects.dialect import Dialect
from collector.enrich.messages import canonical_messages, system_parts, tool_definitions
from collector.enrich.providers import CANONICAL
from collector.enrich.span_view import SpanView
from collector.enrich.usage_objects import provider_usage, total
from collector.json_text import json_value

Found = dict[str, Any]

_CONTEXT = ("ai.telemetry.metadata.", "ai.settings.context.")
_HAVE_COLUMNS = frozenset({"sessionId", "session_id", "userId", "user_id", "tags", "langfusePrompt"})


def _context(*names: str) -> tuple[str, ...]:
    return tuple(prefix + name for name in names for prefix in _CONTEXT)


_OPERATIONS = {"doGenerate": "chat", "doStream": "chat", "doEmbed": "embeddings", "doRerank": "rerank"}
"""The conventions' operation by the last part of the name of a call of a model."""
_OUTER_OPERATIONS = {
    "ai.generateText": "invoke_agent",
    "ai.streamText": "invoke_agent",
    "ai.generateObject": "invoke_agent",
    "ai.streamObject": "invoke_agent",
    "ai.embed": "embeddings",
    "ai.embedMany": "embeddings",
    "ai.rerank": "rerank",
    "ai.toolCall": "execute_tool",
}
"""As version 7 maps them itself."""
_REPEATING = frozenset({"invoke_agent", "agent_step"})
"""Operations of version 7 whose spans repeat others' usage."""

# Counts in the metadata of a provider that stand apart from its usage object.
_FLAT_COUNTS = {
    "cache_read_tokens": ("cachedPromptTokens", "cacheReadInputTokens", "promptCacheHitTokens"),
    "cache_write_tokens": ("cacheCreationInputTokens", "cacheWriteInputTokens"),
    "reasoning_tokens": ("reasoningTokens",),
}
_ATTRIBUTES = {
    "cache_read_tokens": (
        "ai.usage.inputTokenDetails.cacheReadTokens",
        "ai.usage.cachedInputTokens",
        "gen_ai.usage.cache_read.input_tokens",
    ),
    "cache_write_tokens": (
        "ai.usage.inputTokenDetails.cacheWriteTokens",
        "gen_ai.usage.cache_write.input_tokens",
        "gen_ai.usage.cache_creation.input_tokens",
    ),
    "reasoning_tokens": ("ai.usage.outputTokenDetails.reasoningTokens", "ai.usage.reasoningTokens"),
}
_INPUT = ("ai.usage.inputTokens", "ai.usage.promptTokens", "ai.usage.tokens", "gen_ai.usage.input_tokens")
_EXCLUSIVE = ("anthropic", "bedrock")
"""Providers, as the metadata names them, whose input tokens up to version 5 leave out cached ones."""


def read(view: SpanView) -> Mapping[str, Any]:
    """Return what the attributes of one span hold in a form of the SDK's own."""
    operation = view.text("ai.operationId") or ""
    last = operation.rpartition(".")[2]
    found: Found = {**_names(view, operation, last), **_application(view)}
    found |= _usage(view, operation, last)
    if operation == "ai.toolCall":
        return found
    return {**found, **_input(view), **_output(view), "tool_definitions": _tools(view)}


def _names(view: SpanView, operation: str, last: str) -> Found:
    provider = view.text("ai.model.provider", "aisdk.model.provider", "gen_ai.system", "gen_ai.provider.name")
    return {
        "operation": _OPERATIONS.get(last) or _OUTER_OPERATIONS.get(operation),
        "provider": _provider(provider) if provider else None,
        "streaming": _streams(operation),
    }


def _streams(operation: str) -> bool | None:
    if operation.startswith("ai.stream"):
        return True
    return False if operation.startswith("ai.generate") else None


@lru_cache(maxsize=1024)
def _provider(name: str) -> str:
    """The provider of ``google.vertex.chat``: what is known of it, longest first, else what stands before the first point."""
    parts = name.lower().split(".")
    begun = (".".join(parts[:end]) for end in range(len(parts), 0, -1))
    return next((each for each in begun if each in _KNOWN_PROVIDERS), parts[0])


_KNOWN_PROVIDERS = frozenset({*CANONICAL, *CANONICAL.values()})


def _application(view: SpanView) -> Found:
    """What the application said about itself."""
    said = {key[len(prefix) :]: value for prefix in _CONTEXT for key, value in view.prefixed(prefix)}
    prompt = said.get("langfusePrompt")
    prompt = json_value(prompt) if isinstance(prompt, str) else prompt
    found: Found = {"metadata": {name: value for name, value in said.items() if name not in _HAVE_COLUMNS} or None}
    if isinstance(prompt, Mapping):
        name, version = prompt.get("name"), prompt.get("version")
        found["prompt_name"] = name if isinstance(name, str) else None
        found["prompt_version"] = None if version is None else str(version)
    return found


def _usage(view: SpanView, operation: str, last: str) -> Found:
    """The counts that no table has, and whether the input includes cached tokens."""
    old = view.get("ai.usage.promptTokens", "gen_ai.usage.prompt_tokens") is not None
    inner = last.startswith("do") or (not operation and view.text("gen_ai.operation.name") not in _REPEATING)
    if view.text("gen_ai.operation.name") == "agent_step":
        return {}
    counts = {field: view.get(*keys) for field, keys in _ATTRIBUTES.items()}
    raw = _metadata(view) if inner or old else {}
    whole = next((usage for each in raw.values() if "input_tokens" in (usage := _provider_counts(each))), {})
    for each in raw.values():
        flat = _flat(each)
        counts = {field: flat.get(field) if count is None else count for field, count in counts.items()}
    sent, uncached = view.get(*_INPUT), view.get("ai.usage.inputTokenDetails.noCacheTokens")
    cached = total(counts["cache_read_tokens"], counts["cache_write_tokens"])
    found: Found = {**counts, "service_tier": _service_tier(raw)}
    if whole:  # the SDK's total is of its own counts
        beside = () if whole["inclusive"] else (whole.get("cache_read_tokens"), whole.get("cache_write_tokens"))
        return {**found, "total_tokens": total(whole["input_tokens"], *beside, whole.get("output_tokens")), **whole}
    if sent is None:
        return found
    if _is_count(uncached) and _is_count(sent):
        parts = total(uncached, cached)
        return found | {"input_tokens": max(sent, parts) if _is_count(parts) else sent, "inclusive": True}
    if old and not raw.keys().isdisjoint(_EXCLUSIVE):
        found["inclusive"] = False
    elif raw.keys() & {"openai", "google"}:
        found["inclusive"] = True
    return found


def _metadata(view: SpanView) -> dict[str, Mapping[str, Any]]:
    """Return the provider's metadata: by provider, an object."""
    value = view.json("ai.response.providerMetadata", "ai.result.providerMetadata")
    return (
        {name: each for name, each in value.items() if isinstance(each, Mapping)} if isinstance(value, Mapping) else {}
    )


def _provider_counts(metadata: Mapping[str, Any]) -> Found:
    return provider_usage(metadata.get("usageMetadata") or metadata.get("usage"))


def _flat(metadata: Mapping[str, Any]) -> Found:
    usage = metadata.get("usage")
    places = {**metadata, **(usage if isinstance(usage, Mapping) else {})}
    return {
        field: next((places[name] for name in names if places.get(name) is not None), None)
        for field, names in _FLAT_COUNTS.items()
    }


def _service_tier(metadata: Mapping[str, Mapping[str, Any]]) -> str | None:
    for each in metadata.values():
        usage = each.get("usage")
        tier = each.get("serviceTier") or (usage.get("service_tier") if isinstance(usage, Mapping) else None)
        if isinstance(tier, str):
            return tier
    return None


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _input(view: SpanView) -> Found:
    """What the model, or the application's call, was given."""
    if (messages := view.take("ai.prompt.messages")) is not None:
        return {"input": canonical_messages(messages, "user") or messages}
    if (prompt := view.take("ai.prompt")) is not None:
        if not isinstance(prompt, Mapping):
            return {"input": canonical_messages(prompt, "user") or prompt}
        system = system_parts(prompt["system"]) if prompt.get("system") else None
        rest = {name: value for name, value in prompt.items() if name != "system" or system is None}
        return {"input": canonical_messages(rest, "user") or rest, "system_instructions": system}
    for key in ("ai.value", "ai.values", "ai.documents"):
        if (values := view.take(key)) is not None:
            return {"input": _elements(values)}
    text = view.take("ai.request.text")
    return {"input": canonical_messages(text, "user")} if isinstance(text, str) else {}


def _output(view: SpanView) -> Found:
    """What the model answered, put together from the attributes that hold its parts."""
    if (ranking := view.take("ai.ranking")) is not None:
        return {"output": _elements(ranking)}
    parts: list[Any] = []
    for part, keys in _PARTS.items():
        value = view.get(*keys)
        if value is None:
            continue
        view.moved.update(key for key in keys if view.get(key) == value)
        parts += _part(part, value)
    messages = canonical_messages([{"role": "assistant", "content": parts}], "assistant") if parts else None
    return {"output": messages}


_PARTS = {
    "reasoning": ("ai.response.reasoning", "ai.result.reasoning"),
    "text": ("ai.response.text", "ai.result.text"),
    "object": ("ai.response.object", "ai.result.object"),
    "tool-call": ("ai.response.toolCalls", "ai.result.toolCalls"),
    "file": ("ai.response.files", "ai.result.files"),
}
"""The parts of an answer, in the order in which people read them; version 3 has each under two names."""


def _part(kind: str, value: Any) -> list[Any]:
    if kind in ("text", "object", "reasoning"):
        return [
            {
                "type": "reasoning" if kind == "reasoning" else "text",
                "text": value if isinstance(value, str) else str(value),
            }
        ]
    entries = json_value(value) if isinstance(value, str) else value
    return [
        {**{name: inner for name, inner in entry.items() if name != "toolCallType"}, "type": kind}
        for entry in (entries if isinstance(entries, list) else [])
        if isinstance(entry, Mapping)
    ]


def _tools(view: SpanView) -> Any:
    tools = view.take("ai.prompt.tools", "gen_ai.tool.definitions")
    return (tool_definitions(tools) or tools) if tools is not None else None


def _elements(values: Any) -> Any:
    """Return a list of JSON texts as a list of their values; one alone as itself."""
    if not isinstance(values, list):
        return values
    return [json_value(value) if isinstance(value, str) else value for value in values]


LEGACY = Dialect(
    name="ai_sdk",
    scopes=("ai",),
    markers=(
        "ai.operationId",
        "ai.telemetry.*",
        "ai.settings.context.*",
        "ai.response.providerMetadata",
        "aisdk.model.*",
    ),
    kinds={
        "ai.generatetext": "AGENT",
        "ai.streamtext": "AGENT",
        "ai.generateobject": "AGENT",
        "ai.streamobject": "AGENT",
        "ai.embed": "CHAIN",
        "ai.embedmany": "CHAIN",
        "ai.rerank": "CHAIN",
        "ai.generatetext.dogenerate": "LLM",
        "ai.streamtext.dostream": "LLM",
        "ai.generateobject.dogenerate": "LLM",
        "ai.streamobject.dostream": "LLM",
        "ai.embed.doembed": "EMBEDDING",
        "ai.embedmany.doembed": "EMBEDDING",
        "ai.rerank.dorerank": "RERANKER",
        "ai.toolcall": "TOOL",
        # These make one span each.
        "ai.generatespeech": "LLM",
        "ai.transcribe": "LLM",
        "ai.streamtranscribe": "LLM",
        "decide": "LLM",
    },
    text={
        "kind_name": ("ai.operationId", "gen_ai.operation.name"),
        "request_model": ("ai.model.id", "aisdk.model.id"),
        "response_model": ("ai.response.model",),
        "response_id": ("ai.response.id",),
        "session_id": _context("sessionId", "session_id"),
        "user_id": _context("userId", "user_id"),
        "agent_name": ("ai.telemetry.functionId",),
        "tool_name": ("ai.toolCall.name",),
        "tool_call_id": ("ai.toolCall.id",),
    },
    content={"input": ("ai.toolCall.args",), "output": ("ai.toolCall.result",)},
    tokens={
        "input_tokens": ("ai.usage.inputTokens", "ai.usage.promptTokens", "ai.usage.tokens"),
        "output_tokens": ("ai.usage.outputTokens", "ai.usage.completionTokens"),
        "total_tokens": ("ai.usage.totalTokens",),
    },
    seconds={"time_to_first_token_ns": ("gen_ai.client.operation.time_to_first_chunk",)},
    milliseconds={"time_to_first_token_ns": ("ai.response.msToFirstChunk", "ai.stream.msToFirstChunk")},
    lists={
        "finish_reasons": ("gen_ai.response.finish_reasons", "ai.response.finishReason", "ai.finishReason"),
        "tags": _context("tags"),
    },
    read=read,
)

DIALECT = replace(LEGACY, scopes=("gen_ai",), markers=(), inclusive=True)
"""Version 7."""
