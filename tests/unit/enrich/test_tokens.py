"""Tokens: one meaning whatever the sender meant, and which rule decided."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from collector.enrich.tokens import Normalized, normalize, refused
from tests.unit.enrich.building import Sent, enriched, only

LARGEST = 2**63 - 1
KEYS = {
    "input_tokens": "gen_ai.usage.input_tokens",
    "output_tokens": "gen_ai.usage.output_tokens",
    "total_tokens": "gen_ai.usage.total_tokens",
    "cache_read_tokens": "gen_ai.usage.cache_read.input_tokens",
    "cache_write_tokens": "gen_ai.usage.cache_write.input_tokens",
    "reasoning_tokens": "gen_ai.usage.reasoning.output_tokens",
}


def normalized(*spans: dict[str, int], inclusive: int = -1, by_scope: bool = False) -> Normalized:
    columns = {name: pa.array([span.get(name) for span in spans], pa.int64()) for name in KEYS}
    rows = len(spans)
    return normalize(columns, inclusive=np.full(rows, inclusive, np.int8), by_scope=np.full(rows, by_scope))


def decided(*spans: dict[str, int], inclusive: int = -1, by_scope: bool = False) -> list[tuple[int | None, str]]:
    """Return the input tokens and the token basis of each span; no other count may have changed."""
    found = normalized(*spans, inclusive=inclusive, by_scope=by_scope)
    assert set(found.usage_problem.to_pylist()) <= {""}
    for name in set(KEYS) - {"input_tokens"}:
        assert found.usage[name].to_pylist() == [span.get(name) for span in spans]
    found.usage["input_tokens"].validate(full=True)
    return list(zip(found.usage["input_tokens"].to_pylist(), found.token_basis.to_pylist(), strict=True))


def usage(**numbers: Any) -> dict[str, Any]:
    return {KEYS[name]: number for name, number in numbers.items()}


def test_no_usage_has_no_basis_and_is_null_and_not_zero() -> None:
    row = only({"gen_ai.operation.name": "chat"})
    assert row["token_basis"] == ""
    assert {value for name, value in row.items() if name.endswith("_tokens")} == {None}


def test_zero_is_a_report() -> None:
    row = only(usage(input_tokens=0))
    assert (row["input_tokens"], row["output_tokens"], row["token_basis"]) == (0, None, "inclusive")


def test_usual_numbers_are_taken_as_they_are() -> None:
    row = only(
        usage(input_tokens=610, output_tokens=20, cache_read_tokens=500, cache_write_tokens=100, reasoning_tokens=5)
    )
    names = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens")
    assert [row[name] for name in names] == [610, 20, 500, 100, 5]
    assert row["token_basis"] == "inclusive"


def test_input_that_is_all_cached_is_inclusive() -> None:
    assert decided({"input_tokens": 600, "cache_read_tokens": 500, "cache_write_tokens": 100}) == [(600, "inclusive")]


@pytest.mark.parametrize(
    "cached",
    [{"cache_read_tokens": 601}, {"cache_write_tokens": 601}, {"cache_read_tokens": 1, "cache_write_tokens": 600}],
)
def test_more_cached_tokens_than_input_complete_the_input(cached: dict[str, int]) -> None:
    assert decided({"input_tokens": 600, **cached}) == [(1201, "exclusive_cache_exceeds_input")]


def test_a_total_that_adds_the_cached_tokens_completes_the_input() -> None:
    span = {"input_tokens": 1000, "output_tokens": 20, "cache_read_tokens": 500, "cache_write_tokens": 100}
    assert decided({**span, "total_tokens": 1620}) == [(1600, "exclusive_total")]
    assert decided({**span, "total_tokens": 1020}) == [(1000, "inclusive_total")]
    assert decided({**span, "total_tokens": 1621}) == [(1000, "inclusive")]
    assert decided(span) == [(1000, "inclusive")]


def test_a_total_decides_nothing_where_nothing_is_cached() -> None:
    span = {"input_tokens": 100, "output_tokens": 20, "total_tokens": 120}
    assert decided(span, {**span, "cache_read_tokens": 0}) == [(100, "inclusive"), (100, "inclusive")]


def test_where_the_total_and_the_cache_both_show_it_the_total_is_named() -> None:
    span = {"input_tokens": 10, "output_tokens": 20, "cache_read_tokens": 600, "total_tokens": 630}
    assert decided(span) == [(610, "exclusive_total")]


@pytest.mark.parametrize(("by_scope", "what"), [(True, "scope"), (False, "dialect")])
def test_a_sender_that_is_known_to_exclude_cached_tokens_is_completed_even_where_they_would_fit(
    by_scope: bool, what: str
) -> None:
    span = {"input_tokens": 1000, "output_tokens": 20, "cache_read_tokens": 500, "cache_write_tokens": 100}
    assert decided(span, inclusive=0, by_scope=by_scope) == [(1600, f"exclusive_{what}")]
    # Such a sender's total may leave out the cached tokens as well: it proves nothing.
    assert decided({**span, "total_tokens": 1020}, inclusive=0, by_scope=by_scope) == [(1600, f"exclusive_{what}")]
    assert decided(span, inclusive=1, by_scope=by_scope) == [(1000, f"inclusive_{what}")]


def test_the_total_overrules_what_is_known_of_the_sender() -> None:
    span = {"input_tokens": 1000, "output_tokens": 20, "cache_read_tokens": 500, "total_tokens": 1520}
    assert decided(span, inclusive=1, by_scope=True) == [(1500, "exclusive_total")]


@pytest.mark.parametrize("by_scope", [True, False])
def test_more_cached_tokens_than_an_input_that_includes_them_contradict_it(by_scope: bool) -> None:
    span = {"input_tokens": 10, "output_tokens": 20, "cache_read_tokens": 500}
    found = normalized(span, inclusive=1, by_scope=by_scope)
    assert found.usage_problem.to_pylist() == ["contradictory"]
    assert found.usage["input_tokens"].to_pylist() == found.usage["cache_read_tokens"].to_pylist() == [None]
    assert found.usage["output_tokens"].to_pylist() == [20]
    assert {reason: rows.tolist() for reason, rows in refused(found.usage_problem).items()} == {"invalid_usage": [True]}


def test_more_reasoning_than_output_is_added_where_the_total_says_so_and_contradicts_it_otherwise() -> None:
    span = {"input_tokens": 100, "output_tokens": 20, "reasoning_tokens": 50}
    completed, contradictory = (
        normalized({**span, "total_tokens": 170}),
        normalized({**span, "total_tokens": 120}),
    )
    assert completed.usage["output_tokens"].to_pylist() == [70]
    assert completed.usage_problem.to_pylist() == [""]
    assert contradictory.usage["output_tokens"].to_pylist() == [None]
    assert contradictory.usage["reasoning_tokens"].to_pylist() == [None]
    assert contradictory.usage["input_tokens"].to_pylist() == [100]
    assert contradictory.usage_problem.to_pylist() == ["contradictory"]


def test_an_input_that_was_not_reported_is_not_made_up() -> None:
    assert decided({"cache_read_tokens": 500, "output_tokens": 20, "total_tokens": 520}) == [(None, "inclusive")]


def test_each_row_of_a_batch_is_decided_on_its_own() -> None:
    exclusive = {"input_tokens": 10, "cache_read_tokens": 500}
    assert decided(exclusive, {"input_tokens": 10}, {}, {"output_tokens": 1}, exclusive) == [
        (510, "exclusive_cache_exceeds_input"),
        (10, "inclusive"),
        (None, ""),
        (None, "inclusive"),
        (510, "exclusive_cache_exceeds_input"),
    ]


@pytest.mark.parametrize(
    ("span", "problem"),
    [
        ({"input_tokens": -5, "cache_read_tokens": 500}, "negative"),
        ({"input_tokens": 5, "cache_read_tokens": 3, "cache_write_tokens": -1}, "negative"),
        ({"input_tokens": 5, "cache_read_tokens": LARGEST}, "too_large"),
        ({"input_tokens": 5, "cache_read_tokens": LARGEST, "cache_write_tokens": LARGEST}, "too_large"),
        ({"input_tokens": 5, "cache_read_tokens": 10**11 + 1}, "too_large"),
        ({"input_tokens": -(2**63), "total_tokens": LARGEST}, "negative"),
    ],
)
def test_numbers_that_cannot_be_true_are_null_with_a_reason_and_complete_nothing(
    span: dict[str, int], problem: str
) -> None:
    found = normalized(span)
    assert found.usage_problem.to_pylist() == [problem]
    for name, number in span.items():
        expected = number if 0 <= number <= 10**11 else None
        assert found.usage[name].to_pylist() == [expected]


def test_a_negative_count_is_stored_as_null_and_refuses_the_cost() -> None:
    row = only({**usage(input_tokens=-5, output_tokens=7), "gen_ai.request.model": "gpt-4o"})
    assert (row["input_tokens"], row["output_tokens"], row["kind"]) == (None, 7, "LLM")
    assert (row["cost_total"], row["cost_source"], row["unpriced_reason"]) == (None, "unpriced", "invalid_usage")


def test_the_largest_integer_refuses_the_cost() -> None:
    row = only({**usage(input_tokens=LARGEST, output_tokens=LARGEST), "gen_ai.request.model": "gpt-4o"})
    assert (row["input_tokens"], row["output_tokens"], row["usage_problem"]) == (None, None, "too_large")
    assert (row["cost_total"], row["cost_source"], row["unpriced_reason"]) == (None, "unpriced", "out_of_range")


def test_an_exclusive_sender_is_billed_like_one_that_obeys() -> None:
    model = {"gen_ai.provider.name": "anthropic", "gen_ai.request.model": "claude-sonnet-4-5"}
    cached = {"cache_read_tokens": 500, "cache_write_tokens": 100, "output_tokens": 20}
    obeys, exclusive = enriched(
        Sent({**model, **usage(input_tokens=610, **cached)}), Sent({**model, **usage(input_tokens=10, **cached)})
    )
    assert exclusive["token_basis"] == "exclusive_cache_exceeds_input"
    assert exclusive["input_tokens"] == obeys["input_tokens"] == 610
    assert str(exclusive["cost_total"]) == str(obeys["cost_total"]) == "0.000855000000"
