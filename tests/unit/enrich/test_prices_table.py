"""The price book as a table."""

from __future__ import annotations

from datetime import date, time
from decimal import Decimal
from typing import Any

from genai_prices.data import providers as shipped_providers
from genai_prices.types import (
    ClauseEquals,
    ConditionalPrice,
    ModelInfo,
    ModelPrice,
    PriceVariant,
    Provider,
    StartDateConstraint,
    Tier,
    TieredPrices,
    TimeOfDateConstraint,
)

from collector.enrich.prices import PriceBook
from collector.enrich.prices_source import Catalogue
from collector.enrich.prices_table import SCHEMA, price_table
from collector.settings import PriceOverride


def rows_of(prices: ModelPrice | list[ConditionalPrice], *columns: str, **more: Any) -> list[tuple[Any, ...]]:
    model = ModelInfo(id="m", match=ClauseEquals(equals="m"), prices=prices, **more)
    book = PriceBook(Catalogue([Provider(id="p", name="P", api_pattern="(?!)", models=[model])], "test 1"))
    table = price_table(book, "test 1")
    table.validate(full=True)
    return [tuple(row[column] for column in columns) for row in table.to_pylist()]


def test_the_whole_book_becomes_one_table_with_one_row_a_rate() -> None:
    book = PriceBook.load()
    table = price_table(book, book.version)
    table.validate(full=True)
    assert table.schema == SCHEMA
    key = ("provider", "model", "unit", "service_tier", "input_tokens_above", "valid_from", "from_second")
    keys = list(zip(*(table[column].to_pylist() for column in key), strict=True))
    assert len(keys) == len(set(keys)), "the sort key of the table tells every rate apart"
    priced = {(provider.id, model.id) for provider in shipped_providers for model in provider.models}
    assert {names[:2] for names in keys} <= priced
    assert len({names[:2] for names in keys}) > 0.95 * len(priced), "all but those that are billed by hours or pages"
    assert set(table["source"].to_pylist()) == {"genai-prices"}


def test_a_rate_is_usd_for_one_token_or_one_request() -> None:
    prices = ModelPrice(input_mtok=Decimal("2.5"), output_mtok=Decimal("1e-18"), requests_kcount=Decimal(12))
    assert rows_of(prices, "unit", "rate", "provider", "model", "rule") == [
        ("input_tokens", Decimal("0.0000025"), "p", "m", "m"),
        ("output_tokens", Decimal("1e-24"), "p", "m", "m"),
        ("requests", Decimal("0.012"), "p", "m", "m"),
    ]


def test_dates_hours_and_tiers_stand_beside_the_rate() -> None:
    tiered = TieredPrices(base=Decimal(2), tiers=[Tier(start=200_000, price=Decimal(3))])
    night = TimeOfDateConstraint(start_time=time(22), end_time=time(2, 30))
    prices = [
        ConditionalPrice(prices=ModelPrice(input_mtok=Decimal(1))),
        ConditionalPrice(StartDateConstraint(date(2026, 1, 31)), prices=ModelPrice(input_mtok=tiered)),
        ConditionalPrice(night, prices=ModelPrice(input_mtok=Decimal(5))),
    ]
    columns = ("valid_from", "from_second", "until_second", "input_tokens_above", "rate")
    per_million = [(*found, rate * 10**6) for *found, rate in rows_of(prices, *columns)]
    day, night_time = (9000, 79_200), (79_200, 9000)
    assert per_million == [
        (date(1970, 1, 1), *day, 0, 1),
        (date(1970, 1, 1), *night_time, 0, 5),
        (date(2026, 1, 31), *day, 0, 2),
        (date(2026, 1, 31), *day, 200_000, 3),
        (date(2026, 1, 31), *night_time, 0, 5),
    ]


def test_a_service_tier_has_all_its_rates_from_its_first_day_on() -> None:
    variant = PriceVariant(
        {"processing": "batch"}, ModelPrice(input_mtok=Decimal(1)), StartDateConstraint(date(2026, 10, 14))
    )
    unreachable = PriceVariant({"route": "eu"}, ModelPrice(input_mtok=Decimal(9)))
    prices = ModelPrice(input_mtok=Decimal(2), output_mtok=Decimal(8))
    found = rows_of(prices, "service_tier", "valid_from", "unit", "rate", price_variants=[variant, unreachable])
    assert [(*row, rate * 10**6) for *row, rate in found] == [
        ("", date(1970, 1, 1), "input_tokens", 2),
        ("", date(1970, 1, 1), "output_tokens", 8),
        ("batch", date(2026, 10, 14), "input_tokens", 1),
        ("batch", date(2026, 10, 14), "output_tokens", 8),
    ]


def test_a_free_model_costs_nothing_and_one_billed_by_the_hour_has_no_row() -> None:
    assert rows_of(ModelPrice(), "unit", "rate") == [("input_tokens", 0), ("output_tokens", 0)]
    assert rows_of(ModelPrice(audio_hours=Decimal(1)), "unit", "rate") == []


def test_a_configuration_is_a_version_of_its_own() -> None:
    entry = {
        "model": "mine",
        "aliases": ["ours"],
        "service_tier": "flex",
        "rates": {"input": "1", "reasoning": "3", "output": "2"},
    }
    book = PriceBook.load((PriceOverride.model_validate(entry),))
    rows = price_table(book, book.versions[1]).to_pylist()
    assert {(row["source"], row["version"], row["provider"], row["rule"]) for row in rows} == {
        ("configuration", book.versions[1], "", "mine or ours")
    }
    assert [(row["unit"], row["service_tier"], row["rate"] * 10**6) for row in rows] == [
        ("input_tokens", "flex", 1),
        ("output_tokens", "flex", 2),
        ("reasoning_tokens", "flex", 3),
    ]
