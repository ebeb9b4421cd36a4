"""Errors: one text and one type for a span that failed, nothing for one that did not."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.enrich.building import Sent, enriched

TYPE = "error.type"


def exception(message: Any = "refused", kind: Any = "ConnectionError") -> tuple[str, dict[str, Any]]:
    return "exception", {"exception.message": message, "exception.type": kind}


def error(sent: Sent) -> tuple[str, str]:
    """Return the error text and the error type of a span."""
    (row,) = enriched(sent)
    return row["error"], row["error_type"]


def test_a_span_that_did_not_fail_has_no_error_whatever_it_carries() -> None:
    handled = Sent({TYPE: "timeout"}, message="ignored", events=[exception()])
    assert error(handled) == ("", "")


def test_the_status_message_comes_first_and_the_attribute_is_the_type() -> None:
    sent = Sent({TYPE: "timeout"}, failed=True, message="it took too long", events=[exception()])
    assert error(sent) == ("it took too long", "timeout")


def test_the_exception_event_fills_what_status_and_attribute_leave_open() -> None:
    assert error(Sent(failed=True, events=[exception()])) == ("refused", "ConnectionError")
    assert error(Sent({TYPE: "timeout"}, failed=True, events=[exception()])) == ("refused", "timeout")
    assert error(Sent(failed=True, message="said", events=[exception()])) == ("said", "ConnectionError")
    assert error(Sent({TYPE: ""}, failed=True, message="said", events=[exception()])) == ("said", "ConnectionError")


def test_the_type_stands_in_for_a_text_that_nobody_gave() -> None:
    assert error(Sent({TYPE: "timeout"}, failed=True)) == ("timeout", "timeout")
    assert error(Sent(failed=True, events=[("exception", {"exception.type": "KeyError"})])) == ("KeyError", "KeyError")


def test_a_failure_that_says_nothing_has_empty_texts() -> None:
    assert error(Sent(failed=True)) == ("", "")
    assert error(Sent(failed=True, events=[("exception", {})])) == ("", "")


def test_the_last_exception_event_counts_and_other_events_do_not() -> None:
    events = [exception("first", "A"), exception("last", "B"), ("retry", {"exception.message": "other"})]
    assert error(Sent(failed=True, events=events)) == ("last", "B")
    assert error(Sent(failed=True, events=[("retry", {"exception.message": "other"})])) == ("", "")


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, ""), ("", ""), (7, "7"), (["a", None], '["a",null]'), ({"a": True}, '{"a":true}')],
)
def test_a_message_that_is_no_string_is_its_json_and_an_empty_value_is_none(value: Any, text: str) -> None:
    assert error(Sent(failed=True, events=[exception(value, value)])) == (text, text)


def test_quotes_and_line_breaks_in_a_message_survive() -> None:
    text = 'Traceback:\n\t"x" \\ \x01 ü 🚚'
    assert error(Sent(failed=True, events=[exception(text)])) == (text, "ConnectionError")


def test_every_row_gets_its_own_error() -> None:
    found = enriched(
        Sent(failed=True, events=[exception("one", "A")]),
        Sent(events=[exception("handled", "B")]),
        Sent(failed=True, message="three"),
        Sent({TYPE: "D"}, failed=True),
        Sent(failed=True, events=[exception("five", "E")]),
    )
    assert [row["error"] for row in found] == ["one", "", "three", "D", "five"]
    assert [row["error_type"] for row in found] == ["A", "", "", "D", "E"]
