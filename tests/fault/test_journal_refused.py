"""F06: a collector whose journal cannot be read says so in one line, ends with 2, and leaves the file as it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import lmdb
import pytest

from collector.journal import Journal
from tests.support.command import spanledger


def garbage(directory: Path) -> None:
    (directory / "data.mdb").write_bytes(b"no journal" * 1000)


def another_program(directory: Path) -> None:
    with lmdb.open(str(directory), max_dbs=1) as environment, environment.begin(write=True) as transaction:
        transaction.put(b"theirs", b"1", db=environment.open_db(b"table", txn=transaction))


def a_newer_format(directory: Path) -> None:
    with Journal.open(directory, max_size=1 << 20, sync="off") as journal:
        journal.append("p", 1, b"a").result()
    with lmdb.open(str(directory), max_dbs=4) as environment, environment.begin(write=True) as transaction:
        transaction.put(b"format", b"99", db=environment.open_db(b"journal", txn=transaction))


@pytest.mark.parametrize("made_by", [garbage, another_program, a_newer_format])
def test_it_is_refused_in_one_line_by_every_start_and_not_changed(
    tmp_path: Path, made_by: Callable[[Path], None]
) -> None:
    directory = tmp_path / "journal"
    directory.mkdir(mode=0o700)
    made_by(directory)
    before = (directory / "data.mdb").read_bytes()
    for _ in range(2):
        done = spanledger(tmp_path, "serve")
        assert done.returncode == 2
        (line,) = done.stderr.splitlines()
        assert line.startswith(f"spanledger: The journal in {directory} "), line
    assert (directory / "data.mdb").read_bytes() == before
    assert not (tmp_path / "clickhouse").exists(), "it ends before it touches the store"
