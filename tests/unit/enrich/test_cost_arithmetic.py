"""Counts times rates: exact, within the column, rounded once."""

from __future__ import annotations

from decimal import Decimal

import pytest
from genai_prices.types import (
    ModelPrice,
)

from tests.unit.enrich.pricing import Span, book_of, cost, costs, money


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
