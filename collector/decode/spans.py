"""An ExportTraceServiceRequest to one `SpanBatch`.

The steps: the frame of the request (resources, scopes, spans still closed), the cutting of oversized spans, all spans at
once into columns, the rejection of invalid ones, and the columns of `collector.batch`.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from collector.batch import SpanBatch, byte_lengths
from collector.decode.attributes import decode_attributes
from collector.decode.columns import arrival, hex_ids, named, times, valid_ids
from collector.decode.frame import Frame, read_frame
from collector.decode.limits import CUT_COLUMNS, SHORTEST_SPAN, CutCounts, Limits
from collector.decode.opening import SPANS, open_records
from collector.decode.result import Decoded, Rejections
from collector.decode.values import json_objects
from collector.errors import Permanent

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


def decode_spans(payload: bytes, *, project: str, received_at: int, limits: Limits) -> Decoded[SpanBatch]:
    """Decode a serialized ExportTraceServiceRequest that arrived at `received_at` (ns since the epoch).

    Spans with an invalid id or a start outside the accepted range are left out and counted by reason; the rest is kept.
    Raises `Permanent` when the bytes are not such a message, and `TooLarge` when they hold more than `MAX_RECORDS` spans,
    resources or scopes, or more than `MAX_ELEMENTS` attributes, events and links.
    """
    try:
        frame = read_frame(payload, ExportTraceServiceRequest, project, limits, "spans")
        rejected = Rejections(Counter())
        sizes = byte_lengths(frame.records)
        if sizes.min(initial=SHORTEST_SPAN) < SHORTEST_SPAN:
            rejected.add(BAD_TRACE_ID, sizes < SHORTEST_SPAN, frame.columns["project"])
            frame = frame.filter(sizes >= SHORTEST_SPAN)
        spans, cuts = open_records(frame.records, SPANS, limits)
        keep = _valid(spans, received_at, limits, rejected, frame.columns["project"])
        if not keep.all():
            frame, spans = frame.filter(keep), spans.filter(pa.array(keep))
            cuts = {name: column[keep] for name, column in cuts.items()}
        cuts = {name: column + frame.cuts[name] if name in frame.cuts else column for name, column in cuts.items()}
        batch = _batch(frame, spans, cuts, received_at=received_at, limits=limits)
    except (ValueError, DecodeError) as error:
        raise Permanent(f"the request is not a valid ExportTraceServiceRequest: {error}") from error
    totals = {name: int(column.sum()) for name, column in cuts.items()}
    return Decoded(batch, rejected, totals, misnamed=frame.misnamed)


def _valid(
    spans: pa.RecordBatch, received_at: int, limits: Limits, rejected: Rejections, projects: pa.DictionaryArray
) -> npt.NDArray[np.bool_]:
    """Which spans are valid; of the others, the first reason is added to `rejected`."""
    start = spans.column("start_time_unix_nano").to_numpy()
    parent_length = byte_lengths(spans.column("parent_span_id"))
    in_time = (start >= max(0, received_at - limits.accept_past)) & (start <= received_at + limits.accept_future)
    keep = np.ones(len(start), bool)
    for valid, reason in (
        (valid_ids(spans.column("trace_id"), 16), BAD_TRACE_ID),
        (valid_ids(spans.column("span_id"), 8), BAD_SPAN_ID),
        ((parent_length == 0) | (parent_length == 8), BAD_PARENT_ID),
        (in_time, BAD_TIME),
    ):
        rejected.add(reason, keep & ~valid, projects)
        keep &= valid
    return keep


def _batch(frame: Frame, spans: pa.RecordBatch, cuts: CutCounts, *, received_at: int, limits: Limits) -> SpanBatch:
    message, code = spans.column("status").flatten()
    parent = hex_ids(spans.column("parent_span_id"))
    attributes, cut_values = decode_attributes(spans.column("attributes"), limits)
    events, cut_in_events = _events(spans.column("events"), limits)
    links, cut_in_links = _links(spans.column("links"), limits)
    cuts["cut_values"] += (cut_values + cut_in_events + cut_in_links).astype(np.uint32)
    columns = {
        "received_at": arrival(received_at, spans.num_rows),
        "trace_id": hex_ids(spans.column("trace_id")),
        "span_id": hex_ids(spans.column("span_id")),
        # Some SDKs write "no parent" as eight zero bytes.
        "parent_span_id": pc.if_else(pc.equal(parent, "0" * 16), "", parent),
        "trace_state": spans.column("trace_state"),
        "flags": spans.column("flags"),
        "name": spans.column("name"),
        "span_kind": named(spans.column("kind"), SPAN_KINDS),
        "start_time": times(spans.column("start_time_unix_nano")),
        "end_time": times(spans.column("end_time_unix_nano"), zero_is_null=True),
        "status_code": named(code, STATUS_CODES),
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
    values = {"time": times(time), "name": name, "attributes": attributes, "dropped_attributes_count": dropped}
    return _relisted(lists, EVENTS, values), _per_span(lists, cut)


def _links(lists: pa.ListArray, limits: Limits) -> tuple[pa.ListArray, npt.NDArray[np.int64]]:
    if not len(lists.flatten()):
        return _none_of(LINKS, len(lists))
    trace_id, span_id, trace_state, attribute_lists, dropped, flags = lists.flatten().flatten()
    attributes, cut = _objects(attribute_lists, limits)
    values = {
        "trace_id": hex_ids(trace_id),
        "span_id": hex_ids(span_id),
        "trace_state": trace_state,
        "flags": flags,
        "attributes": attributes,
        "dropped_attributes_count": dropped,
    }
    return _relisted(lists, LINKS, values), _per_span(lists, cut)
