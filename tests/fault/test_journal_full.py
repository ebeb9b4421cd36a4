"""F07: the disk is full. A limit on the size of files stands in for it: the kernel refuses to let the file grow."""

from __future__ import annotations

import os
import resource
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from collector.errors import Retryable
from collector.journal import Journal

MEGABYTE = 1 << 20


@pytest.fixture
def limit_file_size() -> Iterator[Callable[[int | None], None]]:
    """Set the largest size of a file that this process may write, or lift it again."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    def limit(size: int | None) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft if size is None else size, hard))

    yield limit
    limit(None)


@pytest.fixture(params=["space can be reserved", "space cannot be reserved"])
def _file_system(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    # Without the reservation LMDB itself meets the full disk, in the middle of a commit.
    if request.param == "space cannot be reserved":
        monkeypatch.delattr(os, "posix_fallocate")


def fill(journal: Journal, payload: bytes) -> list[int]:
    """Append until refused; return the sequence numbers that were acknowledged."""
    acknowledged = []
    while (refusal := (future := journal.append("p", 1, payload)).exception()) is None:
        acknowledged.append(future.result())
    assert isinstance(refusal, Retryable)
    assert "free space on its disk" in str(refusal)
    return acknowledged


@pytest.mark.usefixtures("_file_system")
def test_a_full_disk_is_retryable_and_loses_nothing(
    tmp_path: Path, limit_file_size: Callable[[int | None], None]
) -> None:
    payload = os.urandom(MEGABYTE)
    with Journal.open(tmp_path, max_size=1 << 30, sync="always") as journal:
        limit_file_size(24 * MEGABYTE)
        acknowledged = fill(journal, payload)
        assert len(acknowledged) > 10
        assert [record.sequence for record in journal.read(1, 1 << 62)] == acknowledged
        limit_file_size(None)
        assert journal.append("p", 1, payload).result() == acknowledged[-1] + 1
    with Journal.open(tmp_path, max_size=1 << 30, sync="always") as journal:
        assert {record.payload for record in journal.read(1, 1 << 62)} == {payload}
        assert journal.records == len(acknowledged) + 1


def test_on_a_full_disk_batches_can_still_be_cut_and_removed_and_their_space_used_again(
    tmp_path: Path, limit_file_size: Callable[[int | None], None]
) -> None:
    payload = os.urandom(MEGABYTE)
    with Journal.open(tmp_path, max_size=1 << 30, sync="always") as journal:
        limit_file_size(24 * MEGABYTE)
        for _ in range(3):
            fill(journal, payload)
            fill(journal, payload[:20_000])
            uncut = journal.uncut()
            assert len(uncut) > 10
            journal.remove(journal.cut(uncut.start, uncut.stop - 1).result()).result()
            assert (journal.records, journal.bytes_used) == (0, 0)
