"""Token usage in the terms of the semantic conventions: input includes cache reads and writes, output reasoning.

Not every sender obeys. A sender that leaves cached tokens out of the input is recognised by its own numbers, and the
input is completed; `token_basis` says which rule decided:

- ``inclusive``: the numbers are taken as they are (the conventions' rule);
- ``exclusive_cache_exceeds_input``: more cached tokens than input tokens, so the input cannot include them;
- ``exclusive_total``: the reported total is input + output + cached tokens, so the input does not include them;
- ``""``: no usage reported.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

TOKEN_BASES = pa.array(["", "inclusive", "exclusive_cache_exceeds_input", "exclusive_total"])

_LARGEST = 2**53
"""No call has more tokens; larger numbers are errors of the sender, and left as they are for the cost to refuse."""


def normalize(usage: Mapping[str, pa.Int64Array]) -> tuple[dict[str, pa.Int64Array], pa.DictionaryArray]:
    """Return the usage columns with the input completed where the sender excludes cached tokens, and `token_basis`."""
    numbers = {name: pc.fill_null(column, 0).to_numpy() for name, column in usage.items()}
    sane = np.logical_and.reduce([(column >= 0) & (column < _LARGEST) for column in numbers.values()])
    cached = numbers["cache_read_tokens"] + numbers["cache_write_tokens"]
    total = numbers["total_tokens"]
    reported = np.logical_or.reduce([column.is_valid().to_numpy(zero_copy_only=False) for column in usage.values()])
    has_input = usage["input_tokens"].is_valid().to_numpy(zero_copy_only=False)

    exceeds = sane & has_input & (cached > numbers["input_tokens"])
    by_total = sane & has_input & (cached > 0) & (total == numbers["input_tokens"] + numbers["output_tokens"] + cached)
    exclusive = exceeds | by_total
    completed = dict(usage)
    if exclusive.any():
        whole = np.where(exclusive, numbers["input_tokens"] + cached, numbers["input_tokens"])
        completed["input_tokens"] = pa.array(whole, mask=~has_input)
    basis = np.where(exceeds, 2, np.where(by_total, 3, reported.astype(np.int32))).astype(np.int32)
    return completed, pa.DictionaryArray.from_arrays(pa.array(basis), TOKEN_BASES)


def without_negatives(column: pa.Int64Array) -> pa.Int64Array:
    """Return token counts with null for negative numbers, which would make sums wrong."""
    return pc.if_else(pc.less(column, 0), pa.scalar(None, pa.int64()), column)
