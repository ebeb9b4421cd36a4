"""SpanBatch: picking, leaving out and joining, without a row ever moving to another span."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from collector.batch import VALUE_COLUMNS, Attributes, SpanBatch, byte_lengths, concat, pick
from collector.decode import Limits, decode_spans
from tests.support.otlp import NOW, Pairs, event, request, span
from tests.unit.decode.reference import attributes, rows


def batch(*spans: Pairs, service: str = "a", project: str = "p", name: str = "n") -> SpanBatch:
    """A batch with a span for each set of attributes."""
    sent = [span(name=f"{name}{i}", attributes=pairs, events=[event(f"{name}{i}")]) for i, pairs in enumerate(spans)]
    payload = request(*sent, resource={"service.name": service}).SerializeToString()
    return decode_spans(payload, project=project, received_at=NOW, limits=Limits()).batch


EMPTY = batch()


def test_positions_of_a_key_ascend_by_row_and_include_repetitions() -> None:
    flat = batch({"b": 1, "a": 2}, {"c": 3}, [("a", 4), ("b", 5), ("a", "six")]).attributes

    assert flat.row.tolist() == [0, 0, 1, 2, 2, 2]
    assert flat.positions("a").tolist() == [1, 3, 5]
    assert flat.positions("b").tolist() == [0, 4]
    assert flat.positions("nothing").tolist() == []
    assert flat.keys == {"a", "b", "c"}


def test_positions_stay_right_with_more_keys_than_a_16_bit_code_can_name() -> None:
    number = 33_000
    parts = [{f"k{i}": i for i in range(start, min(start + 1000, number))} for start in range(0, number, 1000)]
    flat = batch(*parts, {"k7": "again"}).attributes

    assert flat.positions("k7").tolist() == [7, number]
    assert flat.positions(f"k{number - 1}").tolist() == [number - 1]
    assert len(flat.keys) == number


def test_positions_ascend_however_many_there_are() -> None:
    flat = batch(*[{"a": i, "b": i} for i in range(500)]).attributes

    assert flat.positions("a").tolist() == list(range(0, 1000, 2))
    assert flat.positions("b").tolist() == list(range(1, 1000, 2))


def test_no_attributes_have_no_positions() -> None:
    assert EMPTY.attributes.positions("a").tolist() == []
    assert EMPTY.attributes.keys == frozenset()


def test_pick_takes_the_last_of_a_repeated_key_and_null_where_there_is_none() -> None:
    four = batch([("k", 1), ("k", 2)], {}, {"k": 3, "other": 9}, {"other": 9})

    assert pick(four, "k", "integer").to_pylist() == [2, None, 3, None]


def test_pick_takes_one_type_only() -> None:
    """If the last of a repeated key has another type, then the value has another type: an earlier one does not show."""
    mixed = batch({"k": 1}, {"k": "text"}, {"k": 1.5}, {"k": True}, {"k": [1]}, {"k": None}, [("k", 1), ("k", "last")])

    assert pick(mixed, "k", "integer").to_pylist() == [1, None, None, None, None, None, None]
    assert pick(mixed, "k", "string").to_pylist() == [None, "text", None, None, None, None, "last"]
    assert pick(mixed, "k", "double").to_pylist() == [None, None, 1.5, None, None, None, None]
    assert pick(mixed, "k", "boolean").to_pylist() == [None, None, None, True, None, None, None]
    assert pick(mixed, "k", "json").to_pylist() == [None, None, None, None, "[1]", "null", None]


@pytest.mark.parametrize("value", ["string", "integer", "double", "boolean", "json"])
def test_pick_of_a_key_that_no_span_has_is_null_in_the_type_asked_for(value: str) -> None:
    picked = pick(batch({"a": 1}, {}), "nothing", value)

    assert picked.to_pylist() == [None, None]
    assert picked.type == getattr(EMPTY.attributes, value).type
    assert len(pick(EMPTY, "nothing", value)) == 0


def values(flat: Attributes) -> list[tuple[str, Any]]:
    """Per attribute its key and its value; None where no value column has one."""
    columns = [getattr(flat, name).to_pylist() for name in VALUE_COLUMNS]
    return [
        (key, next((value for value in of_types if value is not None), None))
        for key, *of_types in zip(flat.key.to_pylist(), *columns, strict=True)
    ]


MIXED = [
    ("a", 1),
    ("b", "x"),
    ("a", 2.5),
    ("b", True),
    ("c", [1]),
    ("b", 2),
    ("b", None),
    ("d", ""),
    ("e", "y"),
    ("b", 0),
]


@pytest.mark.parametrize("sliced", [False, True], ids=["whole", "sliced"])
def test_without_leaves_no_value_at_these_positions_and_every_other_as_it_was(sliced: bool) -> None:
    flat = batch(MIXED, MIXED).attributes
    if sliced:  # shares its buffers with a larger array: offsets do not start at zero
        parts = {name: getattr(flat, name).slice(3) for name in ("key", *VALUE_COLUMNS)}
        flat = Attributes(row=flat.row[3:], **parts)
    before = values(flat)

    rest = flat.without(flat.positions("b"))

    assert values(rest) == [(key, None if key == "b" else value) for key, value in before]
    assert values(flat) == before
    assert rest.positions("b").tolist() == flat.positions("b").tolist()
    for name in VALUE_COLUMNS:
        column = getattr(rest, name)
        column.validate(full=True)
        assert column.type == getattr(flat, name).type
        assert column.null_count == sum(value is None for value in column.to_pylist())


def test_without_what_was_taken_before_leaves_out_both() -> None:
    flat = batch(MIXED).attributes

    rest = flat.without(flat.positions("b")).without(flat.positions("a"))

    assert [(key, value) for key, value in values(rest) if value is not None] == [("c", "[1]"), ("d", ""), ("e", "y")]


def test_pick_finds_nothing_where_a_value_was_left_out() -> None:
    one = batch({"a": 1})

    assert pick(one.with_columns({}, one.attributes.without(np.array([0]))), "a", "integer").to_pylist() == [None]


def test_without_can_leave_out_nothing_and_everything_and_of_nothing() -> None:
    flat = batch(MIXED).attributes

    assert values(flat.without(np.empty(0, np.int32))) == values(flat)
    assert values(flat.without(np.arange(len(flat)))) == [(key, None) for key, _ in MIXED]
    assert len(EMPTY.attributes.without(np.empty(0, np.int32))) == 0


def test_concat_joins_batches_of_different_dictionaries_and_keeps_every_row_with_its_own() -> None:
    parts = [
        batch({"k": 1}, {"k": "two"}, service="a", project="p", name="x"),
        batch({"k": 3.5}, service="b", project="q", name="y"),
        batch({}, {"other": [4]}, service="a", project="q", name="z"),
    ]

    joined = concat(parts)

    assert rows(joined) == [row for part in parts for row in rows(part)]
    assert [row["service_name"] for row in rows(joined)] == ["a", "a", "b", "a", "a"]
    assert [row["project"] for row in rows(joined)] == ["p", "p", "q", "q", "q"]
    assert attributes(joined) == [
        (0, "k", "integer", "1"),
        (1, "k", "string", "'two'"),
        (2, "k", "double", "3.5"),
        (4, "other", "json", "[4]"),
    ]
    assert pick(joined, "k", "string").to_pylist() == [None, "two", None, None, None]


@pytest.mark.parametrize("place", [0, 1, 2])
def test_concat_with_an_empty_batch_adds_nothing(place: int) -> None:
    parts = [batch({"k": 1}, name="x"), batch({"k": 2}, name="y")]

    with_empty = concat([*parts[:place], EMPTY, *parts[place:]])

    assert rows(with_empty) == rows(concat(parts))
    assert attributes(with_empty) == attributes(concat(parts))


def test_concat_of_empty_batches_is_an_empty_batch_with_the_same_columns() -> None:
    joined = concat([EMPTY, EMPTY])

    assert len(joined) == 0
    assert joined.columns.schema == EMPTY.columns.schema


def test_concat_of_one_batch_is_that_batch() -> None:
    one = batch({"k": 1})

    assert concat([one]) is one


def test_concat_joins_what_stages_have_cut_out_of_larger_batches() -> None:
    """Slices share their buffers with the whole: their offsets do not start at zero."""
    whole = batch({"k": 1}, {"k": 2}, {"k": 3})
    parts = {name: getattr(whole.attributes, name).slice(1) for name in ("key", *VALUE_COLUMNS)}
    tail = SpanBatch(whole.columns.slice(1), Attributes(row=whole.attributes.row[1:] - np.int32(1), **parts))

    joined = concat([tail, whole])

    assert [row["name"] for row in rows(joined)] == ["n1", "n2", "n0", "n1", "n2"]
    assert [value for *_, value in attributes(joined)] == ["2", "3", "1", "2", "3"]


def test_with_columns_adds_and_replaces_and_leaves_the_first_batch_alone() -> None:
    first = batch({"k": 1}, {})
    names = first.columns.schema.names

    second = first.with_columns({"name": pa.array(["new", "newer"]), "cost": pa.array([1, 2])})

    assert second.column("name").to_pylist() == ["new", "newer"]
    assert second.column("cost").to_pylist() == [1, 2]
    assert second.columns.schema.names == [*names, "cost"]
    assert second.attributes is first.attributes
    assert first.column("name").to_pylist() == ["n0", "n1"]
    assert first.columns.schema.names == names


def test_with_columns_takes_the_attributes_it_is_given_also_when_they_are_none() -> None:
    assert len(batch({"k": 1}).with_columns({}, EMPTY.attributes).attributes) == 0


def test_a_column_that_does_not_exist_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        EMPTY.column("nothing")


def test_nbytes_grows_by_what_columns_and_attributes_hold() -> None:
    small, large = batch({"k": "x"}), batch({"k": "x" * 10_001})

    assert large.nbytes - small.nbytes == 10_000
    assert small.nbytes == small.columns.nbytes + sum(
        values.nbytes for name, values in vars(small.attributes).items() if not name.startswith("_")
    )
    wider = small.with_columns({"more": pa.array([1], pa.int64())})
    assert wider.nbytes == small.nbytes + 8


@pytest.mark.parametrize("kind", [pa.string(), pa.binary()])
def test_byte_lengths_are_those_of_the_bytes_also_of_slices_and_nulls(kind: pa.DataType) -> None:
    values = pa.array(["", "é", None, "abc"], kind)

    assert byte_lengths(values).tolist() == [0, 2, 0, 3]
    assert byte_lengths(values.slice(1)).tolist() == [2, 0, 3]
    assert byte_lengths(values.slice(3, 0)).tolist() == []
    assert byte_lengths(pa.array([], kind)).tolist() == []
    hidden = pa.Array.from_buffers(kind, 2, [pa.py_buffer(b"\x02"), *pa.array(["abc", "d"], kind).buffers()[1:]])
    assert byte_lengths(hidden).tolist() == [0, 1]
