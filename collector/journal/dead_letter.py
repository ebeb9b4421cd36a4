"""How a dead letter is laid out as bytes, and which of its records are meant.

A dead letter is a request that was acknowledged, and of which the store will never take some records, or all: the bytes as
they came, the positions of these records, the reason and the time.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from collector.journal.record import Part, head_of
from collector.signals import Signal

REASON_BYTES = 4096
"""Bytes that are kept of the reason why the store refused."""

_MARK = 0xFFFF
_ALL = 0xFFFFFFFF
# Mark, length of the reason, time of the refusal in ns, records of the request, positions that follow (or `_ALL`).
_HEADER = struct.Struct(">HHQII")
# Up to format 2 there was the length of the reason only, which was never as large as the mark.
_OLDER_HEADER = struct.Struct(">H")


@dataclass(frozen=True, slots=True)
class Refusal:
    """What of one record of the journal is to be kept aside, and why. Without `rows`: all of its `of` records.

    `of` is 0 where nobody knows how many there are.
    """

    sequence: int
    reason: str
    of: int = 0
    rows: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A dead letter without its bytes. Times are Unix time in ns; `refused_at_ns` is 0 in those of older programs."""

    sequence: int
    project: str
    signal: Signal
    received_at_ns: int
    refused_at_ns: int
    reason: str
    of: int
    """Records of the request; 0: not known."""
    part: Part | None
    """Which of them are meant; None: all."""
    nbytes: int
    """Bytes of the whole value in the journal."""

    @property
    def records(self) -> int:
        """Number of records that are meant; 0: not known."""
        return self.of if self.part is None else len(self.part.rows)


def encode(refusal: Refusal, part: Part | None, refused_at_ns: int, stored: bytes) -> bytes:
    """Return the value of a dead letter; `stored` are the bytes of the record, `part` what was delivered of it."""
    reason = refusal.reason.encode(errors="replace")[:REASON_BYTES]
    of, rows = refusal.of, refusal.rows
    if part is not None:
        rows = part.rows if rows is None else tuple(part.rows[row] for row in rows)
        of = part.of
    count = _ALL if rows is None else len(rows)
    header = _HEADER.pack(_MARK, len(reason), refused_at_ns, of, count)
    return b"".join((header, pack_rows(rows or ()), reason, stored))


def decode(sequence: int, value: memoryview) -> DeadLetter:
    """Read a dead letter, but for the bytes of its request, which are not looked at."""
    refused_at_ns, of, part, reason, start = _front(value)
    head = head_of(value[start:])
    return DeadLetter(
        sequence, head.project, head.signal, head.received_at_ns, refused_at_ns, reason, of, part, len(value)
    )


def stored_record(value: memoryview) -> tuple[memoryview, Part | None]:
    """Return the stored bytes of the record in a dead letter, and which of its records are meant."""
    _, _, part, _, start = _front(value)
    return value[start:], part


def pack_part(part: Part) -> bytes:
    """Return the bytes of a part."""
    return struct.pack(">I", part.of) + pack_rows(part.rows)


def unpack_part(packed: bytes) -> Part:
    """Undo `pack_part`."""
    of, *rows = struct.unpack(f">{len(packed) // 4}I", packed)
    return Part(tuple(rows), of)


def pack_rows(rows: Sequence[int]) -> bytes:
    """Return positions as bytes, four each."""
    return struct.pack(f">{len(rows)}I", *rows)


def _front(value: memoryview) -> tuple[int, int, Part | None, str, int]:
    """Return the time of the refusal, the records of the request, the part, the reason, and where the record begins."""
    if _OLDER_HEADER.unpack_from(value)[0] != _MARK:
        start = _OLDER_HEADER.size
        end = start + _OLDER_HEADER.unpack_from(value)[0]
        return 0, 0, None, bytes(value[start:end]).decode(errors="replace"), end
    _, length, refused_at_ns, of, count = _HEADER.unpack_from(value)
    start, part = _HEADER.size, None
    if count != _ALL:
        part = Part(struct.unpack_from(f">{count}I", value, start), of)
        start += 4 * count
    reason = bytes(value[start : start + length]).decode(errors="replace")
    return refused_at_ns, of, part, reason, start + length
