"""Data points of GenAI metrics to columns; all others are counted, and dropped without a word to the sender."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    ExponentialHistogramDataPoint,
    HistogramDataPoint,
    Metric,
    Summary,
    SummaryDataPoint,
)

from collector.batch import MetricBatch
from collector.decode import Decoded, Limits, decode_metrics, frame, limits, opening
from collector.errors import Permanent, TooLarge
from tests.support.otlp import NOW, field, key_values, varint
from tests.support.otlp_signals import counter, exponential_histogram, gauge, histogram, metrics, number
from tests.unit.enrich.building import rows as attributes_of_rows

USAGE = "gen_ai.client.token.usage"
SECOND = 10**9


def decode(message: ExportMetricsServiceRequest | bytes, bounds: Limits | None = None) -> Decoded[MetricBatch]:
    payload = message if isinstance(message, bytes) else message.SerializeToString()
    return decode_metrics(payload, project="p", received_at=NOW, limits=bounds or Limits())


def rows(message: ExportMetricsServiceRequest | bytes, bounds: Limits | None = None) -> list[dict[str, Any]]:
    """The rows, times in ns, attributes as (key, type, value)."""
    batch = decode(message, bounds).batch
    for name in ("start_time", "time"):
        batch = batch.with_columns({name: batch.column(name).cast(pa.int64())})
    return attributes_of_rows(batch)  # type: ignore[arg-type]


def points_of(row: dict[str, Any], *names: str) -> dict[str, Any]:
    """What a row says of its value; all that is null or empty must be what this kind of point does not have."""
    values = (
        "value count sum min max bucket_bounds bucket_counts scale zero_count zero_threshold positive_offset"
        " positive_counts negative_offset negative_counts"
    )
    said = {name: row[name] for name in values.split() if row[name] not in (None, [])}
    assert said.keys() <= set(names)
    return said


def test_a_counter_becomes_a_row_for_each_data_point_with_its_metric() -> None:
    sent = counter("gen_ai.client.inference.usage.input_tokens", number(100), number(2.5), unit="{token}")
    sent.sum.data_points[0].start_time_unix_nano = NOW - SECOND
    sent.sum.data_points[0].attributes.extend(key_values({"gen_ai.request.model": "gpt-4o", "server.port": 443}))
    sent.description = "Tokens of the input"

    first, second = rows(metrics(sent))

    shown = {name: first[name] for name in ("metric", "type", "unit", "description", "temporality", "is_monotonic")}
    assert shown == {
        "metric": "gen_ai.client.inference.usage.input_tokens",
        "type": "sum",
        "unit": "{token}",
        "description": "Tokens of the input",
        "temporality": "delta",
        "is_monotonic": True,
    }
    assert (first["start_time"], first["time"]) == (NOW - SECOND, NOW)
    assert first["attributes"] == [("gen_ai.request.model", "string", "gpt-4o"), ("server.port", "integer", 443)]
    assert points_of(first, "value") == {"value": 100.0}
    assert points_of(second, "value") == {"value": 2.5}
    assert (second["start_time"], second["attributes"]) == (None, [])
    assert (first["project"], first["service_name"], first["scope_name"]) == ("p", "a service", "a scope")


def test_a_gauge_has_a_value_and_no_temporality() -> None:
    (row,) = rows(metrics(gauge("gen_ai.queue", number(0))))
    assert (row["type"], row["temporality"], row["is_monotonic"]) == ("gauge", "", False)
    assert points_of(row, "value") == {"value": 0.0}


def test_a_histogram_keeps_its_buckets_and_what_was_not_sent_is_null() -> None:
    full = HistogramDataPoint(
        time_unix_nano=NOW, count=5, sum=0.0, min=0.0, max=9.5, bucket_counts=[2, 3, 0], explicit_bounds=[1.0, 4.0]
    )
    bare = HistogramDataPoint(time_unix_nano=NOW, count=2)

    first, second = rows(metrics(histogram(USAGE, full, bare)))

    assert (first["type"], first["temporality"]) == ("histogram", "cumulative")
    names = ("count", "sum", "min", "max", "bucket_bounds", "bucket_counts")
    buckets = {"bucket_bounds": [1.0, 4.0], "bucket_counts": [2, 3, 0]}
    assert points_of(first, *names) == {"count": 5, "sum": 0.0, "min": 0.0, "max": 9.5, **buckets}
    assert points_of(second, *names) == {"count": 2}


def test_an_exponential_histogram_keeps_scale_offsets_and_counts_of_both_sides() -> None:
    point = ExponentialHistogramDataPoint(
        time_unix_nano=NOW, count=6, sum=-1.5, scale=-3, zero_count=1, zero_threshold=0.25, min=-4.0, max=8.0
    )
    point.positive.offset, point.negative.offset = -2, 7
    point.positive.bucket_counts.extend([1, 0, 300])
    point.negative.bucket_counts.extend([2])

    (row,) = rows(metrics(exponential_histogram(USAGE, point)))

    assert row["type"] == "exponential_histogram"
    zero = {"scale": -3, "zero_count": 1, "zero_threshold": 0.25}
    sides = {"positive_offset": -2, "positive_counts": [1, 0, 300], "negative_offset": 7, "negative_counts": [2]}
    expected = {"count": 6, "sum": -1.5, "min": -4.0, "max": 8.0, **zero, **sides}
    assert points_of(row, *expected) == expected


@pytest.mark.parametrize("name", ["gen_ai.client.operation.duration", "operation.cost", "gen_ai."])
def test_metrics_of_the_genai_conventions_and_the_cost_of_operations_are_kept(name: str) -> None:
    assert [row["metric"] for row in rows(metrics(gauge(name, number(1))))] == [name]


@pytest.mark.parametrize("name", ["http.server.duration", "gen_ai", "my.gen_ai.x", "operation.cost.x", ""])
def test_other_metrics_are_dropped_and_counted_and_the_sender_is_not_told(name: str) -> None:
    decoded = decode(
        metrics(gauge(name, number(1), number(2)), histogram(name, HistogramDataPoint(time_unix_nano=NOW)))
    )

    assert len(decoded.batch) == 0
    assert decoded.dropped == {"not a GenAI metric": 3}
    assert decoded.rejections.count == 0


def test_a_summary_and_a_point_without_a_value_are_dropped_and_counted() -> None:
    summary = Metric(name="gen_ai.old", summary=Summary(data_points=[SummaryDataPoint(count=1), SummaryDataPoint()]))
    sent = counter(USAGE, number(None), number(3, flags=1), number(4))

    decoded = decode(metrics(summary, sent, histogram(USAGE, HistogramDataPoint(time_unix_nano=NOW, flags=1))))

    assert decoded.batch.column("value").to_pylist() == [4.0]
    assert decoded.dropped == {"summary": 2, "no recorded value": 3}
    assert decoded.rejections.count == 0


def test_a_point_outside_the_accepted_range_is_rejected_alone() -> None:
    decoded = decode(metrics(counter(USAGE, number(1), number(2, at=1), number(3))))

    assert decoded.batch.column("value").to_pylist() == [1.0, 3.0]
    assert decoded.batch.column("position").to_pylist() == [0, 2]
    assert decoded.rejections.message == "1 rejected: time is outside the accepted range"
    assert decoded.dropped == {}


def test_every_point_of_a_request_has_a_place_of_its_own_the_same_when_it_is_sent_again() -> None:
    point = HistogramDataPoint(time_unix_nano=NOW)
    message = metrics(
        counter("gen_ai.a", number(1), number(1)), histogram("gen_ai.b", point), gauge("gen_ai.c", number(1))
    )
    other = metrics(counter("gen_ai.a", number(1)))

    identities = [(row["request"], row["position"]) for row in rows(message)]

    assert sorted(position for _, position in identities) == [0, 1, 2, 3]
    assert identities == [(row["request"], row["position"]) for row in rows(message)]
    assert {request for request, _ in identities} != {row["request"] for row in rows(other)}


@pytest.mark.parametrize(
    "message", [metrics(), metrics(gauge("x", number(1))), metrics(gauge("gen_ai.x", number(1, at=1)))]
)
def test_a_batch_without_rows_has_the_columns_of_one_with_rows(message: ExportMetricsServiceRequest) -> None:
    full = metrics(
        histogram(USAGE, HistogramDataPoint(time_unix_nano=NOW)),
        exponential_histogram(USAGE, ExponentialHistogramDataPoint(time_unix_nano=NOW)),
        gauge(USAGE, number(1)),
    )
    assert len(decode(message).batch) == 0
    assert decode(message).batch.columns.schema == decode(full).batch.columns.schema


@pytest.mark.parametrize("path", ["small", "large"])
def test_what_exceeds_a_limit_is_cut_marked_and_counted(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if path == "large":
        monkeypatch.setattr(opening, "ALWAYS_AFFORDABLE", -1)
    point = HistogramDataPoint(time_unix_nano=NOW, attributes=key_values({"a": 1, "b": 2, "c": 3}))
    exponential = ExponentialHistogramDataPoint(time_unix_nano=NOW, attributes=key_values({"a": "x" * 21}))
    message = metrics(
        counter(USAGE, number(1, attributes={"a": 1, "b": 2, "c": 3, "d": 4})),
        histogram(USAGE, point),
        exponential_histogram(USAGE, exponential),
        resource={"r": "y" * 21},
    )

    bounds = Limits(max_attributes=2, max_value_length=20)
    shown = [(row["cut_attributes"], row["cut_values"], len(row["attributes"])) for row in rows(message, bounds)]

    assert shown == [(2, 1, 2), (1, 1, 2), (0, 2, 1)]
    assert decode(message, bounds).cuts == {"cut_attributes": 3, "cut_values": 4}


def test_more_than_a_request_may_hold_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frame, "MAX_RECORDS", 3)
    with pytest.raises(TooLarge, match="holds 4 metrics; at most 3"):
        decode(metrics(*[gauge("x", number(1))] * 4))
    with pytest.raises(TooLarge, match="holds 4 data points of GenAI metrics; at most 3"):
        decode(metrics(gauge("gen_ai.x", *[number(1)] * 2), counter("gen_ai.y", *[number(1)] * 2)))
    assert decode(metrics(gauge("other", *[number(1)] * 9))).dropped.total() == 9


def test_buckets_count_towards_what_a_request_may_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "ALWAYS_AFFORDABLE", -1)
    monkeypatch.setattr(opening, "MAX_ELEMENTS", 5)
    point = ExponentialHistogramDataPoint(time_unix_nano=NOW)
    point.positive.bucket_counts.extend([1] * 6)
    with pytest.raises(TooLarge, match="more than 5 attributes"):
        decode(metrics(exponential_histogram(USAGE, point)))
    assert limits.MAX_ELEMENTS > 5


def test_long_names_and_descriptions_are_cut() -> None:
    sent = gauge("gen_ai." + "x" * 100, number(1))
    sent.description = "y" * 100
    (row,) = rows(metrics(sent), Limits(max_value_length=20))
    assert (row["metric"], row["description"]) == ("gen_ai." + "x" * 13, "y" * 20)


METRIC = field(1, b"gen_ai.x")
BROKEN = [
    b"\xff",
    field(1, field(2, field(2, b"\xff"))),
    field(1, field(2, field(2, METRIC + field(7, b"\xff")))),
    field(1, field(2, field(2, METRIC + field(7, field(1, b"\xff"))))),
    field(1, field(2, field(2, METRIC + field(9, field(1, field(9, b"\xff")))))),
    field(1, field(2, field(2, METRIC + field(10, field(1, field(8, b"\xff")))))),
    field(1, field(2, field(2, field(1, b"\xff\xfe")))),
    field(1, field(2, field(2, METRIC + varint(7 << 3 | 2) + varint(2**64 - 1)))),
]


@pytest.mark.parametrize("payload", BROKEN, ids=lambda payload: payload.hex()[-16:])
def test_bytes_that_are_no_request_are_refused_with_its_name(payload: bytes) -> None:
    with pytest.raises(Permanent, match="the request is not a valid ExportMetricsServiceRequest: "):
        decode(payload)
