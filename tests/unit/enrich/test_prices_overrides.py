"""Prices of the configuration stand above those of genai-prices, and say that they do."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from genai_prices.data import providers as shipped_providers
from genai_prices.types import ModelPrice, Tier, TieredPrices, Usage
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.enrich.cost import cost_columns
from collector.enrich.prices import PriceBook, UnpricedReason
from collector.enrich.prices_units import USAGE_UNITS
from collector.settings import PriceOverride

NOON = datetime(2026, 6, 15, 12, tzinfo=UTC)
MILLION = 1_000_000


def entry(model: str, *, input: Any = 1, **more: Any) -> dict[str, Any]:
    rates = {"input": str(input), **{name: str(rate) for name, rate in more.pop("rates", {}).items()}}
    return {"model": model, "rates": rates, **more}


def book(*entries: dict[str, Any]) -> PriceBook:
    return PriceBook.load(tuple(PriceOverride.model_validate(one) for one in entries))


def cost(
    prices: PriceBook,
    provider: str,
    model: str,
    usage: dict[str, int] | None = None,
    at: datetime = NOON,
    tier: str = "",
) -> dict[str, Any]:
    columns = cost_columns(
        prices,
        provider=pa.array([provider]),
        request_model=pa.nulls(1, pa.string()),
        response_model=pa.array([model]),
        start_time=pa.array([int(at.timestamp()) * 10**9], pa.timestamp("ns", "UTC")),
        usage={key: pa.array([count], pa.int64()) for key, count in (usage or {"input_tokens": MILLION}).items()},
        service_tier=pa.array([tier]),
    )
    (row,) = pa.RecordBatch.from_pydict(columns).to_pylist()
    return row


def total(*arguments: Any, **more: Any) -> Decimal | str:
    row = cost(*arguments, **more)
    return row["cost_total"] if row["cost_source"] == "computed" else row["unpriced_reason"]


def test_a_model_of_ones_own_has_the_price_that_is_configured() -> None:
    prices = book(entry("My-Deployment", input="1.5", provider="openai", rates={"output": 6}, valid_from="2026-01-01"))
    row = cost(prices, "openai", "my-deployment", {"input_tokens": MILLION, "output_tokens": MILLION})
    assert (row["cost_input"], row["cost_output"], row["cost_total"]) == (Decimal("1.5"), 6, Decimal("7.5"))
    assert (row["price_provider"], row["price_model"], row["price_tier"]) == ("openai", "My-Deployment", "base")
    assert row["price_effective_date"] == date(2026, 1, 1)
    assert row["price_version"] == prices.versions[1]
    assert prices.versions[1].startswith("configuration ")


def test_the_version_changes_with_the_content_of_the_configuration_only() -> None:
    one, same, other = (book(entry("m", input=rate)) for rate in ("1.5", "1.5", "1.6"))
    assert one.versions == same.versions
    assert one.versions != other.versions
    assert one.version == PriceBook.load().version
    assert PriceBook.load().versions == (one.version,)


def test_a_configured_price_replaces_that_of_the_package_under_all_its_names() -> None:
    prices = book(entry("gpt-4o", input=1))
    for provider, name in (
        ("openai", "gpt-4o"),
        ("openai", "gpt-4o-2024-08-06"),
        ("", "openai/gpt-4o-20241120"),
        ("azure.ai.openai", "gpt-4o-2024-11-20"),
        ("acme", "gpt-4o"),
    ):
        assert total(prices, provider, name) == 1
    assert total(prices, "openai", "gpt-4o-mini") == Decimal("0.15")
    assert cost(prices, "openai", "gpt-4o-mini")["price_version"] == prices.version


def test_an_entry_with_a_provider_is_for_that_provider_alone_and_above_one_for_all() -> None:
    prices = book(entry("gpt-4o", input=3, provider="azure.ai.openai"), entry("gpt-4o", input=1))
    assert total(prices, "azure.ai.openai", "gpt-4o") == 3
    assert total(prices, "openai", "gpt-4o") == 1
    only_azure = book(entry("gpt-4o", input=3, provider="azure"))
    assert (total(only_azure, "azure.ai.openai", "gpt-4o"), total(only_azure, "openai", "gpt-4o")) == (
        3,
        Decimal("2.5"),
    )


def test_a_provider_that_nobody_else_knows_can_be_configured() -> None:
    prices = book(entry("llama", input=1, provider="Our GPUs", aliases=["llama-int8", "meta/llama"]))
    assert {total(prices, "our gpus", name) for name in ("llama", "LLAMA-int8", "meta/llama")} == {1}
    assert total(prices, "our gpus", "other") == "unknown_provider"
    assert total(prices, "", "llama") == "unknown_model"


def test_before_its_first_day_the_price_below_holds_or_none() -> None:
    prices = book(
        entry("gpt-4o", input=1, valid_from="2026-06-01"),
        entry("gpt-4o", input=2, valid_from="2026-07-01"),
        entry("mine", input=1, valid_from="2026-06-01"),
    )
    may, june, july = (datetime(2026, month, day, tzinfo=UTC) for month, day in ((5, 31), (6, 1), (7, 1)))
    assert [total(prices, "openai", "gpt-4o", at=at) for at in (may, june, july)] == [Decimal("2.5"), 1, 2]
    assert [total(prices, "openai", "mine", at=at) for at in (may, june)] == ["unknown_model", 1]
    assert cost(prices, "openai", "gpt-4o", at=may)["price_version"] == prices.version


def test_an_entry_for_all_tiers_stands_above_the_tiers_of_the_package_and_one_for_a_tier_above_both() -> None:
    at = datetime(2026, 11, 20, tzinfo=UTC)
    for_all = book(entry("gpt-5", input=1))
    assert [total(for_all, "openai", "gpt-5", at=at, tier=tier) for tier in ("", "batch", "flex")] == [1, 1, 1]
    for_batch = book(
        entry("gpt-5", input=1, valid_from="2026-06-01"), entry("gpt-5", input="0.25", service_tier="batch")
    )
    assert total(for_batch, "openai", "gpt-5", at=at, tier="batch") == Decimal("0.25")
    assert cost(for_batch, "openai", "gpt-5", at=at, tier="batch")["price_tier"] == "batch"
    assert total(for_batch, "openai", "gpt-5", at=at, tier="flex") == 1
    only_batch = book(entry("mine", input="0.25", service_tier="batch"))
    assert [total(only_batch, "openai", "mine", tier=tier) for tier in ("batch", "")] == [
        Decimal("0.25"),
        "unknown_model",
    ]


def test_every_rate_is_billed_for_its_tokens_and_what_has_none_at_the_rate_of_its_whole() -> None:
    rates = {
        "output": 10, "cache_read": "0.1", "cache_write": "1.25", "cache_write_1h": 2, "reasoning": 20,
        "input_audio": 40, "output_audio": 80, "input_image": 5, "output_image": 30, "per_request": "0.5",
    }  # fmt: skip
    prices = book(entry("m", input=1, rates=rates))
    one = MILLION
    assert total(prices, "p", "m", {"input_tokens": one}) == Decimal("1.5")
    assert cost(prices, "p", "m", {"input_tokens": one})["cost_other"] == Decimal("0.5")
    for part, whole, costs in (
        ("cache_read_tokens", "input_tokens", "0.6"),
        ("input_audio_tokens", "input_tokens", "40.5"),
        ("input_image_tokens", "input_tokens", "5.5"),
        ("reasoning_tokens", "output_tokens", "20.5"),
        ("output_audio_tokens", "output_tokens", "80.5"),
        ("output_image_tokens", "output_tokens", "30.5"),
    ):
        usage = {"input_tokens": 0, "output_tokens": 0, whole: one, part: one}
        assert total(prices, "p", "m", usage) == Decimal(costs), part
    written = {"input_tokens": 2 * one, "cache_write_tokens": 2 * one, "cache_write_1h_tokens": one}
    assert total(prices, "p", "m", written) == Decimal("3.75")
    both = {"input_tokens": one, "cache_read_tokens": one, "input_audio_tokens": one, "cache_read_audio_tokens": one}
    assert total(prices, "p", "m", both) == Decimal("0.6"), "audio from the cache costs what the cache costs"
    plain = book(entry("m", input=1))
    assert total(plain, "p", "m", {"input_tokens": one, "cache_read_tokens": one}) == 1


def test_a_tier_by_input_tokens_changes_the_rates_that_it_names() -> None:
    tiers = [
        {"input_tokens_above": 1000, "rates": {"input": "2"}},
        {"input_tokens_above": 2000, "rates": {"output": "30"}},
    ]
    prices = book(entry("m", input=1, rates={"output": 10}, tiers=tiers))
    found = [cost(prices, "p", "m", {"input_tokens": n, "output_tokens": 1000}) for n in (1000, 1001, 2001)]
    assert [row["price_tier"] for row in found] == ["base", "input_tokens>1000", "input_tokens>2000"]
    assert [row["cost_total"] for row in found] == [Decimal("0.011"), Decimal("0.012002"), Decimal("0.034002")]


def test_a_rate_of_zero_is_a_price() -> None:
    assert total(book(entry("gpt-4o", input=0, rates={"output": 0})), "openai", "gpt-4o") == 0


amounts = st.decimals(0, 1000, places=6, allow_nan=False)


@settings(max_examples=60, deadline=None)
@given(
    st.fixed_dictionaries(
        {"input": amounts, "output": amounts},
        optional=dict.fromkeys(("cache_read", "cache_write", "reasoning", "input_audio", "per_request"), amounts),
    ),
    amounts,
    st.integers(0, 10**6),
    st.floats(0, 0.5),
)
def test_a_configured_price_costs_what_the_package_makes_of_the_same_rates(
    rates: dict[str, Decimal], above: Decimal, sent: int, part: float
) -> None:
    tiers = [{"input_tokens_above": 1000, "rates": {"input": f"{above:f}"}}]
    given_rates = {name: f"{rate:f}" for name, rate in rates.items()}
    prices = book({"model": "m", "rates": given_rates, "tiers": tiers})
    usage = {"input_tokens": sent, "output_tokens": sent, "cache_read_tokens": int(sent * part), "reasoning_tokens": 1}
    usage["reasoning_tokens"] = min(1, sent)
    keys = {"per_request": "requests_kcount", "reasoning": "output_reasoning_mtok"}
    package = {keys.get(name, f"{name}_mtok"): rate for name, rate in rates.items()}
    package["input_mtok"] = TieredPrices(base=rates["input"], tiers=[Tier(start=1000, price=above)])
    if "per_request" in rates:
        package["requests_kcount"] = rates["per_request"] * 1000
    if "input_audio" in rates:
        package |= {
            f"cache_audio_{kind}_mtok": rates[f"cache_{kind}"] for kind in ("read", "write") if f"cache_{kind}" in rates
        }
    said = ModelPrice(**package).calc_price(Usage(**{USAGE_UNITS[key]: count for key, count in usage.items()}))
    assert total(prices, "p", "m", usage) == said["total_price"].quantize(Decimal("1e-12"))


def test_without_entries_the_book_is_that_of_the_package() -> None:
    assert PriceBook.load(()).versions == (PriceBook.load().version,)
    assert isinstance(PriceBook.load().match("openai", "mine", 0), UnpricedReason)


ARN = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1b2c3"


@pytest.mark.parametrize("name", ["models/x", "ft:x:y", "us.anthropic.x-v1:0", "a/b/c", "x:free", "x-latest", ARN])
def test_any_name_can_be_configured_as_it_is_sent(name: str) -> None:
    assert total(book(entry(name)), "openai", name) == 1


def test_a_book_lists_the_models_of_each_of_its_versions() -> None:
    prices = book(entry("a"), entry("b", aliases=["c"], valid_from="2026-01-01"))
    package, configuration = ([*prices.models(version)] for version in prices.versions)
    assert len(package) == sum(len(provider.models) for provider in shipped_providers)
    assert [(model.rows[0].model, model.rule) for model in configuration] == [("a", "a"), ("b", "b or c")]
    assert list(prices.models("genai-prices 0.0.1")) == []
