"""The writer thread: one commit for all that waits, and one failure for as few as possible."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import lmdb
import pytest

from collector.errors import Retryable
from collector.journal import group_commit
from collector.journal.group_commit import GroupCommit
from collector.journal.record import NewRecord
from collector.journal.storage import Change, Storage

Writer = Callable[..., GroupCommit]
RECORD = NewRecord.create("p", 1, b"x" * 1000)


class WatchedStorage(Storage):
    """Counts commits and syncs, and can be told to fail."""

    commits = 0

    def __init__(self, directory: Path) -> None:
        super().__init__(directory, max_size=64 << 20, durable=False)
        self.synced = threading.Event()
        self.sync_failures: list[Exception] = []

    @contextlib.contextmanager
    def change(self) -> Iterator[Change]:
        with super().change() as change:
            yield change
        self.commits += 1

    def sync(self) -> None:
        if self.sync_failures:
            raise self.sync_failures.pop()
        super().sync()
        self.synced.set()


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[WatchedStorage]:
    storage = WatchedStorage(tmp_path)
    yield storage
    storage.close()


@pytest.fixture
def start(storage: WatchedStorage) -> Iterator[Writer]:
    writers: list[GroupCommit] = []

    def start(*, sync_at_intervals: bool = False) -> GroupCommit:
        writers.append(GroupCommit(storage, max_size=64 << 20, sync_at_intervals=sync_at_intervals))
        return writers[-1]

    yield start
    for writer in writers:
        writer.close()


@contextlib.contextmanager
def held(writer: GroupCommit) -> Iterator[None]:
    busy, release = threading.Event(), threading.Event()

    def hold(_: Change) -> None:
        busy.set()
        release.wait()

    future = writer.submit(hold)
    busy.wait()
    try:
        yield
    finally:
        release.set()
        future.result()


def append(change: Change) -> int:
    return change.append(RECORD)


def test_one_commit_resolves_all_that_waits(storage: WatchedStorage, start: Writer) -> None:
    writer = start()
    with held(writer):
        futures = [writer.submit(append, size=1000) for _ in range(100)]
    assert [future.result() for future in futures] == list(range(1, 101))
    assert storage.commits == 2


def test_a_group_ends_at_its_size_limit(
    storage: WatchedStorage, start: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "GROUP_BYTES", 3000)
    writer = start()
    with held(writer):
        futures = [writer.submit(append, size=1000) for _ in range(9)]
    assert [future.result() for future in futures] == list(range(1, 10))
    assert storage.commits == 1 + 3


@pytest.mark.parametrize("error", [lmdb.MapFullError("put"), OSError(28, "No space left on device"), MemoryError()])
def test_a_failure_is_retryable_and_fails_nobody_else(start: Writer, error: Exception) -> None:
    def fail(change: Change) -> None:
        change.append(RECORD)
        raise error

    writer = start()
    with held(writer):
        before, failed, after = writer.submit(append), writer.submit(fail), writer.submit(append)
    assert (before.result(), after.result()) == (1, 2)
    with pytest.raises(Retryable, match="free space on its disk"):
        failed.result()


def test_a_fault_of_ours_reaches_the_caller_as_it_is_and_the_writer_goes_on(start: Writer) -> None:
    writer = start()
    with pytest.raises(ZeroDivisionError):
        writer.submit(lambda _: 1 / 0).result()
    assert writer.submit(append).result() == 1


def test_a_full_map_is_retryable_and_room_freed_by_a_removal_is_used_at_once(
    storage: WatchedStorage, start: Writer
) -> None:
    storage._environment.set_mapsize(8 << 20)
    writer = start()
    large = NewRecord.create("p", 1, b"x" * 1_000_000)
    appended = 0
    while (error := writer.submit(lambda change: change.append(large)).exception()) is None:
        appended += 1
    assert isinstance(error, Retryable)
    assert "MDB_MAP_FULL" in str(error)
    assert appended > 4
    batch = writer.submit(lambda change: change.cut(1, appended)).result()
    writer.submit(lambda change: change.remove(batch), urgent=False).result()
    assert writer.submit(lambda change: change.append(large)).result() == appended + 1


def test_repeated_failures_are_logged_once_until_a_commit_succeeds(
    start: Writer, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: Change) -> None:
        raise OSError(28, "No space left on device")

    writer = start()
    with caplog.at_level(logging.ERROR):
        for change in (fail, fail, append, fail):
            writer.submit(change).exception()
    assert [record.message.count("No space left") for record in caplog.records] == [1, 1]


def test_a_removal_rides_on_the_next_commit(
    storage: WatchedStorage, start: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "REMOVAL_DELAY_S", 3600.0)
    writer = start()
    lazy = writer.submit(lambda _: None, urgent=False)
    writer.submit(append).result()
    assert lazy.done()
    assert storage.commits == 1


def test_a_removal_happens_by_itself_when_nothing_else_does(start: Writer) -> None:
    start().submit(lambda _: None, urgent=False).result(timeout=30)


def test_the_interval_mode_syncs_in_the_background_and_tries_again_when_that_fails(
    storage: WatchedStorage, start: Writer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(group_commit, "SYNC_INTERVAL_S", 0.001)
    storage.sync_failures.append(lmdb.DiskError("sync"))
    start(sync_at_intervals=True).submit(append).result()
    assert storage.synced.wait(30)
    assert "could not be flushed" in caplog.text


def test_without_intervals_the_writer_never_syncs(storage: WatchedStorage, start: Writer) -> None:
    writer = start()
    writer.submit(append).result()
    writer.close()
    assert not storage.synced.is_set()


@pytest.mark.parametrize("durable", [True, False])
def test_a_durable_environment_flushes_pages_and_root_on_every_commit(tmp_path: Path, durable: bool) -> None:
    storage = Storage(tmp_path / "other", max_size=1 << 20, durable=durable)
    flags = storage._environment.flags()
    storage.close()
    assert (flags["sync"], flags["metasync"], flags["writemap"]) == (durable, True, False)
