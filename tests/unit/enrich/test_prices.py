"""The price book: matching, dates, and rates that are exact."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from fractions import Fraction

import pytest
from genai_prices.data import providers as shipped_providers
from genai_prices.types import (
    ClauseEquals,
    ConditionalPrice,
    ModelInfo,
    ModelPrice,
    Provider,
    StartDateConstraint,
    Tier,
    TieredPrices,
    TimeOfDateConstraint,
)

from collector.enrich.prices import (
    CACHED_NAMES,
    LONGEST_NAME,
    RATE_SCALE,
    PriceBook,
    PricedModel,
    PriceRow,
    UnpricedReason,
)
from collector.enrich.prices_names import FRAMEWORKS, PROVIDERS
from collector.enrich.prices_source import Catalogue, RateReader
from collector.enrich.prices_units import PARTS, USAGE_UNITS

NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)


def nanoseconds(instant: datetime) -> int:
    return (instant - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1000


@pytest.fixture(scope="module")
def book() -> PriceBook:
    return PriceBook.load()


def book_of(prices: ModelPrice | list[ConditionalPrice]) -> PriceBook:
    model = ModelInfo(id="m", match=ClauseEquals(equals="m"), prices=prices)
    return PriceBook(Catalogue([Provider(id="p", name="P", api_pattern="(?!)", models=[model])], "test 1"))


def row_of(found: PriceRow | UnpricedReason) -> PriceRow:
    assert isinstance(found, PriceRow), found
    return found


def test_the_version_names_the_package_and_its_release(book: PriceBook) -> None:
    name, version = book.version.split(" ")
    assert name == "genai-prices"
    assert version[0].isdigit()


def test_every_rate_per_token_or_request_that_genai_prices_ships_is_exact() -> None:
    units = RateReader("test 1")._registry
    catalogue = Catalogue(shipped_providers, "test 1")
    rows = 0
    for provider in shipped_providers:
        for model in provider.models:
            priced = catalogue._priced_model(provider, model)
            conditions = [model.prices] if isinstance(model.prices, ModelPrice) else [c.prices for c in model.prices]
            for prices in conditions:
                for key, value in vars(prices).items():
                    unit = units.unit_for_price_key(key)
                    if unit.dimensions["family"] not in ("tokens", "requests"):
                        continue
                    rows += 1
                    tiers = value.tiers if isinstance(value, TieredPrices) else []
                    steps = {value.base if isinstance(value, TieredPrices) else value, *(tier.price for tier in tiers)}
                    found = [
                        {Fraction(r, RATE_SCALE) for r in row.rates.get(unit.usage_key, ())} for row in priced.rows
                    ]
                    assert {Fraction(step) / unit.per for step in steps} in found, (provider.id, model.id, key)
    assert rows > 5000


def test_every_provider_name_of_the_table_leads_to_a_provider_with_prices() -> None:
    assert set(PROVIDERS.values()) <= {provider.id for provider in shipped_providers}


@pytest.mark.parametrize(
    ("provider", "model", "billed_by"),
    [
        ("openai", "gpt-4o", "openai"),
        ("azure.ai.openai", "gpt-4o", "azure"),
        ("azure.ai.inference", "gpt-4o", "azure"),
        ("azure.ai.inference", "phi-4", "azure"),
        ("anthropic", "claude-sonnet-4-5", "anthropic"),
        ("aws.bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", "aws"),
        ("gcp.gemini", "gemini-2.5-pro", "google"),
        ("gcp.vertex_ai", "gemini-2.5-pro", "google"),
        ("gcp.gen_ai", "gemini-2.5-pro", "google"),
        ("x_ai", "grok-4-0709", "x-ai"),
        ("mistral_ai", "mistral-large-latest", "mistral"),
        ("deepseek", "deepseek-chat", "deepseek"),
        ("openrouter", "openai/gpt-4o", "openrouter"),
        ("OpenAI ", "gpt-4o", "openai"),
        ("", "gpt-4o", "openai"),
        ("LangChain", "claude-sonnet-4-5", "anthropic"),
        ("litellm", "anthropic/claude-sonnet-4-5", "anthropic"),
        ("openai", "gpt-4o-20241120", "openai"),
    ],
)
def test_a_model_is_priced_by_whoever_bills_it(book: PriceBook, provider: str, model: str, billed_by: str) -> None:
    assert row_of(book.match(provider, model, nanoseconds(NOON))).provider == billed_by


@pytest.mark.parametrize(
    ("provider", "model", "reason"),
    [
        ("openai", "", UnpricedReason.NO_MODEL),
        ("", "", UnpricedReason.NO_MODEL),
        ("openai", "my-deployment", UnpricedReason.UNKNOWN_MODEL),
        ("", "my-deployment", UnpricedReason.UNKNOWN_MODEL),
        ("langchain", "my-deployment", UnpricedReason.UNKNOWN_MODEL),
        ("litellm", "my-deployment", UnpricedReason.UNKNOWN_MODEL),
        ("ibm.watsonx.ai", "gpt-4o", UnpricedReason.UNKNOWN_PROVIDER),
        ("acme", "gpt-4o", UnpricedReason.UNKNOWN_PROVIDER),
        ("openai", "gpt-4o" * 100, UnpricedReason.UNKNOWN_MODEL),
        ("openai" * 100, "gpt-4o", UnpricedReason.UNKNOWN_PROVIDER),
        ("openai", "whisper-1", UnpricedReason.NO_RATE),
    ],
)
def test_a_lookup_without_a_price_says_why(book: PriceBook, provider: str, model: str, reason: UnpricedReason) -> None:
    assert book.match(provider, model, nanoseconds(NOON)) is reason


def test_no_name_that_has_a_price_is_too_long_to_be_looked_up() -> None:
    assert max(len(model.id) for provider in shipped_providers for model in provider.models) < LONGEST_NAME


def test_frameworks_are_never_taken_for_providers() -> None:
    assert not FRAMEWORKS & ({provider.id for provider in shipped_providers} | set(PROVIDERS))


class Searched(Catalogue):
    """Counts the searches."""

    searches = 0

    def find(self, provider_id: str, name: str) -> PricedModel | None:
        self.searches += 1
        return super().find(provider_id, name)


def test_names_without_end_do_not_grow_the_book() -> None:
    source = Searched(shipped_providers, "test 1")
    book = PriceBook(source)
    for number in range(20_000):
        book.model(f"provider-{number}", "m")
        book.model("openai", f"model-{number}")
        book.provider_at(f"host-{number}.example")
    caches = (book._find, book._provider_of_name, book._provider_at)  # type: ignore[attr-defined]
    assert [cache.cache_info().currsize for cache in caches] == [CACHED_NAMES] * 3
    before = source.searches
    book.match("openai", "model-19999", 0)
    assert source.searches == before, "a name that was not found is remembered, too"


def test_searches_leave_nothing_behind_in_the_package() -> None:
    from genai_prices.data_snapshot import get_snapshot

    before = len(get_snapshot()._provider_cache), len(get_snapshot()._lookup_cache)
    PriceBook.load().match("openai", "gpt-4o-2024-08-06", 0)
    assert (len(get_snapshot()._provider_cache), len(get_snapshot()._lookup_cache)) == before


def test_a_price_starts_with_the_first_nanosecond_of_its_day_in_utc(book: PriceBook) -> None:
    start = nanoseconds(datetime(2025, 6, 10, tzinfo=UTC))
    before = row_of(book.match("openai", "o3", start - 1))
    after = row_of(book.match("openai", "o3", start))
    assert (before.effective_date, after.effective_date) == (None, date(2025, 6, 10))
    assert before.rates["input_tokens"] == (10 * RATE_SCALE // 10**6,)
    assert after.rates["input_tokens"] == (2 * RATE_SCALE // 10**6,)


def test_a_price_for_hours_of_the_day_holds_within_them_only(book: PriceBook) -> None:
    day = datetime(2025, 8, 1, tzinfo=UTC)
    start, end = nanoseconds(day.replace(hour=0, minute=30)), nanoseconds(day.replace(hour=16, minute=30))
    peak = row_of(book.match("deepseek", "deepseek-chat", start))
    off_peak = row_of(book.match("deepseek", "deepseek-chat", end))
    assert peak.rates != off_peak.rates
    assert book.match("deepseek", "deepseek-chat", start - 1) is off_peak
    assert book.match("deepseek", "deepseek-chat", end - 1) is peak


@pytest.mark.parametrize("zone", [UTC, None, timezone(timedelta(hours=8))])
def test_hours_of_the_day_may_run_past_midnight(zone: timezone | None) -> None:
    offset = zone.utcoffset(None) if zone else timedelta(0)
    window = TimeOfDateConstraint(start_time=time(22, tzinfo=zone), end_time=time(2, tzinfo=zone))
    night = ConditionalPrice(window, prices=ModelPrice(input_mtok=Decimal(1)))
    book = book_of([ConditionalPrice(prices=ModelPrice(input_mtok=Decimal(2))), night])
    model = book.model("p", "m")
    assert isinstance(model, PricedModel)
    at = {hour: nanoseconds(datetime(2026, 1, 15, hour, tzinfo=UTC) - offset) for hour in range(24)}
    cheap = (RATE_SCALE // 10**6,)
    assert [hour for hour in at if model.active(at[hour]).rates["input_tokens"] == cheap] == [0, 1, 22, 23]


def test_the_first_price_applies_when_none_does() -> None:
    late, later = (
        ConditionalPrice(StartDateConstraint(date(year, 1, 1)), prices=ModelPrice(input_mtok=Decimal(year)))
        for year in (2030, 2040)
    )
    row = row_of(book_of([late, later]).match("p", "m", nanoseconds(NOON)))
    assert row.effective_date == date(2030, 1, 1)


def test_what_the_last_price_of_a_day_says_holds_whatever_the_order_they_are_listed_in() -> None:
    dated = [
        ConditionalPrice(StartDateConstraint(date(2026, month, 1)), prices=ModelPrice(input_mtok=Decimal(month)))
        for month in (1, 9, 5)
    ]
    book = book_of([ConditionalPrice(prices=ModelPrice(input_mtok=Decimal(100))), *dated])
    months = [row_of(book.match("p", "m", nanoseconds(datetime(2026, month, 2, tzinfo=UTC)))) for month in range(1, 13)]
    first = [row.effective_date.month for row in months if row.effective_date]
    assert first == [1, 1, 1, 1, 5, 5, 5, 5, 5, 5, 5, 5], "of those that apply, the last one listed"


def test_tiers_are_named_by_the_tokens_above_which_they_apply() -> None:
    tiered = TieredPrices(base=Decimal(1), tiers=[Tier(start=200_000, price=Decimal(2))])
    row = row_of(book_of(ModelPrice(input_mtok=tiered, output_mtok=Decimal(5))).match("p", "m", 0))
    assert row.tiers == ("base", "input_tokens>200000")
    assert row.rates["input_tokens"] == (10**18, 2 * 10**18)
    assert row.rates["output_tokens"] == (5 * 10**18, 5 * 10**18)


@pytest.mark.parametrize(
    "prices",
    [
        ModelPrice(cache_read_mtok=Decimal(1)),
        ModelPrice(input_mtok=Decimal("1e-19")),
        ModelPrice(audio_hours=Decimal(1)),
    ],
    ids=["a part has a rate and its whole has none", "a rate too fine to be exact", "no rate per token"],
)
def test_a_price_that_cannot_bill_tokens_is_no_rate(prices: ModelPrice) -> None:
    assert book_of(prices).match("p", "m", 0) is UnpricedReason.NO_RATE


def test_the_table_of_parts_says_what_genai_prices_says() -> None:
    units = RateReader("test 1")._registry.units
    dimensions = {name: set(units[unit].dimensions.items()) for name, unit in USAGE_UNITS.items()}
    by_one_dimension = {
        (whole, part)
        for whole in dimensions
        for part in dimensions
        if dimensions[whole] < dimensions[part] and len(dimensions[part] - dimensions[whole]) == 1
    }
    assert {(whole, part) for whole, parts in PARTS for part in parts} == by_one_dimension
    for whole, parts in PARTS:
        added = [next(iter(dimensions[part] - dimensions[whole])) for part in parts]
        assert len({name for name, _ in added}) == 1, "parts differ in one dimension, so that they share no token"
        assert len({value for _, value in added}) == len(parts)
