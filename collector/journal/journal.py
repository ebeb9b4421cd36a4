"""The journal's face: append, cut batches, read them, remove them."""

from __future__ import annotations

import contextlib
import logging
import stat
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType
from typing import Literal

import lmdb

from collector.errors import Retryable, StartError
from collector.journal.group_commit import GroupCommit
from collector.journal.lock import DirectoryLock
from collector.journal.record import DamagedRecordError, NewRecord, Record
from collector.journal.storage import Batch, Storage
from collector.signals import Signal

Sync = Literal["always", "interval", "off"]
"""When commits are flushed to the disk: before they are acknowledged, at most a second later, or only on close."""

_log = logging.getLogger(__name__)


class Journal:
    """A durable queue of raw requests in one directory, for any number of threads of one process.

    Futures are resolved in the writer thread; under asyncio, wait for them with `asyncio.wrap_future`.
    """

    def __init__(self, lock: DirectoryLock, storage: Storage, *, max_size: int, sync: Sync) -> None:
        """Use `Journal.open`."""
        self._lock = lock
        self._storage = storage
        self._sync: Sync = sync
        self._writer = GroupCommit(storage, max_size=max_size, sync_at_intervals=sync == "interval")
        self._closed = False
        self._corrupt_records = 0

    @classmethod
    def open(cls, directory: Path, *, max_size: int, sync: Sync) -> Journal:
        """Open the journal in `directory`, made if missing (mode 0700), for at most `max_size` bytes of records.

        Raises StartError, with one sentence for the person who started the program, when another process has it open,
        when it cannot be written, or when what is there is damaged or not a journal of this format.
        """
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            if directory.stat().st_mode & stat.S_IWOTH:
                raise StartError(
                    f"The journal directory {directory} can be written by every user: run chmod o-w on it, or set"
                    " journal.directory to another directory."
                )
            lock = DirectoryLock(directory)
        except OSError as error:
            raise StartError(
                f"The journal directory {directory} cannot be used ({error.strerror}): let this user write to it, or"
                " set journal.directory to another directory."
            ) from error
        try:
            storage = Storage(directory, max_size=max_size, durable=sync == "always")
        except BaseException:
            lock.release()
            raise
        return cls(lock, storage, max_size=max_size, sync=sync)

    @property
    def identity(self) -> str:
        """Name of this journal, 32 hex digits, the same after any restart: no other has it."""
        return self._storage.identity

    def append(self, project: str, received_at_ns: int, payload: bytes, signal: Signal = Signal.TRACES) -> Future[int]:
        """Add a record; the future has its sequence number once it is durable (in the sense of `sync`).

        `received_at_ns` is Unix time in ns. The future fails with Retryable when the journal or its disk is full,
        TooLarge when the payload exceeds the whole journal. Cancelling it is possible until it is being written.
        """
        record = NewRecord.create(project, received_at_ns, payload, signal)
        return self._writer.submit(lambda change: change.append(record), size=record.occupied_bytes)

    def cut(self, first: int, last: int) -> Future[Batch]:
        """Fix the bounds of a batch; wait for the future before the first record of it goes to the store.

        Batches follow each other without gaps: `first` must be `uncut().start`, else the future fails with ValueError.
        It fails with Retryable when the disk refuses.
        """
        return self._writer.submit(lambda change: change.cut(first, last))

    def remove(self, batch: Batch) -> Future[None]:
        """Delete a batch and its records once the store has them. Need not be waited for; happens within a second.

        Possible when the journal or its disk is full. If a crash undoes it, the batch is there again under its token.
        Removing a batch that is gone does nothing.
        """
        return self._writer.submit(lambda change: change.remove(batch), urgent=False)

    def refuse(self, sequence: int, reason: str) -> Future[None]:
        """Keep a record aside, with the reason, because the store will never take it; its batch goes on without it."""
        return self._writer.submit(lambda change: change.refuse(sequence, reason))

    def refused(self) -> list[tuple[int, str]]:
        """Return sequence number and reason of every record that was refused, in order."""
        return self._storage.refused()

    def refused_records(self) -> Iterator[Record]:
        """Yield the records that were refused, in order; one whose checksum fails is skipped."""
        for sequence, _ in self._storage.refused():
            with contextlib.suppress(DamagedRecordError):
                yield self._storage.refused_record(sequence)

    @property
    def damaged_records(self) -> int:
        """Number of damaged records that are kept aside; of many, only the newest are."""
        return self._storage.damaged()

    def batches(self) -> list[Batch]:
        """Return the batches that were cut and not yet removed, in order: after a restart, deliver these first."""
        return self._storage.batches()

    def uncut(self) -> range:
        """Return the sequence numbers that are in no batch yet; the next batch starts at its `start`."""
        state = self._storage.state
        return range(state.next_uncut, state.next_sequence)

    def read(self, first: int, last: int) -> Iterator[Record]:
        """Yield the records from `first` to `last` that are there, in order, each with its checksum verified.

        A damaged record is skipped, counted in `corrupt_records`, logged, and set aside so that it does not come again.
        """
        sequence = first
        while True:
            try:
                record = self._storage.find(sequence, last)
            except DamagedRecordError as damaged:
                self._set_aside(damaged)
                sequence = damaged.sequence + 1
                continue
            if record is None:
                return
            yield record
            sequence = record.sequence + 1

    def _set_aside(self, damaged: DamagedRecordError) -> None:
        self._corrupt_records += 1
        _log.error(
            "journal record %d (%d bytes) is damaged: it is kept aside and not delivered",
            damaged.sequence,
            damaged.stored_bytes,
        )
        # A disk that does not even take this: the record is skipped now and found damaged again after a restart.
        with contextlib.suppress(Retryable):
            self._writer.submit(lambda change: change.set_aside(damaged.sequence)).result()

    @property
    def bytes_used(self) -> int:
        """Bytes on disk that records take, those set aside included; `max_size` is the limit of this figure."""
        return self._storage.state.bytes_used

    @property
    def records(self) -> int:
        """Number of records that were appended and not removed."""
        return self._storage.state.records

    @property
    def next_sequence(self) -> int:
        """The number that the next record will get. Numbers start at 1 and are never given twice."""
        return self._storage.state.next_sequence

    @property
    def corrupt_records(self) -> int:
        """Number of damaged records met since the journal was opened."""
        return self._corrupt_records

    @property
    def sync(self) -> Sync:
        """When commits are flushed to the disk."""
        return self._sync

    def close(self) -> None:
        """Write all that waits, flush it to the disk, stop the writer and let other processes in. May be repeated."""
        if self._closed:
            return
        self._closed = True
        self._writer.close()
        try:
            self._storage.sync()
        except lmdb.Error as error:
            _log.error("the journal could not be flushed to the disk: %s", error)
        finally:
            self._storage.close()
            self._lock.release()

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
