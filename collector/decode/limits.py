"""Bounds on what one request may make of our memory, and the cutting of what exceeds them.

A two-byte attribute becomes some sixty bytes of columns, so a request within the size limit could still fill the memory.
Therefore counts are bounded before anything is decoded: an oversized record (span, log record, data point), event, link,
resource or scope is opened only as a skeleton (its repeated fields, still closed), cut, and closed again. What was cut is
counted on the row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from google.protobuf.message import DecodeError

from collector.batch import byte_lengths, total_bytes
from collector.decode import wire
from collector.settings import Decode

MAX_RECORDS = 262_144
"""Records in one request, and resources, and scopes. A full request of typical spans (64 MiB at 1.5 KB) has 45,000."""

MAX_PROJECTS = 256
"""Projects in one request: the store is asked, and told, once for each."""

MAX_ELEMENTS = 4_194_304
"""Attributes, events, links and buckets of all records in one request: one for each 16 bytes of a full request."""

SHORTEST_SPAN = 28
"""Bytes of the shortest span that can be valid: two ids, each with tag and length. Shorter ones are not even opened."""


ALWAYS_AFFORDABLE = 4 << 20
"""Bytes of records that may be decoded before their counts are known: at worst they become 120 MiB of columns."""


@dataclass(frozen=True)
class Limits:
    """Bounds per record; times are in ns, relative to the arrival of the request."""

    max_attributes: int = 1024
    """Attributes of a record; also of an event, a link, a resource and a scope."""
    max_events: int = 1024
    max_links: int = 1024
    max_value_length: int = 4 << 20
    """Characters of a string value, as in the OpenTelemetry attribute limits; bytes of any other value."""
    accept_past: int = 30 * 86_400 * 10**9
    """How long before its arrival a span may have started, or a log record or data point been taken. ClickHouse stores a
    day in a partition of its own, and refuses an insert into more than a hundred of them."""
    accept_future: int = 600 * 10**9

    @classmethod
    def of(cls, settings: Decode) -> Limits:
        """Return the limits that a configuration sets."""
        return cls(
            max_attributes=settings.max_attributes,
            max_events=settings.max_events,
            max_links=settings.max_links,
            max_value_length=settings.max_value_length,
            accept_past=settings.accept_past_ns,
            accept_future=settings.accept_future_ns,
        )


CUT_COLUMNS = ("cut_attributes", "cut_events", "cut_links", "cut_values")
CutCounts = dict[str, npt.NDArray[np.uint32]]


CutRecord = Callable[[bytes, Limits], tuple[bytes, tuple[int, int, int]]]
"""Cuts one serialized record to the limits on counts; returns it and how many attributes (its own and those of its events
and links), events and links were cut. Raises ValueError when it cannot be parsed."""


def no_cuts(records: int) -> CutCounts:
    """Return a column of zeros for each kind of cut."""
    return {name: np.zeros(records, np.uint32) for name in CUT_COLUMNS}


def exceeds(records: pa.RecordBatch, limits: Limits) -> bool:
    """Whether a decoded record exceeds a limit on counts, itself or in its events and links."""
    bounds = {"attributes": limits.max_attributes, "events": limits.max_events, "links": limits.max_links}
    return any(
        np.diff(lists.offsets.to_numpy()).max(initial=0) > bounds[name]
        for name, lists in _lists(records)
        if name in bounds
    )


def count_elements(records: pa.RecordBatch) -> int:
    """Return the number of attributes, events, links and buckets of decoded records, nested ones included."""
    return sum(len(lists.flatten()) for _, lists in _lists(records))


def _lists(records: pa.RecordBatch) -> Iterator[tuple[str, pa.ListArray]]:
    """Every column of lists, with its field's name, and those of lists in events and links, and in structs."""
    columns = list(zip(records.schema.names, records.columns, strict=True))
    for name, column in columns:  # it grows by what is found
        if pa.types.is_struct(column.type):
            columns += [(field.name, column.field(i)) for i, field in enumerate(column.type)]
        elif pa.types.is_list(column.type):
            yield name, column
            if name in ("events", "links") and len(column.values):
                columns += zip((f.name for f in column.type.value_type), column.flatten().flatten(), strict=True)


