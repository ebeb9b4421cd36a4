"""References: which attributes make one, and how several make one value that cannot be mistaken."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from collector.query.reader import Reference
from exporters.clickhouse.references import MAX_LENGTH, joined, references_of
from exporters.clickhouse.table import records_table
from tests.support.spans import NOON, batch, span

KINDS = {"step": (("a.step", "b.step"),), "cell": (("table",), ("row",))}


def found(*values: dict[str, Any]) -> list[tuple[int, str, str]]:
    """The number of the span, kind and value of each reference."""
    spans = [span(number, values=said) for number, said in enumerate(values, 1)]
    rows = references_of(records_table(batch(*spans)), KINDS).to_pylist()
    return sorted((int(row["span_id"], 16), row["kind"], row["value"]) for row in rows)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, []),
        ({"other": "x"}, []),
        ({"a.step": "one"}, ["one"]),
        ({"b.step": "two"}, ["two"]),
        ({"b.step": "two", "a.step": "one"}, ["one"]),
        ({"a.step": "", "b.step": "two"}, ["two"]),
        ({"a.step": 17}, ["17"]),
        ({"a.step": True}, []),
        ({"a.step": 1.5}, []),
        ({"a.step": ["one"]}, []),
        ({"a.step": "ä" * MAX_LENGTH}, ["ä" * MAX_LENGTH]),
        ({"a.step": "x" * (MAX_LENGTH + 1)}, []),
        ({"a.step": "'); DROP TABLE spans; --"}, ["'); DROP TABLE spans; --"]),
        ({"table": "t"}, []),
        ({"row": "r"}, []),
        ({"table": "t", "row": "r"}, ["1:tr"]),
        ({"table": 12, "row": "r"}, ["2:12r"]),
    ],
)
def test_an_attribute_that_is_text_or_an_integer_makes_a_reference(values: dict[str, Any], expected: list[str]) -> None:
    assert [value for _, _, value in found(values)] == expected


def test_each_span_has_its_own_references() -> None:
    assert found({"a.step": "x"}, {}, {"b.step": "y", "row": "r"}, {"a.step": "x", "table": "t", "row": "r"}) == [
        (1, "step", "x"),
        (3, "step", "y"),
        (4, "cell", "1:tr"),
        (4, "step", "x"),
    ]


def test_a_reference_knows_where_its_span_is() -> None:
    (row,) = references_of(records_table(batch(span(1, values={"a.step": "x"}), project="shop")), KINDS).to_pylist()
    assert (row["project"], row["trace_id"], row["start_time"].value) == ("shop", f"{1:032x}", NOON)


@pytest.mark.parametrize(
    "parts", [("a", "b"), ("", "ab"), ("ab", ""), ("1:a", "b"), ("ä", "b"), ("a", "b", "c"), ("x",)]
)
def test_columns_are_joined_as_a_single_value_is(parts: tuple[str, ...]) -> None:
    assert joined([pa.array([part]) for part in parts]).to_pylist() == [Reference.of("kind", *parts).value]


def test_different_parts_never_make_the_same_value() -> None:
    texts = ["", "a", "1", ":", "1:", "1:a", "11", "ä"]
    values = {Reference.of("kind", left, right).value for left in texts for right in texts}
    assert len(values) == len(texts) ** 2
