"""F01, F17: a process is killed while it writes, or two want the same directory."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from collector.journal import Journal

ROOT = Path(__file__).parents[2]
SIZE = 256 << 20

# Prints a line when an append, a cut is acknowledged, and before a removal is asked for. One write a line: what is
# printed has happened.
WRITER = """
import os, sys
from collections import deque
from pathlib import Path
from collector.journal import Journal
from tests.fault.test_journal_crash import SIZE, payload

journal = Journal.open(Path(sys.argv[1]), max_size=SIZE, sync=sys.argv[2])
say = lambda *words: os.write(1, (" ".join(map(str, words)) + "\\n").encode())
waiting, batches, index = deque(), deque(), 0
while True:
    index += 1
    waiting.append((index, journal.append(f"p{index % 3}", index, payload(index))))
    if len(waiting) == 8:
        first, future = waiting.popleft()
        say("appended", future.result(), first)
    uncut = journal.uncut()
    if len(uncut) >= 20:
        batch = journal.cut(uncut.start, uncut.start + 9).result()
        say("cut", batch.first, batch.last, batch.token)
        batches.append(batch)
    if len(batches) > 3:
        batch = batches.popleft()
        say("removing", batch.first, batch.last)
        journal.remove(batch)
"""

HOLDER = """
import sys
from pathlib import Path
from collector.journal import Journal
with Journal.open(Path(sys.argv[1]), max_size=1 << 20, sync="always") as journal:
    print("open", flush=True)
    sys.stdin.read()
    print(journal.append("p", 1, b"unharmed").result(), flush=True)
"""

OPENER = """
import sys
from pathlib import Path
from collector.errors import StartError
from collector.journal import Journal
try:
    Journal.open(Path(sys.argv[1]), max_size=1 << 20, sync="always")
except StartError as error:
    print(error)
    sys.exit(2)
"""


def payload(index: int) -> bytes:
    """The payload that the writing process appends as its `index`-th, 1 byte to 200 KB."""
    generator = random.Random(index)
    return generator.randbytes(generator.choice([1, 100, 3_000, 70_000, 200_000]))


@contextmanager
def child(program: str, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", program, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("sync", ["always", "interval", "off"])
def test_whatever_was_acknowledged_is_there_intact_after_kill_9(tmp_path: Path, sync: str) -> None:
    seen: set[int] = set()
    for round_ in range(4):
        with child(WRITER, tmp_path, sync) as process:
            assert process.stdout is not None
            lines = [process.stdout.readline() for _ in range(random.Random(round_).randint(1, 150))]
            process.kill()
            # What it still said before it died counts as well; a last line without an end does not.
            lines += process.stdout.readlines()
        said = [line.split() for line in lines if line.endswith("\n")]
        appended = {int(words[1]): int(words[2]) for words in said if words[0] == "appended"}
        assert appended
        assert seen.isdisjoint(appended), "a sequence number was given twice"
        seen |= set(appended)
        removing = {int(words[1]): int(words[2]) for words in said if words[0] == "removing"}
        with Journal.open(tmp_path, max_size=SIZE, sync="off") as journal:
            records = {record.sequence: record for record in journal.read(1, 1 << 62)}
            assert journal.corrupt_records == 0
            assert len(records) == journal.records
            for sequence, index in appended.items():
                if any(first <= sequence <= last for first, last in removing.items()):
                    continue
                record = records[sequence]
                assert (record.project, record.received_at_ns) == (f"p{index % 3}", index)
                assert record.payload == payload(index)
            tokens = {batch.first: batch.token for batch in journal.batches()}
            for words in said:
                if words[0] == "cut" and int(words[1]) not in removing:
                    assert tokens[int(words[1])] == words[3]
            if uncut := journal.uncut():
                journal.cut(uncut.start, uncut.stop - 1).result()
            for batch in journal.batches():
                journal.remove(batch)
        with Journal.open(tmp_path, max_size=SIZE, sync="off") as journal:
            assert (journal.records, journal.bytes_used) == (0, 0)


def test_a_second_process_is_refused_with_one_sentence_and_the_first_is_unharmed(tmp_path: Path) -> None:
    with child(HOLDER, tmp_path) as holder:
        assert holder.stdout is not None
        assert holder.stdin is not None
        assert holder.stdout.readline() == "open\n"
        with child(OPENER, tmp_path) as second:
            said, _ = second.communicate(timeout=60)
        assert second.returncode == 2
        assert said == (
            f"The journal directory {tmp_path} is in use by another process (pid {holder.pid}):"
            " stop that process, or set journal.directory to another directory.\n"
        )
        holder.stdin.close()
        assert holder.stdout.readline() == "1\n"


def test_the_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    with child(HOLDER, tmp_path) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "open\n"
        holder.kill()
        holder.wait()
    with Journal.open(tmp_path, max_size=1 << 20, sync="always") as journal:
        assert journal.append("p", 1, b"a").result() == 1
