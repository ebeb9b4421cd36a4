"""Costs computed again from the columns in which the store keeps the evidence: names, tokens, tier and time."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from collector.enrich.cost import cost_columns
from collector.enrich.prices import PriceBook
from collector.enrich.prices_units import USAGE_KEYS
from collector.enrich.tokens import refused

_NAMES = ("provider", "request_model", "response_model", "service_tier")

EVIDENCE: Mapping[str, str] = {
    **{name: name for name in _NAMES},
    "usage_problem": "usage_problem",
    "cost_reported": "cost_reported",
    "server_address": "attributes_string['server.address']",
    **{name: name for name in USAGE_KEYS if name not in ("input_tokens", "output_tokens")},
}
"""What is read of a span besides its start, input_tokens and output_tokens: name -> column of `spans`, or expression."""


def costs_again(book: PriceBook, spans: pa.Table) -> dict[str, pa.Array]:
    """Return the cost columns (see `cost.cost_columns`) of stored spans, but for `cost_reported`, which never changes.

    `spans` has `start_time` (int64 ns), `input_tokens`, `output_tokens` and, of `EVIDENCE`, what the store has.
    """
    arrays = {name: spans[name].combine_chunks() for name in spans.column_names}
    reported = arrays["cost_reported"]
    columns = cost_columns(
        book,
        provider=arrays["provider"],
        request_model=arrays["request_model"],
        response_model=arrays["response_model"],
        start_time=arrays["start_time"].cast(pa.timestamp("ns", "UTC")),
        usage={name: arrays[name] for name in USAGE_KEYS if name in arrays},
        service_tier=arrays["service_tier"],
        server_address=arrays["server_address"],
        reported=reported.cast(pa.float64()),
        refused=refused(arrays["usage_problem"].dictionary_encode()),
    )
    # As a double the reported cost lost its last digits.
    is_reported = pc.equal(columns["cost_source"].cast(pa.string()), "reported")
    columns["cost_total"] = pc.if_else(is_reported, reported, columns["cost_total"])
    del columns["cost_reported"]
    return columns


def cost_column_names(book: PriceBook) -> tuple[str, ...]:
    """Return the names of the columns that `costs_again` gives."""
    texts = dict.fromkeys((*_NAMES, "server_address", "usage_problem"), pa.string())
    counts = dict.fromkeys(("start_time", "input_tokens", "output_tokens"), pa.int64())
    nothing = pa.schema({**texts, **counts, "cost_reported": pa.decimal128(18, 12)}).empty_table()
    return tuple(costs_again(book, nothing))
