"""How all traces are divided into portions of a bounded size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporters.clickhouse import portions as module
from exporters.clickhouse.portions import Portion, differences

MINUTE = 60 * 10**9


def divided(*minutes: tuple[str, int, int, int]) -> list[Portion]:
    """Divide minutes of project, number, traces and spans."""
    names = ("project", "minute", "traces", "spans")
    return list(module._divided(dict(zip(names, minute, strict=True)) for minute in minutes))


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Portions of ten spans or five traces."""
    monkeypatch.setattr(module, "MOST_SPANS", 10)
    monkeypatch.setattr(module, "MOST_TRACES", 5)


def test_small_minutes_that_follow_each_other_are_one_portion() -> None:
    assert divided(("p", 3, 1, 4), ("p", 7, 1, 6)) == [Portion("p", 3 * MINUTE, 8 * MINUTE, 10)]


@pytest.mark.parametrize("second", [("p", 7, 1, 7), ("p", 7, 5, 5), ("q", 7, 1, 1), ("p", 1440, 1, 1)])
def test_a_portion_ends_before_it_is_too_large_and_with_the_project_and_the_day(
    second: tuple[str, int, int, int],
) -> None:
    assert [portion.spans for portion in divided(("p", 3, 1, 4), second)] == [4, second[3]]


def test_a_minute_that_is_too_large_is_dealt_into_buckets() -> None:
    first, second, third, rest = divided(("p", 3, 1, 27), ("p", 4, 1, 1))
    assert [(one.bucket, one.buckets) for one in (first, second, third)] == [(0, 3), (1, 3), (2, 3)]
    assert {(one.first, one.last) for one in (first, second, third)} == {(3 * MINUTE, 4 * MINUTE)}
    assert (rest.first, rest.buckets) == (4 * MINUTE, 1)


@given(
    st.lists(
        st.tuples(st.sampled_from("pq"), st.integers(0, 3000), st.integers(1, 12), st.integers(1, 40)),
        unique_by=lambda m: m[:2],
    )
)
def test_every_minute_is_in_exactly_one_portion(minutes: Sequence[tuple[str, int, int, int]]) -> None:
    minutes = sorted(minutes)
    found = divided(*minutes)
    for project, minute, _, _ in minutes:
        holding = [one for one in found if one.project == project and one.first <= minute * MINUTE < one.last]
        assert {one.bucket for one in holding} == set(range(holding[0].buckets))
        assert len(holding) == holding[0].buckets


def test_differences_are_found_in_every_kind_of_column() -> None:
    left: dict[str, Any] = {
        "text": ["a", "b", None, None],
        "number": [1, 2, None, None],
        "tags": [["a"], ["a", "b"], [], []],
        "time": [1, 2, None, None],
    }
    right = {
        "text": pa.array(["a", "c", None, "d"]).dictionary_encode(),
        "number": pa.array([1, 3, None, 4], pa.uint32()),
        "tags": pa.array([["a"], ["a"], [], ["d"]]),
        "time": pa.array([1, 3, None, 4], pa.timestamp("ns", "UTC")),
    }
    found = differences(pa.table(left), pa.table(right))
    assert {name: np.flatnonzero(differ).tolist() for name, differ in found.items()} == {name: [1, 3] for name in left}
