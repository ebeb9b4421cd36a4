"""Bytes from anybody: decoding answers with spans or with an outcome, agrees with protobuf on what is a message, and ends.

Where decoding is laxer than protobuf, that is stated here, case by case; nowhere is it stricter. It may be laxer because
nothing is read that is not kept: what would be rejected or cut stays closed.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator

import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import DecodeError
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from collector.decode import Decoded, Limits
from collector.errors import Outcome, Permanent
from tests.support.otlp import closed_request, event, field, link, request, resource_spans, span, varint
from tests.unit.decode.reference import Reference, decode, facts, rows

SPAN = span(name="a valid span").SerializeToString()
START, END = varint(99 << 3 | 3), varint(99 << 3 | 4)


def is_valid(payload: bytes) -> bool:
    """Whether protobuf reads it."""
    try:
        ExportTraceServiceRequest.FromString(payload)
    except DecodeError:
        return False
    return True


def decode_or_outcome(payload: bytes) -> Decoded | Outcome:
    """The only two ways to end."""
    try:
        return decode(payload)
    except Outcome as outcome:
        return outcome


LIE = 8
"""In the place of a wire type: a length that no message can have."""


def fields(message: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Number, wire type and content of the fields of a message, as far as they can be read."""

    def number(at: int) -> tuple[int, int]:
        result = 0
        for shift in range(0, 70, 7):
            result |= (message[at] & 127) << shift
            at += 1
            if message[at - 1] < 128:
                break
        return result, at

    at = 0
    try:
        while at < len(message):
            tag, at = number(at)
            size = {1: 8, 5: 4}.get(tag & 7, 0)
            if tag & 7 == 0:
                _, at = number(at)
            elif tag & 7 == 2:
                size, at = number(at)
            if size >= 2**31:
                yield tag >> 3, LIE, b""
                return
            yield tag >> 3, tag & 7, message[at : at + size]
            at += size
    except IndexError:
        return


CLOSED = {"Resource", "InstrumentationScope", "ArrayValue", "KeyValueList"}


def has_what_protobuf_alone_refuses(message: bytes, kind: Descriptor) -> bool:
    """Whether it has a group, a field number beyond 2**29 or a length beyond 2**31 where the Arrow reader meets it.

    What is in `CLOSED` is read by protobuf itself.
    """
    for number, wire_type, content in fields(message):
        if wire_type in (3, 4, LIE) or number >= 2**29:
            return True
        known = kind.fields_by_number.get(number)
        if known is None or known.type != FieldDescriptor.TYPE_MESSAGE or known.message_type.name in CLOSED:
            continue
        if wire_type == 2 and has_what_protobuf_alone_refuses(content, known.message_type):
            return True
    return False


def agree(payload: bytes) -> None:
    """Fails unless decoding and protobuf agree, or differ in one of the ways that are stated below."""
    outcome = decode_or_outcome(payload)
    if is_valid(payload):
        assert isinstance(outcome, Decoded), f"stricter than protobuf, {outcome}: {payload.hex()}"
    elif isinstance(outcome, Decoded):
        lax = outcome.rejections.count or has_what_protobuf_alone_refuses(payload, ExportTraceServiceRequest.DESCRIPTOR)
        assert lax, f"laxer than protobuf: {payload.hex()}"
    else:
        assert isinstance(outcome, Permanent)
        assert str(outcome).startswith("the request is not a valid ExportTraceServiceRequest: ")


def valid_requests() -> list[bytes]:
    """Requests with something of everything, to be mutated."""
    sent = {"i": -1, "s": "text é", "l": [1, {"k": "v"}], "b": b"\x00\xff", "d": 1.5, "n": None, "t": True}
    full = request(
        *(span(attributes=sent, events=[event(attributes=sent)], links=[link(attributes=sent)]) for _ in range(3)),
        resource={"service.name": "s", **sent},
        scope_attributes=sent,
    )
    full.resource_spans.append(resource_spans(span(), span(), resource=None))
    small = request(span(attributes={"a": 1}), resource=None, scope=None)
    long = request(span(name="long", attributes={f"k{i}": "x" * 40 for i in range(120)}))  # beyond 4 KiB a span
    return [message.SerializeToString() for message in (full, small, long)]


def mutated(payload: bytes, others: list[bytes], rng: random.Random) -> bytes:
    """The payload with one to four damages: flipped bits, changed and cut bytes, lengths that lie, pieces of another."""
    damaged = bytearray(payload)
    for _ in range(rng.choice([1, 1, 1, 2, 4])):
        at = rng.randrange(len(damaged))
        match rng.randrange(6):
            case 0:
                damaged[at] ^= 1 << rng.randrange(8)
            case 1:
                damaged[at] = rng.randrange(256)
            case 2:
                del damaged[at + 1 :]
            case 3:
                other = rng.choice(others)
                start = rng.randrange(len(other))
                damaged[at : at + rng.randrange(40)] = other[start : start + 1 + rng.randrange(40)]
            case 4:
                damaged[at] = (damaged[at] + rng.choice([-2, -1, 1, 2, 10])) % 256
            case 5:
                damaged[at:at] = rng.choice([START, END, START + END, varint(2**64 - 1), field(2, b"\xff"), b"\x00"])
        damaged = damaged or bytearray(b"\x0a")
    return bytes(damaged)


