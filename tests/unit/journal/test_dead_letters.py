"""Dead letters in the journal: kept, retried, dropped, counted; also those of an older program."""

from __future__ import annotations

import struct
import time
from collections import Counter
from pathlib import Path

import lmdb
import pytest

from collector.errors import Retryable
from collector.journal import Batch, Journal, Part, Record, Refusal
from collector.signals import Signal

NOW = 1_700_000_000_000_000_000
SIZE = 64 << 20


def reopen(directory: Path, max_dead: int | None = None) -> Journal:
    return Journal.open(directory, max_size=SIZE, sync="off", max_dead=max_dead)


def batch_of(journal: Journal, *payloads: bytes) -> Batch:
    for payload in payloads:
        journal.append("p", NOW, payload, Signal.LOGS).result()
    uncut = journal.uncut()
    return journal.cut(uncut.start, uncut.stop - 1).result()


def test_a_dead_letter_is_its_request_with_the_rows_the_reason_and_the_time_also_after_a_restart(
    tmp_path: Path,
) -> None:
    payload = b"b" * 200_000
    before = time.time_ns()
    with reopen(tmp_path) as journal:
        batch = batch_of(journal, b"a", payload, b"c")
        refusals = [Refusal(2, "no such column, or ünicode", 9, (3, 7)), Refusal(3, "x" * 10_000)]
        journal.remove(batch, refusals).result()
        assert (journal.records, journal.batches(), list(journal.read(1, 9))) == (0, [], [])
    with reopen(tmp_path) as journal:
        first, second = journal.dead_letters()
        assert (first.sequence, first.project, first.signal, first.received_at_ns) == (2, "p", Signal.LOGS, NOW)
        assert (first.reason, first.part, first.records) == ("no such column, or ünicode", Part((3, 7), 9), 2)
        assert before <= first.refused_at_ns <= time.time_ns()
        assert first.nbytes > 200_000
        assert (second.part, second.records, second.reason) == (None, 0, "x" * 4096)
        assert journal.dead_record(2) == Record(2, "p", NOW, payload, Signal.LOGS, Part((3, 7), 9))
        assert journal.dead_record(1) is None
        assert journal.dead_letter_count == 2
        assert journal.dead_bytes == journal.bytes_used > 200_000
        assert journal.damaged_records == 0


def test_what_is_retried_is_a_new_record_of_the_same_rows_and_what_is_refused_of_them_keeps_its_positions(
    tmp_path: Path,
) -> None:
    with reopen(tmp_path) as journal:
        journal.remove(batch_of(journal, b"a"), [Refusal(1, "no", 9, (3, 7, 8))]).result()
        assert journal.retry(1).result() == 2
        assert journal.retry(1).result() is None
        assert (journal.dead_letters(), journal.dead_bytes, journal.records) == ([], 0, 1)
    with reopen(tmp_path) as journal:
        assert list(journal.read(1, 9)) == [Record(2, "p", NOW, b"a", Signal.LOGS, Part((3, 7, 8), 9))]
        journal.remove(journal.cut(2, 2).result(), [Refusal(2, "no", 3, (0, 2))]).result()
        assert [letter.part for letter in journal.dead_letters()] == [Part((3, 8), 9)]
        assert journal.retry(2).result() == 3
        journal.remove(journal.cut(3, 3).result(), [Refusal(3, "no", 2)]).result()
        assert [letter.part for letter in journal.dead_letters()] == [Part((3, 8), 9)]
        assert journal.drop(3, {}).result()
        assert (journal.bytes_used, journal.records) == (0, 0)
        assert journal.append("p", NOW, b"d").result() == 4
        assert [record.part for record in journal.read(1, 9)] == [None]


def test_what_was_dropped_is_counted_for_good(tmp_path: Path) -> None:
    with reopen(tmp_path) as journal:
        journal.remove(batch_of(journal, b"a", b"b"), [Refusal(1, "no"), Refusal(2, "no")]).result()
        assert journal.drop(1, {("p", 20_000): 3, ("q" * 128, 20_001): 1}).result()
        assert not journal.drop(1, {("p", 20_000): 3}).result()
    with reopen(tmp_path) as journal:
        assert journal.drop(2, Counter({("p", 20_000): 2})).result()
        assert journal.dropped() == {("p", 20_000): 5, ("q" * 128, 20_001): 1}
        assert (journal.dead_letter_count, journal.dead_bytes, journal.bytes_used) == (0, 0, 0)


