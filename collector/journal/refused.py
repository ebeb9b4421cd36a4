"""The databases of a journal for what the store refuses: dead letters, and the notes of what it has refused so far.

Another process may read them while the collector runs, and may leave wishes; all else is written by the one writer.
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Literal, TypeAlias

import lmdb

from collector.journal.dead_letter import DeadLetter, decode, pack_part, stored_record, unpack_part
from collector.journal.record import DamagedRecordError, Part, Record
from collector.journal.record import decode as decode_record

Wish = Literal["retry", "drop"]
"""What a person wants to happen with a dead letter."""

Counts = Mapping[tuple[str, int], int]
"""Spans by project and day since the epoch."""

DATABASES = (b"refused", b"noted", b"parts", b"wishes", b"dropped")

_NUMBER = struct.Struct(">Q")
_DAY_AND_COUNT = struct.Struct(">IQ")

Transaction: TypeAlias = "lmdb.Transaction[memoryview]"


class Refused:
    """The databases; methods that take a transaction are for the writer."""

    def __init__(self, environment: lmdb.Environment, transaction: lmdb.Transaction[bytes] | None = None) -> None:
        """Open them, in a transaction of the writer made where they are missing."""
        self._environment = environment
        is_writer = transaction is not None
        opened = (environment.open_db(name, txn=transaction, create=is_writer) for name in DATABASES)
        self._letters, self._noted, self._parts, self._wishes, self._dropped = opened

    # --- reading ------------------------------------------------------------------------------------------------------

    def letters(self) -> list[DeadLetter]:
        """Return all dead letters, in the order of their numbers, without their bytes."""
        with self._environment.begin(db=self._letters, buffers=True) as transaction, transaction.cursor() as cursor:
            return [decode(_NUMBER.unpack(key)[0], value) for key, value in cursor]

    def record(self, sequence: int) -> Record | None:
        """Return the record in a dead letter, None if there is none. Raises DamagedRecordError when it is not intact."""
        with self._environment.begin(buffers=True) as transaction:
            return self.record_in(transaction, sequence)

    def wishes(self) -> dict[int, Wish]:
        """Return what is wanted of dead letters, and has not been done."""
        with self._environment.begin(db=self._wishes) as transaction, transaction.cursor() as cursor:
            return {_NUMBER.unpack(key)[0]: _wish(value) for key, value in cursor}

    def dropped(self) -> Counter[tuple[str, int]]:
        """Return how many spans were dropped with dead letters, by project and day since the epoch."""
        counted: Counter[tuple[str, int]] = Counter()
        with self._environment.begin(db=self._dropped) as transaction, transaction.cursor() as cursor:
            for _, value in cursor:
                day, count = _DAY_AND_COUNT.unpack_from(value)
                counted[value[_DAY_AND_COUNT.size :].decode(), day] += count
        return counted

    def noted(self, first: int) -> dict[str, str]:
        """Return the parts of the batch from this number on that were refused, with the reasons."""
        with self._environment.begin(db=self._noted) as transaction, transaction.cursor() as cursor:
            return {key[_NUMBER.size :].decode(): value.decode() for key, value in _of_batch(cursor, first)}

    def part(self, transaction: Transaction, sequence: int) -> Part | None:
        """Return which of the records of a request are meant; None: all."""
        packed = transaction.get(_NUMBER.pack(sequence), db=self._parts)
        return None if packed is None else unpack_part(bytes(packed))

    def record_in(self, transaction: Transaction, sequence: int) -> Record | None:
        """Return the record in a dead letter, as one transaction sees it: see `record`."""
        value = transaction.get(_NUMBER.pack(sequence), db=self._letters)
        if value is None:
            return None
        stored, part = stored_record(value)
        if not len(stored):
            raise DamagedRecordError(sequence, 0)
        return decode_record(sequence, [stored], part)

    def sizes(self, transaction: lmdb.Transaction[memoryview]) -> list[int]:
        """Return the bytes of every dead letter."""
        with transaction.cursor(self._letters) as cursor:
            return [len(value) for value in cursor.iternext(keys=False)]

    # --- changing -----------------------------------------------------------------------------------------------------

    def wish(self, sequences: Mapping[int, Wish]) -> None:
        """Ask the process that has the journal open to do this; dead letters that are gone are left out."""
        with self._environment.begin(write=True, buffers=True) as transaction:
            for sequence, wish in sequences.items():
                if transaction.get(_NUMBER.pack(sequence), db=self._letters) is not None:
                    transaction.put(_NUMBER.pack(sequence), wish.encode(), db=self._wishes)

    def note(self, transaction: Transaction, first: int, part: str, reason: str) -> None:
        """Note that a part of a batch was refused."""
        transaction.put(_NUMBER.pack(first) + part.encode(), reason.encode(errors="replace"), db=self._noted)

    def forget_notes(self, transaction: Transaction, first: int) -> None:
        """Delete the notes on a batch."""
        if transaction.stat(self._noted)["entries"]:
            with transaction.cursor(self._noted) as cursor:
                keys = [bytes(key) for key, _ in _of_batch(cursor, first)]
            for key in keys:
                transaction.delete(key, db=self._noted)

    def keep(self, transaction: Transaction, sequence: int, value: bytes) -> None:
        """Add a dead letter."""
        transaction.put(_NUMBER.pack(sequence), value, db=self._letters)

    def take(self, transaction: Transaction, sequence: int) -> int:
        """Delete a dead letter and what is wished of it; return its bytes, 0 if there is none."""
        self.forget_wish(transaction, sequence)
        value = transaction.get(_NUMBER.pack(sequence), memoryview(b""), db=self._letters)
        nbytes = len(value)
        transaction.delete(_NUMBER.pack(sequence), db=self._letters)
        return nbytes

    def forget_wish(self, transaction: Transaction, sequence: int) -> None:
        """Delete what is wished of a dead letter."""
        transaction.delete(_NUMBER.pack(sequence), db=self._wishes)

    def set_part(self, transaction: Transaction, sequence: int, part: Part | None) -> None:
        """Say which of the records of a request are meant."""
        if part is not None:
            transaction.put(_NUMBER.pack(sequence), pack_part(part), db=self._parts)

    def forget_parts(self, transaction: Transaction, first: int, last: int) -> None:
        """Delete what was said of these requests."""
        if transaction.stat(self._parts)["entries"]:
            for sequence in range(first, last + 1):
                transaction.delete(_NUMBER.pack(sequence), db=self._parts)

    def count_dropped(self, transaction: Transaction, counts: Counts) -> None:
        """Add to the spans that were dropped."""
        known = self._dropped_keys(transaction)
        for (project, day), count in counts.items():
            key, before = known.get((project, day), (_NUMBER.pack(len(known)), 0))
            known[project, day] = (key, before + count)
            value = _DAY_AND_COUNT.pack(day, before + count) + project.encode()
            transaction.put(key, value, db=self._dropped)

    def _dropped_keys(self, transaction: Transaction) -> dict[tuple[str, int], tuple[bytes, int]]:
        with transaction.cursor(self._dropped) as cursor:
            rows = ((bytes(key), bytes(value), *_DAY_AND_COUNT.unpack_from(value)) for key, value in cursor)
            return {(value[_DAY_AND_COUNT.size :].decode(), day): (key, count) for key, value, day, count in rows}


def _of_batch(cursor: lmdb.Cursor[memoryview] | lmdb.Cursor[bytes], first: int) -> Iterator[tuple[bytes, bytes]]:
    prefix = _NUMBER.pack(first)
    found = cursor.set_range(prefix)
    while found and bytes(cursor.key()[: len(prefix)]) == prefix:
        yield bytes(cursor.key()), bytes(cursor.value())
        found = cursor.next()


def _wish(value: bytes) -> Wish:
    return "retry" if value == b"retry" else "drop"
