"""OpenLIT: the conventions, and what its backend wants besides.

Source: openlit 1.45.0, 1.36.0 and 1.37.0.

- Token counts are those of the provider's own API: for Anthropic's and Bedrock's the input leaves out cached tokens, and
  for Gemini's the output leaves out the reasoning. There is no total but their sum. A stream of Anthropic's reports 0
  cached tokens whatever was cached.
- Before 1.40 all spans have one scope, whatever library they are of: then the provider tells how tokens are counted. That of
  LangChain's calls is ``langchain``, but for 1.36, which names the provider and passes on its counts.
- 1.36 tells of cached tokens of LangChain's calls alone, under names of its own, with the audio of a prompt in place of them.
- The cost is 0 when it has no prices.
- The time to the first token of a call that did not stream is the time of the whole call.
- Parameters that were not given are reported with the values that providers take for them, or with -1.
- A call of a tool that the model asked for stands on the span of the chat, under the names of the span of a tool.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from collector.enrich.dialects.dialect import Dialect
from collector.enrich.parameters import PREFIX
from collector.enrich.span_view import SpanView

_NOT_GIVEN: dict[str, tuple[Any, ...]] = {
    "frequency_penalty": (0,),
    "max_tokens": (-1,),
    "presence_penalty": (0,),
    "seed": (0, ""),
    "stop_sequences": ([], ""),
    "temperature": (1,),
    "top_k": (1,),
    "top_p": (1,),
    "user": ("",),
}
"""What OpenLIT reports for a parameter that was not given. A parameter that has this value was perhaps given."""
_GEMINI = frozenset({"gemini", "vertex_ai"})
_OF_NO_TOOL = frozenset({"chat", "text_completion", "generate_content", "embeddings"})


def read(view: SpanView) -> Mapping[str, Any]:
    """Return the parameters that were given, and no tool for a span of a model call."""
    parameters = {
        name: value
        for key, value in view.prefixed(PREFIX)
        if (name := key.removeprefix(PREFIX)) not in ("model", "stream") and value not in _NOT_GIVEN.get(name, ())
    }
    found: dict[str, Any] = {"model_parameters": parameters}
    if view.text("gen_ai.operation.name") in _OF_NO_TOOL:
        found |= {"tool_name": "", "tool_call_id": ""}
        if view.get("gen_ai.input.messages") is None:
            found["input"] = ""  # not the arguments of the tool
    return found


def read_gemini(view: SpanView) -> Mapping[str, Any]:
    """As `read`, with an output that includes the reasoning."""
    output, reasoning = view.get("gen_ai.usage.output_tokens"), view.get("gen_ai.usage.reasoning_tokens")
    counts = isinstance(output, int) and isinstance(reasoning, int) and reasoning > 0
    return {**read(view), "output_tokens": output + reasoning if counts else None}


def read_of_one_scope(view: SpanView) -> Mapping[str, Any]:
    """As `read_gemini` or `read`: the provider tells."""
    return read_gemini(view) if view.text("gen_ai.system", "gen_ai.provider.name") in _GEMINI else read(view)


DIALECT = Dialect(
    name="openlit",
    scopes=("openlit.*",),
    markers=("openlit.*", "gen_ai.application_name"),
    inclusive=None,
    kinds={
        "agent": "AGENT",
        "task": "CHAIN",
        "execution": "CHAIN",
        "user_prompt_processing": "CHAIN",
        "tool_coordination": "CHAIN",
        "translate": "LLM",
        "speech_to_text_translate": "LLM",
        "transliterate": "LLM",
        "language_identification": "LLM",
    },
    text={
        "kind_name": ("gen_ai.operation.name",),
        "session_id": ("gen_ai.session.id",),
        "user_id": ("gen_ai.user.id", "gen_ai.request.user"),
        "environment": ("gen_ai.environment", "deployment.environment"),
    },
    tokens={
        "input_tokens": ("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens", "gen_ai.token.usage.input"),
        "output_tokens": ("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens", "gen_ai.token.usage.output"),
        "cache_read_tokens": (
            "gen_ai.usage.cache_read.input_tokens",
            "gen_ai.usage.prompt_tokens_details.cached_tokens",
            "gen_ai.usage.prompt_tokens_details.cache_read",
        ),
        "cache_write_tokens": (
            "gen_ai.usage.cache_creation.input_tokens",
            "gen_ai.usage.prompt_tokens_details.cache_creation_tokens",
            "gen_ai.usage.prompt_tokens_details.cache_write",
        ),
        "reasoning_tokens": (
            "gen_ai.usage.reasoning_tokens",
            "gen_ai.usage.completion_tokens_details.reasoning_tokens",
            "gen_ai.usage.completion_tokens_details.reasoning",
        ),
        "output_audio_tokens": (
            "gen_ai.usage.completion_tokens_details.audio_tokens",
            "gen_ai.usage.completion_tokens_details.audio",
        ),
    },
    content={
        "input": ("gen_ai.input.messages", "gen_ai.tool.input", "gen_ai.retrieval.query", "gen_ai.workflow.input"),
        "output": ("gen_ai.output.messages", "gen_ai.tool.output", "gen_ai.workflow.output"),
    },
    seconds={"time_to_first_token_ns": ("gen_ai.server.time_to_first_token",)},
    amounts={"cost_reported": ("gen_ai.usage.cost", "gen_ai.token.cost.total")},
    read=read,
)

EXCLUSIVE = replace(
    DIALECT,
    scopes=("openlit.instrumentation.anthropic", "openlit.instrumentation.bedrock"),
    markers=(),
    inclusive=False,
)
INCLUSIVE = replace(DIALECT, scopes=("openlit.instrumentation.openai",), markers=(), inclusive=True)
GEMINI = replace(
    DIALECT,
    scopes=("openlit.instrumentation.google_ai_studio", "openlit.instrumentation.vertexai"),
    markers=(),
    inclusive=True,
    read=read_gemini,
)
ONE_SCOPE = replace(DIALECT, scopes=("openlit.otel.tracing",), markers=(), passes_on=True, read=read_of_one_scope)
