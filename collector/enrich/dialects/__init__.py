"""Dialects: how instrumentations write what we store.

One module each. `DIALECTS` is in order of precedence among markers: of several dialects whose markers a span has, the
first is taken. The README of the folder above shows the table.
"""

from collector.enrich.dialects import genai, openinference
from collector.enrich.dialects.dialect import Dialect

GENAI = genai.DIALECT
"""The semantic conventions: what every span is read by in the end."""

DIALECTS: tuple[Dialect, ...] = (
    openinference.DIALECT,
    genai.BEDROCK,
    genai.INSTRUMENTATIONS,
    GENAI,
)

__all__ = ["DIALECTS", "GENAI", "Dialect"]
