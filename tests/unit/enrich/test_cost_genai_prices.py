"""Costs equal those of genai_prices to the last digit, for any model, day, tier and usage."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from genai_prices.data_snapshot import DataSnapshot, set_custom_snapshot
from genai_prices.types import ModelPrice, Tier, TieredPrices
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.enrich.prices_tiers import TIERS
from collector.enrich.prices_units import PARTS, USAGE_KEYS
from tests.unit.enrich.pricing import (
    INFOS,
    LAST_DIGIT,
    MODELS,
    NOVEMBER,
    Span,
    book_of,
    calculated,
    cost,
    costs,
    expected,
    money,
    one_model,
)

DATED = [names for names, prices in MODELS.items() if not isinstance(prices, ModelPrice)]
WITH_VARIANTS = [names for names, info in INFOS.items() if info.price_variants]
MODALITIES = ("_audio_", "_image_", "_video_", "_reasoning_", "_1h_")
BY_MODALITY = [
    names
    for names, prices in MODELS.items()
    if isinstance(prices, ModelPrice) and any(word in key for key in vars(prices) for word in MODALITIES)
]


@st.composite
def consistent_usage(draw: st.DrawFn) -> dict[str, int | None]:
    """Counts where every part fits into its whole; some are not reported."""
    size = st.one_of(st.integers(0, 3000), st.sampled_from([0, 1, 100_001, 199_999, 200_000, 200_001, 272_001, 10**9]))
    usage: dict[str, int] = {"input_tokens": draw(size), "output_tokens": draw(size)}
    for key in USAGE_KEYS:
        if key not in usage:
            room = [
                usage[whole] - sum(usage.get(part, 0) for part in parts if part != key)
                for whole, parts in PARTS
                if key in parts
            ]
            usage[key] = draw(st.integers(0, max(0, min(room))))
    reported = draw(st.sets(st.sampled_from(USAGE_KEYS)))
    whole = {"input_tokens", "output_tokens"}
    return {key: usage[key] for key in USAGE_KEYS if key in reported or (key in whole and draw(st.integers(0, 9)))}


any_usage = st.dictionaries(st.sampled_from(USAGE_KEYS), st.integers(-1, 50), max_size=6)
instants = st.one_of(
    st.datetimes(datetime(2024, 1, 1), datetime(2027, 6, 1)), st.datetimes(datetime(2026, 10, 1), datetime(2027, 2, 1))
).map(lambda naive: naive.replace(tzinfo=UTC))


def spans(usage: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Span]]:
    span = st.builds(
        lambda names, counts, at, extra, tier: Span(names[0], names[1], counts, at, extra_ns=extra, service_tier=tier),
        st.one_of(*map(st.sampled_from, (list(MODELS), DATED, BY_MODALITY, WITH_VARIANTS))),
        usage,
        instants,
        st.integers(0, 999),
        st.sampled_from([None, "default", *TIERS]),
    )
    return st.lists(span, min_size=1, max_size=12)


def assert_agrees(span: Span, row: Mapping[str, Any], *, consistent: bool) -> None:
    if not span.usage:
        assert (row["cost_source"], row["unpriced_reason"], row["cost_total"]) == ("", "", None)
        return
    wanted = expected(span)
    if row["cost_source"] == "computed":
        assert money(row) == wanted
        assert abs(row["cost_input"] + row["cost_output"] + row["cost_other"] - row["cost_total"]) <= LAST_DIGIT
    elif row["unpriced_reason"] == "no_rate":
        assert wanted in (None, (0, 0, 0)), "genai_prices has nothing to bill the tokens with"
    elif row["unpriced_reason"] == "invalid_usage" and not consistent:
        assert wanted is None or any(
            sum(span.usage.get(part) or 0 for part in parts) > (span.usage.get(whole) or 0) for whole, parts in PARTS
        )
    else:
        assert wanted is None, row


@settings(max_examples=150, deadline=None)
@given(spans(consistent_usage()))
def test_costs_equal_genai_prices_for_any_model_date_and_usage(batch: list[Span]) -> None:
    for span, row in zip(batch, costs(batch), strict=True):
        assert_agrees(span, row, consistent=True)


@settings(max_examples=150, deadline=None)
@given(spans(any_usage))
def test_what_genai_prices_refuses_is_never_priced(batch: list[Span]) -> None:
    for span, row in zip(batch, costs(batch), strict=True):
        assert_agrees(span, row, consistent=False)


def test_every_model_on_file_costs_what_genai_prices_says() -> None:
    usage = {"input_tokens": 1_234_567, "output_tokens": 7_654_321, "cache_read_tokens": 1001, "cache_write_tokens": 17}
    batch = [Span(*names, usage, NOVEMBER, service_tier=tier) for names in MODELS for tier in ("", *TIERS)]
    for span, row in zip(batch, costs(batch), strict=True):
        assert_agrees(span, row, consistent=True)


def without(usage: Mapping[str, int], part: str) -> dict[str, int]:
    """The same usage without the tokens that one column counts: they are taken off every whole, and off what overlaps."""
    rest = {key: count for key, count in usage.items() if key != part}
    whole = "output_tokens" if part == "reasoning_tokens" else "input_tokens"
    rest[whole] = usage[whole] - usage[part]
    if part == "cache_read_tokens":
        for modality in ("audio", "image"):
            shared = rest.pop(f"cache_read_{modality}_tokens", 0)
            rest[f"input_{modality}_tokens"] = usage.get(f"input_{modality}_tokens", 0) - shared
    if part == "cache_write_tokens":
        rest.pop("cache_write_1h_tokens", None)
    return rest


@settings(max_examples=200, deadline=None)
@given(
    st.one_of(*map(st.sampled_from, (list(MODELS), BY_MODALITY, WITH_VARIANTS))),
    consistent_usage(),
    st.sampled_from(["cache_read_tokens", "cache_write_tokens", "reasoning_tokens"]),
    st.sampled_from(["", *TIERS]),
)
def test_a_part_of_the_cost_is_what_the_call_would_cost_less_without_its_tokens(
    names: tuple[str, str], usage: dict[str, int], part: str, tier: str
) -> None:
    usage = {"input_tokens": 0, "output_tokens": 0, part: 0, **usage}
    usage = {key: min(count, 20_000) for key, count in usage.items()}  # below the first tier of any price
    span = Span(*names, usage, NOVEMBER, service_tier=tier)
    row = cost(span)
    if row["cost_source"] == "computed":
        try:
            whole, rest = calculated(span), calculated(Span(*names, without(usage, part), NOVEMBER, service_tier=tier))
        except ValueError:
            return  # what is left contradicts itself
        assert whole is not None
        assert rest is not None
        column = {"cache_read_tokens": "cost_cache_read", "cache_write_tokens": "cost_cache_write"}.get(part)
        assert row[column or "cost_reasoning"] == (whole.total_price - rest.total_price).quantize(LAST_DIGIT)


rates = st.decimals(0, 1000, places=17, allow_nan=False)


@settings(max_examples=150, deadline=None)
@given(rates, rates, rates, rates, st.integers(0, 10**7), st.integers(0, 10**7), st.floats(0, 1))
def test_rates_of_any_precision_give_the_decimal_that_genai_prices_gives(
    base: Decimal, above: Decimal, cached: Decimal, output: Decimal, sent: int, received: int, cached_part: float
) -> None:
    tiers = TieredPrices(base=base, tiers=[Tier(start=10**6, price=above)])
    prices = ModelPrice(input_mtok=tiers, cache_read_mtok=cached, output_mtok=output)
    usage = {"input_tokens": sent, "cache_read_tokens": int(sent * cached_part), "output_tokens": received}
    span = Span("p", "m", usage)
    set_custom_snapshot(DataSnapshot(providers=one_model(prices), from_auto_update=False))
    try:
        wanted = expected(span)
    finally:
        set_custom_snapshot(None)
    assert money(cost(span, book_of(prices))) == wanted
