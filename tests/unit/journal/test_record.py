"""The layout of a record: what is written comes back, and any changed byte is noticed."""

from __future__ import annotations

import struct

import pytest
import xxhash
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.journal.record import (
    LONGEST_PROJECT_BYTES,
    PIECE_BYTES,
    DamagedRecordError,
    NewRecord,
    Record,
    decode,
    occupied_bytes,
)
from collector.signals import Signal


def stored(record: NewRecord, sequence: int) -> list[bytes]:
    return [bytes(piece) for piece in record.pieces(sequence)]


@pytest.mark.parametrize("length", [0, 1, 2000, PIECE_BYTES - 39, PIECE_BYTES, 3 * PIECE_BYTES, 700_000])
def test_a_record_comes_back_as_it_was_written(length: int) -> None:
    payload = bytes(range(256)) * (length // 256 + 1)
    payload = payload[:length]
    record = NewRecord.create("Proyecto ñ", 1_790_000_000_123_456_789, payload)
    assert decode(7, stored(record, 7)) == Record(7, "Proyecto ñ", 1_790_000_000_123_456_789, payload)


@pytest.mark.parametrize("signal", Signal)
@pytest.mark.parametrize("project", ["", "p", "x" * LONGEST_PROJECT_BYTES])
def test_a_record_keeps_its_signal(signal: Signal, project: str) -> None:
    record = NewRecord.create(project, 5, b"payload", signal)
    assert decode(3, stored(record, 3)) == Record(3, project, 5, b"payload", signal)


def test_a_record_of_format_1_is_one_of_traces() -> None:
    """Format 1: sequence, arrival, checksum, length of the payload, length of the project; then project and payload."""
    project, payload, arrival = "shop ñ".encode(), b"a request", 1_790_000_000_123_456_789
    checked = struct.pack("<qQH", arrival, len(payload), len(project))
    checksum = xxhash.xxh3_64_intdigest(checked + project + payload)
    header = struct.pack("<QqQQH", 7, arrival, checksum, len(payload), len(project))
    assert decode(7, [header + project + payload]) == Record(7, "shop ñ", arrival, payload, Signal.TRACES)


@settings(max_examples=40, deadline=None)
@given(length=st.integers(0, 4 * PIECE_BYTES), project=st.text(max_size=40))
def test_no_piece_is_too_large_and_the_occupied_bytes_are_those_of_all_pieces(length: int, project: str) -> None:
    record = NewRecord.create(project, 0, bytes(length))
    pieces = stored(record, 1)
    assert max(map(len, pieces)) <= PIECE_BYTES
    assert record.occupied_bytes == sum(occupied_bytes(len(piece)) for piece in pieces)


def test_a_full_piece_occupies_sixteen_pages() -> None:
    assert occupied_bytes(PIECE_BYTES) == 16 * 4096
    assert occupied_bytes(PIECE_BYTES + 1) == 17 * 4096


@settings(deadline=None)
@given(data=st.data())
def test_any_flipped_bit_is_noticed(data: st.DataObject) -> None:
    pieces = stored(NewRecord.create("p", 5, bytes(100) + b"x" * PIECE_BYTES), 3)
    which = data.draw(st.integers(0, len(pieces) - 1))
    position = data.draw(st.integers(0, len(pieces[which]) - 1))
    changed = bytearray(pieces[which])
    changed[position] ^= 1 << data.draw(st.integers(0, 7))
    pieces[which] = bytes(changed)
    with pytest.raises(DamagedRecordError):
        decode(3, pieces)


def test_an_intact_record_under_another_number_is_damaged() -> None:
    with pytest.raises(DamagedRecordError, match="record 4"):
        decode(4, stored(NewRecord.create("p", 5, b"payload"), 3))


@pytest.mark.parametrize("keep", [0, 1])
def test_a_missing_piece_is_noticed(keep: int) -> None:
    pieces = stored(NewRecord.create("p", 5, b"x" * PIECE_BYTES), 3)
    assert len(pieces) == 2
    with pytest.raises(DamagedRecordError):
        decode(3, pieces[keep : keep + 1])


def test_a_first_piece_shorter_than_the_header_is_noticed() -> None:
    with pytest.raises(DamagedRecordError):
        decode(1, [b"short"])


def test_a_project_name_that_is_too_long_is_refused() -> None:
    NewRecord.create("é" * (LONGEST_PROJECT_BYTES // 2), 0, b"")
    with pytest.raises(ValueError, match="2050 bytes; at most 2048"):
        NewRecord.create("é" * (LONGEST_PROJECT_BYTES // 2 + 1), 0, b"")
