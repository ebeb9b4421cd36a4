"""Prices of the configuration, which stand above those of genai-prices.

An entry applies to the names that it gives, and to every name that genai-prices takes for the model of that id. From its
first day on it replaces the price of the catalogue; before, that one holds, and where there is none the model is unknown.
An entry for a service tier stands above those for all tiers, whatever their days.
"""

from __future__ import annotations

import hashlib
import itertools
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

import orjson
from genai_prices.data_units import unit_data
from genai_prices.types import ModelPrice, Tier, TieredPrices
from genai_prices.units import UnitDef, UnitRegistry

from collector.enrich.prices import EVER, REQUESTS, PricedModel, PriceRow, Source, UnpricedReason, Validity
from collector.enrich.prices_names import PROVIDERS
from collector.enrich.prices_source import RateReader, day_start
from collector.enrich.prices_units import USAGE_UNITS
from collector.settings_prices import PriceOverride

_UNITS = {
    "input": USAGE_UNITS["input_tokens"],
    "output": USAGE_UNITS["output_tokens"],
    "cache_read": USAGE_UNITS["cache_read_tokens"],
    "cache_write": USAGE_UNITS["cache_write_tokens"],
    "cache_write_1h": USAGE_UNITS["cache_write_1h_tokens"],
    "reasoning": USAGE_UNITS["reasoning_tokens"],
    "input_audio": USAGE_UNITS["input_audio_tokens"],
    "output_audio": USAGE_UNITS["output_audio_tokens"],
    "cache_read_audio": USAGE_UNITS["cache_read_audio_tokens"],
    "input_image": USAGE_UNITS["input_image_tokens"],
    "output_image": USAGE_UNITS["output_image_tokens"],
    "per_request": REQUESTS,
}
"""Key of a rate in the configuration -> unit in genai-prices."""

_NOT_YET = PriceRow(provider="", model="", refusal=UnpricedReason.UNKNOWN_MODEL)
"""Stands before the first day of a model that has no other price."""

_Name = tuple[str, str]
"""Provider id, "" for any, and name of a model in lower case."""


class Configured:
    """The entries of one configuration."""

    def __init__(self, entries: Sequence[PriceOverride], catalogue: Source) -> None:
        content = orjson.dumps([entry.model_dump(mode="json") for entry in entries])
        self.version = f"configuration {hashlib.sha256(content).hexdigest()[:12]}"
        self._reader = RateReader(self.version)
        self._registry = UnitRegistry(unit_data)
        self._entries: defaultdict[_Name, list[PriceOverride]] = defaultdict(list)
        self._rows: dict[int, PriceRow] = {}
        self._models: dict[tuple[_Name, int], tuple[PricedModel | None, PricedModel]] = {}
        for entry in entries:
            provider = _provider_id(entry.provider or "", catalogue)
            self._rows[id(entry)] = self._row(provider, entry)
            for name in dict.fromkeys(name.lower() for name in (entry.model, *entry.aliases)):
                self._entries[provider, name].append(entry)

    def apply(self, provider: str, name: str, found: PricedModel | None) -> PricedModel | None:
        """Return the prices of a name at a provider, whose model in the catalogue, if any, is `found`."""
        ids = (name, *(row.model.lower() for row in (found.rows[:1] if found else ())))
        for key in itertools.product((provider, ""), dict.fromkeys(ids)):
            if key in self._entries:
                known = (key, id(found))
                if known not in self._models:  # `found` is kept with the result, so that its id stays its own
                    self._models[known] = (found, self._above(found, self._entries[key]))
                return self._models[known][1]
        return found

    def models(self) -> Iterator[PricedModel]:
        """Yield each entry, without what the catalogue has below it."""
        entries = {id(entry): entry for entries in self._entries.values() for entry in entries}
        for entry in entries.values():
            yield PricedModel((self._rows[id(entry)],), rule=" or ".join((entry.model, *entry.aliases)))

    def _above(self, found: PricedModel | None, entries: Sequence[PriceOverride]) -> PricedModel:
        """Put entries above what the catalogue has: of the rows that apply, the last one counts."""
        dated = sorted(entries, key=lambda entry: self._rows[id(entry)].validity.start_ns)
        ordinary = [self._rows[id(entry)] for entry in dated if entry.service_tier is None]
        tiers = dict.fromkeys([*(found.variants if found else ()), *(e.service_tier for e in dated if e.service_tier)])
        variants = {}
        for tier in tiers:
            own = [self._rows[id(entry)] for entry in dated if entry.service_tier == tier]
            below = found.for_tier(tier).rows if found else (_NOT_YET,)
            variants[tier] = PricedModel((*below, *ordinary, *own))
        names = dict.fromkeys(name for entry in entries for name in (entry.model, *entry.aliases))
        rules = [found.rule] if found else []
        rules += [name for name in names if not found or name.lower() != found.rows[0].model.lower()]
        return PricedModel((*(found.rows if found else (_NOT_YET,)), *ordinary), variants, " or ".join(rules))

    def _row(self, provider: str, entry: PriceOverride) -> PriceRow:
        return self._reader.row(
            ModelPrice(**self._prices(entry)),
            provider=provider,
            model=entry.model,
            effective_date=entry.valid_from,
            validity=Validity(EVER if entry.valid_from is None else day_start(entry.valid_from)),
            variant=entry.service_tier or "",
        )

    def _prices(self, entry: PriceOverride) -> dict[str, Decimal | TieredPrices]:
        """Return the rates under the price keys of genai-prices: per million tokens, per thousand requests."""
        prices: dict[str, Decimal | TieredPrices] = {}
        base = entry.rates.given()
        for unit, name in self._with_joins({name: self._registry.units[_UNITS[name]] for name in base}):
            factor = 1000 if unit.usage_key == REQUESTS else 1
            rates = [base[name]]
            for tier in entry.tiers:
                rates.append(tier.rates.given().get(name, rates[-1]))
            if len(set(rates)) == 1:
                prices[unit.price_key] = rates[0] * factor
            else:
                starts = (tier.input_tokens_above for tier in entry.tiers)
                steps = [Tier(start=start, price=rate * factor) for start, rate in zip(starts, rates[1:], strict=True)]
                prices[unit.price_key] = TieredPrices(base=rates[0] * factor, tiers=steps)
        return prices

    def _with_joins(self, units: Mapping[str, UnitDef]) -> Iterator[tuple[UnitDef, str]]:
        """Yield each unit with the key of its rate, and the units of what is part of two of them.

        Audio read from a cache is an example. Such tokens need a rate too: that of the cache, or of reasoning, unless
        they have one of their own.
        """
        yield from ((unit, name) for name, unit in units.items())
        seen = {unit.usage_key for unit in units.values()}
        special = {name: unit for name, unit in units.items() if "token_type" in unit.dimensions}
        most_specific_first = sorted(special.items(), key=lambda item: -len(item[1].dimensions))
        for (name, unit), other in itertools.product(most_specific_first, units.values()):
            join = self._registry.find_join(unit, other)
            if join is not None and join.usage_key not in seen:
                seen.add(join.usage_key)
                yield join, name


def _provider_id(provider: str, catalogue: Source) -> str:
    name = provider.strip().lower()
    name = PROVIDERS.get(name, name)
    return (catalogue.provider(name) or name) if name else ""