@pytest.mark.parametrize("seed", range(8))
def test_mutated_requests_are_decoded_or_refused_as_protobuf_would(seed: int) -> None:
    rng = random.Random(seed)
    originals = valid_requests()
    for _ in range(250):
        agree(mutated(rng.choice(originals), originals, rng))


def test_random_bytes_are_decoded_or_refused_as_protobuf_would() -> None:
    rng = random.Random(1)
    for _ in range(400):
        agree(rng.randbytes(rng.randrange(200)))
        agree(closed_request(SPAN, rng.randbytes(28 + rng.randrange(40))))
        agree(closed_request(SPAN + field(rng.randrange(1, 17), rng.randbytes(rng.randrange(12)))))


@given(st.binary(max_size=64))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_decoded_or_refused_as_protobuf_would(payload: bytes) -> None:
    agree(payload)
    agree(closed_request(SPAN + payload))


@pytest.mark.parametrize("size", range(0, 1200, 40))
def test_a_truncated_request_is_never_taken_for_another(size: int) -> None:
    payload = valid_requests()[0]
    assert len(payload) > 1200

    assert isinstance(decode_or_outcome(payload[:size]), Decoded if size == 0 else Permanent)


def test_damage_that_leaves_a_valid_message_changes_nothing_but_what_it_says() -> None:
    """Mutations that protobuf still reads are compared with it in full."""
    rng = random.Random(2)
    originals = valid_requests()[:2]
    compared = 0
    for _ in range(400):
        payload = mutated(rng.choice(originals), originals, rng)
        if is_valid(payload) and not has_closed_twice(payload):
            expected = Reference(ExportTraceServiceRequest.FromString(payload)).facts
            assert facts(decode(payload)) == expected, payload.hex()
            compared += 1
    assert compared > 50


def has_closed_twice(payload: bytes) -> bool:
    """Whether a field that must come once may come twice: protobuf merges, we keep one (see the tests of decode)."""
    return len(ExportTraceServiceRequest.FromString(payload).SerializeToString()) != len(payload)


INVALID_UTF8 = b"\xff\xfe"


@pytest.mark.parametrize(
    "payload",
    [
        closed_request(SPAN + field(5, INVALID_UTF8)),
        closed_request(SPAN + field(5, b"\xed\xa0\x80")),
        closed_request(SPAN + field(3, INVALID_UTF8)),
        closed_request(SPAN + field(15, field(2, INVALID_UTF8))),
        closed_request(SPAN + field(9, field(1, INVALID_UTF8))),
        closed_request(SPAN + field(9, field(1, b"k") + field(2, field(1, INVALID_UTF8)))),
        closed_request(SPAN + field(9, field(1, b"k") + field(2, field(5, field(1, field(1, INVALID_UTF8)))))),
        closed_request(SPAN + field(9, field(1, b"k") + field(2, field(6, field(1, field(1, INVALID_UTF8)))))),
        closed_request(SPAN + field(11, field(2, INVALID_UTF8))),
        closed_request(SPAN + field(13, field(3, INVALID_UTF8))),
        closed_request(SPAN, resource=field(1, field(1, INVALID_UTF8))),
        closed_request(SPAN, scope=field(1, INVALID_UTF8)),
        field(1, field(3, INVALID_UTF8)),
        field(1, field(2, field(3, INVALID_UTF8))),
    ],
    ids=itertools.count(),
)
def test_text_that_is_not_utf8_is_refused_wherever_it_is(payload: bytes) -> None:
    assert not is_valid(payload)
    assert isinstance(decode_or_outcome(payload), Permanent)


