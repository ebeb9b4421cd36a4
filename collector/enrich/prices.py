"""The price book: which rates apply to a model of a provider at an instant.

Prices come from the `genai-prices` package (its bundled snapshot; its background updates are never started), and from the
configuration, which stands above it. This module holds what the rest of the collector knows about them: rates as exact
integers, dated rows, and lookups that are cached within bounds. The package itself is read by
`collector.enrich.prices_source`, which is imported when a book is loaded, because that import takes longer than
everything else here.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Protocol

from collector.enrich.prices_names import FRAMEWORKS, PROVIDERS, SPOKEN_BY_OTHERS, Spelling, spellings
from collector.enrich.prices_units import NOTHING_PRICED, Breakdown
from collector.settings_prices import PriceOverride

RATE_SCALE = 10**24
"""Rates are integers of 1e-24 USD per token or request. Every rate that genai-prices ships per token is exact in it."""

NANOSECONDS_PER_DAY = 86_400 * 10**9
EVER = -(2**63)
"""Start of a price that is not bound to a date, in ns since 1970."""

REQUESTS = "requests"
"""The unit of a fee for each request, among the rates of a row."""

LONGEST_NAME = 256
"""Longer names of providers, models and servers are unknown without a search: no price has one, and the cache would keep
them."""

CACHED_NAMES = 8192
"""Combinations of names that are remembered, found or not. Senders choose these names freely."""


class UnpricedReason(StrEnum):
    """Why a span that reports usage has no computed cost. The set is closed; the values are stored."""

    NO_MODEL = "no_model"
    """The span names neither a response model nor a request model."""
    UNKNOWN_PROVIDER = "unknown_provider"
    """The provider is named, and has no prices."""
    UNKNOWN_MODEL = "unknown_model"
    """The provider has no price for the model (at that time); or no provider is named, and nothing tells one."""
    NO_RATE = "no_rate"
    """The model is billed by hour, character or page, so that tokens say nothing about its cost."""
    INVALID_USAGE = "invalid_usage"
    """A count is negative, parts are larger than their whole (cached input above input, reasoning above output), or the
    counts do not add up to the total."""
    INCOMPLETE_USAGE = "incomplete_usage"
    """A part is reported, and a whole that is billed is not: cached input without input; or a model call reports only one
    of input and output."""
    OUT_OF_RANGE = "out_of_range"
    """A count above 10^11 tokens, or a cost that does not fit Decimal(18, 12): 1,000,000 USD or more."""


@dataclass(frozen=True)
class Validity:
    """When a price applies: from an instant on, and every day within one window of time (UTC)."""

    start_ns: int = EVER
    """First instant, ns since 1970."""
    window_start_ns: int = 0
    """Start of the daily window, ns after midnight."""
    window_length_ns: int = NANOSECONDS_PER_DAY
    """Length of the daily window; it may run past midnight."""

    def contains(self, time_ns: int) -> bool:
        """Say whether the price applies at this instant (ns since 1970)."""
        since_window_start = (time_ns - self.window_start_ns) % NANOSECONDS_PER_DAY
        return time_ns >= self.start_ns and since_window_start < self.window_length_ns


@dataclass(frozen=True, eq=False)
class PriceRow:
    """One price of one model: all rates that apply together."""

    provider: str
    """Provider id in genai-prices, or as configured: whoever bills, even where the model is another provider's."""
    model: str
    """Model id in genai-prices, or as configured."""
    version: str = ""
    """Where the price is from: "genai-prices 0.2.3", or "configuration" with a hash of it."""
    effective_date: date | None = None
    """First day (UTC) of this price; None if undated."""
    validity: Validity = Validity()
    variant: str = ""
    """Service tier that these rates are for; "" for the ordinary price."""
    tier_starts: tuple[int, ...] = ()
    """Ascending; the tier i + 1 applies to all tokens of a span with more than `tier_starts[i]` input tokens."""
    rates: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """Unit (a token unit of genai-prices, or `REQUESTS`) -> rate in 1e-24 USD for each tier, the base tier first."""
    breakdown: Breakdown = NOTHING_PRICED
    """How the tokens that each rate applies to are found."""
    refusal: UnpricedReason | None = None
    """Why nothing is priced by this row; None if it prices."""

    @property
    def tiers(self) -> tuple[str, ...]:
        """Names of the tiers as they are stored: "base", "input_tokens>200000"; "batch", "batch, input_tokens>200000"."""
        steps = (f"input_tokens>{start}" for start in self.tier_starts)
        return (self.variant or "base", *(f"{self.variant}, {step}" if self.variant else step for step in steps))


