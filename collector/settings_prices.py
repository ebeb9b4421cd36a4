"""The section `enrich` of the configuration: prices of one's own, above those of genai-prices.

Rates are USD per million tokens, as providers publish them; a fee is USD per request. A rate that is missing is that of
its whole: `cache_read` is then billed as `input`, `reasoning` as `output`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Annotated, Literal, get_args

from pydantic import BeforeValidator, PlainSerializer, model_validator

from collector.settings_file import Problem
from collector.settings_section import ContradictionError, Section
from collector.settings_values import choice, count, read_amount, read_day, read_list, read_name, shown

Tier = Literal["batch", "flex", "priority", "fast"]

_Name = Annotated[str, BeforeValidator(read_name)]
_Amount = Annotated[Decimal | None, BeforeValidator(read_amount), PlainSerializer(str, return_type=str)]
_Day = Annotated[date | None, BeforeValidator(read_day), PlainSerializer(str, return_type=str)]

_NEEDED = {
    "cache_read": ("input",),
    "cache_write": ("input",),
    "cache_write_1h": ("cache_write",),
    "reasoning": ("output",),
    "input_audio": ("input",),
    "output_audio": ("output",),
    "cache_read_audio": ("cache_read", "input_audio"),
    "input_image": ("input",),
    "output_image": ("output",),
}
"""Rate -> rates of what it is a part of: without them, nobody could say what the rest of the whole costs."""


class Rates(Section):
    """USD per million tokens; `per_request` USD per request. Every key may be left out."""

    input: _Amount = None
    output: _Amount = None
    cache_read: _Amount = None
    cache_write: _Amount = None
    cache_write_1h: _Amount = None
    reasoning: _Amount = None
    input_audio: _Amount = None
    output_audio: _Amount = None
    cache_read_audio: _Amount = None
    input_image: _Amount = None
    output_image: _Amount = None
    per_request: _Amount = None

    def given(self) -> dict[str, Decimal]:
        """Return the rates that are given, by key."""
        return {name: rate for name in type(self).model_fields if (rate := getattr(self, name)) is not None}


class PriceTier(Section):
    """Rates for all tokens of a call with more than this many input tokens."""

    input_tokens_above: Annotated[int, count(1, 1_000_000_000)]
    rates: Rates = Rates()


class PriceOverride(Section):
    """The price of one model, from one day on."""

    model: _Name
    """Name of the model as senders give it, or id of a model of genai-prices, whose price this one replaces."""
    aliases: Annotated[tuple[_Name, ...], BeforeValidator(read_list)] = ()
    """Further names of the model."""
    provider: Annotated[str | None, BeforeValidator(read_name)] = None
    """Who bills: a `gen_ai.provider.name` or a provider id of genai-prices; anybody, if it is left out."""
    valid_from: _Day = None
    """First day (UTC) of the price; it has always been valid, if it is left out."""
    service_tier: Annotated[Tier | None, choice(*get_args(Tier))] = None
    """Service tier that the price is for; all that have no entry of their own, if it is left out."""
    rates: Rates = Rates()
    tiers: Annotated[tuple[PriceTier, ...], BeforeValidator(read_list)] = ()

    @model_validator(mode="after")
    def _rates_agree(self) -> PriceOverride:
        problems = [*_lacking(self.rates), *_tiers_apart(self)]
        if problems:
            raise ContradictionError(problems)
        return self


class Prices(Section):
    """Where prices come from beside genai-prices."""

    overrides: Annotated[tuple[PriceOverride, ...], BeforeValidator(read_list)] = ()
    """Prices of one's own."""

    @model_validator(mode="after")
    def _entries_differ(self) -> Prices:
        first: dict[object, int] = {}
        problems = []
        for position, entry in enumerate(self.overrides):
            for name in dict.fromkeys(name.lower() for name in (entry.model, *entry.aliases)):
                key = ((entry.provider or "").lower(), name, entry.service_tier, entry.valid_from)
                before = first.setdefault(key, position)
                if before != position:
                    advice = f"is priced by overrides[{before}] already: give another valid_from or service_tier"
                    problems.append(Problem(f"overrides[{position}]", f'names "{shown(name)}", which {advice}'))
        if problems:
            raise ContradictionError(problems)
        return self


class Enrich(Section):
    """From spans to kinds, tokens and costs."""

    prices: Prices = Prices()


def _lacking(rates: Rates) -> Iterator[Problem]:
    given = rates.given()
    if not given:
        yield Problem("rates", f"is empty: allowed is at least one of {', '.join(Rates.model_fields)}")
    for name in given:
        for whole in _NEEDED.get(name, ()):
            if whole not in given:
                yield Problem(f"rates.{whole}", f"is missing: rates.{name} is the rate of a part of it")


def _tiers_apart(entry: PriceOverride) -> Iterator[Problem]:
    base = entry.rates.given()
    above = 0
    for position, tier in enumerate(entry.tiers):
        if tier.input_tokens_above <= above:
            sentence = f'is "{tier.input_tokens_above}": allowed is a number larger than that of the tier before'
            yield Problem(f"tiers[{position}].input_tokens_above", sentence)
        above = tier.input_tokens_above
        if not tier.rates.given():
            yield Problem(f"tiers[{position}].rates", "is empty: allowed is at least one rate that changes")
        for name in tier.rates.given():
            if name not in base:
                yield Problem(f"rates.{name}", f"is missing: tiers[{position}].rates.{name} is the rate above it")
