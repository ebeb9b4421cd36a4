"""Dialects: which attribute keys an instrumentation uses for what we store.

A dialect is a table, one module each. A module that needs more than its table (flattened messages, say) brings the
function for it, and pays per row only on its own rows. Precedence is the order of `DIALECTS`: of two dialects that both
fill a field of the same span, the earlier one wins.
"""

from collector.enrich.dialects import genai
from collector.enrich.dialects.dialect import Dialect

DIALECTS: tuple[Dialect, ...] = (genai.DIALECT,)

__all__ = ["DIALECTS", "Dialect"]
