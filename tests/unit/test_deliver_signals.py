"""Delivery of requests of several signals in one batch, on a real journal."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from collector.batch import SignalBatch
from collector.decode import Limits, decode
from collector.deliver import Delivery
from collector.errors import Permanent, Retryable
from collector.journal import Journal, Record
from collector.signals import Signal
from tests.support.otlp import request, span
from tests.support.otlp_signals import gauge, log_record, logs, metrics, number

MIB = 1 << 20
NAMES = {Signal.TRACES: "name", Signal.LOGS: "body", Signal.METRICS: "metric"}


class RecordingExporter:
    """Keeps what is written, as signal, names and token; `fail` may raise instead."""

    def __init__(self, fail: Callable[[Signal, list[str]], None] | None = None) -> None:
        self.written: list[tuple[Signal, list[str], str]] = []
        self._fail = fail

    def write(self, batch: SignalBatch, token: str, *, again: bool = False) -> None:
        names = batch.column(NAMES[batch.signal]).to_pylist()
        if self._fail is not None:
            self._fail(batch.signal, names)
        self.written.append((batch.signal, names, token))

    def of(self, signal: Signal) -> list[str]:
        return [name for written, names, _ in self.written if written == signal for name in names]


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal.open(tmp_path / "journal", max_size=64 * MIB, sync="off") as opened:
        yield opened


def payload(signal: Signal, name: str) -> bytes:
    if signal is Signal.TRACES:
        return request(span(name=name)).SerializeToString()
    if signal is Signal.LOGS:
        return logs(log_record(body=name)).SerializeToString()
    return metrics(gauge(f"gen_ai.{name}", number(1))).SerializeToString()


def decode_record(record: Record) -> SignalBatch:
    arrived = record.received_at_ns
    return decode(record.signal, record.payload, project="p", received_at=arrived, limits=Limits()).batch


def dead(journal: Journal) -> list[tuple[int, str]]:
    """Number and reason of the dead letters."""
    return [(letter.sequence, letter.reason) for letter in journal.dead_letters()]


def append(journal: Journal, *sent: tuple[Signal, str]) -> list[tuple[int, SignalBatch]]:
    now = time.time_ns()
    appended = []
    for signal, name in sent:
        sequence = journal.append("p", now, payload(signal, name), signal).result()
        appended.append((sequence, decode_record(Record(sequence, "p", now, payload(signal, name), signal))))
    return appended


def deliver(
    journal: Journal,
    exporter: RecordingExporter,
    *accepted: tuple[int, SignalBatch],
    read: Callable[[Record], SignalBatch] = decode_record,
) -> Delivery:
    """Deliver all that is in the journal, as far as it goes, in one batch."""
    running = Delivery(
        journal,
        exporter,
        decode=read,
        enrich=lambda batch: batch.with_columns({"unpriced_reason": batch.column(NAMES[batch.signal])}),
        batch_rows=1000,
        batch_size=64 * MIB,
        batch_age=600.0,
        memory=64 * MIB,
    )
    for sequence, batch in accepted:
        running.accept(sequence, batch)
    running.start()
    running.stop(2)
    return running


MIXED = (
    (Signal.LOGS, "first"),
    (Signal.TRACES, "a"),
    (Signal.METRICS, "x"),
    (Signal.LOGS, "second"),
    (Signal.TRACES, "b"),
)


def test_each_signal_of_a_batch_is_written_together_under_a_token_made_from_the_batchs(journal: Journal) -> None:
    exporter = RecordingExporter()
    deliver(journal, exporter, *append(journal, *MIXED))

    (_, _, token), *_ = exporter.written
    assert exporter.written == [
        (Signal.TRACES, ["a", "b"], token),
        (Signal.LOGS, ["first", "second"], f"{token}.logs"),
        (Signal.METRICS, ["gen_ai.x"], f"{token}.metrics"),
    ]
    assert token.endswith("-1-5")
    assert journal.records == 0


def test_after_a_restart_the_records_of_every_signal_are_decoded_as_what_they_are(journal: Journal) -> None:
    append(journal, *MIXED)
    token = journal.cut(1, 4).result().token
    exporter = RecordingExporter()
    deliver(journal, exporter)

    assert exporter.written[:3] == [
        (Signal.TRACES, ["a"], token),
        (Signal.LOGS, ["first", "second"], f"{token}.logs"),
        (Signal.METRICS, ["gen_ai.x"], f"{token}.metrics"),
    ]
    assert exporter.of(Signal.TRACES) == ["a", "b"]
    assert journal.records == 0


def test_a_store_that_does_not_take_logs_now_gets_all_again_under_the_same_tokens(journal: Journal) -> None:
    tries = 0

    def fail_once(signal: Signal, _: list[str]) -> None:
        nonlocal tries
        tries += signal is Signal.LOGS
        if signal is Signal.LOGS and tries == 1:
            raise Retryable("not now")

    exporter = RecordingExporter(fail_once)
    deliver(journal, exporter, *append(journal, *MIXED))

    spans = [token for signal, _, token in exporter.written if signal is Signal.TRACES]
    assert len(spans) == 2
    assert len(set(spans)) == 1
    assert exporter.of(Signal.LOGS) == ["first", "second"]
    assert journal.records == 0


def test_log_records_that_the_store_refuses_are_kept_aside_and_nothing_else_is_written_twice(journal: Journal) -> None:
    def refuse_poison(_: Signal, names: list[str]) -> None:
        if "poison" in names:
            raise Permanent("no such column")

    exporter = RecordingExporter(refuse_poison)
    deliver(journal, exporter, *append(journal, *MIXED, (Signal.LOGS, "poison"), (Signal.LOGS, "third")))

    assert sorted(exporter.of(Signal.LOGS)) == ["first", "second", "third"]
    assert exporter.of(Signal.TRACES) == ["a", "b"]
    assert exporter.of(Signal.METRICS) == ["gen_ai.x"]
    assert dead(journal) == [(6, "Permanent: no such column")]
    assert journal.records == 0


def test_a_record_that_cannot_be_decoded_is_kept_aside_and_the_batch_goes_out_whole_without_it(
    journal: Journal,
) -> None:
    def stumble(record: Record) -> SignalBatch:
        if record.sequence == 3:
            raise ZeroDivisionError("a bug")
        return decode_record(record)

    append(journal, *MIXED)
    exporter = RecordingExporter()
    deliver(journal, exporter, read=stumble)

    assert [(signal, names) for signal, names, _ in exporter.written] == [
        (Signal.TRACES, ["a", "b"]),
        (Signal.LOGS, ["first", "second"]),
    ]
    assert dead(journal) == [(3, "ZeroDivisionError: a bug")]