@dataclass(frozen=True, eq=False)
class PricedModel:
    """All prices of one model: of the rows that apply at an instant, the last one counts."""

    rows: tuple[PriceRow, ...]
    """Never empty."""
    variants: Mapping[str, PricedModel] = field(default_factory=dict)
    """Service tier -> prices for it, where they differ from the ordinary ones."""
    rule: str = ""
    """Which names lead to this model, in words."""

    def for_tier(self, tier: str) -> PricedModel:
        """Return the prices for a service tier (see `prices_tiers`): the ordinary ones where it has none of its own."""
        return self.variants.get(tier, self)

    def active(self, time_ns: int) -> PriceRow:
        """Return the row that applies at this instant (ns since 1970); the first row where none does."""
        applying = [row for row in self.rows if row.validity.contains(time_ns)]
        return applying[-1] if applying else self.rows[0]


class Source(Protocol):
    """A catalogue of prices, as `prices_source.Catalogue` reads it from genai-prices."""

    version: str
    """Name and version, stored with every cost."""
    provider_ids: frozenset[str]

    def provider(self, name: str) -> str:
        """Return the id of the provider that a name in lower case means, or ""."""

    def provider_at(self, address: str) -> str:
        """Return the id of the provider whose servers have this address, or ""."""

    def provider_of(self, model: str) -> str:
        """Return the id of the provider that is known for such a model name, or ""."""

    def find(self, provider_id: str, name: str) -> PricedModel | None:
        """Return the prices of a model name, in lower case, at a provider."""

    def models(self) -> Iterator[PricedModel]:
        """Yield every model."""


class Overrides(Protocol):
    """Prices of the configuration, as `prices_overrides.Configured` reads them."""

    version: str

    def apply(self, provider: str, name: str, found: PricedModel | None) -> PricedModel | None:
        """Return what the configuration makes of a model that the catalogue has found, or has not."""

    def models(self) -> Iterator[PricedModel]:
        """Yield every model of the configuration."""


