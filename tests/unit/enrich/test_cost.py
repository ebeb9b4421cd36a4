"""Cost columns: equal to genai_prices to the last digit, or null with the reason; and what senders report."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import genai_prices
import numpy as np
import pyarrow as pa
import pytest
from genai_prices.data import providers as shipped_providers
from genai_prices.data_snapshot import DataSnapshot, set_custom_snapshot
from genai_prices.types import (
    ClauseEquals,
    ModelInfo,
    ModelPrice,
    PriceCalculation,
    Provider,
    Tier,
    TieredPrices,
    Usage,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.enrich.cost import _groups, cost_columns
from collector.enrich.cost_usage import MOST_TOKENS
from collector.enrich.prices import PriceBook, UnpricedReason
from collector.enrich.prices_source import Catalogue
from collector.enrich.prices_tiers import TIERS
from collector.enrich.prices_units import PARTS, USAGE_KEYS, USAGE_UNITS

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)
NOVEMBER = datetime(2026, 11, 20, tzinfo=UTC)
"""genai-prices has prices for service tiers since October 2026."""
BOOK = PriceBook.load()
LAST_DIGIT = Decimal("1e-12")
PROVIDERS = {provider.id: provider for provider in shipped_providers}
INFOS = {(provider.id, model.id): model for provider in shipped_providers for model in provider.models}
MODELS = {names: info.prices for names, info in INFOS.items()}
DATED = [names for names, prices in MODELS.items() if not isinstance(prices, ModelPrice)]
WITH_VARIANTS = [names for names, info in INFOS.items() if info.price_variants]
MODALITIES = ("_audio_", "_image_", "_video_", "_reasoning_", "_1h_")
BY_MODALITY = [
    names
    for names, prices in MODELS.items()
    if isinstance(prices, ModelPrice) and any(word in key for key in vars(prices) for word in MODALITIES)
]


@dataclass(frozen=True)
class Span:
    provider: str | None
    response_model: str | None
    usage: Mapping[str, int | None]
    at: datetime = NOON
    request_model: str | None = None
    extra_ns: int = 0
    service_tier: str | None = None
    server_address: str | None = None
    reported: float | None = None


def costs(spans: Sequence[Span], book: PriceBook = BOOK, *, dictionaries: bool = False) -> list[dict[str, Any]]:
    def names(values: list[str | None]) -> pa.Array:
        column = pa.array(values, pa.string())
        return column.dictionary_encode() if dictionaries else column

    times = [(span.at - EPOCH) // timedelta(microseconds=1) * 1000 + span.extra_ns for span in spans]
    keys = dict.fromkeys(key for span in spans for key in span.usage)
    columns = cost_columns(
        book,
        provider=names([span.provider for span in spans]),
        request_model=names([span.request_model for span in spans]),
        response_model=names([span.response_model for span in spans]),
        start_time=pa.array(times, pa.timestamp("ns", "UTC")),
        usage={key: pa.array([span.usage.get(key) for span in spans], pa.int64()) for key in keys},
        service_tier=names([span.service_tier for span in spans]),
        server_address=names([span.server_address for span in spans]),
        reported=pa.array([span.reported for span in spans], pa.float64()),
    )
    for column in columns.values():
        column.validate(full=True)
    return pa.RecordBatch.from_pydict(columns).to_pylist()


def cost(span: Span, book: PriceBook = BOOK) -> dict[str, Any]:
    return costs([span], book)[0]


def calculated(span: Span) -> PriceCalculation | None:
    """What genai_prices says, or None where it refuses. A model that it does not find by its id is asked itself."""
    usage = Usage(**{USAGE_UNITS[key]: count for key, count in span.usage.items()})
    context = TIERS.get(span.service_tier or "")
    model = span.response_model or ""
    try:
        return genai_prices.calc_price(
            usage, model, provider_id=span.provider, genai_request_timestamp=span.at, price_context=context
        )
    except LookupError:
        info = INFOS.get((span.provider or "", model))
        if info is None:
            return None
        provider = PROVIDERS[span.provider or ""]
        return info.calc_price(usage, provider, genai_request_timestamp=span.at, price_context=context)


def expected(span: Span) -> tuple[Decimal, Decimal, Decimal] | None:
    """Input, output and total as genai_prices has them, rounded to 12 places; None where it refuses."""
    try:
        price = calculated(span)
    except ValueError:
        return None
    if price is None:
        return None
    return tuple(p.quantize(LAST_DIGIT) for p in (price.input_price, price.output_price, price.total_price))  # type: ignore[return-value]


def money(row: Mapping[str, Any]) -> tuple[Decimal, Decimal, Decimal]:
    return row["cost_input"], row["cost_output"], row["cost_total"]


def one_model(prices: ModelPrice) -> list[Provider]:
    model = ModelInfo(id="m", match=ClauseEquals(equals="m"), prices=prices)
    return [Provider(id="p", name="P", api_pattern="", models=[model])]


def others(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if value not in (None, "")}


def book_of(prices: ModelPrice) -> PriceBook:
    return PriceBook(Catalogue(one_model(prices), "test 1"))


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


def test_the_order_and_encoding_of_spans_does_not_matter() -> None:
    batch = [Span(provider, model, {"input_tokens": n}) for n, (provider, model) in enumerate(list(MODELS)[::40])]
    forward = costs(batch)
    assert costs(batch[::-1], dictionaries=True)[::-1] == forward
    assert [cost(span) for span in batch] == forward


def test_a_computed_cost_shows_its_evidence() -> None:
    usage = {"input_tokens": 1000, "cache_read_tokens": 800, "cache_write_tokens": 100, "output_tokens": 100}
    assert cost(Span("anthropic", "claude-sonnet-4-5", usage)) == {
        "cost_input": Decimal("0.000915000000"),
        "cost_output": Decimal("0.001500000000"),
        "cost_other": Decimal(0),
        "cost_cache_read": Decimal("0.00024"),
        "cost_cache_write": Decimal("0.000375"),
        "cost_reasoning": None,
        "cost_total": Decimal("0.002415000000"),
        "cost_reported": None,
        "cost_source": "computed",
        "price_provider": "anthropic",
        "price_model": "claude-sonnet-4-5",
        "price_tier": "base",
        "price_version": BOOK.version,
        "price_effective_date": None,
        "unpriced_reason": "",
    }


def test_an_unpriced_span_has_a_reason_and_no_money() -> None:
    row = cost(Span("openai", "my-deployment", {"input_tokens": 10}))
    assert others(row) == {"cost_source": "unpriced", "unpriced_reason": "unknown_model"}


def test_a_span_without_usage_is_neither_priced_nor_unpriced() -> None:
    bare, _ = costs([Span("openai", "gpt-4o", {}), Span("openai", "gpt-4o", {"input_tokens": 1})])
    assert (bare["cost_source"], bare["unpriced_reason"], bare["price_model"], bare["cost_total"]) == ("", "", "", None)


@pytest.mark.parametrize(("model", "tokens"), [("openai/gpt-4o", 0), ("deepseek-r1:free", 1000)])
def test_zero_tokens_and_free_models_cost_nothing_and_are_computed(model: str, tokens: int) -> None:
    row = cost(Span("openrouter", model, {"input_tokens": tokens, "output_tokens": tokens}))
    assert (row["cost_source"], row["cost_total"]) == ("computed", 0)


@pytest.mark.parametrize("high", [5, 2**40])
def test_rows_are_grouped_by_all_their_codes_however_many_these_are(high: int) -> None:
    columns = [np.array(codes, np.int64) for codes in ([0, 1, 0, 1, 0], [3, high, 3, high, 4], [0, high, 0, 2, 0])]
    group, combinations = _groups(columns)
    assert [combinations[position] for position in group] == list(zip(*(c.tolist() for c in columns), strict=True))
    assert len(combinations) == len(set(combinations)) == 4
    assert _groups([column[:0] for column in columns])[1] == []


def test_no_spans_give_empty_columns_of_the_same_types() -> None:
    empty = pa.array([], pa.string())
    columns = cost_columns(
        BOOK,
        provider=empty,
        request_model=empty.dictionary_encode(),
        response_model=empty,
        start_time=pa.array([], pa.timestamp("ns", "UTC")),
        usage={"input_tokens": pa.array([], pa.int64())},
    )
    assert {len(column) for column in columns.values()} == {0}
    assert columns["cost_total"].type == pa.decimal128(18, 12)
    assert columns["price_effective_date"].type == pa.date32()
    assert columns["unpriced_reason"].type == pa.dictionary(pa.int32(), pa.string())


def test_slices_and_nulls_in_dictionaries_are_read_right() -> None:
    names = pa.DictionaryArray.from_arrays(pa.array([2, 0, None, 1], pa.int8()), ["gpt-4o", None, "nobody-knows"])
    providers = pa.array(["openai"] * 4)
    columns = cost_columns(
        BOOK,
        provider=providers.slice(1),
        request_model=pa.nulls(3, pa.string()),
        response_model=names.slice(1),
        start_time=pa.array([0] * 4, pa.timestamp("ns", "UTC")).slice(1),
        usage={"input_tokens": pa.array([9, 1_000_000, 1, 1]).slice(1)},
    )
    assert columns["cost_total"].to_pylist() == [Decimal("2.5"), None, None]
    assert columns["unpriced_reason"].to_pylist() == ["", "no_model", "no_model"]


@pytest.mark.parametrize(
    ("response_model", "request_model", "priced_as"),
    [
        ("gpt-4o-mini-2024-07-18", "gpt-4o", "gpt-4o-mini"),
        ("", "gpt-4o", "gpt-4o"),
        (None, "gpt-4o", "gpt-4o"),
    ],
)
def test_the_response_model_decides_before_the_request_model(
    response_model: str | None, request_model: str, priced_as: str
) -> None:
    span = Span("openai", response_model, {"input_tokens": 10}, request_model=request_model)
    assert cost(span)["price_model"] == priced_as


@pytest.mark.parametrize(("asked", "answered"), [("gpt-4o", "my-deployment"), ("gpt-5", "gpt-5.9")])
def test_what_another_model_costs_that_answered_is_not_known(asked: str, answered: str) -> None:
    row = cost(Span("openai", answered, {"input_tokens": 10}, request_model=asked))
    assert (row["cost_total"], row["unpriced_reason"]) == (None, "unknown_model")


def test_a_missing_provider_is_told_by_the_model() -> None:
    assert cost(Span(None, "gpt-4o", {"input_tokens": 10}))["price_provider"] == "openai"


@pytest.mark.parametrize(
    ("tokens", "tier", "rate"), [(200_000, "base", "1.25"), (200_001, "input_tokens>200000", "2.5")]
)
def test_above_the_limit_of_a_tier_every_token_costs_its_rate(tokens: int, tier: str, rate: str) -> None:
    row = cost(Span("gcp.gemini", "gemini-2.5-pro", {"input_tokens": tokens, "output_tokens": 7}))
    assert row["price_tier"] == tier
    assert row["cost_input"] == Decimal(rate) * tokens / 10**6


def test_the_price_of_the_day_applies_and_is_shown() -> None:
    start = datetime(2025, 6, 10, tzinfo=UTC)
    usage = {"input_tokens": 1000, "output_tokens": 100}
    before, after = costs([Span("openai", "o3", usage, start, extra_ns=-1), Span("openai", "o3", usage, start)])
    assert (before["cost_total"], before["price_effective_date"]) == (Decimal("0.014"), None)
    assert (after["cost_total"], after["price_effective_date"]) == (Decimal("0.0028"), date(2025, 6, 10))


def test_spans_of_one_day_can_fall_into_different_hours_of_a_price() -> None:
    day = datetime(2025, 8, 1, tzinfo=UTC)
    batch = [
        Span("deepseek", "deepseek-chat", {"input_tokens": 10}, day + timedelta(minutes=m)) for m in range(0, 1440, 15)
    ]
    rows = costs(batch)
    assert len({row["cost_total"] for row in rows}) == 2
    assert [money(row) for row in rows] == [expected(span) for span in batch]


def test_a_fee_per_request_is_other_than_input_and_output_and_in_the_total() -> None:
    row, free = costs([
        Span("perplexity", "sonar", {"input_tokens": 1000, "output_tokens": 0}),
        Span("openai", "gpt-4o", {"input_tokens": 1000}),
    ])  # fmt: skip
    assert (*money(row), row["cost_other"]) == (Decimal("0.001"), 0, Decimal("0.013"), Decimal("0.012"))
    assert free["cost_other"] == 0, "none is a report"


def test_reasoning_costs_the_rate_of_output_where_it_has_none_of_its_own() -> None:
    usage = {"input_tokens": 100, "cache_read_tokens": 60, "output_tokens": 20, "reasoning_tokens": 5}
    row = cost(Span("openai", "gpt-4o", usage))
    assert (row["cost_total"], row["cost_cache_read"]) == (Decimal("0.000375"), Decimal("0.000075"))
    assert row["cost_reasoning"] == Decimal("0.00005")
    assert row["cost_cache_write"] is None, "nothing about it was reported"


def test_a_part_whose_tokens_are_not_reported_is_null_and_reported_as_zero_is_zero() -> None:
    silent, zero = costs([
        Span("openai", "gpt-4o", {"input_tokens": 9, "output_tokens": 9}),
        Span("openai", "gpt-4o", {"input_tokens": 9, "output_tokens": 9, "cache_read_tokens": 0, "reasoning_tokens": 0}),
    ])  # fmt: skip
    assert (silent["cost_cache_read"], silent["cost_reasoning"]) == (None, None)
    assert (zero["cost_cache_read"], zero["cost_reasoning"]) == (0, 0)


def test_a_write_to_the_cache_for_an_hour_costs_its_own_rate() -> None:
    usage = {"input_tokens": 300, "cache_write_tokens": 200, "cache_write_1h_tokens": 100, "output_tokens": 0}
    row = cost(Span("anthropic", "claude-sonnet-4-5", usage))
    assert row["cost_cache_write"] == Decimal("0.000375") + Decimal("0.0006")
    assert row["cost_input"] == row["cost_cache_write"] + Decimal("0.0003")


# Service tiers.


@pytest.mark.parametrize(
    ("provider", "model", "words", "tier"),
    [
        ("openai", "gpt-5", ("flex", "FLEX", " Flex "), "flex"),
        ("openai", "gpt-5", ("priority",), "priority"),
        ("openai", "gpt-5", ("batch",), "batch"),
        ("anthropic", "claude-sonnet-4-5", ("batch",), "batch"),
        ("anthropic", "claude-opus-4-8", ("fast",), "fast"),
        ("gcp.gemini", "gemini-3.8-flash-tts", ("ON_DEMAND_FLEX", "on-demand-flex", "flex"), "flex"),
        (
            "openai",
            "gpt-5",
            ("default", "auto", "scale", "standard", "standard_only", "on_demand", "?", "", None),
            "base",
        ),
        ("openai", "gpt-4o-2024-05-13", ("flex",), "base"),
        ("groq", "llama-3.1-8b-instant", ("flex", "performance"), "base"),
    ],
)
def test_a_service_tier_has_its_price_if_the_model_has_one_for_it(
    provider: str, model: str, words: Sequence[str | None], tier: str
) -> None:
    usage = {"input_tokens": 1000, "output_tokens": 100}
    names = {"gcp.gemini": "google"}.get(provider, provider)
    for word in words:
        row = cost(Span(provider, model, usage, NOVEMBER, service_tier=word))
        assert row["price_tier"] == tier
        assert money(row) == expected(Span(names, model, usage, NOVEMBER, service_tier=tier))


def test_a_tier_by_input_tokens_of_a_service_tier_shows_both() -> None:
    batch = [
        Span("gcp.gemini", "gemini-2.5-pro", {"input_tokens": n}, NOVEMBER, service_tier="batch") for n in (10, 250_000)
    ]
    assert [row["price_tier"] for row in costs(batch)] == ["batch", "batch, input_tokens>200000"]


def test_who_sells_the_models_of_another_sells_them_at_the_ordinary_price() -> None:
    usage = {"input_tokens": 1000, "output_tokens": 100}
    row = cost(Span("azure", "gpt-4.1", usage, NOVEMBER, service_tier="batch"))
    assert (row["price_provider"], row["price_tier"]) == ("azure", "base")
    assert money(row) == expected(Span("azure", "gpt-4.1", usage, NOVEMBER, service_tier="batch"))


def test_the_tiers_of_a_batch_are_told_apart() -> None:
    usage = {"input_tokens": 1_000_000}
    tiers = ["batch", None, "flex", "default", "batch", "priority"]
    rows = costs([Span("openai", "gpt-5", usage, NOVEMBER, service_tier=tier) for tier in tiers])
    assert [row["price_tier"] for row in rows] == ["batch", "base", "flex", "base", "batch", "priority"]
    assert rows[0]["cost_total"] < rows[1]["cost_total"] < rows[5]["cost_total"]


def test_before_the_first_day_of_a_tier_the_ordinary_price_holds() -> None:
    day = datetime(2026, 10, 14, tzinfo=UTC)
    usage = {"input_tokens": 1_000_000}
    before, after = costs([Span("openai", "gpt-5", usage, day, extra_ns=ns, service_tier="batch") for ns in (-1, 0)])
    assert (before["price_tier"], before["cost_total"]) == ("base", Decimal("1.25"))
    assert (after["price_tier"], after["cost_total"]) == ("batch", Decimal("0.625"))
    assert after["price_effective_date"] == date(2026, 10, 14)


# What senders report.


def test_a_reported_cost_stands_beside_the_computed_one() -> None:
    row = cost(Span("openai", "gpt-4o", {"input_tokens": 1_000_000}, reported=2.25))
    assert (row["cost_source"], row["cost_total"], row["cost_reported"]) == (
        "computed",
        Decimal("2.5"),
        Decimal("2.25"),
    )


@pytest.mark.parametrize(
    ("provider", "model", "usage", "reason"),
    [
        ("openai", "my-deployment", {"input_tokens": 10}, "unknown_model"),
        ("acme", "gpt-4o", {"input_tokens": 10}, "unknown_provider"),
        ("openai", "gpt-4o", {"input_tokens": -1}, "invalid_usage"),
        ("openai", "whisper-1", {"input_tokens": 10}, "no_rate"),
        ("openai", None, {"input_tokens": 10}, "no_model"),
    ],
)
def test_a_reported_cost_is_the_total_where_none_can_be_computed_and_the_reason_stays(
    provider: str, model: str | None, usage: dict[str, int], reason: str
) -> None:
    row = cost(Span(provider, model, usage, reported=0.0125))
    assert others(row) == {
        "cost_source": "reported",
        "cost_total": Decimal("0.0125"),
        "cost_reported": Decimal("0.0125"),
        "unpriced_reason": reason,
    }


def test_a_span_without_usage_has_the_cost_that_is_reported() -> None:
    paid, zero, silent = costs([Span("openai", "gpt-4o", {}, reported=cost) for cost in (0.5, 0.0, None)])
    assert others(paid) == {"cost_source": "reported", "cost_total": Decimal("0.5"), "cost_reported": Decimal("0.5")}
    assert others(zero) == others(silent) == {}, "zero is what senders put where they know nothing"


@pytest.mark.parametrize(
    ("usage", "source"),
    [
        ({"input_tokens": 10, "output_tokens": 0}, "unpriced"),
        ({"input_tokens": 0, "output_tokens": 0}, "reported"),
        ({"reasoning_tokens": 1}, "unpriced"),
    ],
)
def test_a_reported_zero_is_a_report_only_if_the_tokens_are_zero(usage: dict[str, int], source: str) -> None:
    row = cost(Span("openai", "my-deployment", usage, reported=0.0))
    assert row["cost_source"] == source
    assert row["cost_total"] == row["cost_reported"] == (0 if source == "reported" else None)


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf, -0.01, 1e6, 1e300, -1e300, 1e-13, 5e-324])
def test_a_reported_cost_that_cannot_be_one_is_null(wrong: float) -> None:
    row = cost(Span("openai", "my-deployment", {"input_tokens": 10}, reported=wrong))
    assert others(row) == {"cost_source": "unpriced", "unpriced_reason": "unknown_model"}


@given(st.lists(st.one_of(st.none(), st.floats()), min_size=1, max_size=20))
def test_any_reported_number_gives_a_decimal_that_fits_or_null(numbers: list[float | None]) -> None:
    for number, row in zip(numbers, costs([Span("acme", "m", {}, reported=number) for number in numbers]), strict=True):
        if row["cost_reported"] is None:
            assert number is None or not 5e-13 < number < 999_999.9999
        else:
            assert abs(row["cost_reported"] - Decimal(number or 0)) <= Decimal("5e-11")


def test_columns_that_nobody_sends_may_be_left_out() -> None:
    names = pa.array(["openai"]), pa.array(["gpt-4o"])
    columns = cost_columns(
        BOOK,
        provider=names[0],
        request_model=names[1],
        response_model=pa.nulls(1, pa.string()),
        start_time=pa.array([0], pa.timestamp("ns", "UTC")),
        usage={"input_tokens": pa.array([1_000_000])},
    )
    assert columns["cost_total"].to_pylist() == [Decimal("2.5")]
    assert columns["cost_reported"].to_pylist() == columns["cost_cache_read"].to_pylist() == [None]


# Who bills.


@pytest.mark.parametrize(
    ("provider", "address", "model", "billed_by"),
    [
        (None, "api.groq.com", "llama-3.1-8b-instant", "groq"),
        ("langchain", "https://api.mistral.ai/v1", "mistral-large-latest", "mistral"),
        ("openai", "api.groq.com", "openai/gpt-oss-120b", "groq"),
        ("openai", "openrouter.ai", "openai/gpt-4o", "openrouter"),
        ("openai", "my-resource.openai.azure.com", "gpt-4o-2024-08-06", "azure"),
        ("anthropic", "bedrock-runtime.us-east-1.amazonaws.com", "us.anthropic.claude-sonnet-4-6-v1:0", "aws"),
        ("acme", "api.openai.com", "gpt-4o", "openai"),
        ("openai", "llm.internal.example", "gpt-4o", "openai"),
        ("mistral_ai", "api.openai.com", "mistral-large-latest", "mistral"),
        (None, "localhost", "gpt-4o", "openai"),
    ],
)
def test_the_address_tells_who_bills_where_the_provider_does_not(
    provider: str | None, address: str, model: str, billed_by: str
) -> None:
    row = cost(Span(provider, model, {"input_tokens": 10}, server_address=address))
    assert (row["cost_source"], row["price_provider"]) == ("computed", billed_by)


@pytest.mark.parametrize(
    ("usage", "reason"),
    [
        ({"input_tokens": -1}, "invalid_usage"),
        ({"input_tokens": 10, "output_tokens": -1}, "invalid_usage"),
        ({"input_tokens": 10, "cache_read_tokens": 11}, "invalid_usage"),
        ({"input_tokens": 10, "cache_read_tokens": 6, "cache_write_tokens": 5}, "invalid_usage"),
        ({"input_tokens": 10, "output_tokens": 5, "reasoning_tokens": 6}, "invalid_usage"),
        ({"cache_read_tokens": 5, "output_tokens": 5}, "incomplete_usage"),
        ({"input_tokens": 5, "reasoning_tokens": 5}, "incomplete_usage"),
        ({"input_tokens": MOST_TOKENS + 1}, "out_of_range"),
        ({"input_tokens": 2**63 - 1, "output_tokens": 2**63 - 1}, "out_of_range"),
        ({"input_tokens": -(2**63)}, "invalid_usage"),
    ],
)
def test_usage_that_cannot_be_billed_is_unpriced_with_the_reason(usage: dict[str, int], reason: str) -> None:
    rows = costs([Span("anthropic", "claude-sonnet-4-5", usage), Span("openai", "gpt-4o", {"input_tokens": 4})])
    assert (rows[0]["cost_source"], rows[0]["unpriced_reason"]) == ("unpriced", reason)
    assert money(rows[0]) == (None, None, None)
    assert rows[1]["cost_total"] == Decimal("0.00001"), "its neighbour is priced"


def test_parts_that_overlap_need_a_report_of_what_they_share() -> None:
    overlapping = {"input_tokens": 100, "cache_read_tokens": 50, "input_audio_tokens": 50, "output_tokens": 0}
    shared = {**overlapping, "cache_read_audio_tokens": 20}
    batch = [
        Span("openai", "gpt-4o-realtime-preview", usage)
        for usage in (overlapping, shared, {**shared, "input_tokens": 60})
    ]
    rows = costs(batch)
    assert [row["unpriced_reason"] for row in rows] == ["incomplete_usage", "", "invalid_usage"]
    assert money(rows[1]) == expected(batch[1])


def test_every_reason_is_reachable() -> None:
    usage = {"input_tokens": 1}
    batch = [
        Span("openai", None, usage),
        Span("acme", "gpt-4o", usage),
        Span("openai", "my-deployment", usage),
        Span("openai", "whisper-1", usage),
        Span("openai", "gpt-4o", {"input_tokens": -1}),
        Span("openai", "gpt-4o", {"cache_read_tokens": 1}),
        Span("openai", "gpt-4o", {"input_tokens": 2**62}),
    ]
    assert [row["unpriced_reason"] for row in costs(batch)] == [reason.value for reason in UnpricedReason]


def test_money_beyond_the_column_is_refused_to_the_last_digit() -> None:
    book = book_of(ModelPrice(input_mtok=Decimal("0.000001"), output_mtok=Decimal(1_000_000)))
    fits = {"input_tokens": 10**11 - 1, "output_tokens": 999_999}
    fits_not = {"input_tokens": 0, "output_tokens": 1_000_000}
    far_beyond = {"input_tokens": 0, "output_tokens": 10**11}
    rows = costs([Span("p", "m", usage) for usage in (fits, fits_not, far_beyond)], book)
    assert rows[0]["cost_total"] == Decimal("999999.099999999999")
    assert [row["unpriced_reason"] for row in rows] == ["", "out_of_range", "out_of_range"]


def test_large_terms_that_cancel_out_are_exact() -> None:
    book = book_of(ModelPrice(input_mtok=Decimal(1000), cache_read_mtok=Decimal("0.000001"), output_mtok=Decimal(1)))
    row = cost(Span("p", "m", {"input_tokens": 10**11, "cache_read_tokens": 10**11 - 1}), book)
    assert row["cost_total"] == Decimal("0.001") + (10**11 - 1) * Decimal("1e-12")


@pytest.mark.parametrize(("tokens", "picodollars"), [(1, 0), (3, 2), (5, 2), (7, 4), (2, 1)])
def test_halves_of_the_last_digit_are_rounded_to_even(tokens: int, picodollars: int) -> None:
    row = cost(Span("p", "m", {"input_tokens": tokens}), book_of(ModelPrice(input_mtok=Decimal("0.0000005"))))
    assert row["cost_total"] == picodollars * Decimal("1e-12")


@pytest.mark.parametrize(("price", "picodollars"), [("0.000000499999999999", 0), ("0.000000500000000001", 1)])
def test_the_finest_digit_of_a_rate_decides_about_a_half(price: str, picodollars: int) -> None:
    row = cost(Span("p", "m", {"input_tokens": 1}), book_of(ModelPrice(input_mtok=Decimal(price))))
    assert row["cost_total"] == picodollars * Decimal("1e-12")


def test_the_total_is_rounded_once_and_not_the_sum_of_rounded_parts() -> None:
    book = book_of(ModelPrice(input_mtok=Decimal("0.0000006"), output_mtok=Decimal("0.0000006")))
    row = cost(Span("p", "m", {"input_tokens": 1, "output_tokens": 1}), book)
    assert money(row) == (Decimal("1e-12"), Decimal("1e-12"), Decimal("1e-12"))


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


def test_a_usage_column_without_a_price_unit_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="total_tokens"):
        cost(Span("openai", "gpt-4o", {"total_tokens": 1}))
