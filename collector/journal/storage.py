"""The journal's LMDB environment: what is stored where, and the changes that can be made to it.

Everything here runs in the one writer thread, except reading, which any thread may do.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import struct
import time
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, replace
from pathlib import Path

import lmdb
import xxhash

from collector.errors import Retryable, StartError
from collector.journal.dead_letter import Refusal, encode
from collector.journal.environment import open_environment, sync_names
from collector.journal.record import NewRecord, Record, decode, occupied_bytes
from collector.journal.refused import Counts, Refused
from collector.journal.structure import DATA_FILE, check_structure, unreadable
from collector.memory import drop_mapped_pages

FORMAT = b"3"
OLDER_FORMATS = (b"1", b"2")
"""Formats whose records this program reads as they are; opening such a journal makes it one of `FORMAT`. Format 2 added the
signal to the record: a program that knows only format 1 would take records of logs for damaged ones. Format 3 added to a
dead letter which records are meant: an older program would take a request out of it whole."""

DAMAGED_KEPT = 8
"""Damaged records that are kept for inspection; older ones go, so that they cannot fill the journal."""

_SPARE_BYTES = 4 << 20
_GROWTH_BYTES = 16 << 20

_MAPPED_BYTES = 32 << 20
"""Bytes of records after which their pages are taken out of the resident memory."""

_PIECE_KEY = struct.Struct(">QI")
_NUMBER = struct.Struct(">Q")


@dataclass(frozen=True, slots=True)
class Batch:
    """The records `first` to `last`, delivered together; `token` names them, the same after any restart."""

    first: int
    last: int
    token: str


@dataclass(frozen=True, slots=True)
class State:
    """The counters, stored in every commit so that opening needs no scan and no number is ever given twice."""

    next_sequence: int = 1
    next_uncut: int = 1
    records: int = 0
    bytes_used: int = 0
    dead_letters: int = 0
    """Not stored: counted when the journal is opened, as the next."""
    dead_bytes: int = 0

    @property
    def stored(self) -> tuple[int, ...]:
        """The counters that are stored."""
        return astuple(self)[:4]


class Storage:
    """One open environment. `state` is that of the last commit."""

    def __init__(self, directory: Path, *, max_size: int, durable: bool) -> None:
        """Open or create it; raises StartError when the files are damaged or not a journal of this format.

        `durable`: every commit is flushed to the disk before it returns. `max_size` in bytes.
        """
        self._directory = directory
        self._touched = 0
        check_structure(directory / DATA_FILE)
        try:
            self._environment = open_environment(directory, max_size=max_size, durable=durable)
        except (lmdb.Error, OSError) as error:
            raise unreadable(directory, str(error)) from error
        try:
            self._open_databases()
            self._data = os.open(directory / DATA_FILE, os.O_RDWR | os.O_CLOEXEC)
        except lmdb.Error as error:
            self._environment.close()
            raise unreadable(directory, str(error)) from error
        except BaseException:
            self._environment.close()
            raise
        sync_names(directory)

    def _open_databases(self) -> None:
        environment = self._environment
        with environment.begin(write=True) as transaction:
            entries = transaction.stat()["entries"]
            if entries and transaction.get(b"journal") is None:
                raise unreadable(self._directory, "it holds the LMDB environment of another program")
            self._journal = environment.open_db(b"journal", txn=transaction)
            if not entries:
                transaction.put(b"format", FORMAT, db=self._journal)
                transaction.put(b"id", _seal(secrets.randbits(64), secrets.randbits(64)), db=self._journal)
                transaction.put(b"state", _seal(*State().stored), db=self._journal)
            found = transaction.get(b"format", b"", db=self._journal)
            if found in OLDER_FORMATS:
                transaction.put(b"format", FORMAT, db=self._journal)
            elif found != FORMAT:
                raise StartError(
                    f"The journal in {self._directory} has format {found.decode('ascii', 'replace')!r}, this program"
                    f" knows format {FORMAT.decode()!r}: start the program that wrote it, or set journal.directory to"
                    " another directory."
                )
            identity = self._unseal(transaction.get(b"id", b"", db=self._journal), 2)
            self._identity = "".join(f"{part:016x}" for part in identity)
            self.state = State(*self._unseal(transaction.get(b"state", b"", db=self._journal), 4))
            self._records = environment.open_db(b"records", txn=transaction)
            self._batches = environment.open_db(b"batches", txn=transaction)
            self._damaged = environment.open_db(b"damaged", txn=transaction)
            self.refused = Refused(environment, transaction)
        with environment.begin(buffers=True) as transaction_:
            sizes = self.refused.sizes(transaction_)
        dead_bytes = sum(map(occupied_bytes, sizes))
        self.state = replace(self.state, dead_letters=len(sizes), dead_bytes=dead_bytes)
        self.batches()

    def _unseal(self, sealed: bytes, count: int) -> tuple[int, ...]:
        numbers = struct.unpack_from(f">{count}Q", sealed.ljust(8 * count, b"\0"))
        if _seal(*numbers) != sealed:
            raise unreadable(self._directory, "its counters or the bounds of its batches are damaged")
        return numbers

    @property
    def identity(self) -> str:
        """Name of this journal, 32 hex digits: no other has it."""
        return self._identity

    def batch(self, first: int, last: int) -> Batch:
        """Return the batch of these bounds with its token."""
        return Batch(first, last, f"{self._identity}-{first}-{last}")

    def batches(self) -> list[Batch]:
        """Return the batches that were cut and not removed, in order."""
        with self._environment.begin(db=self._batches) as transaction, transaction.cursor() as cursor:
            return [self.batch(*self._unseal(value, 2)) for _, value in cursor]

    def damaged(self) -> int:
        """Return how many damaged records are kept."""
        with self._environment.begin() as transaction:
            return int(transaction.stat(self._damaged)["entries"])

    def find(self, first: int, last: int) -> Record | None:
        """Return the first record from `first` to `last`, or None; raises DamagedRecordError when it is not intact."""
        # A transaction for each record: one that stays open while the caller works would keep removed pages in use.
        with self._environment.begin(db=self._records, buffers=True) as transaction, transaction.cursor() as cursor:
            if not cursor.set_range(_PIECE_KEY.pack(first, 0)):
                return None
            sequence = _PIECE_KEY.unpack(cursor.key())[0]
            if sequence > last:
                return None
            part = self.refused.part(transaction, sequence)
            record = decode(sequence, list(_pieces(cursor, sequence)), part)
            self._touched += len(record.payload)
            return record

    def reserve(self, nbytes: int) -> None:
        """Make sure of disk space for `nbytes` of new records and for removals after them; OSError when there is none.

        Without the spare space a full disk would be a trap: deleting needs a few new pages before it frees any.
        """
        allocated = os.fstat(self._data).st_size
        needed = self.state.bytes_used + nbytes + _SPARE_BYTES - allocated
        if needed <= 0 or not hasattr(os, "posix_fallocate"):
            return
        try:
            os.posix_fallocate(self._data, allocated, max(needed, _GROWTH_BYTES))
        except OSError:
            os.posix_fallocate(self._data, allocated, needed)

    @contextlib.contextmanager
    def change(self) -> Iterator[Change]:
        """Give one transaction: all of what is done to it is committed when the block ends, or nothing if it raises."""
        with self._environment.begin(write=True, buffers=True) as transaction:
            change = Change(self, transaction)
            yield change
            transaction.put(b"state", change.sealed_state(), db=self._journal)
        self._touched += max(0, change.state.bytes_used - self.state.bytes_used)
        self.state = change.state
        if self._touched > _MAPPED_BYTES:
            # Otherwise a process that reads a backlog of gigabytes seems to need as much memory.
            self._touched = 0
            drop_mapped_pages(self._directory.resolve() / DATA_FILE)

    def forget_dead_readers(self) -> None:
        """Let go of what processes were reading that have ended without saying so: their pages could not be used again."""
        self._environment.reader_check()

    def sync(self) -> None:
        """Flush to the disk what was committed without `durable`."""
        self._environment.sync(True)

    def close(self) -> None:
        """Close the environment."""
        self._environment.close()
        os.close(self._data)


class Change:
    """What one transaction may do. A ValueError is raised before anything is changed."""

    def __init__(self, storage: Storage, transaction: lmdb.Transaction[memoryview]) -> None:
        self.state = storage.state
        self._storage = storage
        self._transaction = transaction

    def append(self, record: NewRecord) -> int:
        """Add a record; return its sequence number."""
        sequence = self.state.next_sequence
        for index, piece in enumerate(record.pieces(sequence)):
            # Ascending keys: `append` fills the index pages whole and needs no search.
            self._transaction.put(_PIECE_KEY.pack(sequence, index), piece, append=True, db=self._storage._records)
        self.state = replace(
            self.state,
            next_sequence=sequence + 1,
            records=self.state.records + 1,
            bytes_used=self.state.bytes_used + record.occupied_bytes,
        )
        return sequence

    def cut(self, first: int, last: int) -> Batch:
        """Write the bounds of a batch; ValueError unless it starts where the last one ended and its records exist."""
        if not self.state.next_uncut == first <= last < self.state.next_sequence:
            raise ValueError(
                f"a batch {first}..{last} cannot be cut: the records not yet in a batch are"
                f" {self.state.next_uncut}..{self.state.next_sequence - 1}"
            )
        self._transaction.put(_NUMBER.pack(first), _seal(first, last), db=self._storage._batches)
        self.state = replace(self.state, next_uncut=last + 1)
        return self._storage.batch(first, last)

    def remove(self, batch: Batch, refusals: Sequence[Refusal] = (), max_dead: int = 0) -> None:
        """Delete a batch and its records; nothing happens if it is not there (any more).

        What was refused becomes dead letters, in the same commit. Raises Retryable when these would take more than
        `max_dead` bytes with those that are there.
        """
        boundary = self._transaction.get(_NUMBER.pack(batch.first), db=self._storage._batches)
        is_there = boundary is not None and bytes(boundary) == _seal(batch.first, batch.last)
        if not is_there or batch != self._storage.batch(batch.first, batch.last):
            return
        self._keep_aside(refusals, max_dead)
        self._transaction.delete(_NUMBER.pack(batch.first), db=self._storage._batches)
        self._storage.refused.forget_notes(self._transaction, batch.first)
        self._delete_records(batch.first, batch.last)

    def _keep_aside(self, refusals: Sequence[Refusal], max_dead: int) -> None:
        refused, now = self._storage.refused, time.time_ns()
        values = {}
        for refusal in refusals:
            if stored := self._stored(refusal.sequence):
                part = refused.part(self._transaction, refusal.sequence)
                values[refusal.sequence] = encode(refusal, part, now, stored)
        nbytes = sum(occupied_bytes(len(value)) for value in values.values())
        # Those of one batch are kept whatever they take when there are no others: dropping all must always help.
        if self.state.dead_bytes and self.state.dead_bytes + nbytes > max_dead:
            raise Retryable(
                f"Dead letters take {self.state.dead_bytes} bytes of at most {max_dead} (journal.max_dead), and there are"
                " more: nothing is delivered until you retry or drop dead letters (spanledger dead list)."
            )
        for sequence, value in values.items():
            refused.keep(self._transaction, sequence, value)
        self._count_dead(len(values), nbytes)

    def note_refusal(self, batch: Batch, part: str, reason: str) -> None:
        """Note that the store refused a part of a batch, until the batch is removed."""
        self._storage.refused.note(self._transaction, batch.first, part, reason)

    def retry(self, sequence: int) -> int | None:
        """Make a dead letter a new record, of the same records as were meant; return its number, None if it is gone.

        Raises DamagedRecordError when it is not intact.
        """
        refused = self._storage.refused
        record = refused.record_in(self._transaction, sequence)
        self._take_dead(sequence)
        if record is None:
            return None
        again = NewRecord.create(record.project, record.received_at_ns, record.payload, record.signal)
        number = self.append(again)
        refused.set_part(self._transaction, number, record.part)
        return number

    def drop(self, sequence: int, counts: Counts) -> bool:
        """Delete a dead letter, and count the spans that it held; False if it is gone."""
        is_there = self._take_dead(sequence)
        if is_there:
            self._storage.refused.count_dropped(self._transaction, counts)
        return is_there

    def forget_wish(self, sequence: int) -> None:
        """Delete what is wanted of a dead letter."""
        self._storage.refused.forget_wish(self._transaction, sequence)

    def _take_dead(self, sequence: int) -> bool:
        nbytes = self._storage.refused.take(self._transaction, sequence)
        if nbytes:
            self._count_dead(-1, -occupied_bytes(nbytes))
        return bool(nbytes)

    def _count_dead(self, letters: int, nbytes: int) -> None:
        self.state = replace(
            self.state,
            dead_letters=self.state.dead_letters + letters,
            dead_bytes=self.state.dead_bytes + nbytes,
            bytes_used=self.state.bytes_used + nbytes,
        )

    def set_aside(self, sequence: int) -> None:
        """Move a record to the damaged ones, of which the newest `DAMAGED_KEPT` are kept; nothing if it is gone."""
        stored = self._take(sequence)
        if not stored:
            return
        with self._transaction.cursor(self._storage._damaged) as cursor:
            freed = 0
            while self._transaction.stat(self._storage._damaged)["entries"] >= DAMAGED_KEPT and cursor.first():
                freed += occupied_bytes(len(cursor.value()))
                cursor.delete()
            cursor.put(_NUMBER.pack(sequence), stored)
        self.state = replace(self.state, bytes_used=self.state.bytes_used + occupied_bytes(len(stored)) - freed)

    def _take(self, sequence: int) -> bytes:
        """Delete a record; return its stored bytes, none if it is gone."""
        stored = self._stored(sequence)
        self._delete_records(sequence, sequence)
        return stored

    def _stored(self, sequence: int) -> bytes:
        """Return the stored bytes of a record, none if it is gone."""
        with self._transaction.cursor(self._storage._records) as cursor:
            cursor.set_range(_PIECE_KEY.pack(sequence, 0))
            return b"".join(_pieces(cursor, sequence))

    def sealed_state(self) -> bytes:
        """Return the counters as they are stored."""
        return _seal(*self.state.stored)

    def _delete_records(self, first: int, last: int) -> None:
        records = freed = 0
        with self._transaction.cursor(self._storage._records) as cursor:
            found = cursor.set_range(_PIECE_KEY.pack(first, 0))
            while found:
                sequence, index = _PIECE_KEY.unpack(cursor.key())
                if sequence > last:
                    break
                records += index == 0
                freed += occupied_bytes(len(cursor.value()))
                # Deleting moves the cursor to the next piece; past the last one it has no key.
                cursor.delete()
                found = bool(cursor.key())
        self._storage.refused.forget_parts(self._transaction, first, last)
        self.state = replace(self.state, records=self.state.records - records, bytes_used=self.state.bytes_used - freed)


def _seal(*numbers: int) -> bytes:
    """Return the numbers with a checksum behind them."""
    packed = struct.pack(f">{len(numbers)}Q", *numbers)
    return packed + xxhash.xxh3_64_digest(packed)


def _pieces(cursor: lmdb.Cursor[memoryview], sequence: int) -> Iterator[memoryview]:
    """Yield the values of one record, from the cursor's position on, which is its first piece."""
    while (key := cursor.key()) and _PIECE_KEY.unpack(key)[0] == sequence:
        yield cursor.value()
        cursor.next()
