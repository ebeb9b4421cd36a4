"""An ExportLogsServiceRequest to one `LogBatch`.

The columns after decode, beside those of every batch (`collector.batch`):

==========================  =====================  ===================================================================
column                      Arrow type             meaning
==========================  =====================  ===================================================================
request, position           uint64, uint32         hash of the request's bytes and place in it: the same when it is sent
                                                   again, and so what a log record, which has no id, is known by
time                        timestamp[ns, UTC]     when it happened; else when it was observed; else when it arrived
observed_time               timestamp[ns, UTC]     when it was observed; null if not sent
trace_id, span_id           string                 lowercase hex; ``""`` where not sent, all zero or of a wrong length
flags                       uint32                 W3C trace flags
severity_number             uint8                  1 to 24 (TRACE to FATAL4); 0 if not sent, or out of that range
severity_text, event_name   string                 as sent
body, body_type             string, dictionary     text as sent and ``text``, or anything else as JSON and ``json``;
                                                   without a body both are ``""``
dropped_attributes_count    uint32                 dropped by the sender, as the sender counted them
==========================  =====================  ===================================================================

No id makes a record invalid: the data model (logs/data-model.md in the OpenTelemetry specification) has records without, and
tells receivers to take a record with an invalid one for one that belongs to no span.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import xxhash
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from collector.batch import LogBatch
from collector.decode.attributes import decode_attributes, decode_values
from collector.decode.columns import arrival, hex_ids, times, valid_ids
from collector.decode.frame import Frame, read_frame
from collector.decode.limits import CutCounts, Limits
from collector.decode.opening import LOG_RECORDS, open_records
from collector.decode.result import Decoded, Rejections
from collector.decode.values import plain_texts
from collector.errors import Permanent

BAD_TIME = "time is outside the accepted range"

_BODY_TYPES = pa.array(["", "text", "json"])
_HIGHEST_SEVERITY = 24


def decode_logs(payload: bytes, *, project: str, received_at: int, limits: Limits) -> Decoded[LogBatch]:
    """Decode a serialized ExportLogsServiceRequest that arrived at `received_at` (ns since the epoch).

    Log records with a time outside the accepted range are left out and counted; the rest is kept. Raises `Permanent` when
    the bytes are not such a message, and `TooLarge` when they hold more than `MAX_RECORDS` log records, resources or
    scopes, or more than `MAX_ELEMENTS` attributes.
    """
    try:
        frame = read_frame(payload, ExportLogsServiceRequest, project, limits, "log records")
        records, cuts = open_records(frame.records, LOG_RECORDS, limits)
        time = _time(records, received_at)
        keep = (time >= max(0, received_at - limits.accept_past)) & (time <= received_at + limits.accept_future)
        position = np.arange(len(keep), dtype=np.uint32)
        if not keep.all():
            frame, records, time, position = (
                frame.filter(keep),
                records.filter(pa.array(keep)),
                time[keep],
                position[keep],
            )
            cuts = {name: column[keep] for name, column in cuts.items()}
        cuts = {name: cuts[name] + frame.cuts[name] for name in frame.cuts}
        first = {
            "received_at": arrival(received_at, len(time)),
            "request": pa.array(np.full(len(time), xxhash.xxh3_64_intdigest(payload), np.uint64)),
            "position": pa.array(position),
            "time": times(pa.array(time)),
        }
        batch = _batch(frame, records, cuts, first, limits)
    except (ValueError, DecodeError) as error:
        raise Permanent(f"the request is not a valid ExportLogsServiceRequest: {error}") from error
    rejections = Rejections(+Counter({BAD_TIME: int((~keep).sum())}))
    totals = {name: int(column.sum()) for name, column in cuts.items()}
    return Decoded(batch, rejections, totals, misnamed=frame.misnamed)


def _time(records: pa.RecordBatch, received_at: int) -> npt.NDArray[np.uint64]:
    """The time of each record in ns since the epoch: the first that is known of happened, observed, arrived."""
    happened, observed = (records.column(name).to_numpy() for name in ("time_unix_nano", "observed_time_unix_nano"))
    known: npt.NDArray[np.uint64] = np.where(happened != 0, happened, np.where(observed != 0, observed, received_at))
    return known.astype(np.uint64)


def _batch(
    frame: Frame, records: pa.RecordBatch, cuts: CutCounts, first: dict[str, pa.Array], limits: Limits
) -> LogBatch:
    attributes, cut_values = decode_attributes(records.column("attributes"), limits)
    body, body_type, cut_bodies = _body(records.column("body"), limits)
    cuts["cut_values"] += (cut_values + cut_bodies).astype(np.uint32)
    severity = records.column("severity_number").to_numpy()
    columns = {
        **first,
        "observed_time": times(records.column("observed_time_unix_nano"), zero_is_null=True),
        "trace_id": _id(records.column("trace_id"), 16),
        "span_id": _id(records.column("span_id"), 8),
        "flags": records.column("flags"),
        "severity_number": pa.array(
            np.where((severity >= 0) & (severity <= _HIGHEST_SEVERITY), severity, 0).astype(np.uint8)
        ),
        "severity_text": records.column("severity_text"),
        "event_name": records.column("event_name"),
        "body": body,
        "body_type": body_type,
        **frame.columns,
        "dropped_attributes_count": records.column("dropped_attributes_count"),
        **{name: pa.array(column) for name, column in cuts.items()},
    }
    return LogBatch(pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns)), attributes)


def _id(ids: pa.BinaryArray, size: int) -> pa.StringArray:
    return pc.if_else(pa.array(valid_ids(ids, size)), hex_ids(ids), "")


def _body(bodies: pa.StructArray, limits: Limits) -> tuple[pa.StringArray, pa.DictionaryArray, npt.NDArray[np.int64]]:
    """The texts of the bodies, their types, and per record whether its body was cut."""
    values, cut = decode_values(bodies, limits)
    is_text = values["string"].is_valid()
    # Neither of them is content: a body that was not sent, and an AnyValue that holds nothing.
    is_empty = pc.equal(values["json"], "null").fill_null(False)
    texts = pc.if_else(is_empty, "", plain_texts(values))
    codes = pc.if_else(is_text, 1, pc.if_else(is_empty, 0, 2)).cast(pa.int32())
    return texts, pa.DictionaryArray.from_arrays(codes, _BODY_TYPES), np.bincount(cut, minlength=len(bodies))
