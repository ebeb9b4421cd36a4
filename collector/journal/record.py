"""How one record is laid out as bytes: a header with a checksum, the project, the payload, cut into pieces.

A record is stored as one or more values of at most `PIECE_BYTES`. LMDB keeps every large value in contiguous pages:
whole payloads make it search its free list for long runs and allocate large buffers, which costs three times the CPU
(README.md has the figures); pieces of one size always fit where an older piece was.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import xxhash

from collector.signals import Signal

PIECE_BYTES = 16 * 4096 - 16
"""Largest stored value: with LMDB's 16-byte page header it fills 16 pages of 4 KiB exactly."""

LONGEST_PROJECT_BYTES = 2048

_PAGE_BYTES = 4096
# LMDB moves a value to pages of its own when its node (8-byte header, key, value) exceeds this share of a page.
_LARGEST_INLINE_NODE = 2038
_NODE_OVERHEAD = 8 + 12 + 2

# The last number holds the length of the project's name in its lower twelve bits and the signal above them. Format 1 knew
# traces only, which are 0: its records read as what they are, and their checksums are right.
_HEADER = struct.Struct("<QqQQH")
_SIGNAL_SHIFT = 12
# What the checksum covers of the header. The sequence is assigned later, by the writer, and is compared with the key.
_CHECKED_HEADER = struct.Struct("<qQH")


class DamagedRecordError(Exception):
    """The stored bytes of a record are not those that were written."""

    def __init__(self, sequence: int, stored_bytes: int) -> None:
        super().__init__(f"record {sequence} is damaged ({stored_bytes} bytes)")
        self.sequence = sequence
        self.stored_bytes = stored_bytes


@dataclass(frozen=True, slots=True)
class Part:
    """Some of the records of a request: their positions, ascending, among the `of` records that decoding it gives."""

    rows: tuple[int, ...]
    of: int


@dataclass(frozen=True, slots=True)
class Record:
    """One request as it was accepted: `received_at_ns` is Unix time in ns, `payload` the bytes as they came.

    `project` is that of the sender, or says which resource attribute names it: see `collector.project`. Of a request
    that comes again out of the dead letters only a part may be meant.
    """

    sequence: int
    project: str
    received_at_ns: int
    payload: bytes
    signal: Signal = Signal.TRACES
    part: Part | None = None


class Head(NamedTuple):
    """What the header of a stored record says."""

    project: str
    signal: Signal
    received_at_ns: int


@dataclass(frozen=True, slots=True)
class NewRecord:
    """A record before it has its sequence number, ready to be written."""

    project: bytes
    received_at_ns: int
    payload: bytes
    name_and_signal: int
    checksum: int

    @classmethod
    def create(cls, project: str, received_at_ns: int, payload: bytes, signal: Signal = Signal.TRACES) -> NewRecord:
        """Encode and checksum a record; ValueError if the project exceeds `LONGEST_PROJECT_BYTES` in UTF-8."""
        encoded = project.encode()
        if len(encoded) > LONGEST_PROJECT_BYTES:
            raise ValueError(f"a project has {len(encoded)} bytes; at most {LONGEST_PROJECT_BYTES} are allowed")
        name_and_signal = len(encoded) | signal << _SIGNAL_SHIFT
        checksum = _checksum(encoded, received_at_ns, payload, name_and_signal)
        return cls(encoded, received_at_ns, payload, name_and_signal, checksum)

    @property
    def occupied_bytes(self) -> int:
        """Bytes that this record takes on disk."""
        whole, rest = divmod(_HEADER.size + len(self.project) + len(self.payload), PIECE_BYTES)
        return whole * occupied_bytes(PIECE_BYTES) + (occupied_bytes(rest) if rest else 0)

    def pieces(self, sequence: int) -> Iterator[bytes | memoryview]:
        """Yield the values to store, in order. Only the first one is a copy; the others look into the payload."""
        project, payload = self.project, self.payload
        header = _HEADER.pack(sequence, self.received_at_ns, self.checksum, len(payload), self.name_and_signal)
        start = PIECE_BYTES - len(header) - len(project)
        yield b"".join((header, project, memoryview(payload)[:start]))
        for offset in range(start, len(payload), PIECE_BYTES):
            yield memoryview(payload)[offset : offset + PIECE_BYTES]


def decode(sequence: int, pieces: Sequence[bytes | memoryview], part: Part | None = None) -> Record:
    """Put a record together from its pieces; raises DamagedRecordError unless every byte is as it was written."""
    stored_bytes = sum(len(piece) for piece in pieces)
    head = pieces[0]
    if len(head) < _HEADER.size:
        raise DamagedRecordError(sequence, stored_bytes)
    written_as, received_at_ns, checksum, payload_length, name_and_signal = _HEADER.unpack_from(head)
    signal, project_length = divmod(name_and_signal, 1 << _SIGNAL_SHIFT)
    start = _HEADER.size + project_length
    # An older record may stand here, intact, when the disk lost a write: its own number gives it away.
    if written_as != sequence or stored_bytes != start + payload_length or start > len(head):
        raise DamagedRecordError(sequence, stored_bytes)
    project = bytes(head[_HEADER.size : start])
    payload = b"".join((memoryview(head)[start:], *pieces[1:]))
    if _checksum(project, received_at_ns, payload, name_and_signal) != checksum:
        raise DamagedRecordError(sequence, stored_bytes)
    return Record(sequence, project.decode(), received_at_ns, payload, Signal(signal), part)


def head_of(stored: bytes | memoryview) -> Head:
    """Return what the header of a stored record says, unverified; what cannot be read is "" and traces."""
    if len(stored) < _HEADER.size:
        return Head("", Signal.TRACES, 0)
    _, received_at_ns, _, _, name_and_signal = _HEADER.unpack_from(stored)
    signal, length = divmod(name_and_signal, 1 << _SIGNAL_SHIFT)
    project = bytes(stored[_HEADER.size : _HEADER.size + length]).decode(errors="replace")
    return Head(project, Signal(signal) if signal in set(Signal) else Signal.TRACES, received_at_ns)


def occupied_bytes(value_length: int) -> int:
    """Return the bytes on disk that a stored value of this length takes, the share of its index page included."""
    node = value_length + _NODE_OVERHEAD
    if node <= _LARGEST_INLINE_NODE:
        return node
    return -(-(value_length + 16) // _PAGE_BYTES) * _PAGE_BYTES


def _checksum(project: bytes, received_at_ns: int, payload: bytes, name_and_signal: int) -> int:
    digest = xxhash.xxh3_64(_CHECKED_HEADER.pack(received_at_ns, len(payload), name_and_signal))
    digest.update(project)
    digest.update(payload)
    return digest.intdigest()
