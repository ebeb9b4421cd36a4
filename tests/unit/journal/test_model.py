"""Random sequences of append, cut, remove, reopen and crash leave the journal as a simple model says."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from unittest.mock import patch

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from collector.journal import Batch, Journal, group_commit

SIZES = st.sampled_from([0, 1, 500, 2100, 5000, 65_479, 65_520, 200_000])


class JournalMachine(RuleBasedStateMachine):
    """A removal that nobody waits for stays pending until another commit: a crash before that undoes it."""

    def __init__(self) -> None:
        super().__init__()
        self.delay = patch.object(group_commit, "REMOVAL_DELAY_S", 3600.0)
        self.delay.start()
        self.root = Path(tempfile.mkdtemp(prefix="journal-model-"))
        self.generation = 0
        self.journal = self.open()
        self.payloads: dict[int, bytes] = {}
        self.batches: list[Batch] = []
        self.removing: list[Batch] = []
        self.next_sequence = self.next_uncut = 1

    @property
    def directory(self) -> Path:
        return self.root / str(self.generation)

    def open(self) -> Journal:
        return Journal.open(self.directory, max_size=64 << 20, sync="off")

    def committed(self) -> None:
        for batch in self.removing:
            self.batches.remove(batch)
            for sequence in range(batch.first, batch.last + 1):
                del self.payloads[sequence]
        self.removing = []

    @rule(sizes=st.lists(SIZES, min_size=1, max_size=4), fill=st.binary(min_size=1, max_size=4))
    def append(self, sizes: list[int], fill: bytes) -> None:
        payloads = [(fill * size)[:size] for size in sizes]
        futures = [self.journal.append("p", 1, payload) for payload in payloads]
        for future, payload in zip(futures, payloads, strict=True):
            assert future.result(timeout=60) == self.next_sequence
            self.payloads[self.next_sequence] = payload
            self.next_sequence += 1
        self.committed()

    @precondition(lambda self: self.next_uncut < self.next_sequence)
    @rule(data=st.data())
    def cut(self, data: st.DataObject) -> None:
        last = data.draw(st.integers(self.next_uncut, self.next_sequence - 1))
        batch = self.journal.cut(self.next_uncut, last).result(timeout=60)
        assert (batch.first, batch.last) == (self.next_uncut, last)
        self.batches.append(batch)
        self.next_uncut = last + 1
        self.committed()

    @precondition(lambda self: len(self.batches) > len(self.removing))
    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        batch = data.draw(st.sampled_from([batch for batch in self.batches if batch not in self.removing]))
        self.journal.remove(batch)
        self.removing.append(batch)

    @rule()
    def reopen(self) -> None:
        self.journal.close()
        self.committed()
        self.journal = self.open()

    @rule()
    def crash(self) -> None:
        before = self.directory
        self.generation += 1
        self.directory.mkdir(mode=0o700)
        shutil.copy(before / "data.mdb", self.directory)
        self.journal.close()
        self.removing = []
        self.journal = self.open()

    @invariant()
    def the_journal_is_as_the_model_says(self) -> None:
        journal = self.journal
        assert {record.sequence: record.payload for record in journal.read(1, 1 << 62)} == self.payloads
        assert journal.batches() == self.batches
        assert journal.uncut() == range(self.next_uncut, self.next_sequence)
        assert (journal.records, journal.next_sequence) == (len(self.payloads), self.next_sequence)
        assert (journal.bytes_used > 0) == bool(self.payloads)
        assert journal.corrupt_records == 0

    def teardown(self) -> None:
        try:
            if self.next_uncut < self.next_sequence:
                self.journal.cut(self.next_uncut, self.next_sequence - 1).result(timeout=60)
            for batch in self.journal.batches():
                self.journal.remove(batch)
            self.journal.close()
            with self.open() as emptied:
                assert (emptied.records, emptied.bytes_used, emptied.batches()) == (0, 0, [])
        finally:
            self.delay.stop()
            shutil.rmtree(self.root)


TestJournalModel = JournalMachine.TestCase
TestJournalModel.settings = settings(
    max_examples=25, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
