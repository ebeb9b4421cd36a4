"""Counts times rates: the money of each span, exact, then rounded once to 1e-12 USD."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from collector.enrich.cost_rates import LIMB, RateTables
from collector.enrich.cost_usage import Bools, Int64s, Usage
from collector.enrich.prices_units import COST_PARTS, INPUT_KEYS, OUTPUT_KEYS, USAGE_KEYS

TOO_MUCH = 10**18
"""The first amount, in 1e-12 USD, that does not fit Decimal(18, 12)."""


@dataclass(frozen=True)
class Bill:
    """Money per span in 1e-12 USD, rounded half to even; without meaning where it is out of range."""

    input: Int64s
    output: Int64s
    other: Int64s | None
    """The fee per request; None where no price has one."""
    total: Int64s
    """Of the exact input, output and fee, so that it can differ from the sum of the rounded ones by 1."""
    out_of_range: Bools


def billed(tables: RateTables, line: Int64s, usage: Usage) -> Bill:
    """Multiply the usage of each span with the rates of its line. Counts must be within 0 and `MOST_TOKENS`.

    Whole limbs are added and multiplied modulo 2^64, as NumPy does it. That is exact whenever the sum itself fits, even
    where a term does not; whether it fits is seen from the same sum in floating point.
    """
    of_input = _weighted_sum(tables.rates, line, usage, INPUT_KEYS)
    of_output = _weighted_sum(tables.rates, line, usage, OUTPUT_KEYS)
    exact = of_input + of_output
    other = None
    if tables.rates[:, :, -1].any():
        fee = tables.rates[:, :, -1].take(line, axis=1)
        exact += fee
        other = _rounded(fee)
    total = _rounded(exact)
    return Bill(
        input=_rounded(of_input),
        output=_rounded(of_output),
        other=other,
        total=total,
        out_of_range=_beyond(tables, line, usage, total),
    )


def _beyond(tables: RateTables, line: Int64s, usage: Usage, total: Int64s) -> Bools:
    """Say which totals do not fit the column, or are wrong because they have left int64 before."""
    largest = [int(np.abs(tables.rates[0, :, position]).max()) for position in range(len(USAGE_KEYS))]
    if sum(largest[i] * int(count.max(initial=0)) for i, count in usage.counts.items()) < TOO_MUCH // 2:
        return total >= TOO_MUCH
    estimate = np.zeros(usage.length)
    for position, count in usage.counts.items():
        estimate += tables.rates[0, line, position].astype(np.float64) * count
    return (estimate > 2.0 * TOO_MUCH) | (total >= TOO_MUCH)


def billed_part(tables: RateTables, line: Int64s, usage: Usage, column: str) -> Int64s:
    """Return what one of `COST_PARTS` costs, per span: the tokens that its usage column counts, each at the rate it is
    billed at."""
    rates = tables.part_rates[list(COST_PARTS).index(column)]
    return _rounded(_weighted_sum(rates, line, usage, range(len(USAGE_KEYS))))


def _weighted_sum(rates: Int64s, line: Int64s, usage: Usage, positions: Iterable[int]) -> Int64s:
    """Return the sum of count times rate over these usage columns, per limb and span."""
    result = np.zeros((len(rates), usage.length), np.int64)
    for limb, position in itertools.product(range(len(rates)), positions):
        if position in usage.counts and rates[limb, :, position].any():
            result[limb] += rates[limb, :, position].take(line) * usage.counts[position]
    return result


def _rounded(limbs: Int64s) -> Int64s:
    """Return whole 1e-12 USD, half to even, as Decimal.quantize does it. The finer limbs may exceed their size."""
    whole: Int64s = limbs[0]
    if not limbs[1:].any():
        return whole
    middle: Int64s = limbs[1]
    fine: Int64s = limbs[2]
    middle = middle + fine // LIMB
    whole = whole + middle // LIMB
    fraction = middle % LIMB * LIMB + fine % LIMB
    half = LIMB * LIMB // 2
    up: Bools = (fraction > half) | ((fraction == half) & (whole % 2 == 1))
    return whole + up.astype(np.int64)
