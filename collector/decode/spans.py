"""An ExportTraceServiceRequest to one `SpanBatch`.

The steps: the frame of the request (resources, scopes, spans still closed), the cutting of oversized spans, all spans at
once into columns, the rejection of invalid ones, and the columns of `collector.batch`. Work per span is only done on
spans that exceed a limit; work per resource and scope is remembered, since the same ones come with every request.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa
import pyarrow.compute as pc
from google.protobuf.message import DecodeError
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from collector.batch import SpanBatch, byte_lengths
from collector.decode import wire
from collector.decode.attributes import decode_attributes
from collector.decode.limits import (
    ALWAYS_AFFORDABLE,
    CUT_COLUMNS,
    MAX_ELEMENTS,
    MAX_SPANS,
    SHORTEST_SPAN,
    CutCounts,
    Limits,
    count_elements,
    cut_attributes,
    cut_long_values,
    cut_spans,
    exceeds,
    no_cuts,
)
from collector.decode.values import json_objects, key_values
from collector.errors import Permanent, TooLarge

SPAN_KINDS = pa.array(["UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"])
STATUS_CODES = pa.array(["UNSET", "OK", "ERROR"])

_TEXT, _COUNT = pa.string(), pa.uint32()
EVENTS = pa.list_(
    pa.struct(
        {"time": pa.timestamp("ns", "UTC"), "name": _TEXT, "attributes": _TEXT, "dropped_attributes_count": _COUNT}
    )
)
LINKS = pa.list_(
    pa.struct(
        {
            "trace_id": _TEXT,
            "span_id": _TEXT,
            "trace_state": _TEXT,
            "flags": _COUNT,
            "attributes": _TEXT,
            "dropped_attributes_count": _COUNT,
        }
    )
)

BAD_TRACE_ID = "trace_id is not 16 bytes or all zero"
BAD_SPAN_ID = "span_id is not 8 bytes or all zero"
BAD_PARENT_ID = "parent_span_id is not 8 bytes"
BAD_TIME = "start time is outside the accepted range"


@dataclass(frozen=True)
class Rejections:
    """Spans that were not accepted, by reason."""

    reasons: Counter[str]

    @property
    def count(self) -> int:
        """Number of rejected spans."""
        return self.reasons.total()

    @property
    def message(self) -> str:
        """One line for the sender, or an empty string."""
        return "; ".join(f"{count} rejected: {reason}" for reason, count in sorted(self.reasons.items()))


@dataclass(frozen=True)
class Decoded:
    """The accepted spans of a request, the rejected ones by reason, and the totals of what our limits cut."""

    batch: SpanBatch
    rejections: Rejections
    cuts: dict[str, int]


@dataclass(frozen=True)
class _Frame:
    """The closed spans of a request, and per span the columns of its resource and scope."""

    spans: pa.BinaryArray
    columns: dict[str, pa.Array]
    cuts: CutCounts

    def filter(self, keep: npt.NDArray[np.bool_]) -> _Frame:
        mask = pa.array(keep)
        columns = {name: column.filter(mask) for name, column in self.columns.items()}
        return _Frame(self.spans.filter(mask), columns, {name: cut[keep] for name, cut in self.cuts.items()})


def decode_spans(payload: bytes, *, project: str, received_at: int, limits: Limits) -> Decoded:
    """Decode a serialized ExportTraceServiceRequest that arrived at `received_at` (ns since the epoch).

    Spans with an invalid id or a start outside the accepted range are left out and counted by reason; the rest is kept.
    Raises `Permanent` when the bytes are not such a message, and `TooLarge` when they hold more than `MAX_SPANS` spans,
    resources or scopes, or more than `MAX_ELEMENTS` attributes, events and links.
    """
    try:
        frame = _read_frame(payload, limits)
        rejected: Counter[str] = Counter()
        sizes = byte_lengths(frame.spans)
        if sizes.min(initial=SHORTEST_SPAN) < SHORTEST_SPAN:
            rejected[BAD_TRACE_ID] += int((sizes < SHORTEST_SPAN).sum())
            frame = frame.filter(sizes >= SHORTEST_SPAN)
        spans, cuts = _open(frame.spans, limits)
        keep = _valid(spans, received_at, limits, rejected)
        if not keep.all():
            frame, spans = frame.filter(keep), spans.filter(pa.array(keep))
            cuts = {name: column[keep] for name, column in cuts.items()}
        cuts = {name: column + frame.cuts[name] if name in frame.cuts else column for name, column in cuts.items()}
        batch = _batch(frame, spans, cuts, project=project, received_at=received_at, limits=limits)
    except (ValueError, DecodeError) as error:
        raise Permanent(f"the request is not a valid ExportTraceServiceRequest: {error}") from error
    return Decoded(batch, Rejections(+rejected), {name: int(column.sum()) for name, column in cuts.items()})


def _open(closed: pa.BinaryArray, limits: Limits) -> tuple[pa.RecordBatch, CutCounts]:
    """Decode the closed spans. What exceeds the limits on counts is cut: before, where it could cost much memory."""
    if closed.nbytes > ALWAYS_AFFORDABLE:
        closed, cuts = cut_spans(closed, limits)
        return _open_in_portions(closed), cuts
    spans = wire.read_spans(closed)
    if exceeds(spans, limits):
        closed, cuts = cut_spans(closed, limits)
        return wire.read_spans(closed), cuts
    return spans, no_cuts(len(closed))


def _open_in_portions(closed: pa.BinaryArray) -> pa.RecordBatch:
    """Decode many closed spans, some at a time, and stop as soon as they turn out to hold more than may be kept."""
    ends = np.cumsum(byte_lengths(closed))
    portions = [wire.read_spans(closed.slice(0, 0))]  # the columns, should there be no spans
    first = elements = 0
    while first < len(closed):
        before = ends[first - 1] if first else 0
        last = max(first + 1, int(np.searchsorted(ends, before + ALWAYS_AFFORDABLE, side="right")))
        portions.append(wire.read_spans(closed.slice(first, last - first)))
        elements += count_elements(portions[-1])
        if elements > MAX_ELEMENTS:
            raise TooLarge(
                f"the request holds more than {MAX_ELEMENTS} attributes, events and links: send smaller batches"
            )
        first = last
    return pa.concat_batches(portions)


def _read_frame(payload: bytes, limits: Limits) -> _Frame:
    resource, scope_spans, resource_schema = wire.read_request(payload).flatten()
    scope, span_lists, scope_schema = scope_spans.flatten().flatten()
    spans = span_lists.flatten()
    for what, count in (("resources", len(resource)), ("scopes", len(scope)), ("spans", len(spans))):
        if count > MAX_SPANS:
            raise TooLarge(
                f"the request holds {count} {what}; at most {MAX_SPANS} are accepted in one: send smaller batches"
            )
    spans_per_scope = span_lists.value_lengths().to_numpy()
    scope_of_span = np.repeat(np.arange(len(scope)), spans_per_scope)
    resource_of_scope = np.repeat(np.arange(len(resource)), scope_spans.value_lengths().to_numpy())
    resource_of_span = resource_of_scope[scope_of_span]

    resources = [_resource(value, limits) for value in resource.to_pylist()]
    scopes = [_scope(value, limits) for value in scope.to_pylist()]
    columns = {
        "resource": _repeated([r.attributes for r in resources], resource_of_span),
        "service_name": _repeated([r.service_name for r in resources], resource_of_span),
        "resource_schema_url": _repeated(resource_schema.to_pylist(), resource_of_span),
        "scope_name": _repeated([s.name for s in scopes], scope_of_span),
        "scope_version": _repeated([s.version for s in scopes], scope_of_span),
        "scope_attributes": _repeated([s.attributes for s in scopes], scope_of_span),
        "scope_schema_url": _repeated(scope_schema.to_pylist(), scope_of_span),
    }
    cut_resource = np.array([r.cut for r in resources], np.uint32).reshape(-1, 2)
    cut_scope = np.array([s.cut for s in scopes], np.uint32).reshape(-1, 2)
    cut = cut_resource[resource_of_span] + cut_scope[scope_of_span]
    return _Frame(spans, columns, {"cut_attributes": cut[:, 0], "cut_values": cut[:, 1]})


_Cut = tuple[int, int]
"""How many attributes, and how many keys and values, were cut."""

_REMEMBERED = 8192
"""Bytes of the largest resource or scope, and rows of the longest constant column, that is remembered: a sender of ever new
large ones must not fill the memory."""


@dataclass(frozen=True)
class _Resource:
    attributes: str
    service_name: str
    cut: _Cut


@dataclass(frozen=True)
class _Scope:
    name: str
    version: str
    attributes: str
    cut: _Cut


def _resource(message: bytes, limits: Limits) -> _Resource:
    shorter, cut = _cut(message, wire.ResourceSkeleton, limits)
    return (
        _describe_resource(shorter, cut)
        if len(shorter) <= _REMEMBERED
        else _describe_resource.__wrapped__(shorter, cut)
    )


def _scope(message: bytes, limits: Limits) -> _Scope:
    shorter, cut = _cut(message, wire.ScopeSkeleton, limits)
    return _describe_scope(shorter, cut) if len(shorter) <= _REMEMBERED else _describe_scope.__wrapped__(shorter, cut)


def _cut(message: bytes, skeleton: type[Any], limits: Limits) -> tuple[bytes, _Cut]:
    fewer, attributes = cut_attributes(message, skeleton, limits)
    shorter, values = cut_long_values(fewer, skeleton, limits)
    return shorter, (attributes, values)


@lru_cache(maxsize=512)
def _describe_resource(message: bytes, cut: _Cut) -> _Resource:
    attributes = key_values(Resource.FromString(message).attributes)
    service_name = attributes.get("service.name", "")
    return _Resource(orjson.dumps(attributes).decode(), service_name if isinstance(service_name, str) else "", cut)


@lru_cache(maxsize=512)
def _describe_scope(message: bytes, cut: _Cut) -> _Scope:
    scope = InstrumentationScope.FromString(message)
    return _Scope(scope.name, scope.version, orjson.dumps(key_values(scope.attributes)).decode(), cut)


def _repeated(values: list[str], indices: npt.NDArray[np.int64]) -> pa.DictionaryArray:
    if len(values) == 1:  # one resource, one scope: nearly every request
        return _constant(values[0], len(indices))
    encoded = pa.array(values, pa.string()).dictionary_encode()
    return pa.DictionaryArray.from_arrays(encoded.indices.take(pa.array(indices)), encoded.dictionary)


def _constant(value: str, rows: int) -> pa.DictionaryArray:
    build = _build_constant if max(len(value), rows) <= _REMEMBERED else _build_constant.__wrapped__
    return build(value, rows)


@lru_cache(maxsize=512)
def _build_constant(value: str, rows: int) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, np.int32)), pa.array([value]))


def _valid(spans: pa.RecordBatch, received_at: int, limits: Limits, rejected: Counter[str]) -> npt.NDArray[np.bool_]:
    """Which spans are valid; of the others, the first reason is counted in `rejected`."""
    start = spans.column("start_time_unix_nano").to_numpy()
    parent_length = byte_lengths(spans.column("parent_span_id"))
    in_time = (start >= max(0, received_at - limits.accept_past)) & (start <= received_at + limits.accept_future)
    keep = np.ones(len(start), bool)
    for valid, reason in (
        (_valid_id(spans.column("trace_id"), 16), BAD_TRACE_ID),
        (_valid_id(spans.column("span_id"), 8), BAD_SPAN_ID),
        ((parent_length == 0) | (parent_length == 8), BAD_PARENT_ID),
        (in_time, BAD_TIME),
    ):
        rejected[reason] += int((keep & ~valid).sum())
        keep &= valid
    return keep


def _valid_id(ids: pa.BinaryArray, size: int) -> npt.NDArray[np.bool_]:
    right_size = byte_lengths(ids) == size
    not_zero = pc.not_equal(ids, pa.scalar(bytes(size), ids.type)).to_numpy(zero_copy_only=False)
    valid: npt.NDArray[np.bool_] = right_size & not_zero
    return valid


_HEX_DIGITS = np.frombuffer(bytes(range(256)).hex().encode(), np.uint16)


def _hex(ids: pa.BinaryArray) -> pa.StringArray:
    """Lowercase hex of binary values of any lengths."""
    offsets = np.frombuffer(ids.buffers()[1], np.int32)[ids.offset : ids.offset + len(ids) + 1]
    data = (
        np.frombuffer(ids.buffers()[2] or b"", np.uint8)[offsets[0] : offsets[-1]]
        if len(ids)
        else np.empty(0, np.uint8)
    )
    digits = _HEX_DIGITS[data]
    return pa.StringArray.from_buffers(len(ids), pa.py_buffer((offsets - offsets[0]) * 2), pa.py_buffer(digits))


def _times(nanoseconds: pa.UInt64Array, *, zero_is_null: bool = False) -> pa.TimestampArray:
    """Times since the epoch; beyond the year 2262, which int64 nanoseconds cannot express, is the latest that they can."""
    numbers = np.minimum(nanoseconds.to_numpy(), np.uint64(2**63 - 1)).astype(np.int64)
    mask = numbers == 0 if zero_is_null else None
    return pa.array(numbers, pa.timestamp("ns", "UTC"), mask=mask)


def _named(codes: pa.Int32Array, names: pa.StringArray) -> pa.DictionaryArray:
    numbers = pc.fill_null(codes, 0).to_numpy()
    known = np.where((numbers >= 0) & (numbers < len(names)), numbers, 0).astype(np.int32)
    return pa.DictionaryArray.from_arrays(pa.array(known), names)


def _batch(
    frame: _Frame, spans: pa.RecordBatch, cuts: CutCounts, *, project: str, received_at: int, limits: Limits
) -> SpanBatch:
    rows = spans.num_rows
    message, code = spans.column("status").flatten()
    parent = _hex(spans.column("parent_span_id"))
    attributes, cut_values = decode_attributes(spans.column("attributes"), limits)
    events, cut_in_events = _events(spans.column("events"), limits)
    links, cut_in_links = _links(spans.column("links"), limits)
    cuts["cut_values"] += (cut_values + cut_in_events + cut_in_links).astype(np.uint32)
    columns = {
        "project": _constant(project, rows),
        "received_at": pa.array(np.full(rows, received_at // 1_000_000), pa.timestamp("ms", "UTC")),
        "trace_id": _hex(spans.column("trace_id")),
        "span_id": _hex(spans.column("span_id")),
        # Some SDKs write "no parent" as eight zero bytes.
        "parent_span_id": pc.if_else(pc.equal(parent, "0" * 16), "", parent),
        "trace_state": spans.column("trace_state"),
        "flags": spans.column("flags"),
        "name": spans.column("name"),
        "span_kind": _named(spans.column("kind"), SPAN_KINDS),
        "start_time": _times(spans.column("start_time_unix_nano")),
        "end_time": _times(spans.column("end_time_unix_nano"), zero_is_null=True),
        "status_code": _named(code, STATUS_CODES),
        "status_message": pc.fill_null(message, ""),
        **frame.columns,
        **{name: spans.column(name) for name in _DROPPED_COLUMNS},
        **{name: pa.array(cuts[name]) for name in CUT_COLUMNS},
        "events": events,
        "links": links,
    }
    return SpanBatch(pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns)), attributes)


_DROPPED_COLUMNS = ("dropped_attributes_count", "dropped_events_count", "dropped_links_count")


def _objects(lists: pa.ListArray, limits: Limits) -> tuple[pa.StringArray, npt.NDArray[np.int64]]:
    """Attributes of events or links as JSON objects, and how many values were cut in each."""
    attributes, cut = decode_attributes(lists, limits)
    offsets = lists.offsets.to_numpy()
    return json_objects(pa.array(offsets - offsets[0]), attributes), cut


def _per_span(lists: pa.ListArray, counts: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Sum of `counts`, which has one number per list element, for each list."""
    return np.bincount(_rows(lists), weights=counts, minlength=len(lists)).astype(np.int64)


