"""The journal's face: append, cut batches, read them, remove them."""

from __future__ import annotations

import contextlib
import logging
import stat
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType
from typing import Literal

import lmdb

from collector.errors import Retryable, StartError
from collector.journal.dead_letter import DeadLetter, Refusal
from collector.journal.group_commit import GroupCommit
from collector.journal.lock import DirectoryLock
from collector.journal.record import DamagedRecordError, NewRecord, Record
from collector.journal.refused import Counts, Wish
from collector.journal.storage import Batch, Storage
from collector.signals import Signal

Sync = Literal["always", "interval", "off"]
"""When commits are flushed to the disk: before they are acknowledged, at most a second later, or only on close."""

_log = logging.getLogger(__name__)


class Journal:
    """A durable queue of raw requests in one directory, for any number of threads of one process.

    Futures are resolved in the writer thread; under asyncio, wait for them with `asyncio.wrap_future`.
    """

    def __init__(self, lock: DirectoryLock, storage: Storage, *, max_size: int, max_dead: int, sync: Sync) -> None:
        """Use `Journal.open`."""
        self._lock = lock
        self._storage = storage
        self._max_dead = max_dead
        self._sync: Sync = sync
        self._writer = GroupCommit(storage, max_size=max_size, sync_at_intervals=sync == "interval")
        self._closed = False
        self._corrupt_records = 0

    @classmethod
    def open(cls, directory: Path, *, max_size: int, sync: Sync, max_dead: int | None = None) -> Journal:
        """Open the journal in `directory`, made if missing (mode 0700), for at most `max_size` bytes of records.

        Dead letters may take `max_dead` of these bytes (without it a quarter), and never more than half.

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
        dead = max_size // 4 if max_dead is None else min(max_dead, max_size // 2)
        return cls(lock, storage, max_size=max_size, max_dead=dead, sync=sync)

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

    def remove(self, batch: Batch, refusals: Sequence[Refusal] = ()) -> Future[None]:
        """Delete a batch and its records once the store has them. Need not be waited for; happens within a second.

        What the store refused of it for good becomes dead letters, in the same commit. The future fails with Retryable
        when there is no room for them: then nothing is changed.

        Possible when the journal or its disk is full. If a crash undoes it, the batch is there again under its token.
        Removing a batch that is gone does nothing.
        """
        return self._writer.submit(lambda change: change.remove(batch, refusals, self._max_dead), urgent=bool(refusals))

    # --- what the store refuses ---------------------------------------------------------------------------------------

    def note_refusal(self, batch: Batch, part: str, reason: str) -> Future[None]:
        """Note that the store refused a part of a batch; kept until the batch is removed.

        Wait for the future before anything of the part goes to the store otherwise: so that after a crash the same is
        written under the same tokens, whatever the store would say then.
        """
        return self._writer.submit(lambda change: change.note_refusal(batch, part, reason))

    def refusals(self, batch: Batch) -> dict[str, str]:
        """Return the parts of a batch that were refused so far, with the reasons."""
        return self._storage.refused.noted(batch.first)

    def dead_letters(self) -> list[DeadLetter]:
        """Return all dead letters, in the order of their numbers."""
        return self._storage.refused.letters()

    def dead_record(self, sequence: int) -> Record | None:
        """Return the record in a dead letter, None if there is none. Raises DamagedRecordError when it is not intact."""
        return self._storage.refused.record(sequence)

    def retry(self, sequence: int) -> Future[int | None]:
        """Make a dead letter a new record, at the end; the future has its number, None if there is no such dead letter.

        The future fails with DamagedRecordError when it is not intact.
        """
        return self._writer.submit(lambda change: change.retry(sequence))

    def drop(self, sequence: int, counts: Counts) -> Future[bool]:
        """Delete a dead letter; the future says whether it was there.

        `counts` are the spans that it holds, by project and day since the epoch: they are added to `dropped`.
        """
        return self._writer.submit(lambda change: change.drop(sequence, counts))

    def dropped(self) -> Counter[tuple[str, int]]:
        """Return how many spans were ever dropped with dead letters, by project and day since the epoch."""
        return self._storage.refused.dropped()

    def wishes(self) -> dict[int, Wish]:
        """Return what other processes want to happen with dead letters: see `collector.journal.beside`."""
        self._storage.forget_dead_readers()
        return self._storage.refused.wishes()

    def forget_wish(self, sequence: int) -> Future[None]:
        """Delete what another process wants to happen with a dead letter, which stays as it is."""
        return self._writer.submit(lambda change: change.forget_wish(sequence))

    @property
    def dead_letter_count(self) -> int:
        """Number of dead letters."""
        return self._storage.state.dead_letters

    @property
    def dead_bytes(self) -> int:
        """Bytes on disk that dead letters take; a part of `bytes_used`."""
        return self._storage.state.dead_bytes

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
