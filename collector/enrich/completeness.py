"""Usage of which a part is missing, so that a cost would be too low: nothing is priced on it, and `usage_problem` says so.

What is reported is kept: it is true as far as it goes.

- ``missing_input``: a model call has a total or an output, and no input (null or 0): it has read something. Likewise one that
  did not fail and reports 0 of everything, as some do of a stream whose usage they have missed.
- ``missing_output``: a model call that did not fail has an input, and no output (null: 0 is a report). A total that is the
  input shows that there was none, as Gemini reports an answer that was blocked.
- ``contradictory``: there is a total (0 is what senders put who know none), and it is not the sum of input and output as they
  are stored. It may leave out cached tokens (reads, writes or both) and reasoning, as the sums of some senders do. A
  larger one counts what is not told: the thoughts of Gemini, or the cached tokens of Bedrock. A smaller one is that of
  an unfinished stream, or a mistake; which number is wrong cannot be told.

A model call is one that is known to answer in text, by operation, dialect or span name (kind LLM); embeddings, rankings,
speech, images and transcriptions may have tokens on one side only, and all other kinds only repeat what calls report.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from collector.batch import SpanBatch
from collector.enrich import kinds
from collector.enrich.detection import Detected
from collector.enrich.rows import RowValues
from collector.enrich.tokens import Bools, Int64s, Normalized


def find_missing(
    usage: Normalized,
    batch: SpanBatch,
    detected: Detected,
    read: RowValues,
    *,
    kind: pa.StringArray,
    named: Mapping[str, pa.StringArray],
) -> Normalized:
    """Return the usage with a problem on the rows of which a part is missing; rows that have a problem keep it.

    `named` is what tells the kind of a span: the columns `operation`, `kind_name` and `name`, as for `kinds.kinds`.
    """
    unexplained = _unexplained(usage)
    no_input, no_output, nothing = _one_sided(usage, unexplained)
    rows = np.flatnonzero((no_input | no_output | nothing) & pc.equal(kind, "LLM").to_numpy(zero_copy_only=False))
    if len(rows):
        names = {name: column.take(rows) for name, column in named.items()}
        of_text = ~kinds.of_other_media(**names)
        told = kinds.are_told(detected.take(rows), **names) | np.isin(rows, read.rows("kind"))
        failed = pc.equal(batch.column("status_code").take(rows), "ERROR").to_numpy(zero_copy_only=False)
        usage = usage.with_problem(_only(rows[of_text], no_input), "missing_input")
        usage = usage.with_problem(_only(rows[of_text & told & ~failed], nothing), "missing_input")
        usage = usage.with_problem(_only(rows[of_text & told & ~failed], no_output), "missing_output")
    return usage.with_problem(unexplained, "contradictory")


def _only(rows: npt.NDArray[np.intp], mask: Bools) -> Bools:
    """The mask, on these rows."""
    kept = np.zeros(len(mask), np.bool_)
    kept[rows] = mask[rows]
    return kept


def _one_sided(usage: Normalized, unexplained: Bools) -> tuple[Bools, Bools, Bools]:
    """Where there is usage and no input, where there is an input and no output, and where there is 0 of everything."""
    input_tokens, output_tokens, total = (
        _counts(usage, name) for name in ("input_tokens", "output_tokens", "total_tokens")
    )
    without = input_tokens == 0
    something = (output_tokens > 0) | (total > 0)
    nothing = without & ~something & usage.usage["input_tokens"].is_valid().to_numpy(zero_copy_only=False)
    unknown = usage.usage["output_tokens"].is_null().to_numpy(zero_copy_only=False)
    return without & something, unknown & ~without & ((total == 0) | unexplained), nothing


def _unexplained(usage: Normalized) -> Bools:
    """Where a total is none of the sums that these counts may have been added up to."""
    total, input_tokens = usage.usage["total_tokens"], usage.usage["input_tokens"]
    found = np.zeros(len(total), np.bool_)
    if total.null_count == len(total):
        return found
    known = input_tokens.is_valid().to_numpy(zero_copy_only=False)
    rest = _counts(usage, "input_tokens") + _counts(usage, "output_tokens") - _counts(usage, "total_tokens")
    rows = np.flatnonzero(known & (rest != 0) & (_counts(usage, "total_tokens") > 0))
    if not len(rows):
        return found
    rest = rest[rows]
    read, written, reasoning = (
        _counts(usage, name)[rows] for name in ("cache_read_tokens", "cache_write_tokens", "reasoning_tokens")
    )
    left_out = itertools.product((np.zeros_like(read), read, written, read + written), (np.zeros_like(read), reasoning))
    explained = np.logical_or.reduce([rest == cached + thought for cached, thought in left_out])
    found[rows[~explained]] = True
    return found


def _counts(usage: Normalized, name: str) -> Int64s:
    """A column of counts, 0 where none is reported."""
    counts: Int64s = usage.usage[name].fill_null(0).to_numpy()
    return counts
