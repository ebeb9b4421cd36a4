"""What the journal promises to those who use it, on healthy disks."""

from __future__ import annotations

import contextlib
import os
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import lmdb
import pytest

from collector.errors import Retryable, StartError, TooLarge
from collector.journal import Batch, Journal, Record, Sync, group_commit
from collector.journal.storage import Change
from collector.signals import Signal

SIZE = 64 << 20
NOW = 1_790_000_000_000_000_000


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal.open(tmp_path / "journal", max_size=SIZE, sync="always") as journal:
        yield journal


def reopen(directory: Path, sync: Sync = "always") -> Journal:
    return Journal.open(directory, max_size=SIZE, sync=sync)


def append(journal: Journal, *payloads: bytes) -> list[int]:
    return [future.result() for future in [journal.append("p", NOW, payload) for payload in payloads]]


@contextlib.contextmanager
def held_writer(journal: Journal) -> Iterator[threading.Event]:
    """Keep the writer busy, so that all that is submitted meanwhile falls into one group; the event lets it go."""
    busy, release = threading.Event(), threading.Event()

    def hold(_: Change) -> None:
        busy.set()
        release.wait()

    future = journal._writer.submit(hold)
    busy.wait()
    try:
        yield release
    finally:
        release.set()
        future.result()


def test_sequence_numbers_start_at_one_and_follow_the_order_of_appends(journal: Journal) -> None:
    assert append(journal, b"a", b"b", b"c") == [1, 2, 3]
    assert journal.next_sequence == 4


def test_a_record_is_read_as_it_was_appended(journal: Journal) -> None:
    journal.append("a project", 123, b"x" * 300_000).result()
    assert list(journal.read(1, 1)) == [Record(1, "a project", 123, b"x" * 300_000)]


def test_reading_gives_the_records_of_the_range_in_order(journal: Journal) -> None:
    append(journal, *(bytes([i]) for i in range(10)))
    assert [record.sequence for record in journal.read(3, 6)] == [3, 4, 5, 6]
    assert [record.sequence for record in journal.read(9, 1000)] == [9, 10]
    assert list(journal.read(11, 1000)) == []


def test_all_is_there_after_reopening(tmp_path: Path) -> None:
    with reopen(tmp_path) as journal:
        append(journal, b"a", b"b" * 100_000, b"c")
        first = journal.cut(1, 2).result()
        used = journal.bytes_used
    with reopen(tmp_path) as journal:
        assert [record.payload for record in journal.read(1, 3)] == [b"a", b"b" * 100_000, b"c"]
        assert journal.batches() == [first]
        assert journal.uncut() == range(3, 4)
        assert (journal.records, journal.bytes_used, journal.next_sequence) == (3, used, 4)


def test_records_of_several_signals_keep_theirs_after_reopening(tmp_path: Path) -> None:
    with reopen(tmp_path) as journal:
        futures = [journal.append("p", NOW, signal.name.encode(), signal) for signal in Signal]
        assert [future.result() for future in futures] == [1, 2, 3]
    with reopen(tmp_path) as journal:
        found = [(record.signal, record.payload) for record in journal.read(1, 3)]
    assert found == [(signal, signal.name.encode()) for signal in Signal]


def test_a_journal_of_format_1_is_opened_its_records_are_traces_and_it_becomes_one_of_format_3(tmp_path: Path) -> None:
    def mark() -> tuple[lmdb.Environment, lmdb.Transaction]:
        environment = lmdb.open(str(tmp_path), max_dbs=5)
        return environment, environment.begin(write=True, db=environment.open_db(b"journal"))

    with reopen(tmp_path) as journal:
        append(journal, b"a", b"b")
        token = journal.cut(1, 1).result().token
    environment, transaction = mark()
    transaction.put(b"format", b"1")
    transaction.commit()
    environment.close()

    with reopen(tmp_path) as journal:
        assert [record.signal for record in journal.read(1, 2)] == [Signal.TRACES] * 2
        assert [batch.token for batch in journal.batches()] == [token]
        journal.append("p", NOW, b"c", Signal.LOGS).result()
    environment, transaction = mark()
    assert bytes(transaction.get(b"format")) == b"3"
    transaction.abort()
    environment.close()


def test_the_token_of_a_batch_is_the_same_after_reopening_and_differs_between_journals(tmp_path: Path) -> None:
    with reopen(tmp_path / "one") as one, reopen(tmp_path / "two") as two:
        append(one, b"a")
        append(two, b"a")
        token, other = one.cut(1, 1).result().token, two.cut(1, 1).result().token
    assert token != other
    with reopen(tmp_path / "one") as one:
        assert one.batches() == [Batch(1, 1, token)]


