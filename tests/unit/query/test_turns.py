"""Threads give way sooner while requests are answered, and as usual when none is."""

from __future__ import annotations

import sys

import pytest

from collector.query.turns import BUSY_S, Turns


def test_threads_change_often_until_the_last_of_overlapping_requests_is_answered() -> None:
    usual, turns = sys.getswitchinterval(), Turns()
    first, second = turns.answering(), turns.answering()
    with first:
        with second:
            assert sys.getswitchinterval() == pytest.approx(BUSY_S)
        assert sys.getswitchinterval() == pytest.approx(BUSY_S)
    assert sys.getswitchinterval() == usual


def test_a_request_that_fails_is_answered_too() -> None:
    usual, turns = sys.getswitchinterval(), Turns()
    with pytest.raises(ValueError, match="x"), turns.answering():
        raise ValueError("x")
    assert sys.getswitchinterval() == usual
