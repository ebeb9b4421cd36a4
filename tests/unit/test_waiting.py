"""What waits for the store: in order, and small however many wait."""

from __future__ import annotations

import time

import pytest

from collector.batch import SpanBatch
from collector.decode import Limits, decode_spans
from collector.waiting import Waiting
from tests.support.otlp import request, span


@pytest.fixture(scope="module")
def batch() -> SpanBatch:
    payload = request(span(), span()).SerializeToString()
    return decode_spans(payload, project="p", received_at=time.time_ns(), limits=Limits()).batch


def taken(waiting: Waiting) -> list[int]:
    sequences = []
    while (request := waiting.pop()) is not None:
        sequences.append(request.sequence)
    return sequences


def test_a_million_requests_beyond_the_memory_are_one_range(batch: SpanBatch) -> None:
    waiting = Waiting(range(1, 1), memory=3 * batch.occupied_bytes, now=0.0)
    for sequence in range(1, 1_000_001):
        waiting.add(sequence, batch, float(sequence))
    assert waiting.ranges == 4, "three are decoded, and the rest is one range"
    assert waiting.decoded_bytes == 3 * batch.occupied_bytes
    assert waiting.rows == 2_000_000
    assert waiting.nbytes == 1_000_000 * batch.occupied_bytes
    assert taken(waiting) == list(range(1, 1_000_001))
    assert (waiting.rows, waiting.nbytes, waiting.ranges) == (0, 0, 0)


def test_what_is_acknowledged_early_waits_for_those_before_it(batch: SpanBatch) -> None:
    waiting = Waiting(range(5, 7), memory=0, now=0.0)
    for sequence in (9, 8):
        waiting.add(sequence, batch, 1.0)
    assert taken(waiting) == [5, 6]
    waiting.add(7, batch, 2.0)
    assert taken(waiting) == [7, 8, 9]


def test_the_oldest_decides_how_long_they_have_waited(batch: SpanBatch) -> None:
    waiting = Waiting(range(1, 1), memory=0, now=0.0)
    waiting.add(1, batch, 3.0)
    waiting.add(2, batch, 4.0)
    assert (waiting.first, waiting.since) == (1, 3.0)
    waiting.pop()
    assert (waiting.first, waiting.since) == (2, 3.0), "later than it came, never earlier than it should"


def test_what_is_put_back_is_the_first_again_with_what_was_decoded_of_it(batch: SpanBatch) -> None:
    waiting = Waiting(range(1, 4), memory=0, now=0.0)
    first = waiting.pop()
    assert first is not None
    assert first.batch is None
    waiting.hold(first, batch)
    waiting.put_back(first, 1.0)
    assert (waiting.rows, waiting.nbytes) == (2, batch.occupied_bytes)
    again = waiting.pop()
    assert again is not None
    assert (again.sequence, again.batch) == (1, batch)
    assert taken(waiting) == [2, 3]
    waiting.release([again])
    assert waiting.decoded_bytes == 0


def test_memory_that_was_given_back_keeps_later_ones_decoded(batch: SpanBatch) -> None:
    waiting = Waiting(range(1, 1), memory=batch.occupied_bytes, now=0.0)
    for sequence in (1, 2):
        waiting.add(sequence, batch, 0.0)
    first, second = waiting.pop(), waiting.pop()
    assert first is not None
    assert second is not None
    assert (first.batch, second.batch) == (batch, None)
    waiting.release([first, second])
    waiting.add(3, batch, 0.0)
    third = waiting.pop()
    assert third is not None
    assert third.batch is batch
