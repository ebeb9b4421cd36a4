"""Rates of all the models in a batch, as tables that whole columns are looked up in.

A model has rows (its dated prices), a row has lines (its tiers). A line holds, for each usage column, what one more
token in that column adds to the cost. As the columns are subsets of each other this can be negative: a cached token
moves from the input rate to the cheaper cached rate.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from collector.enrich.prices import NANOSECONDS_PER_DAY, RATE_SCALE, REQUESTS, PricedModel, PriceRow
from collector.enrich.prices_units import COST_PARTS, USAGE_KEYS, Breakdown

Int64s = npt.NDArray[np.int64]

MONEY_SCALE = 10**12
"""Money is counted in 1e-12 USD, the last digit of Decimal(18, 12)."""
LIMB = 10**6
"""A rate is split into whole 1e-12 USD and two limbs of six more digits each, so that no product leaves int64."""
LIMBS = 3

NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True)
class RateTables:
    """The rates of some models. Model i is the i-th of those that the tables were built from."""

    rows: tuple[PriceRow, ...]
    first_row: Int64s
    """Per model: its first row."""
    row_start: Int64s
    """Per model and choice of row: first instant, ns since 1970."""
    window_start: Int64s
    """Per model and choice of row: start of the daily window, ns after midnight."""
    window_length: Int64s
    """Per model and choice of row: length of the window; 0 where the model has fewer rows, whose start is `NEVER`."""
    first_line: Int64s
    """Per row: its base tier."""
    tier_starts: Int64s
    """Per row and further tier: the input tokens above which it applies; `NEVER` where the row has fewer tiers."""
    rates: Int64s
    """Per limb, line and usage column (and the fee per request, as the last column)."""
    part_rates: Int64s
    """Per part of the cost (as in `COST_PARTS`), limb, line and usage column."""
    breakdowns: tuple[Breakdown, ...]
    breakdown_of_row: Int64s

    def lines(self) -> Iterator[tuple[PriceRow, str]]:
        """Yield the price row and the name of the tier of each line, in their order."""
        return ((row, tier) for row in self.rows for tier in row.tiers)

    def active_rows(self, model: Int64s, time_ns: Int64s) -> Int64s:
        """Return, for each span, the row that applies to its model at its time: see `PricedModel.active`."""
        chosen = np.zeros(len(model), np.int64)  # the first row where no later one applies
        by_hour = bool((self.window_length % NANOSECONDS_PER_DAY).any())
        time_of_day = time_ns % NANOSECONDS_PER_DAY if by_hour else time_ns
        for choice in range(1, self.row_start.shape[1]):
            applies = time_ns >= self.row_start[:, choice].take(model)
            if by_hour:
                since_window_start = (time_of_day - self.window_start[:, choice].take(model)) % NANOSECONDS_PER_DAY
                applies &= since_window_start < self.window_length[:, choice].take(model)
            chosen[applies] = choice
        return self.first_row[model] + chosen

    def tier_lines(self, row: Int64s, input_tokens: Int64s) -> Int64s:
        """Return, for each span, the line of its row for this number of input tokens."""
        line = self.first_line[row]
        for step in range(self.tier_starts.shape[1]):
            line = line + (input_tokens > self.tier_starts[row, step])
        return line


def rate_tables(models: Sequence[PricedModel]) -> RateTables:
    """Build the tables of these models. Models must not be empty."""
    rows = tuple(row for model in models for row in model.rows)
    rates, part_rates = zip(*(_rates_of_row(row) for row in rows), strict=True)
    breakdowns = tuple(dict.fromkeys(row.breakdown for row in rows))
    validities = [[row.validity for row in model.rows] for model in models]
    return RateTables(
        rows=rows,
        first_row=_starts([len(model.rows) for model in models]),
        row_start=_padded([[validity.start_ns for validity in choices] for choices in validities], NEVER),
        window_start=_padded([[validity.window_start_ns for validity in choices] for choices in validities], 0),
        window_length=_padded([[validity.window_length_ns for validity in choices] for choices in validities], 0),
        first_line=_starts([len(row.tiers) for row in rows]),
        tier_starts=_padded([row.tier_starts for row in rows], NEVER),
        rates=np.concatenate(rates, axis=1),
        part_rates=np.concatenate(part_rates, axis=2),
        breakdowns=breakdowns,
        breakdown_of_row=np.array([breakdowns.index(row.breakdown) for row in rows], np.int64),
    )


@functools.lru_cache(maxsize=4096)
def _rates_of_row(row: PriceRow) -> tuple[Int64s, Int64s]:
    """Rates per limb, tier and usage column; and the same per part of the cost."""
    shares = row.breakdown.shares
    limbs = np.zeros((LIMBS, len(row.tiers), len(USAGE_KEYS) + 1), np.int64)
    parts = np.zeros((len(COST_PARTS), LIMBS, len(row.tiers), len(USAGE_KEYS)), np.int64)
    for tier, position in itertools.product(range(len(row.tiers)), range(len(USAGE_KEYS))):
        rates = [row.rates[share.unit][tier] for share in shares]
        limbs[:, tier, position] = _split(
            sum(s.coefficients[position] * rate for s, rate in zip(shares, rates, strict=True))
        )
        for part in range(len(COST_PARTS)):
            rate = sum(s.parts[part][position] * rate for s, rate in zip(shares, rates, strict=True))
            parts[part, :, tier, position] = _split(rate)
    if REQUESTS in row.rates:
        for tier, fee in enumerate(row.rates[REQUESTS]):
            limbs[:, tier, -1] = _split(fee)
    return limbs, parts


def _split(rate: int) -> tuple[int, int, int]:
    whole, fraction = divmod(rate, RATE_SCALE // MONEY_SCALE)
    return (whole, *divmod(fraction, LIMB))


def _starts(lengths: Sequence[int]) -> Int64s:
    return np.cumsum([0, *lengths[:-1]], dtype=np.int64)


def _padded(values: Sequence[Sequence[int]], fill: int) -> Int64s:
    table = np.full((len(values), max(len(row) for row in values)), fill, np.int64)
    for index, row in enumerate(values):
        table[index, : len(row)] = row
    return table
