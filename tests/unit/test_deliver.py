"""Delivery on a real journal, with an exporter that does what the test says."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from collector.batch import SpanBatch
from collector.decode import Limits, decode_spans
from collector.deliver import FIRST_PAUSE, LONGEST_PAUSE, Delivery
from collector.enrich import PriceBook, enrich
from collector.errors import Permanent, Retryable
from collector.journal import Journal, Record
from tests.support.otlp import request, span

MIB = 1 << 20


class RecordingExporter:
    """Keeps what is written; `fail` may raise instead, and is told the span names and the token."""

    def __init__(self, fail: Callable[[list[str], str], None] | None = None) -> None:
        self.written: list[tuple[list[str], str]] = []
        self.again: list[bool] = []
        self._fail = fail
        self._changed = threading.Condition()

    def write(self, batch: SpanBatch, token: str, *, again: bool = False) -> None:
        names = batch.column("name").to_pylist()
        self.again.append(again)
        if self._fail is not None:
            self._fail(names, token)
        with self._changed:
            self.written.append((names, token))
            self._changed.notify_all()

    def wait_for(self, spans: int) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: sum(len(names) for names, _ in self.written) >= spans, timeout=20)

    @property
    def names(self) -> list[str]:
        return [name for names, _ in self.written for name in names]


@pytest.fixture(scope="module")
def prices() -> PriceBook:
    return PriceBook.load()


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal.open(tmp_path / "journal", max_size=64 * MIB, sync="off") as opened:
        yield opened


def payload(*names: str) -> bytes:
    return request(*(span(name=name) for name in names)).SerializeToString()


def decode(record: Record) -> SpanBatch:
    limits = Limits()
    return decode_spans(record.payload, project=record.project, received_at=record.received_at_ns, limits=limits).batch


def dead(journal: Journal) -> list[tuple[int, str]]:
    """Number and reason of the dead letters."""
    return [(letter.sequence, letter.reason) for letter in journal.dead_letters()]


def append(journal: Journal, *names: str) -> tuple[int, SpanBatch]:
    now = time.time_ns()
    sequence = journal.append("default", now, payload(*names)).result()
    return sequence, decode(Record(sequence, "default", now, payload(*names)))


def delivery(journal: Journal, exporter: RecordingExporter, prices: PriceBook, **settings: Any) -> Delivery:
    defaults = {"batch_rows": 1000, "batch_size": 64 * MIB, "batch_age": 0.01, "memory": 64 * MIB, "decode": decode}
    return Delivery(journal, exporter, enrich=lambda batch: enrich(batch, prices), **{**defaults, **settings})


def test_what_is_accepted_is_written_in_order_and_leaves_the_journal(journal: Journal, prices: PriceBook) -> None:
    exporter = RecordingExporter()
    running = delivery(journal, exporter, prices)
    running.start()
    first, second, third = (append(journal, name) for name in ("a", "b", "c"))
    for sequence, batch in (second, third, first):  # acknowledgements overtake each other
        running.accept(sequence, batch)
    exporter.wait_for(3)
    running.stop(5)
    assert exporter.names == ["a", "b", "c"]
    assert journal.records == 0
    assert running.trouble is None


def test_a_batch_is_cut_at_its_rows(journal: Journal, prices: PriceBook) -> None:
    exporter = RecordingExporter()
    running = delivery(journal, exporter, prices, batch_rows=4, batch_age=600.0)
    accepted = [append(journal, "a", "b") for _ in range(4)]
    for sequence, batch in accepted:
        running.accept(sequence, batch)
    running.start()
    exporter.wait_for(8)
    running.stop(5)
    assert [len(names) for names, _ in exporter.written] == [4, 4]


def test_batches_that_are_cut_for_their_age_keep_their_distance_and_full_ones_do_not(
    journal: Journal, prices: PriceBook
) -> None:
    exporter = RecordingExporter()
    running = delivery(journal, exporter, prices, batch_rows=2, batch_interval=600.0)
    running.start()
    running.accept(*append(journal, "a"))
    exporter.wait_for(1)
    running.accept(*append(journal, "b"))
    running.accept(*append(journal, "c"))  # with b it is full
    exporter.wait_for(2)
    running.accept(*append(journal, "d"))
    running.wait_until_stored()  # who waits for it needs not wait for the distance
    running.accept(*append(journal, "e"))
    time.sleep(0.1)
    assert [names for names, _ in exporter.written] == [["a"], ["b", "c"], ["d"]]
    running.stop(5)
    assert [names for names, _ in exporter.written][-1] == ["e"]


def test_a_store_that_does_not_answer_is_asked_again_under_the_same_token(journal: Journal, prices: PriceBook) -> None:
    tokens: list[str] = []

    def fail_twice(_: list[str], token: str) -> None:
        tokens.append(token)
        if len(tokens) < 3:
            raise Retryable("the store is away")

    exporter = RecordingExporter(fail_twice)
    running = delivery(journal, exporter, prices)
    running.start()
    running.accept(*append(journal, "a"))
    exporter.wait_for(1)
    running.stop(5)
    assert len(tokens) == 3
    assert len(set(tokens)) == 1
    assert exporter.again == [False, True, True], "the store may have taken it before it failed"
    assert journal.records == 0


def test_while_the_store_is_away_delivery_says_why_and_a_stop_leaves_all_in_the_journal(
    journal: Journal, prices: PriceBook
) -> None:
    asked = threading.Event()

    def away(_: list[str], __: str) -> None:
        asked.set()
        raise Retryable("the store is away")

    running = delivery(journal, RecordingExporter(away), prices)
    running.start()
    running.accept(*append(journal, "a"))
    assert asked.wait(20)
    running.stop(0.05)
    assert running.trouble == "the store is away"
    assert journal.records == 1
    assert [(batch.first, batch.last) for batch in journal.batches()] == [(1, 1)]


def test_after_a_restart_a_cut_batch_goes_out_first_with_the_same_records_and_token(
    journal: Journal, prices: PriceBook
) -> None:
    for name in ("a", "b", "c"):
        append(journal, name)
    cut = journal.cut(1, 2).result()
    exporter = RecordingExporter()
    running = delivery(journal, exporter, prices)
    running.start()
    exporter.wait_for(3)
    running.stop(5)
    assert exporter.written[0] == (["a", "b"], cut.token)
    assert exporter.written[1][0] == ["c"]
    assert exporter.again == [True, False], "the first process may have written it"
    assert journal.records == 0


def test_a_request_that_the_store_refuses_is_kept_aside_with_the_reason_and_the_rest_flows(
    journal: Journal, prices: PriceBook
) -> None:
    def refuse_poison(names: list[str], _: str) -> None:
        if "poison" in names:
            raise Permanent("no such column")

    exporter = RecordingExporter(refuse_poison)
    running = delivery(journal, exporter, prices, batch_age=600.0)
    for name in ("a", "b", "poison", "c", "d"):
        running.accept(*append(journal, name))
    running.start()
    running.stop(20)
    assert sorted(exporter.names) == ["a", "b", "c", "d"]
    assert exporter.again == [False, True, True, True, True], "a half may have got in with the whole"
    assert dead(journal) == [(3, "Permanent: no such column")]
    assert journal.records == 0


def test_a_fault_of_our_own_in_one_request_does_not_stop_the_others(journal: Journal, prices: PriceBook) -> None:
    def stumble(record: Record) -> SpanBatch:
        if record.sequence == 2:
            raise ZeroDivisionError("a bug")
        return decode(record)

    for name in ("a", "b", "c"):
        append(journal, name)
    exporter = RecordingExporter()
    running = delivery(journal, exporter, prices, decode=stumble)
    running.start()
    exporter.wait_for(2)
    running.stop(5)
    assert sorted(exporter.names) == ["a", "c"]
    assert dead(journal) == [(2, "ZeroDivisionError: a bug")]


def test_beyond_its_memory_a_batch_is_decoded_again_from_the_journal(journal: Journal, prices: PriceBook) -> None:
    decoded_again: Counter[int] = Counter()

    def counting(record: Record) -> SpanBatch:
        decoded_again[record.sequence] += 1
        return decode(record)

    exporter = RecordingExporter()
    room_for_one = decode(Record(1, "default", time.time_ns(), payload("a"))).occupied_bytes
    running = delivery(journal, exporter, prices, memory=room_for_one, decode=counting)
    running.accept(*append(journal, "a"))
    running.accept(*append(journal, "b"))
    running.start()
    exporter.wait_for(2)
    running.stop(5)
    assert exporter.names == ["a", "b"]
    assert decoded_again == {2: 1}


def test_pauses_between_tries_grow_are_spread_and_are_never_longer_than_the_longest(
    journal: Journal, prices: PriceBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []

    def away_for_a_while(_: list[str], __: str) -> None:
        if len(pauses) < 200:
            raise Retryable("the store is away")

    exporter = RecordingExporter(away_for_a_while)
    running = delivery(journal, exporter, prices)
    monkeypatch.setattr(running, "_pause", lambda seconds: pauses.append(seconds) or True)
    running.start()
    running.accept(*append(journal, "a"))
    exporter.wait_for(1)
    running.stop(5)
    assert FIRST_PAUSE / 2 <= pauses[0] <= FIRST_PAUSE
    later = sorted(pauses[10:])
    assert LONGEST_PAUSE / 2 <= later[0] < later[-1] <= LONGEST_PAUSE
    tenths = [sum(5.0 + i / 2 <= pause < 5.5 + i / 2 for pause in later) for i in range(10)]
    assert min(tenths) > 0, "no two collectors come back together"


def test_a_backlog_of_large_requests_is_cut_into_batches_of_bounded_size(journal: Journal, prices: PriceBook) -> None:
    appended = [append(journal, name) for name in ("a", "b", "c", "d", "e")]
    exporter = RecordingExporter()
    room_for_two = 2 * appended[0][1].occupied_bytes
    running = delivery(
        journal, exporter, prices, batch_age=600.0, batch_size=room_for_two
    )  # all of it is decoded again
    running.start()
    running.stop(5)
    assert [names for names, _ in exporter.written] == [["a", "b"], ["c", "d"], ["e"]]


def test_what_is_tried_again_is_not_decoded_again(journal: Journal, prices: PriceBook) -> None:
    decoded: Counter[int] = Counter()
    tries: list[str] = []

    def counting(record: Record) -> SpanBatch:
        decoded[record.sequence] += 1
        return decode(record)

    def fail_twice(_: list[str], token: str) -> None:
        tries.append(token)
        if len(tries) < 3:
            raise Retryable("the store is away")

    for name in ("left", "uncut"):
        append(journal, name)
    journal.cut(1, 1).result()
    exporter = RecordingExporter(fail_twice)
    running = delivery(journal, exporter, prices, decode=counting)
    running.start()
    exporter.wait_for(2)
    running.stop(5)
    assert decoded == {1: 1, 2: 1}
