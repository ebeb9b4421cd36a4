"""Dialects: how instrumentations write what we store.

One module each. `DIALECTS` is in order of precedence among markers: of several dialects whose markers a span has, the
first is taken. The README of the folder above shows the table.
"""

from collector.enrich.dialects import (
    ai_sdk,
    anthropic_native,
    claude_code,
    copilot,
    galtea,
    gemini_cli,
    genai,
    genai_legacy,
    genkit,
    google_adk,
    holmesgpt,
    laminar,
    langfuse,
    langsmith,
    litellm,
    livekit,
    logfire,
    microsoft,
    mlflow,
    openinference,
    openlit,
    pipecat,
    pydantic_ai,
    sentry,
    spring_ai,
    strands,
    traceloop,
    voltagent,
)
from collector.enrich.dialects.dialect import Dialect

GENAI = genai.DIALECT
"""The semantic conventions: what every span is read by in the end."""

DIALECTS: tuple[Dialect, ...] = (
    anthropic_native.DIALECT,
    claude_code.DIALECT,
    strands.DIALECT,
    google_adk.DIALECT,
    livekit.DIALECT,
    holmesgpt.DIALECT,
    genkit.DIALECT,
    gemini_cli.DIALECT,
    voltagent.DIALECT,
    pipecat.DIALECT,
    spring_ai.DIALECT,
    copilot.DIALECT,
    *microsoft.DIALECTS,
    openinference.DIALECT,
    openlit.EXCLUSIVE,
    openlit.INCLUSIVE,
    openlit.GEMINI,
    openlit.ONE_SCOPE,
    openlit.DIALECT,
    litellm.DIALECT,
    laminar.DIALECT,
    traceloop.DIALECT,
    traceloop.DATABASES,
    sentry.DIALECT,
    genai_legacy.OPENAI_V2,
    genai_legacy.DIALECT,
    genai.BEDROCK,
    genai.INSTRUMENTATIONS,
    langfuse.DIALECT,
    langsmith.DIALECT,
    mlflow.DIALECT,
    ai_sdk.DIALECT,
    ai_sdk.LEGACY,
    pydantic_ai.DIALECT,
    logfire.DIALECT,
    galtea.DIALECT,
    GENAI,
)

__all__ = ["DIALECTS", "GENAI", "Dialect"]