@pytest.mark.parametrize("length", [2**64 - 1, 2**64 - 10, 2**64 - 60, 2**63, 2**32, 2**31, 2**31 - 1, 1000])
@pytest.mark.parametrize("number", [1, 2, 5, 9, 11, 15])
def test_a_length_that_lies_is_refused_wherever_it_is(
    number: int, length: int, capfd: pytest.CaptureFixture[str]
) -> None:
    """Added to a position it may overflow. A panic in Rust would come as a BaseException, past every `except`, and print
    lines that a sender could fill the log with."""
    lie = varint(number << 3 | 2) + varint(length)
    pair = field(1, b"k") + lie
    payloads = [
        closed_request(SPAN) + lie,
        field(1, lie),
        field(1, field(2, lie)),
        closed_request(SPAN + lie),
        closed_request(SPAN + field(9, lie)),
        closed_request(SPAN + field(9, field(2, lie))),
        closed_request(SPAN + field(11, field(3, pair))),
        closed_request(SPAN, resource=lie),
        closed_request(SPAN, scope=field(3, pair)),
        closed_request(SPAN + field(5, b"x" * 5000) + lie),
    ]

    assert [type(decode_or_outcome(payload)) for payload in payloads] == [Permanent] * len(payloads)
    assert capfd.readouterr() == ("", "")


# --- laxer than protobuf, on purpose ----------------------------------------------------------------------------------


def test_a_span_too_short_to_be_valid_is_rejected_alone_even_if_it_is_no_message() -> None:
    payload = closed_request(SPAN, b"\xff" * 27)

    assert not is_valid(payload)
    assert decode(payload).rejections.count == 1
    assert len(decode(payload).batch) == 1


def test_a_nested_value_of_a_rejected_span_is_not_read() -> None:
    bad = span(span_id=b"1" * 7).SerializeToString() + field(9, field(1, b"k") + field(2, field(5, b"\xff")))
    payload = closed_request(SPAN, bad)

    assert not is_valid(payload)
    assert [row["name"] for row in rows(decode(payload).batch)] == ["a valid span"]


@pytest.mark.parametrize("malformed", [field(9, b"\xff"), field(11, b"\xff"), field(13, b"\xff")])
def test_what_is_cut_before_it_is_opened_is_not_read(malformed: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collector.decode.opening.ALWAYS_AFFORDABLE", -1)
    closed = span(attributes={"k": 1}, events=[event()], links=[link()]).SerializeToString()
    payload = closed_request(closed + malformed)

    assert not is_valid(payload)
    assert isinstance(decode_or_outcome(payload), Permanent)
    assert sum(decode(payload, Limits(max_attributes=1, max_events=1, max_links=1)).cuts.values()) == 1


def test_a_nested_value_beyond_the_limit_is_not_read() -> None:
    payload = closed_request(SPAN + field(9, field(1, b"k") + field(2, field(5, b"\xff" * 9))))

    assert not is_valid(payload)
    assert decode(payload, Limits(max_value_length=8)).cuts["cut_values"] == 1


@pytest.mark.parametrize(
    "strange",
    [
        START + varint(98 << 3 | 4),
        START * 200 + END * 200,
        b"\xb0\x80\x80\x80\x80\x00\x01",
        b"\xb0\x80\x80\x80\x80\x01\x01",
        varint(99 << 3 | 2) + b"\xff" * 9 + b"\x09" + b"12345678",
    ],
    ids=[
        "a group that ends as another",
        "deep groups",
        "a tag of seven bytes",
        "a field number beyond 2**29",
        "a length of 2**64-1",
    ],
)
def test_unknown_fields_of_a_short_span_may_be_stranger_than_protobuf_allows(strange: bytes) -> None:
    payload = closed_request(SPAN + strange)

    assert not is_valid(payload)
    assert [row["name"] for row in rows(decode(payload).batch)] == ["a valid span"]


def nested(depth: int) -> bytes:
    """A serialized AnyValue: arrays in arrays, this deep."""
    levels = []
    size = 0
    for _ in range(depth):  # from the inside out, without copying what is inside
        for number in (1, 5):
            levels.append(varint(number << 3 | 2) + varint(size))
            size += len(levels[-1])
    return b"".join(reversed(levels))


@pytest.mark.parametrize(("depth", "protobuf", "ours"), [(47, True, True), (50, False, True), (51, False, False)])
def test_values_may_nest_three_levels_deeper_than_in_protobuf(depth: int, protobuf: bool, ours: bool) -> None:
    """Its limit is a hundred messages from the request on; ours counts from the value on."""
    payload = closed_request(SPAN + field(9, field(1, b"k") + field(2, nested(depth))))

    assert is_valid(payload) == protobuf
    assert isinstance(decode_or_outcome(payload), Decoded if ours else Permanent)


@pytest.mark.parametrize("depth", [100, 10_000, 300_000])
def test_values_nested_far_too_deep_are_refused_wherever_they_are(depth: int) -> None:
    pair = field(1, b"k") + field(2, nested(depth))
    inside = [
        closed_request(SPAN + field(9, pair)),
        closed_request(SPAN + field(11, field(3, pair))),
        closed_request(SPAN + field(13, field(4, pair))),
        closed_request(SPAN, resource=field(1, pair)),
        closed_request(SPAN, scope=field(3, pair)),
    ]

    assert [type(decode_or_outcome(payload)) for payload in inside] == [Permanent] * 5
