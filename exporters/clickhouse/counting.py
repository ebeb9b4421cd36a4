"""Whose usage counts towards its trace: pure arithmetic on columns, no I/O.

It is decided on all spans of a trace together, so that it does not depend on the order in which they arrive:

- Model calls count, unless a model call of their sort below them reports usage: then they only wrap it. There are two
  sorts, those that generate (LLM) and those that look up (EMBEDDING, RERANKER). What a tool calls that the model asked
  for is another call.
- Any other span that reports usage repeats the sum of what is below it, and counts only if nothing below it does. One that
  reports output does not repeat what is looked up below it, which has none.
- Of several spans that tell of one call, which two instrumentations side by side report, one counts (`repeats.py`).
- A fetch of an answer that is there already (operation `fetch_response`) never counts: whoever asked for it paid.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from exporters.clickhouse.repeats import without_repeats
from exporters.clickhouse.tree import Bools, Ints, Trees, deduplicate, trees, valid

GENERATING, LOOKING_UP = pa.array(["LLM"]), pa.array(["EMBEDDING", "RERANKER"])


@dataclass(frozen=True)
class Forest:
    """Whole traces: one row per span, ordered by trace, start time and span id, and what was decided about each."""

    spans: pa.Table
    """The columns of ``sql/spans_of_traces.sql``."""
    trace: Ints
    """Number of the span's trace, in order."""
    counts: Bools
    """Whether the usage of the span counts towards its trace."""


def forest(spans: pa.Table) -> Forest:
    """Decide about all spans of some traces.

    `spans` has the columns of ``sql/spans_of_traces.sql`` and any number of rows per span, of which the latest is taken.
    """
    grown = trees(deduplicate(spans))
    return Forest(grown.spans, grown.trace, counts(grown))


def counts(grown: Trees) -> Bools:
    """Return which spans' usage counts towards their trace."""
    spans = grown.spans
    reported = reports(spans)
    kind = spans["kind"].cast(pa.string())
    tool = pc.equal(kind, "TOOL").to_numpy()
    sorts = [reported & pc.is_in(kind, value_set=names).to_numpy() for names in (GENERATING, LOOKING_UP)]
    counted = np.zeros(len(spans), bool)
    for calls in sorts:
        counted |= calls & ~grown.above(calls, through=~tool)
    generating, looking_up = sorts
    above_calls = grown.above(generating) | (
        grown.above(looking_up) & (spans["output_tokens"].fill_null(0).to_numpy() == 0)
    )
    wrappers = reported & ~generating & ~looking_up & ~above_calls
    wrappers &= ~grown.above(wrappers)
    return without_repeats(grown, counted | wrappers, calls=generating | looking_up)


def reports(spans: pa.Table) -> Bools:
    """Return which spans report usage or a cost, apart from fetches of an answer."""
    reported: Bools = valid(spans["input_tokens"]) | valid(spans["output_tokens"]) | valid(spans["cost"])
    fetches: Bools = pc.equal(spans["operation"].cast(pa.string()), "fetch_response").to_numpy()
    return reported & ~fetches
