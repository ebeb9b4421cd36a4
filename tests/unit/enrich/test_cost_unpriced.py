"""What has no computed cost, and the reason for it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from collector.enrich.cost_usage import MOST_TOKENS
from collector.enrich.prices import UnpricedReason
from tests.unit.enrich.pricing import Span, cost, costs, expected, money, others


def test_an_unpriced_span_has_a_reason_and_no_money() -> None:
    row = cost(Span("openai", "my-deployment", {"input_tokens": 10}))
    assert others(row) == {"cost_source": "unpriced", "unpriced_reason": "unknown_model"}


def test_a_span_without_usage_is_neither_priced_nor_unpriced() -> None:
    bare, _ = costs([Span("openai", "gpt-4o", {}), Span("openai", "gpt-4o", {"input_tokens": 1})])
    assert (bare["cost_source"], bare["unpriced_reason"], bare["price_model"], bare["cost_total"]) == ("", "", "", None)


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
