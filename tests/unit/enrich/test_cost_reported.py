"""What senders report that a span costs, beside what is computed."""

from __future__ import annotations

import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.enrich.pricing import Span, cost, costs, others


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
