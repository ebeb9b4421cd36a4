"""The price book: which rates apply to a model of a provider at an instant.

Prices come from the `genai-prices` package (its bundled snapshot; its background updates are never started). This
module holds what the rest of the collector knows about them: rates as exact integers, dated rows, and lookups that are
cached within bounds. The package itself is read by `collector.enrich.prices_source`, which is imported when a book is
loaded, because that import takes longer than everything else here.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from collector.enrich.prices_units import NOTHING_PRICED, Breakdown

RATE_SCALE = 10**24
"""Rates are integers of 1e-24 USD per token or request. Every rate that genai-prices ships per token is exact in it."""

NANOSECONDS_PER_DAY = 86_400 * 10**9
EVER = -(2**63)
"""Start of a price that is not bound to a date, in ns since 1970."""

REQUESTS = "requests"
"""The unit of a fee for each request, among the rates of a row."""

LONGEST_NAME = 256
"""Longer provider and model names are unknown without a search: no price has one, and the cache would keep them."""

CACHED_NAMES = 8192
"""Pairs of provider and model name that are remembered, found or not. Senders choose these names freely."""

PROVIDERS = {
    "anthropic": "anthropic",
    "aws.bedrock": "aws",
    "azure.ai.inference": "azure",
    "azure.ai.openai": "openai",  # as genai-prices reads the name: Azure charges OpenAI's rates for OpenAI's models
    "cohere": "cohere",
    "deepseek": "deepseek",
    "gcp.gemini": "google",
    "gcp.gen_ai": "google",
    "gcp.vertex_ai": "google",
    "groq": "groq",
    "mistral_ai": "mistral",
    "moonshot_ai": "moonshotai",
    "openai": "openai",
    "perplexity": "perplexity",
    "x_ai": "x-ai",
}
"""`gen_ai.provider.name` as the semantic conventions spell it -> provider id in genai-prices.

A name that is not here is looked up as it is. `ibm.watsonx.ai` is missing because genai-prices has no prices for it.
"""

FRAMEWORKS = frozenset({"", "crewai", "gateway", "langchain", "llama_index", "strands-agents"})
"""Names that say nothing about who bills: the provider is then the one whose model names genai-prices recognises."""


class UnpricedReason(StrEnum):
    """Why a span that reports usage has no cost. The set is closed; the values are stored."""

    NO_MODEL = "no_model"
    """The span names neither a response model nor a request model."""
    UNKNOWN_PROVIDER = "unknown_provider"
    """The provider is named, and has no prices."""
    UNKNOWN_MODEL = "unknown_model"
    """The provider has no price for the model; or no provider is named, and the model name tells none."""
    NO_RATE = "no_rate"
    """The model is billed by hour, character or page, so that tokens say nothing about its cost."""
    INVALID_USAGE = "invalid_usage"
    """A count is negative, or parts are larger than their whole: cached input above input, reasoning above output."""
    INCOMPLETE_USAGE = "incomplete_usage"
    """A part is reported, and a whole that is billed is not: cached input without input."""
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
    """Provider id in genai-prices: whoever bills, even where the model is another provider's."""
    model: str
    """Model id in genai-prices."""
    effective_date: date | None = None
    """First day (UTC) of this price; None if undated."""
    validity: Validity = Validity()
    tier_starts: tuple[int, ...] = ()
    """Ascending; the tier i + 1 applies to all tokens of a span with more than `tier_starts[i]` input tokens."""
    rates: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """Unit (a token unit of genai-prices, or `REQUESTS`) -> rate in 1e-24 USD for each tier, the base tier first."""
    breakdown: Breakdown = NOTHING_PRICED
    """How the tokens that each rate applies to are found."""
    billed_by_tokens: bool = True
    """False where rates exist, but none per token or request."""

    @property
    def tiers(self) -> tuple[str, ...]:
        """Names of the tiers as they are stored: "base", then for example "input_tokens>200000"."""
        return ("base", *(f"input_tokens>{start}" for start in self.tier_starts))


@dataclass(frozen=True, eq=False)
class PricedModel:
    """All prices of one model, in the order of genai-prices: of those that apply, the last one counts."""

    rows: tuple[PriceRow, ...]
    """Never empty."""

    def active(self, time_ns: int) -> PriceRow:
        """Return the row that applies at this instant (ns since 1970); the first row where none does."""
        applying = [row for row in self.rows if row.validity.contains(time_ns)]
        return applying[-1] if applying else self.rows[0]


Find = Callable[[str | None, str], PricedModel | UnpricedReason]
"""Looks up (provider id or None, model name) in a source of prices."""


class PriceBook:
    """Prices by provider, model and time. Immutable but for its bounded cache; safe to share between threads."""

    def __init__(self, find: Find, version: str) -> None:
        """Wrap a source of prices; most callers want `PriceBook.load()`."""
        self.version = version
        """Name and version of the source, stored with every cost: "genai-prices 0.2.3"."""
        self._find = functools.lru_cache(maxsize=CACHED_NAMES)(find)

    @classmethod
    def load(cls) -> PriceBook:
        """Return the book of the installed genai-prices package. No network."""
        from collector.enrich.prices_source import Catalogue, bundled  # noqa: PLC0415 - slow; see the module docstring

        providers, version = bundled()
        return cls(Catalogue(providers).find, version)

    def model(self, provider: str, model: str) -> PricedModel | UnpricedReason:
        """Return all prices of a model.

        `provider` is a `gen_ai.provider.name`, a provider id of genai-prices, the name of a framework, or "". `model`
        is matched as genai-prices does it.
        """
        if not model:
            return UnpricedReason.NO_MODEL
        if len(provider) > LONGEST_NAME:
            return UnpricedReason.UNKNOWN_PROVIDER
        if len(model) > LONGEST_NAME:
            return UnpricedReason.UNKNOWN_MODEL
        name = provider.strip().lower()
        return self._find(None if name in FRAMEWORKS else PROVIDERS.get(name, name), model)

    def match(self, provider: str, model: str, start_time_ns: int) -> PriceRow | UnpricedReason:
        """Return the price of a model (see `model`) for a call that started at this instant, in ns since 1970."""
        priced = self.model(provider, model)
        if isinstance(priced, UnpricedReason):
            return priced
        row = priced.active(start_time_ns)
        return row if row.billed_by_tokens else UnpricedReason.NO_RATE
