"""What the intake promises between the socket and the acknowledgement."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from collector.batch import SpanBatch
from collector.decode import Limits
from collector.errors import Permanent, Retryable
from collector.receive import Admission, Intake, intake
from collector.signals import Signal
from tests.support.otlp import request, span

MIB = 1 << 20
PAYLOAD = request(span(name="a")).SerializeToString()


class SlowJournal:
    """A journal whose only append ends when the test says so."""

    def __init__(self) -> None:
        self.appended: Future[int] = Future()
        self.asked = asyncio.Event()

    def append(self, **_: Any) -> Future[int]:
        self.asked.set()
        return self.appended


def count_nothing(*_: Any) -> None:
    raise AssertionError("nothing was rejected")


def intake_on(journal: SlowJournal, hand_over: Any = lambda *_: None, count_rejected: Any = count_nothing) -> Intake:
    executor = ThreadPoolExecutor(1)
    return Intake(journal, Limits(), hand_over, executor, count_rejected, admission=Admission(MIB, None))  # type: ignore[arg-type]


async def accepting(journal: SlowJournal, handed_over: list[int]) -> asyncio.Task[Any]:
    def hand_over(sequence: int, batch: SpanBatch) -> None:
        assert len(batch) == 1
        handed_over.append(sequence)

    taking = intake_on(journal, hand_over)
    task = asyncio.create_task(taking.accept(PAYLOAD, "default", Signal.TRACES))
    await journal.asked.wait()
    return task


def test_a_batch_is_handed_over_when_the_journal_has_it_and_then_acknowledged() -> None:
    async def scenario() -> None:
        journal, handed_over = SlowJournal(), list[int]()
        task = await accepting(journal, handed_over)
        assert not task.done()
        assert handed_over == []
        journal.appended.set_result(7)
        assert (await task).count == 0
        assert handed_over == [7]

    asyncio.run(scenario())


def test_a_record_whose_sender_hung_up_is_delivered_all_the_same() -> None:
    async def scenario() -> None:
        journal, handed_over = SlowJournal(), list[int]()
        task = await accepting(journal, handed_over)
        journal.appended.set_running_or_notify_cancel()  # the journal is writing it
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        journal.appended.set_result(7)
        assert handed_over == [7]

    asyncio.run(scenario())


def test_what_a_sender_left_behind_counts_until_the_journal_has_it() -> None:
    async def scenario() -> None:
        journal = SlowJournal()
        taking = intake_on(journal)
        task = asyncio.create_task(taking.accept(bytes(MIB - 20_000), "default", Signal.TRACES))
        with pytest.raises(Permanent):
            await task
        task = asyncio.create_task(taking.accept(PAYLOAD, "default", Signal.TRACES))
        await journal.asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        with pytest.raises(Retryable, match="in_flight"):
            await taking.accept(bytes(MIB), "default", Signal.TRACES)
        journal.appended.set_result(7)
        with pytest.raises(Permanent):
            await taking.accept(bytes(MIB), "default", Signal.TRACES)

    asyncio.run(scenario())


def test_what_the_journal_refuses_is_neither_handed_over_nor_acknowledged() -> None:
    async def scenario() -> None:
        journal, handed_over = SlowJournal(), list[int]()
        task = await accepting(journal, handed_over)
        journal.appended.set_exception(Retryable("full"))
        with pytest.raises(Retryable):
            await task
        assert handed_over == []

    asyncio.run(scenario())


def test_a_fault_of_the_decoder_is_a_refusal_not_a_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    def stumble(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(intake, "decode", stumble)

    async def scenario() -> None:
        taking = intake_on(SlowJournal())
        with pytest.raises(Permanent, match="fault of this collector"):
            await taking.accept(PAYLOAD, "default", Signal.TRACES)

    asyncio.run(scenario())


@pytest.mark.parametrize("valid", [0, 2])
def test_rejected_spans_are_counted_once_the_rest_of_their_request_is_journaled(valid: int) -> None:
    bad = [span(span_id=b""), span(trace_id=bytes(16))]
    payload = request(*bad, *(span() for _ in range(valid))).SerializeToString()
    counted: list[tuple[str, int]] = []

    def count_rejected(project: str, received_at_ns: int, reasons: Mapping[str, int]) -> None:
        assert abs(time.time_ns() - received_at_ns) < 600 * 10**9
        counted.append((project, sum(reasons.values())))

    async def scenario() -> None:
        journal = SlowJournal()
        taking = intake_on(journal, count_rejected=count_rejected)
        task = asyncio.create_task(taking.accept(payload, "shop", Signal.TRACES))
        if valid:
            await journal.asked.wait()
            assert counted == [], "a request that the journal refuses comes again"
            journal.appended.set_result(7)
        assert (await task).count == 2
        assert counted == [("shop", 2)]

    asyncio.run(scenario())
