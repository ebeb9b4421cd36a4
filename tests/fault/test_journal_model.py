"""F25: whatever is appended, cut, removed, and wherever it crashes: the journal is what a few lists say it is.

A crash is what `kill -9` leaves: the file as the kernel has it, without anybody having closed it.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from collector.errors import Retryable
from collector.journal import Batch, Journal

SIZE = 4 << 20


class JournalModel(RuleBasedStateMachine):
    """Drives a journal beside its model."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp())
        self.generation = 0
        self.records: dict[int, bytes] = {}
        self.batches: dict[int, Batch] = {}
        self.next = 1
        self.uncut_from = 1
        # Removals that nobody waited for: a crash may undo them, and must undo each whole.
        self.leaving: dict[int, tuple[Batch, dict[int, bytes]]] = {}

    @initialize()
    def start(self) -> None:
        self.journal = self.opened()
        self.identity = self.journal.identity

    def opened(self) -> Journal:
        return Journal.open(self.root / str(self.generation), max_size=SIZE, sync="off")

    @rule(payloads=st.lists(st.binary(max_size=200) | st.integers(60_000, 140_000).map(bytes), min_size=1, max_size=5))
    def append(self, payloads: list[bytes]) -> None:
        waiting = [(payload, self.journal.append("p", 1, payload)) for payload in payloads]
        for payload, future in waiting:
            if isinstance(future.exception(), Retryable):  # it is full
                continue
            assert future.result() == self.next
            self.records[self.next] = payload
            self.next += 1

    @rule()
    def refuse_what_finds_no_room(self) -> None:
        payload = bytes(1 << 20)
        while (future := self.journal.append("p", 1, payload)).exception() is None:
            self.records[future.result()] = payload
            self.next += 1
        assert isinstance(future.exception(), Retryable)

    @precondition(lambda self: self.uncut_from < self.next)
    @rule(data=st.data())
    def cut(self, data: st.DataObject) -> None:
        last = data.draw(st.integers(self.uncut_from, self.next - 1))
        batch = self.journal.cut(self.uncut_from, last).result()
        assert (batch.first, batch.last) == (self.uncut_from, last)
        assert batch.token not in {one.token for one in self.batches.values()}
        self.batches[batch.first] = batch
        self.uncut_from = last + 1

    @precondition(lambda self: self.batches)
    @rule(data=st.data(), waits=st.booleans())
    def remove(self, data: st.DataObject, waits: bool) -> None:
        batch = self.batches.pop(data.draw(st.sampled_from(sorted(self.batches))))
        gone = {at: self.records.pop(at) for at in range(batch.first, batch.last + 1)}
        future = self.journal.remove(batch)
        if waits:
            future.result()
        else:
            self.leaving[batch.first] = (batch, gone)

    @rule()
    def close_and_open(self) -> None:
        self.journal.close()
        self.leaving.clear()
        self.journal = self.opened()

    @rule()
    def crash(self) -> None:
        old = self.root / str(self.generation)
        self.generation += 1
        new = self.root / str(self.generation)
        new.mkdir(mode=0o700)
        shutil.copyfile(old / "data.mdb", new / "data.mdb")
        self.journal.close()
        self.journal = self.opened()
        there = {one.first for one in self.journal.batches()}
        for first, (batch, records) in self.leaving.items():
            if first in there:
                self.batches[first] = batch
                self.records |= records
        self.leaving.clear()

    @invariant()
    def it_is_what_the_model_says(self) -> None:
        leaving = {at for _, records in self.leaving.values() for at in records}
        read = {one.sequence: one.payload for one in self.journal.read(1, 1 << 62) if one.sequence not in leaving}
        assert read == self.records
        assert list(read) == sorted(read)
        cut = {one.first: one for one in self.journal.batches() if one.first not in self.leaving}
        assert cut == self.batches
        assert self.journal.next_sequence == self.next
        assert self.journal.uncut() == range(self.uncut_from, self.next) or self.uncut_from == self.next
        assert self.journal.identity == self.identity
        assert self.journal.corrupt_records == 0
        if not self.leaving:
            assert self.journal.records == len(self.records)

    def teardown(self) -> None:
        if hasattr(self, "journal"):
            self.journal.close()
        shutil.rmtree(self.root)


TestAJournalIsWhatItsModelSays = JournalModel.TestCase
TestAJournalIsWhatItsModelSays.settings = settings(
    max_examples=30, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
