"""Costs for tests: spans and what cost_columns says of them, beside what genai_prices says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import genai_prices
import pyarrow as pa
from genai_prices.data import providers as shipped_providers
from genai_prices.types import ClauseEquals, ModelInfo, ModelPrice, PriceCalculation, Provider, Usage

from collector.enrich.cost import cost_columns
from collector.enrich.prices import PriceBook
from collector.enrich.prices_source import Catalogue
from collector.enrich.prices_tiers import TIERS
from collector.enrich.prices_units import USAGE_UNITS

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)
NOVEMBER = datetime(2026, 11, 20, tzinfo=UTC)
"""genai-prices has prices for service tiers since October 2026."""
BOOK = PriceBook.load()
LAST_DIGIT = Decimal("1e-12")
PROVIDERS = {provider.id: provider for provider in shipped_providers}
INFOS = {(provider.id, model.id): model for provider in shipped_providers for model in provider.models}
MODELS = {names: info.prices for names, info in INFOS.items()}


@dataclass(frozen=True)
class Span:
    provider: str | None
    response_model: str | None
    usage: Mapping[str, int | None]
    at: datetime = NOON
    request_model: str | None = None
    extra_ns: int = 0
    service_tier: str | None = None
    server_address: str | None = None
    reported: float | None = None


def costs(spans: Sequence[Span], book: PriceBook = BOOK, *, dictionaries: bool = False) -> list[dict[str, Any]]:
    def names(values: list[str | None]) -> pa.Array:
        column = pa.array(values, pa.string())
        return column.dictionary_encode() if dictionaries else column

    times = [(span.at - EPOCH) // timedelta(microseconds=1) * 1000 + span.extra_ns for span in spans]
    keys = dict.fromkeys(key for span in spans for key in span.usage)
    columns = cost_columns(
        book,
        provider=names([span.provider for span in spans]),
        request_model=names([span.request_model for span in spans]),
        response_model=names([span.response_model for span in spans]),
        start_time=pa.array(times, pa.timestamp("ns", "UTC")),
        usage={key: pa.array([span.usage.get(key) for span in spans], pa.int64()) for key in keys},
        service_tier=names([span.service_tier for span in spans]),
        server_address=names([span.server_address for span in spans]),
        reported=pa.array([span.reported for span in spans], pa.float64()),
    )
    for column in columns.values():
        column.validate(full=True)
    return pa.RecordBatch.from_pydict(columns).to_pylist()


def cost(span: Span, book: PriceBook = BOOK) -> dict[str, Any]:
    return costs([span], book)[0]


def calculated(span: Span) -> PriceCalculation | None:
    """What genai_prices says, or None where it refuses. A model that it does not find by its id is asked itself."""
    usage = Usage(**{USAGE_UNITS[key]: count for key, count in span.usage.items()})
    context = TIERS.get(span.service_tier or "")
    model = span.response_model or ""
    try:
        return genai_prices.calc_price(
            usage, model, provider_id=span.provider, genai_request_timestamp=span.at, price_context=context
        )
    except LookupError:
        info = INFOS.get((span.provider or "", model))
        if info is None:
            return None
        provider = PROVIDERS[span.provider or ""]
        return info.calc_price(usage, provider, genai_request_timestamp=span.at, price_context=context)


def expected(span: Span) -> tuple[Decimal, Decimal, Decimal] | None:
    """Input, output and total as genai_prices has them, rounded to 12 places; None where it refuses."""
    try:
        price = calculated(span)
    except ValueError:
        return None
    if price is None:
        return None
    return tuple(p.quantize(LAST_DIGIT) for p in (price.input_price, price.output_price, price.total_price))  # type: ignore[return-value]


def money(row: Mapping[str, Any]) -> tuple[Decimal, Decimal, Decimal]:
    return row["cost_input"], row["cost_output"], row["cost_total"]


def one_model(prices: ModelPrice) -> list[Provider]:
    model = ModelInfo(id="m", match=ClauseEquals(equals="m"), prices=prices)
    return [Provider(id="p", name="P", api_pattern="", models=[model])]


def others(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if value not in (None, "")}


def book_of(prices: ModelPrice) -> PriceBook:
    return PriceBook(Catalogue(one_model(prices), "test 1"))
