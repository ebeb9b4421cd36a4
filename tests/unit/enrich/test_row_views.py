"""Views of rows: what a reader sees of a span is what was sent, whichever rows are looked at."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from collector.enrich.row_views import Views
from collector.enrich.span_view import SpanView, arrays_of
from tests.unit.enrich.building import START, Sent, batch

SPANS = (
    Sent({"a": "text", "b": 7, "c": 0.5, "d": True, "e": [1, {"f": None}], "g": b"\xff", "h": None}, scope="one"),
    Sent(),
    Sent([("k", "first"), ("k", "last"), ("m.0.x", "zero")], name="third", scope="two", scope_version="1.2"),
    Sent({"z": "\x00"}, events=[("said", {"who": ["me"]})]),
)


def views(*rows: int) -> list[tuple[int, SpanView, int]]:
    return list(Views(batch(*SPANS), np.array(rows, np.int64)))


def test_every_type_of_value_is_the_value_that_was_sent() -> None:
    ((_, view, _),) = views(0)
    sent = {"a": "text", "b": 7, "c": 0.5, "d": True, "e": [1, {"f": None}], "g": {"bytesValue": "/w=="}, "h": None}
    assert view.attributes == sent
    assert list(view.attributes) == list(sent)
    assert (view.name, view.scope, view.scope_version, view.start_time) == ("span", "one", "", START)


@pytest.mark.parametrize("rows", [(0, 1, 2, 3), (2,), (1, 3), (1,)])
def test_a_row_looks_the_same_whichever_others_are_looked_at(rows: tuple[int, ...]) -> None:
    alone = {row: views(row)[0] for row in rows}
    for row, view, first in views(*rows):
        _, expected, expected_first = alone[row]
        assert (view.attributes, view.keys, first) == (expected.attributes, expected.keys, expected_first)


def test_of_a_key_that_repeats_the_last_value_stands_and_every_position_is_told() -> None:
    ((_, view, first),) = views(2)
    assert view.attributes["k"] == "last"
    assert (view.keys, first) == (["k", "k", "m.0.x"], 7)
    assert (view.name, view.scope_version) == ("third", "1.2")


def test_events_are_loaded_when_they_are_asked_for() -> None:
    ((_, view, _),) = views(3)
    assert view.events == [("said", START + 1, {"who": ["me"]})]
    assert view.attributes == {"z": "\x00"}


def flat(attributes: dict[str, Any]) -> SpanView:
    return SpanView(name="", scope="", start_time=0, attributes=attributes)


def test_the_leaves_of_flattened_arrays_are_found_by_what_stands_before_the_index() -> None:
    attributes = {"m.0.role": "a", "other": 1, "n.x.3": 2, "m.10.role": "b", "m.x": 3, "m.0.calls.1.id": "c"}
    assert flat(attributes).arrays == {
        "m": (["m.0.role", "m.10.role", "m.0.calls.1.id"], ["a", "b", "c"]),
        "n.x": (["n.x.3"], [2]),
    }


def test_what_is_no_index_begins_no_array() -> None:
    assert arrays_of(["a.b", "a.1b.c", "a.1234567890.b", ".0.x", "0.x", "a.-1.b"]) == {}
