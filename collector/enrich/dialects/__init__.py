"""Dialects: how instrumentations write what we store.

One module each. `DIALECTS` is in order of precedence among markers: of several dialects whose markers a span has, the
first is taken. The README of the folder above shows the table.
"""

from collector.enrich.dialects import (
    ai_sdk,
    genai,
    genai_legacy,
    laminar,
    langfuse,
    langsmith,
    litellm,
    logfire,
    mlflow,
    openinference,
    openlit,
    pydantic_ai,
    sentry,
    traceloop,
)
from collector.enrich.dialects.dialect import Dialect

GENAI = genai.DIALECT
"""The semantic conventions: what every span is read by in the end."""

DIALECTS: tuple[Dialect, ...] = (
    openinference.DIALECT,
    openlit.EXCLUSIVE,
    openlit.INCLUSIVE,
    openlit.GEMINI,
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
    GENAI,
)

__all__ = ["DIALECTS", "GENAI", "Dialect"]
