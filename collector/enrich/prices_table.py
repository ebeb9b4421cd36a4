"""The price book as a table: one row a rate, for the table `prices` of the store and for people."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pyarrow as pa

from collector.enrich.prices import EVER, NANOSECONDS_PER_DAY, PriceBook, PricedModel, PriceRow
from collector.enrich.prices_units import USAGE_UNITS

SCHEMA = pa.schema({
    "provider": pa.string(),
    "model": pa.string(),
    "rule": pa.string(),
    "unit": pa.string(),
    "service_tier": pa.string(),
    "input_tokens_above": pa.uint64(),
    "rate": pa.decimal128(38, 24),
    "valid_from": pa.date32(),
    "from_second": pa.uint32(),
    "until_second": pa.uint32(),
    "source": pa.string(),
    "version": pa.string(),
})  # fmt: skip
"""Columns of the table `prices`, which describes them; `rate` is USD for one token or request."""

UNDATED = date(1970, 1, 1)
_SECOND = 10**9
_COLUMNS = {unit: column for column, unit in USAGE_UNITS.items()}
_FREE = {USAGE_UNITS["input_tokens"]: (0,), USAGE_UNITS["output_tokens"]: (0,)}


def price_table(book: PriceBook, version: str) -> pa.Table:
    """Return every rate of one version of the book (see `PriceBook.versions`), in `SCHEMA`.

    Rows of one model that differ in their first day follow each other: the last one that has begun applies. A model that
    is listed as free has rates of 0; one that is not billed by tokens or requests has no row.
    """
    rates = [
        rate
        for model in book.models(version)
        for row in (*model.rows, *(row for tier in model.variants.values() for row in tier.rows if row.variant))
        if row.refusal is None
        for rate in _rates(model, row)
    ]
    columns: dict[str, Any] = dict(
        zip(SCHEMA.names, zip(*rates, strict=True) if rates else [()] * len(SCHEMA), strict=True)
    )
    # An integer in the unit of the last digit becomes a decimal by its scale.
    scaled = pa.array(columns["rate"], pa.decimal128(38, 0))
    columns["rate"] = pa.Array.from_buffers(SCHEMA.field("rate").type, len(scaled), scaled.buffers())
    return pa.table(columns, SCHEMA)


def _rates(model: PricedModel, row: PriceRow) -> Iterator[tuple[Any, ...]]:
    validity = row.validity
    begins = UNDATED if validity.start_ns == EVER else validity.start_ns // NANOSECONDS_PER_DAY
    first = validity.window_start_ns // _SECOND
    last = (validity.window_start_ns + validity.window_length_ns) // _SECOND
    day = NANOSECONDS_PER_DAY // _SECOND
    window = (first, last if last <= day else last % day)
    source = row.version.partition(" ")[0]
    for unit, steps in (row.rates or _FREE).items():
        for above, rate in zip((0, *row.tier_starts), steps, strict=True):
            yield (
                row.provider, row.model, model.rule, _COLUMNS.get(unit, unit), row.variant, above, rate, begins, *window,
                source, row.version,
            )  # fmt: skip
