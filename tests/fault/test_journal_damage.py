"""F04, F05, F06: bytes of the journal's file were changed, cut off, or were never a journal's."""

from __future__ import annotations

import logging
import random
from pathlib import Path

import lmdb
import pytest

from collector.errors import StartError
from collector.journal import Journal
from collector.journal.storage import DAMAGED_KEPT

SIZE = 64 << 20


def reopen(directory: Path) -> Journal:
    return Journal.open(directory, max_size=SIZE, sync="off")


def marked(index: int) -> bytes:
    """A payload of several pieces with a text that is found once in the data file."""
    return b"." * 100_000 + b"<record %d>" % index + b"." * 100_000


def damage(directory: Path, text: bytes) -> None:
    data = directory / "data.mdb"
    content = bytearray(data.read_bytes())
    assert content.count(text) == 1
    content[content.index(text) + 1] ^= 0x20
    data.write_bytes(content)


def write(directory: Path, *payloads: bytes) -> None:
    with reopen(directory) as journal:
        for future in [journal.append("p", 1, payload) for payload in payloads]:
            future.result()


def test_a_record_with_a_flipped_byte_is_skipped_counted_and_logged_and_later_ones_survive(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write(tmp_path, *map(marked, (1, 2, 3)))
    damage(tmp_path, b"<record 2>")
    with reopen(tmp_path) as journal, caplog.at_level(logging.ERROR):
        assert [record.payload for record in journal.read(1, 3)] == [marked(1), marked(3)]
        assert journal.corrupt_records == 1
        assert journal.records == 2
    [record] = caplog.records
    assert record.getMessage().startswith("journal record 2 (200045 bytes) is damaged")


def test_a_damaged_record_does_not_come_again(tmp_path: Path) -> None:
    write(tmp_path, *map(marked, (1, 2, 3)))
    damage(tmp_path, b"<record 1>")
    for expected in (1, 0):
        with reopen(tmp_path) as journal:
            assert [record.sequence for record in journal.read(1, 3)] == [2, 3]
            assert journal.corrupt_records == expected


def test_a_batch_with_a_damaged_record_keeps_its_token_and_can_be_removed(tmp_path: Path) -> None:
    write(tmp_path, *map(marked, (1, 2)))
    with reopen(tmp_path) as journal:
        batch = journal.cut(1, 2).result()
    damage(tmp_path, b"<record 1>")
    with reopen(tmp_path) as journal:
        assert [record.sequence for record in journal.read(1, 2)] == [2]
        assert journal.batches() == [batch]
        journal.remove(batch).result()
        assert (journal.records, journal.batches()) == (0, [])


def test_damaged_records_cannot_fill_the_journal(tmp_path: Path) -> None:
    count = DAMAGED_KEPT + 3
    write(tmp_path, *map(marked, range(count)))
    for index in range(count):
        damage(tmp_path, b"<record %d>" % index)
    with reopen(tmp_path) as journal:
        each = journal.bytes_used // count
        assert list(journal.read(1, count)) == []
        assert journal.corrupt_records == count
        assert journal.records == 0
        assert journal.bytes_used <= DAMAGED_KEPT * each


def test_a_file_cut_anywhere_opens_with_what_is_intact_or_is_refused_with_one_sentence(tmp_path: Path) -> None:
    write(tmp_path / "whole", *map(marked, range(1, 6)))
    content = (tmp_path / "whole" / "data.mdb").read_bytes()
    used = content.rindex(b"." * 1000) + 1000
    generator = random.Random(4)
    outcomes = [
        survives(tmp_path / str(length), content[:length])
        for length in [0, 1, 4096, 8191, 8192, used - 1, used, *(generator.randrange(used) for _ in range(30))]
    ]
    assert "refused" in outcomes
    assert "opened" in outcomes


def test_a_last_record_that_lost_its_end_is_skipped_and_the_others_are_there(tmp_path: Path) -> None:
    large = random.Random(7).randbytes(190_000)
    with reopen(tmp_path / "whole") as journal:
        for _ in range(4):
            journal.append("p", 1, b"small").result()
        journal.append("p", 1, large).result()
        # Each commit writes the index pages anew: after a few they are in free pages in front of the large record.
        for sequence in range(1, 5):
            journal.cut(sequence, sequence).result()
    content = (tmp_path / "whole" / "data.mdb").read_bytes()
    end = content.index(large[-8000:]) + 8000
    for missing in (1, 2, 100, 4095, 4096, 4097, 30_000):
        directory = tmp_path / str(missing)
        directory.mkdir(mode=0o700)
        (directory / "data.mdb").write_bytes(content[: end - missing])
        with reopen(directory) as journal:
            assert [record.payload for record in journal.read(1, 5)] == [b"small"] * 4
            assert journal.corrupt_records == 1
            assert journal.append("p", 1, b"next").result() == 6


@pytest.mark.parametrize("length", [1, 300, 3_000])
def test_a_last_record_of_which_only_the_first_bytes_reached_the_disk_is_skipped_wherever_it_ends(
    tmp_path: Path, length: int
) -> None:
    """The file has its length, and the rest of the record is zeros."""
    text = b"<%s>" % (b"t" * length)
    write(tmp_path / "whole", b"first", b"second", text)
    content = (tmp_path / "whole" / "data.mdb").read_bytes()
    at = content.rindex(text)
    step = max(1, len(text) // 100)
    for kept in sorted({*range(0, len(text), step), len(text) - 1}):
        directory = tmp_path / str(kept)
        directory.mkdir(mode=0o700)
        torn = content[: at + kept] + bytes(len(text) - kept) + content[at + len(text) :]
        (directory / "data.mdb").write_bytes(torn)
        with reopen(directory) as journal:
            assert [record.payload for record in journal.read(1, 3)] == [b"first", b"second"], kept
            assert journal.corrupt_records == 1
            assert journal.append("p", 1, b"next").result() == 4


@pytest.mark.parametrize("garbage", [b"x", bytes(5000), random.Random(8).randbytes(70_000)])
def test_what_stands_behind_the_end_of_the_file_changes_nothing(tmp_path: Path, garbage: bytes) -> None:
    write(tmp_path, *map(marked, (1, 2)))
    with (tmp_path / "data.mdb").open("ab") as file:
        file.write(garbage)
    for number in (3, 4):
        with reopen(tmp_path) as journal:
            found = [record.payload for record in journal.read(1, 2)]
            assert found == [marked(1), marked(2)]
            assert journal.corrupt_records == 0
            assert journal.append("p", 1, marked(number)).result() == number


@pytest.mark.parametrize("lost", ["the file is empty", "the file is missing"])
def test_without_its_file_a_journal_begins_anew_under_another_identity(tmp_path: Path, lost: str) -> None:
    write(tmp_path, b"a")
    with reopen(tmp_path) as journal:
        before = journal.identity
    (tmp_path / "data.mdb").unlink()
    if lost == "the file is empty":
        (tmp_path / "data.mdb").touch(mode=0o600)
    with reopen(tmp_path) as journal:
        assert journal.identity != before, "or its tokens would be those of other batches"
        assert (journal.records, journal.append("p", 1, b"b").result()) == (0, 1)


def test_random_flipped_bytes_never_end_the_process(tmp_path: Path) -> None:
    # Small records: most of the file is index pages, where LMDB itself trusts what it finds.
    write(tmp_path / "whole", *(b"x" * 500 for _ in range(100)))
    with reopen(tmp_path / "whole") as journal:
        journal.cut(1, 50).result()
        used = (journal._storage._environment.info()["last_pgno"] + 1) * 4096
    content = (tmp_path / "whole" / "data.mdb").read_bytes()[:used]
    generator = random.Random(5)
    outcomes = []
    for round_ in range(150):
        changed = bytearray(content)
        changed[generator.randrange(used)] ^= 1 << generator.randrange(8)
        outcomes.append(survives(tmp_path / str(round_), bytes(changed)))
    assert "refused" in outcomes
    assert "opened" in outcomes


def survives(directory: Path, content: bytes) -> str:
    """Open a journal with this file and use it: it either works or is refused with a sentence."""
    directory.mkdir(mode=0o700)
    (directory / "data.mdb").write_bytes(content)
    try:
        journal = reopen(directory)
    except StartError as error:
        assert_is_a_sentence(str(error), directory)
        return "refused"
    with journal:
        for record in journal.read(1, 1 << 62):
            assert record.payload.strip(b".") in (b"x" * 500, *(b"<record %d>" % i for i in range(6)))
        sequence = journal.append("p", 1, b"next").result()
        assert [record.payload for record in journal.read(sequence, sequence)] == [b"next"]
        for batch in journal.batches():
            journal.remove(batch)
    return "opened"


def assert_is_a_sentence(text: str, directory: Path) -> None:
    assert text.startswith(f"The journal in {directory} ")
    assert text.endswith("or set journal.directory to another directory.")
    assert "\n" not in text


@pytest.mark.parametrize("content", [b"hello", bytes(100_000), random.Random(6).randbytes(100_000)])
def test_a_file_that_is_no_database_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "data.mdb").write_bytes(content)
    with pytest.raises(StartError, match=r"cannot be read \(.*\): move the files data.mdb and lock.mdb") as refusal:
        reopen(tmp_path)
    assert_is_a_sentence(str(refusal.value), tmp_path)
    assert (tmp_path / "data.mdb").read_bytes() == content


@pytest.mark.parametrize("named", [True, False])
def test_the_database_of_another_program_is_refused_and_not_changed(tmp_path: Path, named: bool) -> None:
    with lmdb.open(str(tmp_path), max_dbs=2) as environment, environment.begin(write=True) as transaction:
        transaction.put(b"theirs", b"1", db=environment.open_db(b"table", txn=transaction) if named else None)
    before = (tmp_path / "data.mdb").read_bytes()
    with pytest.raises(StartError, match="it holds the LMDB environment of another program"):
        reopen(tmp_path)
    assert (tmp_path / "data.mdb").read_bytes() == before


def test_a_key_named_like_our_table_is_refused(tmp_path: Path) -> None:
    with lmdb.open(str(tmp_path)) as environment, environment.begin(write=True) as transaction:
        transaction.put(b"journal", b"not a table")
    with pytest.raises(StartError, match="cannot be read") as refusal:
        reopen(tmp_path)
    assert_is_a_sentence(str(refusal.value), tmp_path)


def test_a_journal_of_another_format_is_refused(tmp_path: Path) -> None:
    write(tmp_path, b"a")
    with lmdb.open(str(tmp_path), max_dbs=4) as environment, environment.begin(write=True) as transaction:
        transaction.put(b"format", b"4", db=environment.open_db(b"journal", txn=transaction))
    with pytest.raises(StartError, match="has format '4', this program knows format '3': start the program") as refusal:
        reopen(tmp_path)
    assert_is_a_sentence(str(refusal.value), tmp_path)


@pytest.mark.parametrize("entry", [b"state", b"id"])
@pytest.mark.parametrize("value", [b"", b"short", bytes(24), bytes(40), bytes(41)])
def test_damaged_counters_are_refused(tmp_path: Path, entry: bytes, value: bytes) -> None:
    write(tmp_path, b"a")
    with lmdb.open(str(tmp_path), max_dbs=4) as environment, environment.begin(write=True) as transaction:
        transaction.put(entry, value, db=environment.open_db(b"journal", txn=transaction))
    with pytest.raises(StartError, match="its counters or the bounds of its batches are damaged"):
        reopen(tmp_path)


def test_a_refused_journal_can_be_opened_once_its_file_is_moved_away(tmp_path: Path) -> None:
    (tmp_path / "data.mdb").write_bytes(b"hello")
    with pytest.raises(StartError):
        reopen(tmp_path)
    (tmp_path / "data.mdb").unlink()
    write(tmp_path, b"a")