def test_what_was_refused_of_a_batch_is_known_until_the_batch_is_removed(tmp_path: Path) -> None:
    with reopen(tmp_path) as journal:
        first, second = batch_of(journal, b"a"), batch_of(journal, b"b")
        journal.note_refusal(first, "", "the whole").result()
        journal.note_refusal(first, ".logs.0", "a half").result()
        journal.note_refusal(second, ".1", "another").result()
    with reopen(tmp_path) as journal:
        assert journal.refusals(first) == {"": "the whole", ".logs.0": "a half"}
        journal.remove(first).result()
        assert journal.refusals(first) == {}
        assert journal.refusals(second) == {".1": "another"}


def test_without_room_for_dead_letters_nothing_changes_and_the_first_are_always_taken(tmp_path: Path) -> None:
    with reopen(tmp_path, max_dead=10_000) as journal:
        first, second = batch_of(journal, b"a" * 20_000), batch_of(journal, b"b" * 20_000)
        journal.remove(first, [Refusal(1, "no")]).result()
        with pytest.raises(Retryable, match=r"Dead letters take \d+ bytes of at most 10000 \(journal.max_dead\)"):
            journal.remove(second, [Refusal(2, "no")]).result()
        assert (journal.batches(), journal.records, journal.dead_letter_count) == ([second], 1, 1)
        assert journal.drop(1, {}).result()
        journal.remove(second, [Refusal(2, "no")]).result()
        assert [letter.sequence for letter in journal.dead_letters()] == [2]


def test_a_batch_that_is_gone_leaves_no_dead_letters(tmp_path: Path) -> None:
    with reopen(tmp_path) as journal:
        batch = batch_of(journal, b"a")
        journal.remove(batch, [Refusal(1, "no")]).result()
        assert journal.drop(1, {}).result()
        journal.remove(batch, [Refusal(1, "no")]).result()
        assert journal.dead_letters() == []


def test_dead_letters_of_an_older_program_are_read_as_whole_requests(tmp_path: Path) -> None:
    with reopen(tmp_path) as journal:
        journal.append("p", NOW, b"a" * 3000).result()
    environment = lmdb.open(str(tmp_path), max_dbs=16)
    databases = {name: environment.open_db(name) for name in (b"journal", b"records", b"refused", b"wishes")}
    with environment.begin(write=True) as transaction:
        key, stored = next(iter(transaction.cursor(databases[b"records"])))
        transaction.delete(key, db=databases[b"records"])
        reason = b"no such column"
        transaction.put(key[:8], struct.pack(">H", len(reason)) + reason + stored, db=databases[b"refused"])
        transaction.put(b"format", b"2", db=databases[b"journal"])
        transaction.drop(databases[b"wishes"])
    environment.close()
    with reopen(tmp_path) as journal:
        (letter,) = journal.dead_letters()
        assert (letter.reason, letter.part, letter.of, letter.refused_at_ns) == ("no such column", None, 0, 0)
        assert journal.dead_record(1) == Record(1, "p", NOW, b"a" * 3000)
        assert journal.retry(1).result() == 2
        assert list(journal.read(1, 9)) == [Record(2, "p", NOW, b"a" * 3000)]


def test_a_damaged_dead_letter_is_never_taken_for_another_request(tmp_path: Path) -> None:
    with reopen(tmp_path) as journal:
        journal.remove(batch_of(journal, b"a" * 3000), [Refusal(1, "no")]).result()
    environment = lmdb.open(str(tmp_path), max_dbs=16)
    refused = environment.open_db(b"refused")
    with environment.begin(write=True, db=refused) as transaction:
        key, value = next(iter(transaction.cursor()))
        transaction.put(key, value[:-1] + b"b")
    environment.close()
    with reopen(tmp_path) as journal:
        with pytest.raises(Exception, match="record 1 is damaged"):
            journal.dead_record(1)
        with pytest.raises(Exception, match="record 1 is damaged"):
            journal.retry(1).result()
        assert journal.dead_letter_count == 1, "it stays until it is dropped"
        assert journal.drop(1, {}).result()
