"""An ExportMetricsServiceRequest to one `MetricBatch`: the data points of GenAI client metrics, a row each.

Kept are the metrics that the GenAI conventions name (``gen_ai.*``) and ``operation.cost`` of Logfire and Pydantic-AI. All
others an application sends along because its SDK has one endpoint for three signals: they are counted by reason and
dropped. The sender is told of success, because a `partial_success` would make its SDK log an error about every export.

The columns after decode, beside those of every batch (`collector.batch`):

==================================  ======================  ==========================================================
column                              Arrow type              meaning
==================================  ======================  ==========================================================
request, position                   uint64, uint32          hash of the request's bytes and place in the request: the
                                                            same when it is sent again
metric, unit, description           dictionary<string>      as sent
type                                dictionary<string>      gauge, sum, histogram, exponential_histogram
temporality                         dictionary<string>      delta, cumulative, or ``""``
is_monotonic                        bool                    of a sum
start_time, time                    timestamp[ns, UTC]      start_time is null if it was not sent
value                               double                  of a gauge or a sum
count, sum, min, max                uint64, double          of a histogram; null where not sent
bucket_bounds, bucket_counts        list<double>, <uint64>  of a histogram with explicit bounds
scale, zero_count, zero_threshold   int32, uint64, double   of an exponential histogram
positive_offset, negative_offset    int32                   of an exponential histogram
positive_counts, negative_counts    list<uint64>            of an exponential histogram
==================================  ======================  ==========================================================
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import xxhash
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from collector.batch import NO_ATTRIBUTES, MetricBatch, byte_lengths, concat
from collector.decode import wire
from collector.decode.attributes import decode_attributes
from collector.decode.columns import arrival, constant, named, times
from collector.decode.frame import check_count, read_frame
from collector.decode.limits import CutCounts, Limits, cut_strings
from collector.decode.opening import (
    EXPONENTIAL_HISTOGRAM_DATA_POINTS,
    HISTOGRAM_DATA_POINTS,
    NUMBER_DATA_POINTS,
    Kind,
    open_records,
)
from collector.decode.result import Decoded, Rejections
from collector.errors import Permanent

PREFIX = "gen_ai."
OTHER_NAMES = pa.array(["operation.cost"])
"""What is kept: metrics whose name begins with the prefix, and these."""

NOT_GENAI = "not a GenAI metric"
SUMMARY = "summary"
NO_VALUE = "no recorded value"
BAD_TIME = "time is outside the accepted range"
TOO_LARGE = "a data point is larger than 1 MiB"

_LARGEST_POINT = 1 << 20
"""Bytes of a data point that is opened: a bucket of one byte becomes eight."""

TEMPORALITIES = pa.array(["", "delta", "cumulative"])

_KINDS: dict[str, Kind] = {
    "gauge": NUMBER_DATA_POINTS,
    "sum": NUMBER_DATA_POINTS,
    "histogram": HISTOGRAM_DATA_POINTS,
    "exponential_histogram": EXPONENTIAL_HISTOGRAM_DATA_POINTS,
}

_NO_RECORDED_VALUE = 1
"""The flag of a data point that only says that there is none."""

_COUNTS, _BOUNDS = pa.list_(pa.uint64()), pa.list_(pa.float64())
_VALUES: dict[str, pa.DataType] = {
    "value": pa.float64(),
    "count": pa.uint64(),
    **dict.fromkeys(("sum", "min", "max"), pa.float64()),
    "bucket_bounds": _BOUNDS,
    "bucket_counts": _COUNTS,
    "scale": pa.int32(),
    "zero_count": pa.uint64(),
    "zero_threshold": pa.float64(),
    "positive_offset": pa.int32(),
    "positive_counts": _COUNTS,
    "negative_offset": pa.int32(),
    "negative_counts": _COUNTS,
}


_NAME, _TIME = pa.dictionary(pa.int32(), pa.string()), pa.timestamp("ns", "UTC")
# In this order, before the columns that are the same for the whole request.
_SCHEMA = pa.schema(
    {
        "position": pa.uint32(),
        **dict.fromkeys(("type", "metric", "unit", "description"), _NAME),
        **dict.fromkeys(("project", "resource", "service_name", "resource_schema_url"), _NAME),
        **dict.fromkeys(("scope_name", "scope_version", "scope_attributes", "scope_schema_url"), _NAME),
        "temporality": _NAME,
        "is_monotonic": pa.bool_(),
        "start_time": _TIME,
        "time": _TIME,
        **_VALUES,
        "cut_attributes": pa.uint32(),
        "cut_values": pa.uint32(),
    }
)
_NOTHING = MetricBatch(pa.RecordBatch.from_pylist([], schema=_SCHEMA), NO_ATTRIBUTES)


@dataclass
class _Outcome:
    """What becomes of the data points that are not in the batch, and what was cut of those that are."""

    dropped: Counter[str] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)
    cuts: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class _Metrics:
    """The metrics of a request with their data still closed, and what is said of each of them."""

    opened: pa.RecordBatch
    columns: dict[str, pa.Array]
    """Of the metric, its resource and its scope."""
    cuts: CutCounts
    misnamed: int
    """As in `collector.decode.result.Decoded`."""
    is_genai: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class _Points:
    """Closed data points of one kind, and per point what is said of its metric."""

    closed: pa.BinaryArray
    columns: dict[str, pa.Array]
    cuts: CutCounts

    def filter(self, keep: npt.NDArray[np.bool_]) -> _Points:
        mask = pa.array(keep)
        columns = {name: column.filter(mask) for name, column in self.columns.items()}
        return _Points(self.closed.filter(mask), columns, {name: cut[keep] for name, cut in self.cuts.items()})


_NO_POINTS = _Points(pa.array([], pa.binary()), {}, {})


def decode_metrics(payload: bytes, *, project: str, received_at: int, limits: Limits) -> Decoded[MetricBatch]:
    """Decode a serialized ExportMetricsServiceRequest that arrived at `received_at` (ns since the epoch).

    Data points of other than GenAI metrics, those without a value, and summaries are dropped and counted by reason; those
    with a time outside the accepted range, or of more than 1 MiB, are rejected. Raises `Permanent` when the bytes are not
    such a message, and `TooLarge` when they hold more than `MAX_RECORDS` metrics, resources, scopes or GenAI data points,
    or more than `MAX_ELEMENTS` attributes and buckets.
    """
    outcome = _Outcome()
    try:
        metrics = _read_metrics(payload, project, limits)
        found = {type_: _points(metrics, type_, outcome) for type_ in (*_KINDS, "summary")}
        outcome.dropped[SUMMARY] += len(found.pop("summary").closed)
        check_count("data points of GenAI metrics", sum(len(points.closed) for points in found.values()))
        batches, first = [], 0
        for type_, points in found.items():
            if len(points.closed):
                batch = _batch(points, type_, outcome, first=first, received_at=received_at, limits=limits)
                batches.append(batch)
                first += len(points.closed)
    except (ValueError, DecodeError) as error:
        raise Permanent(f"the request is not a valid ExportMetricsServiceRequest: {error}") from error
    batch = concat(batches) if batches else _NOTHING
    request = np.full(len(batch), xxhash.xxh3_64_intdigest(payload), np.uint64)
    batch = batch.with_columns({"received_at": arrival(received_at, len(batch)), "request": pa.array(request)})
    return Decoded(batch, Rejections(+outcome.rejected), dict(outcome.cuts), +outcome.dropped, metrics.misnamed)


def _read_metrics(payload: bytes, project: str, limits: Limits) -> _Metrics:
    frame = read_frame(payload, ExportMetricsServiceRequest, project, limits, "metrics")
    opened = wire.read_metrics(frame.records)
    texts = {"metric": "name", "unit": "unit", "description": "description"}
    cut = {name: cut_strings(opened.column(sent), limits.max_value_length)[0] for name, sent in texts.items()}
    name = opened.column("name")
    is_genai = pc.or_(pc.starts_with(name, PREFIX), pc.is_in(name, value_set=OTHER_NAMES))
    columns = {**{name: text.dictionary_encode() for name, text in cut.items()}, **frame.columns}
    return _Metrics(opened, columns, frame.cuts, frame.misnamed, is_genai.to_numpy(zero_copy_only=False))


def _points(metrics: _Metrics, type_: str, outcome: _Outcome) -> _Points:
    """The data points of the GenAI metrics of this type; those of all others of it are dropped."""
    data = metrics.opened.column(type_)
    rows = np.flatnonzero(data.is_valid().to_numpy(zero_copy_only=False))
    if not len(rows):
        return _NO_POINTS
    lists, temporality, is_monotonic = wire.read_metric_data(data.take(pa.array(rows))).columns
    counts = lists.value_lengths().to_numpy()
    is_genai = metrics.is_genai[rows]
    outcome.dropped[NOT_GENAI] += int(counts[~is_genai].sum())
    kept = np.flatnonzero(is_genai)
    if not len(kept):
        return _NO_POINTS
    check_count("data points of GenAI metrics", int(counts[kept].sum()))  # before they take memory
    data_of_point = pa.array(np.repeat(kept, counts[kept]))
    metric_of_point = np.repeat(rows[kept], counts[kept])
    columns = {
        **{name: column.take(pa.array(metric_of_point)) for name, column in metrics.columns.items()},
        "temporality": named(temporality, TEMPORALITIES).take(data_of_point),
        "is_monotonic": is_monotonic.take(data_of_point),
    }
    cuts = {name: cut[metric_of_point] for name, cut in metrics.cuts.items()}
    return _Points(lists.take(pa.array(kept)).flatten(), columns, cuts)


def _batch(
    points: _Points, type_: str, outcome: _Outcome, *, first: int, received_at: int, limits: Limits
) -> MetricBatch:
    """The batch of these data points, before which `first` others stand in the request."""
    position = np.arange(first, first + len(points.closed), dtype=np.uint32)
    fits = byte_lengths(points.closed) <= _LARGEST_POINT
    if not fits.all():
        outcome.rejected[TOO_LARGE] += int((~fits).sum())
        points, position = points.filter(fits), position[fits]
    opened, cuts = open_records(points.closed, _KINDS[type_], limits)
    keep = _kept(opened, received_at, limits, outcome)
    if not keep.all():
        points, opened, position = points.filter(keep), opened.filter(pa.array(keep)), position[keep]
        cuts = {name: column[keep] for name, column in cuts.items()}
    attributes, cut_values = decode_attributes(opened.column("attributes"), limits)
    cuts = {name: cuts[name] + column for name, column in points.cuts.items()}
    cuts["cut_values"] += cut_values.astype(np.uint32)
    outcome.cuts.update({name: int(column.sum()) for name, column in cuts.items()})
    columns = {
        "position": pa.array(position),
        "type": constant(type_, len(position)),
        **points.columns,
        "start_time": times(opened.column("start_time_unix_nano"), zero_is_null=True),
        "time": times(opened.column("time_unix_nano")),
        **_values(opened),
        **{name: pa.array(column) for name, column in cuts.items()},
    }
    return MetricBatch(pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns)), attributes)


def _kept(opened: pa.RecordBatch, received_at: int, limits: Limits, outcome: _Outcome) -> npt.NDArray[np.bool_]:
    """Which data points are kept; the others are dropped or rejected."""
    has_value = (opened.column("flags").to_numpy() & _NO_RECORDED_VALUE) == 0
    if "as_int" in opened.schema.names:
        is_set = pc.or_(opened.column("as_int").is_valid(), opened.column("as_double").is_valid())
        has_value &= is_set.to_numpy(zero_copy_only=False)
    outcome.dropped[NO_VALUE] += int((~has_value).sum())
    time = opened.column("time_unix_nano").to_numpy()
    in_time = (time >= max(0, received_at - limits.accept_past)) & (time <= received_at + limits.accept_future)
    outcome.rejected[BAD_TIME] += int((has_value & ~in_time).sum())
    keep: npt.NDArray[np.bool_] = has_value & in_time
    return keep


def _values(opened: pa.RecordBatch) -> dict[str, pa.Array]:
    """The columns of all kinds of values; null or empty are those that data points of this kind do not have."""
    sent = dict(zip(opened.schema.names, opened.columns, strict=True))
    found = {
        name: sent[name]
        for name in ("count", "sum", "min", "max", "scale", "zero_count", "zero_threshold")
        if name in sent
    }
    if "as_int" in sent:
        # A count of tokens beyond 2^53 would lose its last digits.
        found["value"] = pc.coalesce(sent["as_double"], sent["as_int"].cast(pa.float64(), safe=False))
    if "bucket_counts" in sent:
        found["bucket_counts"], found["bucket_bounds"] = sent["bucket_counts"], sent["explicit_bounds"]
    for side in {"positive", "negative"} & sent.keys():
        found[f"{side}_offset"], found[f"{side}_counts"] = sent[side].flatten()
    return {
        name: found[name].cast(kind) if name in found else _absent(kind, opened.num_rows)
        for name, kind in _VALUES.items()
    }


def _absent(kind: pa.DataType, rows: int) -> pa.Array:
    if pa.types.is_list(kind):
        return pa.ListArray.from_arrays(np.zeros(rows + 1, np.int32), pa.array([], kind.value_type))
    return pa.nulls(rows, kind)