class PriceBook:
    """Prices by provider, model and time. Immutable but for its bounded cache; safe to share between threads."""

    def __init__(self, source: Source, overrides: Overrides | None = None) -> None:
        """Wrap a source of prices; most callers want `PriceBook.load()`."""
        self._source = source
        self._overrides = overrides
        self._find = functools.lru_cache(maxsize=CACHED_NAMES)(self._look_up)
        self._provider_of_name = functools.lru_cache(maxsize=CACHED_NAMES)(self._billing)
        self._provider_at = functools.lru_cache(maxsize=CACHED_NAMES)(source.provider_at)

    @classmethod
    def load(cls, overrides: Sequence[PriceOverride] = ()) -> PriceBook:
        """Return the book of the installed genai-prices package, with the configured prices above it. No network."""
        from collector.enrich.prices_overrides import Configured  # noqa: PLC0415 - slow; see the module docstring
        from collector.enrich.prices_source import Catalogue, bundled  # noqa: PLC0415 - the same

        catalogue = Catalogue(*bundled())
        return cls(catalogue, Configured(overrides, catalogue) if overrides else None)

    @property
    def version(self) -> str:
        """Name and version of the catalogue: "genai-prices 0.2.3"."""
        return self._source.version

    @property
    def versions(self) -> tuple[str, ...]:
        """The versions that the rows of this book carry: the catalogue's, then the configuration's if it has prices."""
        return (self.version, *((self._overrides.version,) if self._overrides else ()))

    def models(self, version: str) -> Iterator[PricedModel]:
        """Yield every model with rows of this version, one of `versions`."""
        if version == self.version:
            yield from self._source.models()
        elif self._overrides is not None and version == self._overrides.version:
            yield from self._overrides.models()

    def in_force(self) -> Iterator[PricedModel]:
        """Yield every model as it is priced: those of the catalogue, with what is configured above them, then others."""
        for model in self._source.models():
            row = model.rows[0]
            applied = self._overrides.apply(row.provider, row.model.lower(), model) if self._overrides else model
            yield applied or model
        if self._overrides is not None:
            names = dict.fromkeys((m.rows[0].provider, m.rows[0].model.lower()) for m in self._overrides.models())
            for provider, name in names:
                applied = self._overrides.apply(provider, name, None)
                if applied is not None and not (provider and self._source.find(provider, name)):
                    yield applied

    def provider(self, name: str) -> str:
        """Return the id of a named provider, the name if it has none, or "" for a framework."""
        return self._provider_of_name(name)

    def provider_at(self, address: str) -> str:
        """Return the id of the provider whose servers have this address (a host name or URL), "" if none is known."""
        return self._provider_at(address) if address and len(address) <= LONGEST_NAME else ""

    def model(self, provider: str, model: str, server: str = "") -> PricedModel | UnpricedReason:
        """Return all prices of a model.

        `provider` is a `gen_ai.provider.name`, a provider id of genai-prices, the name of a framework, or ""; `server` is
        an id from `provider_at`, or "". The model is looked for under its `prices_names.spellings`, one after the other.
        """
        if not model:
            return UnpricedReason.NO_MODEL
        if len(provider) > LONGEST_NAME:
            return UnpricedReason.UNKNOWN_PROVIDER
        if len(model) > LONGEST_NAME:
            return UnpricedReason.UNKNOWN_MODEL
        return self._find(self._provider_of_name(provider), model, server)

    def match(self, provider: str, model: str, start_time_ns: int, *, tier: str = "") -> PriceRow | UnpricedReason:
        """Return the price of a model (see `model`) for a call that started at this instant, in ns since 1970."""
        priced = self.model(provider, model)
        if isinstance(priced, UnpricedReason):
            return priced
        row = priced.for_tier(tier).active(start_time_ns)
        return row.refusal or row

    def _billing(self, provider: str) -> str:
        """Return the id of a named provider, its name if it has none, or "" for a framework."""
        name = provider.strip().lower()
        if name in FRAMEWORKS:
            return ""
        name = PROVIDERS.get(name, name)
        return self._source.provider(name) or name

    def _look_up(self, named: str, model: str, server: str) -> PricedModel | UnpricedReason:
        known = named in self._source.provider_ids
        if server and server != named and (not known or named in SPOKEN_BY_OTHERS):
            named, known = server, True
            told_by_client = False
        else:
            told_by_client = named in SPOKEN_BY_OTHERS
        for spelling in spellings(model, self._source.provider_ids):
            provider = self._biller(named, spelling, told_by_client=told_by_client)
            found = self._source.find(provider, spelling.name) if provider else None
            if self._overrides is not None:
                found = self._overrides.apply(provider, spelling.name, found)
            if found is not None:
                return found
        if self._overrides is not None:  # names that have no spelling, such as an ARN of one's own
            found = self._overrides.apply(named, model.strip().lower(), None)
            if found is not None:
                return found
        return UnpricedReason.UNKNOWN_PROVIDER if named and not known else UnpricedReason.UNKNOWN_MODEL

    def _biller(self, named: str, spelling: Spelling, *, told_by_client: bool) -> str:
        if not named:
            return spelling.route or self._source.provider_of(spelling.name)
        return spelling.route if told_by_client and spelling.route else named
