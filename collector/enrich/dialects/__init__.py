"""Dialects: how instrumentations write what we store.

One module each. `DIALECTS` is in order of precedence among markers: of several dialects whose markers a span has, the
first is taken. The README of the folder above shows the table.
"""

from collector.enrich.dialects import genai, genai_legacy, laminar, litellm, openinference, openlit, sentry, traceloop
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
    GENAI,
)

__all__ = ["DIALECTS", "GENAI", "Dialect"]
