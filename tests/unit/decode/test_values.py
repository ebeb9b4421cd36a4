"""Attribute values: one type each, exact, and readable where they are JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

from tests.support.otlp import any_value, closed_request, event, field, link, request, span
from tests.unit.decode.reference import attributes, decode
from tests.unit.decode.strategies import doubles, int64s, texts


def only(value: Any) -> tuple[str, Any]:
    """Column and content of a span attribute with this value; JSON as text."""
    flat = decode(request(span(attributes={"k": value}))).batch.attributes
    columns = {name: getattr(flat, name)[0].as_py() for name in ("string", "integer", "double", "boolean", "json")}
    ((name, content),) = ((name, content) for name, content in columns.items() if content is not None)
    return name, content


@given(int64s)
@settings(deadline=None)
def test_every_int64_stays_exact(number: int) -> None:
    assert only(number) == ("integer", number)
    assert only([number]) == ("json", f"[{number}]")


@given(int64s, doubles, texts)
@settings(deadline=None)
def test_the_attributes_of_events_and_links_stay_as_exact_as_those_of_spans(i: int, d: float, text: str) -> None:
    sent = {"i": i, "d": d, "t": text, text: True, "n": [i, d, text]}
    batch = decode(request(span(events=[event(attributes=sent)], links=[link(attributes=sent)]), resource=sent)).batch

    expected = json.loads(batch.column("resource")[0].as_py())
    assert expected["i"] == (True if text == "i" else i)
    for name in ("events", "links"):
        received = batch.column(name)[0].values.field("attributes")[0].as_py()
        assert repr(json.loads(received)) == repr(expected)


@pytest.mark.parametrize(
    ("value", "column", "content"),
    [
        ("", "string", ""),
        ("a\x00b", "string", "a\x00b"),
        (0, "integer", 0),
        (-(2**63), "integer", -(2**63)),
        (0.0, "double", 0.0),
        (float("inf"), "double", float("inf")),
        (False, "boolean", False),
        (None, "json", "null"),
        (b"", "json", '{"bytesValue":""}'),
        (b"\xff\x00", "json", '{"bytesValue":"/wA="}'),
        ([], "json", "[]"),
        ({}, "json", "{}"),
        ([None, [], {}, b"\x01"], "json", '[null,[],{},{"bytesValue":"AQ=="}]'),
        ([float("nan"), float("inf"), float("-inf")], "json", None),
        ({"a": {"b": [1, 1.0, "1", True]}}, "json", '{"a":{"b":[1,1.0,"1",true]}}'),
    ],
)
def test_a_value_is_in_the_column_of_its_type(value: Any, column: str, content: Any) -> None:
    if content is None:
        content = '[{"doubleValue":"NaN"},{"doubleValue":"Infinity"},{"doubleValue":"-Infinity"}]'
    assert only(value) == (column, content)


def test_nan_is_a_double() -> None:
    name, content = only(float("nan"))

    assert name == "double"
    assert content != content


def test_an_attribute_without_a_value_is_null() -> None:
    closed = span().SerializeToString() + field(9, field(1, b"k"))

    assert attributes(decode(closed_request(closed)).batch) == [(0, "k", "json", "None")]


def test_a_repeated_key_keeps_both_values_on_the_span() -> None:
    batch = decode(request(span(attributes=[("k", 1), ("k", "two")]))).batch

    assert attributes(batch) == [(0, "k", "integer", "1"), (0, "k", "string", "'two'")]


def test_of_a_repeated_key_in_a_nested_value_the_last_wins() -> None:
    pairs = [{"key": "a", "value": any_value(1)}, {"key": "a", "value": any_value(2)}]

    assert only(AnyValue(kvlist_value={"values": pairs})) == ("json", '{"a":2}')


STRING, BOOL, INT = field(1, b"x"), field(2, 1), field(3, 5)
ARRAY, KVLIST, BYTES = field(5, field(1, field(1, b"y"))), field(6, b""), field(7, b"z")


@pytest.mark.parametrize(
    ("arms", "kept"),
    [
        (STRING + INT, ("string", "'x'")),
        (INT + STRING, ("string", "'x'")),
        (INT + BOOL, ("integer", "5")),
        (ARRAY + STRING, ("string", "'x'")),
        (STRING + ARRAY, ("string", "'x'")),
        (ARRAY + KVLIST, ("json", "{}")),
        (BYTES + ARRAY, ("json", "{'bytesValue': 'eg=='}")),
        (ARRAY + ARRAY, ("json", "['y']")),
    ],
    ids=lambda arms: arms.hex() if isinstance(arms, bytes) else arms[0],
)
def test_of_a_value_with_several_arms_one_is_kept_whatever_their_order(arms: bytes, kept: tuple[str, str]) -> None:
    """Protobuf would keep the last. No encoder writes more than one; what counts is that a value has one type."""
    empty = field(9, field(1, b"empty"))  # an attribute without any arm must not hide that another has two
    closed = span().SerializeToString() + field(9, field(1, b"k") + field(2, arms)) + empty

    assert attributes(decode(closed_request(closed)).batch) == [(0, "k", *kept), (0, "empty", "json", "None")]
