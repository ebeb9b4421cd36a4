"""Token usage in the terms of the semantic conventions: input includes cache reads and writes, output reasoning.

Not every sender obeys. Where the sender is known to leave cached tokens out of the input, by its scope, its dialect or its
own numbers, the input is completed; `token_basis` says which rule decided, in this order:

- ``exclusive_total``: the reported total is input + output + cached tokens, so the input does not include them;
- ``inclusive_total``: the reported total is input + output, although some of the input is cached;
- ``inclusive_scope``, ``exclusive_scope``: the instrumentation scope is known to count so;
- ``inclusive_dialect``, ``exclusive_dialect``: the dialect, which was told by an attribute, counts so;
- ``exclusive_cache_exceeds_input``: more cached tokens than input tokens, so the input cannot include them;
- ``inclusive``: none of these; the conventions' rule;
- ``""``: no usage reported.

Numbers that cannot be true are not stored, and nothing is priced on them; `usage_problem` says why:

- ``not_a_number``: a count is no number; the column is null;
- ``negative``, ``too_large``: a count below zero or above 10^11; the column is null;
- ``contradictory``: cached tokens exceed an input that is known to include them, or reasoning the output: which number is
  wrong cannot be told, so all of that side are null.

- ``running_total``: the counts are those of all calls until then, which a reader tells; the columns are null.

Nothing is priced either where a part of the usage is missing; what is reported is kept (see `completeness`):

- ``missing_input``, ``missing_output``: a model call tells of one side only;
- ``contradictory``: the total is not what the counts add up to, whatever it may leave out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from collector.enrich.cost_usage import MOST_TOKENS
from collector.enrich.prices import UnpricedReason

EXCLUSIVE_PROVIDERS = pa.array(["anthropic", "aws.bedrock"])
"""Providers whose APIs (Messages, Converse) report input tokens without the cached ones; all others include them."""

BASES = (
    "", "inclusive", "exclusive_cache_exceeds_input", "exclusive_total", "inclusive_total", "exclusive_scope",
    "inclusive_scope", "exclusive_dialect", "inclusive_dialect",
)  # fmt: skip
PROBLEMS = (
    "", "not_a_number", "negative", "too_large", "contradictory", "missing_input", "missing_output", "running_total",
)  # fmt: skip
_REASONS = {
    "too_large": UnpricedReason.OUT_OF_RANGE,
    "missing_input": UnpricedReason.INCOMPLETE_USAGE,
    "missing_output": UnpricedReason.INCOMPLETE_USAGE,
}
"""Why nothing is priced; of all other problems because the usage is invalid."""

_BASES, _PROBLEMS = pa.array(BASES), pa.array(PROBLEMS)
_INPUT_SIDE = (
    "input_tokens", "cache_read_tokens", "cache_write_tokens", "cache_write_1h_tokens", "input_audio_tokens",
    "cache_read_audio_tokens", "input_image_tokens", "cache_read_image_tokens",
)  # fmt: skip
_OUTPUT_SIDE = ("output_tokens", "reasoning_tokens", "output_audio_tokens", "output_image_tokens")

Bools = npt.NDArray[np.bool_]
Int64s = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Normalized:
    """The usage as it is stored, and what was decided about it."""

    usage: dict[str, pa.Int64Array]
    token_basis: pa.DictionaryArray
    usage_problem: pa.DictionaryArray

    def with_problem(self, rows: Bools, problem: str) -> Normalized:
        """Return the same usage with a problem on these rows, unless they have one."""
        if not rows.any():
            return self
        found = self.usage_problem.indices.to_numpy()
        codes = np.where(rows & (found == 0), PROBLEMS.index(problem), found).astype(np.int32)
        return replace(self, usage_problem=pa.DictionaryArray.from_arrays(pa.array(codes), _PROBLEMS))

    def billed(self) -> dict[str, pa.Int64Array]:
        """Return the usage to be priced, where nothing is `refused`."""
        return {name: column for name, column in self.usage.items() if name != "total_tokens"}


def refused(usage_problem: pa.DictionaryArray) -> dict[UnpricedReason, Bools]:
    """Return the rows on which nothing is priced, by reason: those that have a problem."""
    found = usage_problem.indices.to_numpy()
    reasons: dict[UnpricedReason, Bools] = {}
    for code, problem in enumerate(usage_problem.dictionary.to_pylist()):
        rows = found == code
        if problem and rows.any():
            reason = _REASONS.get(problem, UnpricedReason.INVALID_USAGE)
            reasons[reason] = reasons.get(reason, False) | rows
    return reasons


def normalize(
    usage: Mapping[str, pa.Int64Array],
    *,
    odd: Bools | None = None,
    inclusive: npt.NDArray[np.int8] | None = None,
    by_scope: Bools | None = None,
) -> Normalized:
    """Return the usage in the conventions' terms.

    `usage` has the token columns as sent, null where not reported; `odd` marks rows where something was reported that is
    no number. `inclusive` says of each row whether its sender counts cached tokens as input: 1 yes, 0 no, -1 not known;
    `by_scope` whether the instrumentation scope told that.
    """
    rows = len(usage["input_tokens"])
    valid = {name: column.is_valid().to_numpy(zero_copy_only=False) for name, column in usage.items()}
    sent = {name: column.fill_null(0).to_numpy() for name, column in usage.items()}
    problem = np.zeros(rows, np.int32)
    if odd is not None:
        problem[odd] = PROBLEMS.index("not_a_number")
    for name, numbers in sent.items():
        for wrong, what in ((numbers < 0, "negative"), (numbers > MOST_TOKENS, "too_large")):
            if wrong.any():
                problem[wrong & (problem == 0)] = PROBLEMS.index(what)
                valid[name] = valid[name] & ~wrong
    numbers = {name: np.where(valid[name], column, 0) for name, column in sent.items()}

    stated = np.full(rows, -1, np.int8) if inclusive is None else inclusive
    exclusive, basis, contradictory = _input(
        numbers, valid, stated, np.zeros(rows, bool) if by_scope is None else by_scope
    )
    if exclusive.any():
        cached = numbers["cache_read_tokens"] + numbers["cache_write_tokens"]
        numbers["input_tokens"] = numbers["input_tokens"] + np.where(exclusive, cached, 0)
    contradictory_output = _output(numbers, valid)
    for wrong, side in ((contradictory, _INPUT_SIDE), (contradictory_output, _OUTPUT_SIDE)):
        if wrong.any():
            problem[wrong & (problem == 0)] = PROBLEMS.index("contradictory")
            valid.update({name: valid[name] & ~wrong for name in side if name in valid})
    reported = np.logical_or.reduce([column.is_valid().to_numpy(zero_copy_only=False) for column in usage.values()])
    basis = np.where(reported | (problem != 0), basis, 0).astype(np.int32)
    return Normalized(
        usage={name: pa.array(numbers[name], mask=~valid[name]) for name in usage},
        token_basis=pa.DictionaryArray.from_arrays(pa.array(basis), _BASES),
        usage_problem=pa.DictionaryArray.from_arrays(pa.array(problem), _PROBLEMS),
    )


def _input(
    numbers: Mapping[str, Int64s], valid: Mapping[str, Bools], stated: npt.NDArray[np.int8], by_scope: Bools
) -> tuple[Bools, npt.NDArray[np.int32], Bools]:
    """Where the input lacks the cached tokens, by which rule that was decided, and where the numbers contradict it."""
    input_tokens = numbers["input_tokens"]
    cached = numbers["cache_read_tokens"] + numbers["cache_write_tokens"]
    sum_of_both = input_tokens + numbers["output_tokens"]
    exceeds = valid["input_tokens"] & (cached > input_tokens)
    comparable = valid["input_tokens"] & valid["total_tokens"] & (cached > 0)
    by_total = comparable & (numbers["total_tokens"] == sum_of_both + cached)
    confirmed = comparable & ~exceeds & (numbers["total_tokens"] == sum_of_both) & (stated != 0)
    rules = (
        (by_total, "exclusive_total"),
        (confirmed, "inclusive_total"),
        ((stated == 0) & by_scope, "exclusive_scope"),
        ((stated == 1) & by_scope, "inclusive_scope"),
        (stated == 0, "exclusive_dialect"),
        (stated == 1, "inclusive_dialect"),
        (exceeds, "exclusive_cache_exceeds_input"),
    )
    basis = np.select([rows for rows, _ in rules], [BASES.index(name) for _, name in rules], BASES.index("inclusive"))
    exclusive = np.isin(basis, [BASES.index(name) for name in BASES if name.startswith("exclusive")])
    return exclusive & valid["input_tokens"], basis.astype(np.int32), exceeds & ~exclusive


def _output(numbers: dict[str, Int64s], valid: Mapping[str, Bools]) -> Bools:
    """Complete outputs that the total shows to lack their reasoning; returns where reasoning contradicts the output."""
    output, reasoning = numbers["output_tokens"], numbers["reasoning_tokens"]
    comparable = valid["output_tokens"] & valid["reasoning_tokens"] & valid["total_tokens"] & (reasoning > 0)
    lacking = comparable & (numbers["total_tokens"] == numbers["input_tokens"] + output + reasoning)
    if lacking.any():
        numbers["output_tokens"] = output = output + np.where(lacking, reasoning, 0)
    return valid["output_tokens"] & valid["reasoning_tokens"] & (reasoning > output)
