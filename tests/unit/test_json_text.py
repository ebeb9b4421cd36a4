"""Any value to JSON bytes."""

from __future__ import annotations

import json
import math
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.json_text import MAX_DEPTH, render


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


def test_integers_are_exact_at_any_size() -> None:
    numbers = [2**53 + 1, -(2**63), 2**64 - 1, 2**64, -(2**63) - 1, 10**40]
    assert json.loads(render(numbers)) == numbers


def test_not_a_number_and_infinity_are_null() -> None:
    assert json.loads(render([math.nan, math.inf, -math.inf])) == [None, None, None]
    assert json.loads(render([math.nan, 2**70])) == [None, 2**70]


def test_halves_of_surrogate_pairs_are_replaced_and_whole_pairs_joined() -> None:
    assert json.loads(render({"a\ud83d": "x\ude00y", "b": "\ud83d\ude00", "c": "é"})) == {
        "a\ufffd": "x\ufffdy",
        "b": "😀",
        "c": "é",
    }


def test_nul_is_escaped() -> None:
    assert render({"a\0": "b\0"}) == b'{"a\\u0000":"b\\u0000"}'


def test_deep_values_are_json_down_to_the_limit_and_text_below() -> None:
    assert json.loads(render(nested(MAX_DEPTH))) == nested(MAX_DEPTH)
    shown = json.loads(render(nested(MAX_DEPTH + 60)))
    for _ in range(MAX_DEPTH):
        [shown] = shown
    assert json.loads(shown) == nested(60)


@pytest.mark.parametrize("levels", [1_000, 5_000, 100_000])
def test_no_depth_is_an_error(levels: int) -> None:
    assert json.loads(render({"deep": nested(levels), "shallow": 1}))["shallow"] == 1


def test_types_that_json_has_no_form_for_are_text() -> None:
    assert json.loads(render([Decimal("1.5"), b"x", {1: 2}])) == ["1.5", "b'x'", {"1": 2}]


ANY_TEXT = st.text(st.characters(codec=None))
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(ANY_TEXT, inner),
    max_leaves=20,
)


@given(ANY_JSON)
def test_whatever_is_rendered_is_strict_json(value: Any) -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    json.loads(render(value).decode(), parse_constant=refuse)