def _rows(lists: pa.ListArray) -> npt.NDArray[np.int32]:
    return np.repeat(np.arange(len(lists), dtype=np.int32), lists.value_lengths().to_numpy())


def _relisted(lists: pa.ListArray, kind: pa.ListType, values: dict[str, pa.Array]) -> pa.ListArray:
    offsets = lists.offsets.to_numpy()
    fields = list(kind.value_type)
    struct = pa.StructArray.from_arrays([values[field.name] for field in fields], fields=fields)
    return pa.ListArray.from_arrays(pa.array(offsets - offsets[0]), struct)


def _none_of(kind: pa.ListType, rows: int) -> tuple[pa.ListArray, npt.NDArray[np.int64]]:
    offsets = pa.array(np.zeros(rows + 1, np.int32))
    return pa.ListArray.from_arrays(offsets, pa.array([], kind.value_type)), np.zeros(rows, np.int64)


def _events(lists: pa.ListArray, limits: Limits) -> tuple[pa.ListArray, npt.NDArray[np.int64]]:
    if not len(lists.flatten()):
        return _none_of(EVENTS, len(lists))
    time, name, attribute_lists, dropped = lists.flatten().flatten()
    attributes, cut = _objects(attribute_lists, limits)
    values = {"time": _times(time), "name": name, "attributes": attributes, "dropped_attributes_count": dropped}
    return _relisted(lists, EVENTS, values), _per_span(lists, cut)


def _links(lists: pa.ListArray, limits: Limits) -> tuple[pa.ListArray, npt.NDArray[np.int64]]:
    if not len(lists.flatten()):
        return _none_of(LINKS, len(lists))
    trace_id, span_id, trace_state, attribute_lists, dropped, flags = lists.flatten().flatten()
    attributes, cut = _objects(attribute_lists, limits)
    values = {
        "trace_id": _hex(trace_id),
        "span_id": _hex(span_id),
        "trace_state": trace_state,
        "flags": flags,
        "attributes": attributes,
        "dropped_attributes_count": dropped,
    }
    return _relisted(lists, LINKS, values), _per_span(lists, cut)
