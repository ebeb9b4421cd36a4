"""Reads genai-prices: its models, matched by its own rules, as rows of exact integer rates.

Importing this module imports the package and all its prices (about a quarter of a second).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction

import genai_prices
from genai_prices.data import providers as bundled_providers
from genai_prices.data_snapshot import DataSnapshot, find_provider_by_id
from genai_prices.data_units import unit_data
from genai_prices.types import (
    ConditionalPrice,
    ModelInfo,
    ModelPrice,
    Provider,
    StartDateConstraint,
    TieredPrices,
    TimeOfDateConstraint,
)
from genai_prices.units import UnitDef, UnitRegistry
from genai_prices.validation import validate_priced_units

from collector.enrich.prices import (
    NANOSECONDS_PER_DAY,
    RATE_SCALE,
    REQUESTS,
    PricedModel,
    PriceRow,
    UnpricedReason,
    Validity,
)
from collector.enrich.prices_units import USAGE_UNITS, Breakdown, Dimensions, breakdown

LITELLM = "litellm"
"""A gateway that genai-prices knows: the provider is in the model name ("openai/gpt-4o"), or told by the model."""

EPOCH = date(1970, 1, 1)

Price = Decimal | TieredPrices


def bundled() -> tuple[list[Provider], str]:
    """Return the prices that the installed package ships, and its name with version."""
    return bundled_providers, f"genai-prices {genai_prices.__version__}"


class Catalogue:
    """A list of providers of genai-prices, searchable; each model is converted when it is first found."""

    def __init__(self, providers: list[Provider]) -> None:
        self._providers = providers
        self._registry = UnitRegistry(unit_data)
        self._usage = {unit: self._dimensions(self._registry.units[unit]) for unit in USAGE_UNITS.values()}
        self._models: dict[tuple[str, int], PricedModel] = {}
        self._breakdowns: dict[frozenset[str], Breakdown] = {}

    def find(self, provider_id: str | None, model_name: str) -> PricedModel | UnpricedReason:
        """Return all prices of the model that genai-prices matches; without a provider id it is told by the model."""
        # A snapshot of its own for each search: one that is kept remembers every name it was ever asked for.
        snapshot = DataSnapshot(providers=self._providers, from_auto_update=False)
        try:
            provider, model = snapshot.find_provider_model(model_name, None, provider_id, None)
        except LookupError:
            if provider_id in (None, LITELLM) or find_provider_by_id(self._providers, provider_id or ""):
                return UnpricedReason.UNKNOWN_MODEL
            return UnpricedReason.UNKNOWN_PROVIDER
        key = (provider.id, id(model))  # one model can be sold by several providers
        if key not in self._models:
            self._models[key] = self._priced_model(provider.id, model)
        return self._models[key]

    def _priced_model(self, provider_id: str, model: ModelInfo) -> PricedModel:
        prices = [ConditionalPrice(prices=model.prices)] if isinstance(model.prices, ModelPrice) else model.prices
        return PricedModel(tuple(self._row(provider_id, model.id, price) for price in prices))

    def _row(self, provider_id: str, model_id: str, price: ConditionalPrice) -> PriceRow:
        constraint = price.constraint
        effective_date = constraint.start_date if isinstance(constraint, StartDateConstraint) else None
        every_price: dict[str, Price] = {key: value for key, value in vars(price.prices).items() if value is not None}
        units = {key: self._registry.unit_for_price_key(key) for key in every_price}
        billable = {key: unit for key, unit in units.items() if unit.dimensions["family"] in ("tokens", "requests")}
        prices = {key: every_price[key] for key in billable}
        starts = _tier_starts(prices.values())
        try:
            # Counts cannot be told apart where a unit lacks the rate of its whole; genai-prices refuses then, too.
            validate_priced_units(tuple(units.values()), self._registry)
            rates = {unit.usage_key: _rates(prices[key], starts, unit.per) for key, unit in billable.items()}
        except ValueError:
            rates = {}
        return PriceRow(
            provider=provider_id,
            model=model_id,
            effective_date=effective_date,
            validity=_validity(constraint),
            tier_starts=starts,
            rates=rates,
            breakdown=self._breakdown(rates),
            # A model without any rate is one that genai-prices lists as free.
            billed_by_tokens=bool(rates) or not every_price,
        )

    def _breakdown(self, rates: Mapping[str, object]) -> Breakdown:
        tokens = frozenset(rates) - {REQUESTS}
        if tokens not in self._breakdowns:
            priced = {unit: self._dimensions(self._registry.units[unit]) for unit in tokens}
            self._breakdowns[tokens] = breakdown(priced, self._usage)
        return self._breakdowns[tokens]

    @staticmethod
    def _dimensions(unit: UnitDef) -> Dimensions:
        return frozenset(unit.dimensions.items())


def _tier_starts(prices: Iterable[Price]) -> tuple[int, ...]:
    """All token counts above which any of the prices changes, ascending."""
    tiered = [price for price in prices if isinstance(price, TieredPrices)]
    return tuple(sorted({tier.start for price in tiered for tier in price.tiers}))


def _rates(price: Price, starts: Sequence[int], per: int) -> tuple[int, ...]:
    """Rates in 1e-24 USD for one unit: the base rate, and one above each start. ValueError if one is not exact."""
    if isinstance(price, TieredPrices):
        steps = [price.base]
        for start in starts:
            steps.append(next((tier.price for tier in reversed(price.tiers) if tier.start <= start), price.base))
    else:
        steps = [price] * (len(starts) + 1)
    exact = [Fraction(step) * RATE_SCALE / per for step in steps]
    if any(rate.denominator != 1 for rate in exact):
        raise ValueError(f"the price {price} per {per} units has more than 24 decimal places for one unit")
    return tuple(rate.numerator for rate in exact)


def _validity(constraint: StartDateConstraint | TimeOfDateConstraint | None) -> Validity:
    if constraint is None:
        return Validity()
    if isinstance(constraint, StartDateConstraint):
        return Validity(start_ns=(constraint.start_date - EPOCH).days * NANOSECONDS_PER_DAY)
    start, end = _time_of_day(constraint.start_time), _time_of_day(constraint.end_time)
    return Validity(window_start_ns=start, window_length_ns=(end - start) % NANOSECONDS_PER_DAY)


def _time_of_day(value: time) -> int:
    """Nanoseconds after midnight UTC; a time without a zone is UTC, as in genai-prices."""
    instant = datetime.combine(EPOCH, value, tzinfo=value.tzinfo or UTC) - datetime.combine(EPOCH, time(), tzinfo=UTC)
    return instant // timedelta(microseconds=1) * 1000 % NANOSECONDS_PER_DAY
