"""Which price of a model applies: by service tier, by input tokens, by day and hour."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from tests.unit.enrich.pricing import NOVEMBER, Span, cost, costs, expected, money


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
