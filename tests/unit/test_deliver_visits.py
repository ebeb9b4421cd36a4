"""Those who change what is stored, between the batches of a delivery."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from collector import deliver
from collector.batch import SpanBatch
from collector.deliver import Delivery
from collector.enrich import enrich
from collector.errors import Permanent, Retryable
from collector.journal import Journal
from tests.support.spans import prices
from tests.unit.test_deliver import MIB, append, decode


class HeldExporter:
    """Writes nothing before it may."""

    def __init__(self) -> None:
        self.may = threading.Event()
        self.begun = threading.Event()
        self.written: list[str] = []

    def write(self, batch: SpanBatch, token: str, *, again: bool = False) -> None:
        self.begun.set()
        assert self.may.wait(20)
        names = batch.column("name").to_pylist()
        if "refused" in names:
            raise Permanent("no such column")
        self.written += names


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal.open(tmp_path / "journal", max_size=64 * MIB, sync="off") as opened:
        yield opened


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deliver, "PATIENCE", 0.05)


@contextmanager
def running(journal: Journal, exporter: HeldExporter, **settings: Any) -> Iterator[Delivery]:
    values = {"batch_rows": 1000, "batch_size": 64 * MIB, "batch_age": 0.01, "memory": 64 * MIB, **settings}
    delivery = Delivery(journal, exporter, decode=decode, enrich=lambda batch: enrich(batch, prices()), **values)
    delivery.start()
    yield delivery
    exporter.may.set()
    delivery.stop(5)


def test_what_is_acknowledged_is_stored_when_the_wait_is_over_however_young_its_batch_is(journal: Journal) -> None:
    exporter = HeldExporter()
    exporter.may.set()
    with running(journal, exporter, batch_age=600.0) as delivery:
        delivery.wait_until_stored()  # nothing
        for name in ("a", "b"):
            delivery.accept(*append(journal, name))
        delivery.wait_until_stored()
        assert exporter.written == ["a", "b"]


def test_what_an_earlier_process_left_is_waited_for_and_what_is_refused_is_not(journal: Journal) -> None:
    for name in ("left", "refused"):
        append(journal, name)
    journal.cut(1, 1).result()
    exporter = HeldExporter()
    exporter.may.set()
    with running(journal, exporter) as delivery:
        delivery.wait_until_stored()
        assert exporter.written == ["left"]
        assert [letter.sequence for letter in journal.dead_letters()] == [2]


@pytest.mark.usefixtures("impatient")
def test_a_store_that_does_not_take_it_is_not_waited_for_for_ever(journal: Journal) -> None:
    exporter = HeldExporter()
    with running(journal, exporter) as delivery:
        delivery.accept(*append(journal, "a"))
        with pytest.raises(Retryable, match="acknowledged before is not in the store yet"):
            delivery.wait_until_stored()
        assert exporter.begun.wait(20)
        with pytest.raises(Retryable, match="a batch is being written"), delivery.between_batches():
            raise AssertionError
        exporter.may.set()
        delivery.wait_until_stored()
        with delivery.between_batches():
            assert exporter.written == ["a"]


@pytest.mark.usefixtures("impatient")
def test_a_batch_that_an_earlier_process_began_is_half_written_until_it_is_delivered_again(journal: Journal) -> None:
    append(journal, "a")
    journal.cut(1, 1).result()
    exporter = HeldExporter()
    with running(journal, exporter) as delivery:
        with pytest.raises(Retryable), delivery.between_batches():
            raise AssertionError
        exporter.may.set()
        delivery.wait_until_stored()
        with delivery.between_batches():
            assert exporter.written == ["a"]


def test_no_batch_begins_during_a_visit(journal: Journal) -> None:
    exporter = HeldExporter()
    exporter.may.set()
    with running(journal, exporter) as delivery:
        with delivery.between_batches(), delivery.between_batches():
            delivery.accept(*append(journal, "a"))
            assert not exporter.begun.wait(0.2)
        delivery.wait_until_stored()
        assert exporter.written == ["a"]
