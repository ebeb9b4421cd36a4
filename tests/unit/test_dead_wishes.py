"""What another process wants of dead letters is done by the one that has the journal open."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import lmdb
import pytest

from collector.dead.wishes import Wishes
from collector.decode import Limits
from collector.journal import Journal, Part, Refusal
from tests.support.otlp import NOW, request, span

ROOT = Path(__file__).parents[2]

BESIDE = """
import os, signal, sys
from pathlib import Path
from collector.journal import JournalBeside
with JournalBeside(Path(sys.argv[1]), max_size=64 << 20, may_wish=True) as journal:
    for words in sys.argv[2:]:
        sequence, wish = words.split("=")
        if wish == "read":
            with journal._environment.begin():
                print([letter.sequence for letter in journal.dead_letters()], flush=True)
                os.kill(os.getpid(), signal.SIGKILL)
        journal.wish({int(sequence): wish})
    print(sorted(journal.wishes().items()))
"""


def beside(directory: Path, *wishes: str) -> str:
    """Leave wishes from another process; what it says of those that wait."""
    done = subprocess.run(
        [sys.executable, "-c", BESIDE, str(directory), *wishes], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode in (0, -9), done.stderr
    return done.stdout.strip()


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """A journal with three dead letters, of one span of two."""
    with Journal.open(tmp_path, max_size=64 << 20, sync="off") as journal:
        payload = request(span(start=NOW), span(start=NOW)).SerializeToString()
        for _ in range(3):
            journal.append("p", time.time_ns(), payload).result()
        batch = journal.cut(1, 3).result()
        journal.remove(batch, [Refusal(number, "no", 2, (1,)) for number in (1, 2, 3)]).result()
        yield journal


def test_wishes_are_carried_out_once_and_counted(journal: Journal, tmp_path: Path) -> None:
    again: list[int] = []
    wishes = Wishes(journal, Limits(), again.append)
    assert beside(tmp_path, "1=retry", "2=drop", "9=drop") == "[(1, 'retry'), (2, 'drop')]"
    for _ in range(2):
        wishes.carry_out()
    assert again == [4]
    assert [record.part for record in journal.read(1, 9)] == [Part((1,), 2)]
    assert [letter.sequence for letter in journal.dead_letters()] == [3]
    assert journal.dropped() == {("p", NOW // (86_400 * 10**9)): 1}
    assert journal.wishes() == {}


def test_the_thread_carries_them_out_by_itself(journal: Journal, tmp_path: Path) -> None:
    wishes = Wishes(journal, Limits(), lambda _: None)
    wishes.start()
    try:
        beside(tmp_path, "1=drop", "2=drop", "3=drop")
        ends = time.monotonic() + 20
        while journal.dead_letter_count:
            assert time.monotonic() < ends
            time.sleep(0.01)
    finally:
        wishes.stop()


def test_a_process_that_is_killed_while_it_reads_keeps_no_pages_of_the_journal(
    journal: Journal, tmp_path: Path
) -> None:
    assert beside(tmp_path, "0=read") == "[1, 2, 3]"
    assert journal.wishes() == {}
    payload = b"a" * 1_000_000
    for _ in range(20):
        sequence = journal.append("p", 1, payload).result()
        journal.remove(journal.cut(sequence, sequence).result()).result()
    assert (tmp_path / "data.mdb").stat().st_size < 32 << 20


def test_a_retry_of_what_is_damaged_is_given_up_and_a_drop_is_not(tmp_path: Path) -> None:
    with Journal.open(tmp_path, max_size=64 << 20, sync="off") as journal:
        journal.append("p", 1, b"a" * 3000).result()
        journal.remove(journal.cut(1, 1).result(), [Refusal(1, "no")]).result()
    environment = lmdb.open(str(tmp_path), max_dbs=16)
    refused = environment.open_db(b"refused")
    with environment.begin(write=True, db=refused) as transaction:
        key, value = next(iter(transaction.cursor()))
        transaction.put(key, value[:-1] + b"b")
    environment.close()
    with Journal.open(tmp_path, max_size=64 << 20, sync="off") as journal:
        wishes = Wishes(journal, Limits(), lambda _: None)
        beside(tmp_path, "1=retry")
        wishes.carry_out()
        assert (journal.wishes(), journal.dead_letter_count) == ({}, 1)
        beside(tmp_path, "1=drop")
        wishes.carry_out()
        assert (journal.wishes(), journal.dead_letter_count, journal.dropped()) == ({}, 0, {})
