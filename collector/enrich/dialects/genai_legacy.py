"""The semantic conventions as they were, and as some still understand them, under scopes that are not known.

Source: releases 1.27 to 1.36 of the general conventions, opentelemetry-instrumentation-openai-v2 2.4b0.

- The names that the conventions themselves replaced (`gen_ai.system`, `gen_ai.usage.prompt_tokens`) are in the table of
  `genai`: any sender may use them.
- Here is what never was in them, but is told as if: indexed prompts and completions, `llm.request.type`, cached tokens under
  OpenLLMetry's names. It is read as OpenLLMetry's.
- The OpenTelemetry project's earlier instrumentation of OpenAI reports no cached tokens, so its cost is an upper bound, and
  keeps content in log records.
"""

from dataclasses import replace

from collector.enrich.dialects import genai, traceloop

OPENAI_V2 = replace(
    genai.DIALECT, name="genai_legacy", scopes=("opentelemetry.instrumentation.openai_v2",), inclusive=True
)

DIALECT = replace(
    traceloop.DIALECT,
    name="genai_legacy",
    scopes=(),
    markers=(
        "gen_ai.prompt.0.*",
        "gen_ai.completion.0.*",
        "llm.request.type",
        "llm.usage.total_tokens",
        "gen_ai.usage.cache_read_input_tokens",
        "gen_ai.usage.cache_creation_input_tokens",
    ),
)