def test_a_batch_must_start_where_the_last_one_ended_and_end_at_a_record_that_exists(journal: Journal) -> None:
    append(journal, b"a", b"b", b"c")
    for first, last in [(2, 3), (1, 4), (0, 1), (1, 0)]:
        with pytest.raises(ValueError, match=r"the records not yet in a batch are 1\.\.3"):
            journal.cut(first, last).result()
    assert journal.batches() == []
    journal.cut(1, 2).result()
    with pytest.raises(ValueError, match="cannot be cut"):
        journal.cut(2, 3).result()


def test_a_wrong_cut_does_not_fail_the_append_beside_it(journal: Journal) -> None:
    with held_writer(journal):
        wrong, right = journal.cut(5, 6), journal.append("p", NOW, b"a")
    with pytest.raises(ValueError, match="cannot be cut"):
        wrong.result()
    assert right.result() == 1


def test_removing_a_batch_deletes_its_records_and_its_bounds(journal: Journal) -> None:
    append(journal, b"a", b"b" * 500_000, b"c")
    batch = journal.cut(1, 2).result()
    journal.remove(batch).result()
    assert [record.sequence for record in journal.read(1, 9)] == [3]
    assert journal.batches() == []
    assert journal.records == 1
    journal.remove(journal.cut(3, 3).result()).result()
    assert (journal.records, journal.bytes_used, journal.uncut()) == (0, 0, range(4, 4))


def test_batches_may_be_removed_in_any_order_and_twice(journal: Journal) -> None:
    append(journal, b"a", b"b", b"c")
    batches = [journal.cut(i, i).result() for i in (1, 2, 3)]
    journal.remove(batches[1]).result()
    journal.remove(batches[1]).result()
    assert journal.batches() == [batches[0], batches[2]]
    assert [record.sequence for record in journal.read(1, 3)] == [1, 3]


def test_a_batch_of_another_journal_removes_nothing(journal: Journal) -> None:
    append(journal, b"a")
    batch = journal.cut(1, 1).result()
    journal.remove(Batch(1, 1, "another-1-1")).result()
    assert journal.batches() == [batch]


def test_a_record_that_is_removed_while_others_are_read_is_left_out(journal: Journal) -> None:
    append(journal, b"a", b"b", b"c")
    batches = [journal.cut(i, i).result() for i in (1, 2, 3)]
    records = journal.read(1, 3)
    assert next(records).sequence == 1
    journal.remove(batches[1]).result()
    assert [record.sequence for record in records] == [3]


def test_sequence_numbers_are_not_used_again_after_everything_was_removed(tmp_path: Path) -> None:
    with reopen(tmp_path) as journal:
        append(journal, b"a", b"b")
        journal.remove(journal.cut(1, 2).result()).result()
    with reopen(tmp_path) as journal:
        assert journal.uncut() == range(3, 3)
        assert append(journal, b"c") == [3]


def test_a_removal_that_nobody_waits_for_happens_when_the_journal_is_closed(tmp_path: Path) -> None:
    with reopen(tmp_path) as journal:
        append(journal, b"a")
        removed = journal.remove(journal.cut(1, 1).result())
    assert removed.done()
    with reopen(tmp_path) as journal:
        assert journal.batches() == []


def test_a_full_journal_refuses_as_retryable_and_takes_appends_again_after_a_removal(tmp_path: Path) -> None:
    with Journal.open(tmp_path, max_size=1_000_000, sync="always") as journal:
        append(journal, *[b"x" * 200_000] * 4)
        with pytest.raises(Retryable, match="journal is full") as refusal:
            append(journal, b"x" * 200_000)
        assert refusal.value.after > 0
        assert append(journal, b"small") == [5]
        journal.remove(journal.cut(1, 2).result()).result()
        assert append(journal, b"x" * 200_000) == [6]
        assert journal.bytes_used <= 1_000_000


def test_appends_that_wait_count_towards_the_size(tmp_path: Path) -> None:
    with Journal.open(tmp_path, max_size=1_000_000, sync="always") as journal:
        with held_writer(journal):
            futures = [journal.append("p", NOW, b"x" * 200_000) for _ in range(10)]
            assert sum(future.done() for future in futures) == 6
        assert [future.result() for future in futures if future.exception() is None] == [1, 2, 3, 4]


