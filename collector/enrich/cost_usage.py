"""Token counts as arrays, and what must hold among them before they are billed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from collector.enrich.prices_units import PARTS, USAGE_KEYS, Breakdown, Share

Int64s = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

MOST_TOKENS = 10**11
"""Larger counts are not billed. It keeps every sum and product of the arithmetic within int64."""


@dataclass(frozen=True)
class Usage:
    """The usage columns that have any value, by their position in `USAGE_KEYS`."""

    length: int
    counts: Mapping[int, Int64s]
    """Tokens; 0 where none are reported."""
    reported: Mapping[int, Bools]

    def take(self, rows: Int64s) -> Usage:
        """Return the usage of these rows."""
        return Usage(
            length=len(rows),
            counts={position: column[rows] for position, column in self.counts.items()},
            reported={position: column[rows] for position, column in self.reported.items()},
        )

    def without(self, rows: Bools) -> Usage:
        """Return the usage with the counts of these rows set to 0, so that they cannot overflow a sum."""
        if not rows.any():
            return self
        counts = {position: np.where(rows, 0, column) for position, column in self.counts.items()}
        return Usage(length=self.length, counts=counts, reported=self.reported)

    def any_reported(self) -> Bools:
        """Rows that report any usage."""
        return self._any(self.reported.values())

    def above_zero(self) -> Bools:
        """Rows with any count above zero."""
        return self._any(column > 0 for column in self.counts.values())

    def negative(self) -> Bools:
        """Rows with a count below zero."""
        return self._any(column < 0 for column in self.counts.values() if column.min(initial=0) < 0)

    def beyond_range(self) -> Bools:
        """Rows with a count above `MOST_TOKENS`."""
        return self._any(column > MOST_TOKENS for column in self.counts.values() if column.max(initial=0) > MOST_TOKENS)

    def parts_exceed_whole(self) -> Bools:
        """Rows where parts that share no token add up to more than their whole, as far as it is reported."""
        return self._any(self._exceeding())

    def _exceeding(self) -> Iterator[Bools]:
        for whole_name, part_names in PARTS:
            whole = USAGE_KEYS.index(whole_name)
            parts = [column for name in part_names if (column := self.counts.get(USAGE_KEYS.index(name))) is not None]
            if parts and whole in self.counts:
                yield self.reported[whole] & (np.add.reduce(parts) > self.counts[whole])

    def incomplete(self, breakdown: Breakdown) -> Bools:
        """Rows that lack the count of a billed unit though it cannot be zero: see `Share.subsets` and `.overlaps`."""
        return self._any(mask for share in breakdown.shares for mask in self._lacking(share))

    def _lacking(self, share: Share) -> Iterator[Bools]:
        present = self.reported.get(-1 if share.position is None else share.position)
        lacking = np.ones(self.length, np.bool_) if present is None else ~present
        if lacking.any():
            some = {position: column > 0 for position, column in self.counts.items()}
            yield from (lacking & some[position] for position in share.subsets if position in some)
            yield from (lacking & some[i] & some[j] for i, j in share.overlaps if i in some and j in some)

    def oversubscribed(self, breakdown: Breakdown) -> Bools:
        """Rows where the more specific units of a price together exceed a less specific one."""
        return self._any(self._own_tokens(share) < 0 for share in breakdown.shares if min(share.coefficients) < 0)

    def _own_tokens(self, share: Share) -> Int64s:
        own = np.zeros(self.length, np.int64)
        for position, count in self.counts.items():
            if share.coefficients[position]:
                own += share.coefficients[position] * count
        return own

    def _any(self, masks: Iterable[Bools]) -> Bools:
        found = np.zeros(self.length, np.bool_)
        for mask in masks:
            found |= mask
        return found


def usage_from_columns(columns: Mapping[str, pa.Int64Array], length: int) -> Usage:
    """Return the usage in these int64 columns, by the names in `USAGE_KEYS`; ValueError for another name."""
    unknown = sorted(columns.keys() - set(USAGE_KEYS))
    if unknown:
        raise ValueError(f"usage has a column {unknown[0]!r} that no price is for; use those of USAGE_KEYS")
    filled = {name: column for name, column in columns.items() if column.null_count < length}
    return Usage(
        length=length,
        counts={USAGE_KEYS.index(name): column.fill_null(0).to_numpy() for name, column in filled.items()},
        reported={
            USAGE_KEYS.index(name): column.is_valid().to_numpy(zero_copy_only=False) for name, column in filled.items()
        },
    )
