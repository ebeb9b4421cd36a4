"""What is admitted between the sockets and the journal."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any

import pytest

from collector.errors import Retryable
from collector.receive.admission import CHECK_INTERVAL, REQUEST_BYTES, Admission

KIB = 1 << 10


def test_what_is_in_flight_is_bounded_and_room_comes_back_when_the_work_is_done() -> None:
    admission = Admission(2 * (100 * KIB + REQUEST_BYTES), None)
    first, second = admission.admit(100 * KIB), admission.admit(100 * KIB)
    for refused in (admission.check, lambda: admission.admit(1)):
        with pytest.raises(Retryable, match=r"receive\.max_in_flight"):
            refused()
    work: Future[Any] = Future()
    first.give_back_after(work)
    second.give_back_after(work)
    with pytest.raises(Retryable):
        admission.check()
    work.set_result(None)
    admission.admit(200 * KIB)


def test_what_it_was_decoded_to_counts_too() -> None:
    admission = Admission(1000 * KIB, None)
    admission.admit(KIB).grow(1000 * KIB)
    with pytest.raises(Retryable):
        admission.admit(KIB)


def test_a_request_that_is_alone_is_admitted_whatever_its_size() -> None:
    admission = Admission(KIB, None)
    admitted = admission.admit(1000 * KIB)
    with pytest.raises(Retryable):
        admission.admit(1)
    admitted.give_back_after(None)
    admission.admit(1000 * KIB)


def test_above_the_memory_limit_all_are_refused_and_below_it_they_are_admitted_again() -> None:
    now, resident, looks = 0.0, 50, 0

    def look() -> int:
        nonlocal looks
        looks += 1
        return resident

    admission = Admission(1000 * KIB, 100, resident=look, give_back=lambda: None, clock=lambda: now)
    admission.admit(1).give_back_after(None)
    resident = 150
    admission.admit(1).give_back_after(None)
    assert looks == 1, "it looks once in a while"
    now += CHECK_INTERVAL
    for _ in range(100):
        with pytest.raises(Retryable, match=r"receive\.memory_limit"):
            admission.check()
    assert looks == 3
    resident = 90
    now += CHECK_INTERVAL
    admission.admit(1)


def test_memory_that_is_only_kept_is_given_back_before_anybody_is_refused() -> None:
    resident = 150

    def give_back() -> None:
        nonlocal resident
        resident = 80

    Admission(1000 * KIB, 100, resident=lambda: resident, give_back=give_back).admit(1)
