"""Dialects: how instrumentations write what we store.

One module each. `DIALECTS` is in order of precedence among markers: of several dialects whose markers a span has, the
first is taken. The README of the folder above shows the table.
"""

from collector.enrich.dialects import (
    anthropic_native,
    claude_code,
    copilot,
    gemini_cli,
    genai,
    genkit,
    google_adk,
    livekit,
    microsoft,
    pipecat,
    spring_ai,
    strands,
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
    genkit.DIALECT,
    gemini_cli.DIALECT,
    voltagent.DIALECT,
    pipecat.DIALECT,
    spring_ai.DIALECT,
    copilot.DIALECT,
    *microsoft.DIALECTS,
    genai.BEDROCK,
    genai.INSTRUMENTATIONS,
    GENAI,
)

__all__ = ["DIALECTS", "GENAI", "Dialect"]