def test_a_record_larger_than_the_whole_journal_is_too_large(tmp_path: Path) -> None:
    with Journal.open(tmp_path, max_size=100_000, sync="always") as journal:
        with pytest.raises(TooLarge, match=r"raise journal\.max_size"):
            append(journal, b"x" * 100_000)
        assert append(journal, b"small") == [1]


def test_a_refused_append_makes_a_waiting_removal_happen_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "REMOVAL_DELAY_S", 3600.0)
    with Journal.open(tmp_path, max_size=300_000, sync="always") as journal:
        append(journal, b"x" * 200_000)
        removed = journal.remove(journal.cut(1, 1).result())
        with pytest.raises(Retryable):
            append(journal, b"x" * 200_000)
        removed.result(timeout=30)
        assert append(journal, b"x" * 200_000) == [2]


def test_space_is_used_again_so_that_the_file_does_not_grow(tmp_path: Path) -> None:
    with reopen(tmp_path, "off") as journal:
        for _ in range(200):
            append(journal, *[os.urandom(70_000)] * 4)
            uncut = journal.uncut()
            journal.remove(journal.cut(uncut.start, uncut.stop - 1).result())
    assert (tmp_path / "data.mdb").stat().st_size < 24 << 20


def test_closing_resolves_all_that_waits(tmp_path: Path) -> None:
    journal = reopen(tmp_path)
    with held_writer(journal) as release:
        futures = [journal.append("p", NOW, b"x") for _ in range(50)]
        closing = threading.Thread(target=journal.close)
        closing.start()
        release.set()
        closing.join()
    assert [future.result(timeout=0) for future in futures] == list(range(1, 51))
    with reopen(tmp_path) as journal:
        assert journal.records == 50


def test_closing_twice_is_fine_and_a_closed_journal_refuses_as_retryable(tmp_path: Path) -> None:
    journal = reopen(tmp_path)
    journal.close()
    journal.close()
    with pytest.raises(Retryable, match="stopping"):
        journal.append("p", NOW, b"x").result()


def test_a_cancelled_append_is_not_written(journal: Journal) -> None:
    with held_writer(journal):
        cancelled, kept = journal.append("p", NOW, b"cancelled"), journal.append("p", NOW, b"kept")
        assert cancelled.cancel()
    assert kept.result() == 1
    assert [record.payload for record in journal.read(1, 9)] == [b"kept"]


def test_many_threads_may_append(journal: Journal) -> None:
    def work(name: str) -> None:
        for i in range(50):
            journal.append(name, i, name.encode() * 1000).result()

    threads = [threading.Thread(target=work, args=(f"t{i}",)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    records = list(journal.read(1, 400))
    assert [record.sequence for record in records] == list(range(1, 401))
    for i in range(8):
        mine = [record for record in records if record.project == f"t{i}"]
        assert [record.received_at_ns for record in mine] == list(range(50))
        assert {record.payload for record in mine} == {f"t{i}".encode() * 1000}


@pytest.mark.parametrize("sync", ["always", "interval", "off"])
def test_every_sync_mode_keeps_what_was_appended(tmp_path: Path, sync: Sync) -> None:
    with reopen(tmp_path, sync) as journal:
        assert journal.sync == sync
        assert append(journal, b"a", b"b") == [1, 2]
    with reopen(tmp_path, sync) as journal:
        assert [record.payload for record in journal.read(1, 2)] == [b"a", b"b"]


def test_the_directory_and_its_files_are_for_the_owner_only(tmp_path: Path) -> None:
    directory = tmp_path / "a" / "journal"
    reopen(directory).close()
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    files = {path.name: stat.S_IMODE(path.stat().st_mode) for path in directory.iterdir()}
    assert files == {"data.mdb": 0o600, "lock.mdb": 0o600, "journal.lock": 0o600}


def test_a_directory_that_everybody_can_write_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    with pytest.raises(StartError, match=r"can be written by every user: run chmod o-w"):
        reopen(tmp_path)


def test_a_file_in_place_of_the_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "journal").write_bytes(b"")
    with pytest.raises(StartError, match=r"journal cannot be used \(File exists\): let this user write to it, or set"):
        reopen(tmp_path / "journal")


def test_a_second_journal_on_the_directory_is_refused_and_the_first_unharmed(tmp_path: Path) -> None:
    with reopen(tmp_path) as journal:
        with pytest.raises(StartError, match=rf"in use by another process \(pid {os.getpid()}\): stop that process"):
            reopen(tmp_path)
        assert append(journal, b"a") == [1]
    with reopen(tmp_path) as journal:
        assert journal.records == 1