def cut_records(closed: pa.BinaryArray, cut: CutRecord, limits: Limits) -> tuple[pa.BinaryArray, CutCounts]:
    """Cut serialized records to the limits on counts.

    Returns the records, the same or cut, and what was cut of each. Raises ValueError when an oversized one cannot be
    parsed.
    """
    cuts = no_cuts(len(closed))
    # An element of a repeated field takes two bytes or more, so a shorter record cannot exceed a limit.
    smallest = 2 * min(limits.max_attributes, limits.max_events, limits.max_links)
    candidates = np.flatnonzero(byte_lengths(closed) > smallest)
    replaced: dict[int, bytes] = {}
    for row in candidates.tolist():
        shorter, counts = cut(closed[row].as_py(), limits)
        if any(counts):
            replaced[row] = shorter
            cuts["cut_attributes"][row], cuts["cut_events"][row], cuts["cut_links"][row] = counts
    if replaced:
        mask = np.zeros(len(closed), bool)
        mask[list(replaced)] = True
        closed = pc.replace_with_mask(closed, pa.array(mask), pa.array(replaced.values(), closed.type))
    return closed, cuts


def cut_span(span: bytes, limits: Limits) -> tuple[bytes, tuple[int, int, int]]:
    """Cut one serialized span: a `CutRecord`."""
    skeleton = _open(wire.SpanSkeleton, span)
    attributes = _cut_repeated(skeleton.attributes, limits.max_attributes)
    events = _cut_repeated(skeleton.events, limits.max_events)
    links = _cut_repeated(skeleton.links, limits.max_links)
    for repeated, kind in ((skeleton.events, wire.EventSkeleton), (skeleton.links, wire.LinkSkeleton)):
        for i, element in enumerate(repeated):
            shorter, cut = cut_attributes(element, kind, limits)
            if cut:
                repeated[i] = shorter
                attributes += cut
    counts = (attributes, events, links)
    return (skeleton.SerializeToString() if any(counts) else span), counts


def cut_attributes(message: bytes, skeleton_class: type[Any], limits: Limits) -> tuple[bytes, int]:
    """Cut the attributes of one serialized message that has some; returns it and the number that was cut."""
    if len(message) <= 2 * limits.max_attributes:
        return message, 0
    skeleton = _open(skeleton_class, message)
    cut = _cut_repeated(skeleton.attributes, limits.max_attributes)
    return (skeleton.SerializeToString(), cut) if cut else (message, 0)


def cut_long_values(message: bytes, skeleton_class: type[Any], limits: Limits) -> tuple[bytes, int]:
    """Cut the keys and values of one serialized resource or scope as `decode_attributes` cuts those of spans.

    Returns it and the number that was cut. Nested values stay closed: a long one would open to forty times its size.
    """
    limit = limits.max_value_length
    if len(message) <= limit:
        return message, 0
    skeleton = _open(skeleton_class, message)
    cut = 0
    for i, attribute in enumerate(skeleton.attributes):
        if len(attribute) > limit:
            pair = _open(wire.KeyValue, attribute)
            cut += _cut_pair(pair, limit)
            skeleton.attributes[i] = pair.SerializeToString()
    return (skeleton.SerializeToString(), cut) if cut else (message, 0)


def _cut_pair(pair: Any, limit: int) -> int:
    cut = int(len(pair.key) > limit)
    pair.key = pair.key[:limit]
    arm = pair.value.WhichOneof("value")
    value = getattr(pair.value, arm) if arm else None
    if isinstance(value, str) and len(value) > limit:
        pair.value.string_value = value[:limit]
        cut += 1
    elif isinstance(value, bytes) and len(value) > limit:
        pair.value.Clear()
        cut += 1
    return cut


def _open(skeleton_class: type[Any], message: bytes) -> Any:
    try:
        return skeleton_class.FromString(message)
    except DecodeError as error:
        raise ValueError(str(error)) from error


def _cut_repeated(repeated: Any, limit: int) -> int:
    cut = max(0, len(repeated) - limit)
    if cut:
        del repeated[limit:]
    return cut


def cut_strings(values: pa.StringArray, limit: int) -> tuple[pa.StringArray, npt.NDArray[np.int64]]:
    """Cut strings to `limit` characters. Returns them and the positions of those that were cut."""
    if total_bytes(values) <= limit or (lengths := byte_lengths(values)).max(initial=0) <= limit:
        return values, np.empty(0, np.int64)
    shorter = pc.utf8_slice_codeunits(values, 0, limit)
    return shorter, np.flatnonzero(byte_lengths(shorter) < lengths)
