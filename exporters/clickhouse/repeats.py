"""Which of the spans that may count tell of a call that another one tells of: pure arithmetic on columns, no I/O.

Instrumentations of two layers (a framework and a client library; a client library and its own spans) may report one call
in spans that are not parent and child, or that are, but of which only one can be priced.
"""

from __future__ import annotations

from collections import Counter
from itertools import islice

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from exporters.clickhouse.side_by_side import beside_another, same_usage
from exporters.clickhouse.tree import Bools, Ints, Trees, codes, valid

MOST_LEVELS = 16
"""A call that stands in for another one is at most so far above it."""


def without_repeats(grown: Trees, counted: Bools, *, calls: Bools) -> Bools:
    """Return which spans count when every call counts once.

    `counted` says which spans count for what stands above and below them; `calls` which are model calls that report usage.
    """
    spans = grown.spans
    quality = calls * 8 + valid(spans["cost"]) * 4
    quality += valid(spans["input_tokens"]).astype(np.int64) + valid(spans["output_tokens"])
    counted = counted.copy()
    has_id = pc.not_equal(spans["response_id"], "").to_numpy()
    _let_the_priced_stand_in(grown, counted, calls)
    counted[_of_one_answer(grown, counted & has_id, quality)] = False
    counted[beside_another(grown, counted & calls, quality)] = False
    return counted


def _let_the_priced_stand_in(grown: Trees, counted: Bools, calls: Bools) -> None:
    """Where a call has no price, but one above that tells of it alone has: count that one.

    They tell of the same answer, or at least one of them does not say of which, and they report the same usage.
    """
    spans = grown.spans
    priced = valid(spans["cost"])
    unpriced, wrappers = np.flatnonzero(calls & counted & ~priced), calls & ~counted & priced
    if not len(unpriced) or not wrappers.any():
        return
    pairs = []
    for call in unpriced[np.isin(grown.trace[unpriced], grown.trace[wrappers])].tolist():
        above = (row for row in islice(grown.lineage(call), MOST_LEVELS) if wrappers[row])
        if (wrapper := next(above, None)) is not None and _may_be_one(spans, wrapper, call):
            pairs.append((call, wrapper))
    if not pairs:
        return
    below: Counter[int] = Counter()
    for row in np.flatnonzero(counted & np.isin(grown.trace, grown.trace[[call for call, _ in pairs]])).tolist():
        below.update(islice(grown.lineage(row), MOST_LEVELS))
    for call, wrapper in pairs:
        if below[wrapper] == 1:
            counted[call], counted[wrapper] = False, True


def _may_be_one(spans: pa.Table, wrapper: int, call: int) -> bool:
    answers = [spans["response_id"][row].as_py() for row in (wrapper, call)]
    if all(answers):
        return bool(answers[0] == answers[1])
    usages = [tuple(spans[name][row].as_py() for name in ("input_tokens", "output_tokens")) for row in (wrapper, call)]
    return same_usage(*usages)


def _of_one_answer(grown: Trees, counted: Bools, quality: Ints) -> Ints:
    """Return the rows that tell of an answer that another one tells of better: their response ids are the same.

    Of those, a model call is believed rather than another span, then one that has a cost, then the one that reports
    more, then the one that began first; rows are in the order of their starts and span ids.
    """
    rows = np.flatnonzero(counted)
    ids = codes(grown.spans["response_id"].take(pa.array(rows)))
    if ids.max(initial=-1) + 1 == len(rows):  # all differ, as they nearly always do
        return rows[:0]
    answer = grown.trace[rows] * (int(ids.max()) + 1) + ids
    order = np.lexsort((rows, -quality[rows], answer))
    later = np.diff(answer[order], prepend=-1) == 0
    repeated: Ints = rows[order[later]]
    return repeated
