"""Reads genai-prices: its models as rows of exact integer rates.

Importing this module imports the package and all its prices (about a quarter of a second).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import genai_prices
from genai_prices.data import providers as bundled_providers
from genai_prices.data_snapshot import find_provider_by_id
from genai_prices.data_units import unit_data
from genai_prices.types import (
    ConditionalPrice,
    ModelInfo,
    ModelPrice,
    PriceVariant,
    Provider,
    StartDateConstraint,
    TieredPrices,
    TimeOfDateConstraint,
)
from genai_prices.units import UnitDef, UnitRegistry
from genai_prices.validation import validate_priced_units

from collector.enrich.prices import (
    EVER,
    NANOSECONDS_PER_DAY,
    RATE_SCALE,
    REQUESTS,
    PricedModel,
    PriceRow,
    UnpricedReason,
    Validity,
)
from collector.enrich.prices_match import ModelIndex, rule_of
from collector.enrich.prices_tiers import TIERS
from collector.enrich.prices_units import USAGE_UNITS, Breakdown, Dimensions, breakdown

EPOCH = date(1970, 1, 1)

Price = Decimal | TieredPrices
Constraint = StartDateConstraint | TimeOfDateConstraint | None


def bundled() -> tuple[list[Provider], str]:
    """Return the prices that the installed package ships, and its name with version."""
    return bundled_providers, f"genai-prices {genai_prices.__version__}"


class Catalogue:
    """A list of providers of genai-prices, searchable; each model is converted when it is first found."""

    def __init__(self, providers: list[Provider], version: str) -> None:
        self.version = version
        self.provider_ids = frozenset(provider.id for provider in providers)
        self._providers = providers
        self._by_id = {provider.id: provider for provider in providers}
        self._addresses = [(re.compile(provider.api_pattern), provider.id) for provider in providers]
        self._indexes: dict[str, ModelIndex] = {}
        self._rates = RateReader(version)
        self._models: dict[tuple[str, int], PricedModel] = {}

    def provider(self, name: str) -> str:
        """Return the id of the provider that genai-prices takes a name for, or ""."""
        provider = find_provider_by_id(self._providers, name)
        return provider.id if provider else ""

    def provider_at(self, address: str) -> str:
        """Return the id of the provider whose API has this host name or URL, or ""."""
        url = address if "://" in address else f"https://{address}"
        return next((provider for pattern, provider in self._addresses if pattern.match(url)), "")

    def provider_of(self, model: str) -> str:
        """Return the id of the provider that genai-prices knows for such a model name, or ""."""
        fits = (p.id for p in self._providers if p.model_match is not None and p.model_match.is_match(model))
        return next(fits, "")

    def find(self, provider_id: str, name: str) -> PricedModel | None:
        """Return the prices of a model name at a provider, or at those whose models it sells without own prices."""
        provider = self._by_id.get(provider_id)
        if provider is None:
            return None
        for seller in (provider_id, *(provider.fallback_model_providers or ())):
            if seller in self._by_id and (model := self._index(seller).find(name)):
                return self._priced_model(provider, model)
        return None

    def models(self) -> Iterator[PricedModel]:
        """Yield every model of every provider; none of them is kept."""
        for provider in self._providers:
            for model in provider.models:
                yield self._converted(provider, model)

    def _index(self, provider_id: str) -> ModelIndex:
        if provider_id not in self._indexes:
            self._indexes[provider_id] = ModelIndex(self._by_id[provider_id].models)
        return self._indexes[provider_id]

    def _priced_model(self, provider: Provider, model: ModelInfo) -> PricedModel:
        key = (provider.id, id(model))  # one model can be sold by several providers
        if key not in self._models:
            self._models[key] = self._converted(provider, model)
        return self._models[key]

    def _converted(self, provider: Provider, model: ModelInfo) -> PricedModel:
        # As in genai-prices: who sells the models of others does so at the ordinary price.
        own = model.price_variants and any(model is one for one in provider.models)
        tiers = [tier for tier in TIERS if own and any(_is_for(v, tier) for v in model.price_variants or ())]
        return PricedModel(
            rows=tuple(self._rows(provider.id, model, "")),
            variants={tier: PricedModel(tuple(self._rows(provider.id, model, tier))) for tier in tiers},
            rule=rule_of(model.match),
        )

    def _rows(self, provider_id: str, model: ModelInfo, tier: str) -> Iterator[PriceRow]:
        """Yield a row for each stretch of time in which the answer of genai-prices for this tier stays the same."""
        variants = [variant for variant in model.price_variants or () if _is_for(variant, tier)]
        conditions = [] if isinstance(model.prices, ModelPrice) else model.prices
        constraints = [*(condition.constraint for condition in conditions), *(v.constraint for v in variants)]
        latest: object = None
        for windows in _stretches(constraints):
            parts = [_applying(model, variants, window) for window in windows]
            told = [(id(standard.prices), [id(variant) for variant in chosen]) for standard, chosen in parts]
            if told == latest:
                continue
            latest = told
            for window, (standard, chosen) in zip(windows, parts, strict=True):
                dates = [
                    _start_date(constraint) for constraint in (standard.constraint, *(v.constraint for v in chosen))
                ]
                yield self._rates.row(
                    model.get_prices(_instant(window), TIERS.get(tier)),
                    provider=provider_id,
                    model=model.id,
                    effective_date=max((day for day in dates if day), default=None),
                    validity=window,
                    variant=tier if chosen else "",
                )


class RateReader:
    """Converts prices of genai-prices to rows of one version."""

    def __init__(self, version: str) -> None:
        self._version = version
        self._registry = UnitRegistry(unit_data)
        self._usage = {unit: self._dimensions(self._registry.units[unit]) for unit in USAGE_UNITS.values()}
        self._breakdowns: dict[frozenset[str], Breakdown] = {}
        self._complete: dict[frozenset[str], bool] = {}

    def row(
        self,
        prices: ModelPrice,
        *,
        provider: str,
        model: str,
        effective_date: date | None,
        validity: Validity,
        variant: str,
    ) -> PriceRow:
        """Return the rates of these prices for tokens and requests; a row that refuses where there are only others."""
        every_price: dict[str, Price] = {key: value for key, value in vars(prices).items() if value is not None}
        units = {key: self._registry.unit_for_price_key(key) for key in every_price}
        billable = {key: unit for key, unit in units.items() if unit.dimensions["family"] in ("tokens", "requests")}
        starts = _tier_starts(every_price[key] for key in billable)
        try:
            rates = {unit.usage_key: _rates(every_price[key], starts, unit.per) for key, unit in billable.items()}
        except ValueError:
            rates = {}
        if not self._is_complete(units.values()):
            rates = {}
        return PriceRow(
            provider=provider,
            model=model,
            version=self._version,
            effective_date=effective_date,
            validity=validity,
            variant=variant,
            tier_starts=starts,
            rates=rates,
            breakdown=self._breakdown(rates),
            # A model without any rate is one that genai-prices lists as free.
            refusal=None if rates or not every_price else UnpricedReason.NO_RATE,
        )

    def _is_complete(self, units: Iterable[UnitDef]) -> bool:
        """Say whether counts can be told apart: not where a unit lacks the rate of its whole. genai-prices refuses then."""
        priced = frozenset(unit.usage_key for unit in units)
        if priced not in self._complete:
            try:
                validate_priced_units([self._registry.units[unit] for unit in priced], self._registry)
                self._complete[priced] = True
            except ValueError:
                self._complete[priced] = False
        return self._complete[priced]

    def _breakdown(self, rates: Mapping[str, object]) -> Breakdown:
        tokens = frozenset(rates) - {REQUESTS}
        if tokens not in self._breakdowns:
            priced = {unit: self._dimensions(self._registry.units[unit]) for unit in tokens}
            self._breakdowns[tokens] = breakdown(priced, self._usage)
        return self._breakdowns[tokens]

    @staticmethod
    def _dimensions(unit: UnitDef) -> Dimensions:
        return frozenset(unit.dimensions.items())


def _is_for(variant: PriceVariant, tier: str) -> bool:
    """Say whether a variant applies to the context of a tier."""
    context = TIERS.get(tier, {})
    return all(context.get(key) == value for key, value in variant.when.items())


def _applying(
    model: ModelInfo, variants: Sequence[PriceVariant], window: Validity
) -> tuple[ConditionalPrice, list[PriceVariant]]:
    """Return the price that applies from the start of a window on, as `ModelInfo.get_prices` picks it, and its variants."""
    instant = _instant(window)
    if isinstance(model.prices, ModelPrice):
        standard = ConditionalPrice(prices=model.prices)
    else:
        applying = (p for p in reversed(model.prices) if p.constraint is None or p.constraint.active(instant))
        standard = next(applying, model.prices[0])
    return standard, [v for v in variants if v.constraint is None or v.constraint.active(instant)]


def _stretches(constraints: Sequence[Constraint]) -> Iterator[list[Validity]]:
    """Yield the daily windows in which prices may differ, for each day from which on they may, ascending."""
    days = {day_start(c.start_date) for c in constraints if isinstance(c, StartDateConstraint)}
    hours = [c for c in constraints if isinstance(c, TimeOfDateConstraint)]
    edges = sorted({_time_of_day(edge) for c in hours for edge in (c.start_time, c.end_time)}) or [0]
    ends = [*edges[1:], edges[0] + NANOSECONDS_PER_DAY]
    for start_ns in (EVER, *sorted(days)):
        yield [Validity(start_ns, edge, end - edge) for edge, end in zip(edges, ends, strict=True)]


def _instant(window: Validity) -> datetime:
    """Return the start of a window on its first day."""
    day = date.min if window.start_ns == EVER else EPOCH + timedelta(days=window.start_ns // NANOSECONDS_PER_DAY)
    return datetime.combine(day, time(), UTC) + timedelta(microseconds=window.window_start_ns // 1000)


def _start_date(constraint: Constraint) -> date | None:
    return constraint.start_date if isinstance(constraint, StartDateConstraint) else None


def day_start(day: date) -> int:
    """Return the first instant (UTC) of a day, in ns since 1970."""
    return (day - EPOCH).days * NANOSECONDS_PER_DAY


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
    rates = []
    for step in steps:
        numerator, denominator = step.as_integer_ratio()
        rate, rest = divmod(numerator * RATE_SCALE, denominator * per)
        if rest:
            raise ValueError(f"the price {price} per {per} units has more than 24 decimal places for one unit")
        rates.append(rate)
    return tuple(rates)


def _time_of_day(value: time) -> int:
    """Nanoseconds after midnight UTC; a time without a zone is UTC, as in genai-prices."""
    instant = datetime.combine(EPOCH, value, tzinfo=value.tzinfo or UTC) - datetime.combine(EPOCH, time(), tzinfo=UTC)
    return instant // timedelta(microseconds=1) * 1000 % NANOSECONDS_PER_DAY
