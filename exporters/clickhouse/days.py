"""Batches of many days, in pieces: an INSERT makes a part of every day, and holds all of them in memory until it ends."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

MOST_DAYS = 100
"""UTC days that one INSERT may touch. Batches of fewer are whole, and nearly all are: `decode.accept_past` is 30 days."""

_PIECE = MOST_DAYS * 86_400 * 10**9


def in_few_days(rows: pa.Table, column: str, token: str, *, of: pa.Table) -> Iterator[tuple[pa.Table, str]]:
    """Cut rows by the days of their time (ns) in `column`; gives each piece and the token to insert it under.

    `of` is the whole batch that the rows are left of. It alone decides about the cuts, because when a batch is written again
    other rows of it may be left, and each must go under the token that it had.
    """
    if not len(rows):
        return
    bounds = pc.min_max(of[column].cast(pa.int64())).as_py()
    if bounds["max"] - bounds["min"] < _PIECE - _PIECE // MOST_DAYS:
        yield rows, token
        return
    piece = rows[column].cast(pa.int64()).to_numpy() // _PIECE
    for number in np.unique(piece).tolist():
        yield rows.filter(pa.array(piece == number)), f"{token}/{number}"
