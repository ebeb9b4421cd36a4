"""Log records to columns, held against the published protobuf classes."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from collector.batch import VALUE_COLUMNS, LogBatch
from collector.decode import Decoded, Limits, decode_logs, frame, opening
from collector.errors import Permanent, TooLarge
from tests.support.otlp import NOW, field
from tests.support.otlp_signals import log_record, logs
from tests.unit.decode import strategies
from tests.unit.decode.reference import plain_value

PROJECT = "a project"
TEXT, NAME, COUNT = pa.string(), pa.dictionary(pa.int32(), pa.string()), pa.uint32()
# The documented columns, in order.
SCHEMA = {
    "project": NAME,
    "received_at": pa.timestamp("ms", "UTC"),
    "request": pa.uint64(),
    "position": COUNT,
    "time": pa.timestamp("ns", "UTC"),
    "observed_time": pa.timestamp("ns", "UTC"),
    "trace_id": TEXT,
    "span_id": TEXT,
    "flags": COUNT,
    "severity_number": pa.uint8(),
    "severity_text": TEXT,
    "event_name": TEXT,
    "body": TEXT,
    "body_type": NAME,
    **dict.fromkeys(("resource", "service_name", "resource_schema_url"), NAME),
    **dict.fromkeys(("scope_name", "scope_version", "scope_attributes", "scope_schema_url"), NAME),
    "dropped_attributes_count": COUNT,
    "cut_attributes": COUNT,
    "cut_values": COUNT,
}


def decode(message: ExportLogsServiceRequest | bytes, limits: Limits | None = None) -> Decoded[LogBatch]:
    payload = message if isinstance(message, bytes) else message.SerializeToString()
    return decode_logs(payload, project=PROJECT, received_at=NOW, limits=limits or Limits())


def rows(batch: LogBatch) -> list[dict[str, Any]]:
    """Rows as dicts, times as integers, after a check that Arrow finds every column well formed."""
    batch.columns.validate(full=True)
    for name in ("time", "observed_time"):
        batch = batch.with_columns({name: batch.column(name).cast(pa.int64())})
    return batch.columns.to_pylist()


def only(record: LogRecord, limits: Limits | None = None) -> dict[str, Any]:
    (row,) = rows(decode(logs(record), limits).batch)
    return row


records = st.builds(
    LogRecord,
    time_unix_nano=strategies.starts,
    observed_time_unix_nano=strategies.times,
    severity_number=st.sampled_from([*range(25), 77, -1, 2**31 - 1]),
    severity_text=strategies.texts,
    body=st.none() | strategies.values,
    attributes=strategies.attributes,
    dropped_attributes_count=strategies.counts,
    flags=strategies.counts,
    trace_id=st.binary(max_size=18) | st.binary(min_size=16, max_size=16) | st.just(bytes(16)),
    span_id=st.binary(max_size=10) | st.binary(min_size=8, max_size=8) | st.just(bytes(8)),
    event_name=strategies.texts,
)
resource_logs = st.builds(
    ResourceLogs,
    resource=st.none() | st.builds(Resource, attributes=strategies.attributes),
    scope_logs=st.lists(
        st.builds(
            ScopeLogs,
            scope=st.none() | strategies.scopes,
            log_records=st.lists(records, max_size=3),
            schema_url=strategies.texts,
        ),
        max_size=2,
    ),
    schema_url=strategies.texts,
)


def expected_row(of_resource: ResourceLogs, of_scope: ScopeLogs, record: LogRecord) -> dict[str, Any]:
    """What the record must become; JSON as the `repr` of what it says, so that 1, 1.0 and True differ."""
    resource = {pair.key: plain_value(pair.value) for pair in of_resource.resource.attributes}
    service_name = resource.get("service.name")
    body, body_type = "", ""
    if record.body.WhichOneof("value") == "string_value":
        body, body_type = record.body.string_value, "text"
    elif record.body.WhichOneof("value"):
        body, body_type = repr(plain_value(record.body)), "json"
    return {
        "time": record.time_unix_nano or record.observed_time_unix_nano or NOW,
        "observed_time": min(record.observed_time_unix_nano, 2**63 - 1) or None,
        "trace_id": record.trace_id.hex() if len(record.trace_id) == 16 and any(record.trace_id) else "",
        "span_id": record.span_id.hex() if len(record.span_id) == 8 and any(record.span_id) else "",
        "flags": record.flags,
        "severity_number": record.severity_number if 0 <= record.severity_number <= 24 else 0,
        "severity_text": record.severity_text,
        "event_name": record.event_name,
        "body": body,
        "body_type": body_type,
        "resource": repr(resource),
        "service_name": service_name if isinstance(service_name, str) else "",
        "resource_schema_url": of_resource.schema_url,
        "scope_name": of_scope.scope.name,
        "scope_version": of_scope.scope.version,
        "scope_attributes": repr({pair.key: plain_value(pair.value) for pair in of_scope.scope.attributes}),
        "scope_schema_url": of_scope.schema_url,
        "dropped_attributes_count": record.dropped_attributes_count,
    }


def attribute(key: str, value: AnyValue) -> tuple[str, str, str]:
    arm = value.WhichOneof("value") or ""
    plain = {"string_value": "string", "int_value": "integer", "double_value": "double", "bool_value": "boolean"}
    return key, plain.get(arm, "json"), repr(getattr(value, arm) if arm in plain else plain_value(value))


@given(st.builds(ExportLogsServiceRequest, resource_logs=st.lists(resource_logs, max_size=2)))
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_every_request_becomes_what_the_published_classes_read(message: ExportLogsServiceRequest) -> None:
    sent = [(r, s, record) for r in message.resource_logs for s in r.scope_logs for record in s.log_records]
    expected = [(position, expected_row(*each), each[2]) for position, each in enumerate(sent)]
    limits = Limits()
    kept = [each for each in expected if NOW - limits.accept_past <= each[1]["time"] <= NOW + limits.accept_future]

    decoded = decode(message)

    shown = rows(decoded.batch)
    for row in shown:
        for name in ("resource", "scope_attributes", *(["body"] if row["body_type"] == "json" else [])):
            row[name] = repr(json.loads(row[name]))
    assert [row["position"] for row in shown] == [position for position, _, _ in kept]
    assert [{name: row[name] for name in wanted} for row, (_, wanted, _) in zip(shown, kept, strict=True)] == [
        row for _, row, _ in kept
    ]
    assert decoded.rejections.count == len(sent) - len(kept)
    flat = decoded.batch.attributes
    found = [
        (
            int(flat.row[i]),
            flat.key[i].as_py(),
            name,
            repr(json.loads(value.as_py()) if name == "json" else value.as_py()),
        )
        for i in range(len(flat))
        for name in VALUE_COLUMNS
        if (value := getattr(flat, name)[i]).is_valid
    ]
    wanted = [
        (row, *attribute(pair.key, pair.value)) for row, (*_, record) in enumerate(kept) for pair in record.attributes
    ]
    assert found == wanted


@pytest.mark.parametrize("message", [logs(), logs(log_record(at=1)), logs(log_record(body={"a": 1}))])
def test_the_columns_are_those_documented_with_their_types(message: ExportLogsServiceRequest) -> None:
    assert {field.name: field.type for field in decode(message).batch.columns.schema} == SCHEMA


@pytest.mark.parametrize(
    ("happened", "observed", "expected"),
    [(NOW - 5, NOW - 1, NOW - 5), (0, NOW - 1, NOW - 1), (0, 0, NOW)],
    ids=itertools.count(),
)
def test_a_record_without_a_time_has_that_of_its_observation_and_else_that_of_its_arrival(
    happened: int, observed: int, expected: int
) -> None:
    assert only(log_record(at=happened, observed=observed))["time"] == expected


def test_a_record_outside_the_accepted_range_is_rejected_alone() -> None:
    decoded = decode(logs(log_record(body="a"), log_record(at=1), log_record(at=0, observed=1), log_record(body="b")))

    assert [row["body"] for row in rows(decoded.batch)] == ["a", "b"]
    assert decoded.rejections.message == "2 rejected: time is outside the accepted range"


@pytest.mark.parametrize(
    ("body", "text", "kind"),
    [
        ("a text", "a text", "text"),
        ('{"a": 1}', '{"a": 1}', "text"),
        ("", "", "text"),
        (None, "", ""),
        (AnyValue(), "", ""),
        ({"a": [1, None]}, '{"a":[1,null]}', "json"),
        ({}, "{}", "json"),
        ([], "[]", "json"),
        (5, "5", "json"),
        (5.0, "5.0", "json"),
        (True, "true", "json"),
        (b"\x00", '{"bytesValue":"AA=="}', "json"),
    ],
)
def test_a_body_is_text_as_sent_or_json(body: Any, text: str, kind: str) -> None:
    row = only(log_record(body=body))
    assert (row["body"], row["body_type"]) == (text, kind)


def test_a_request_that_is_sent_again_has_the_same_identities_and_another_has_others() -> None:
    first, second = (logs(log_record(body="x"), log_record(body="x"), log_record(body=str(i))) for i in range(2))

    def identities(message: ExportLogsServiceRequest) -> list[tuple[int, int]]:
        return [(row["request"], row["position"]) for row in rows(decode(message).batch)]

    assert identities(first) == identities(first)
    assert len({*identities(first), *identities(second)}) == 6


def test_a_place_in_the_request_does_not_depend_on_what_is_rejected_before_it() -> None:
    """Sent again a month later, what was accepted may be rejected: the rest keeps its identity."""
    (row,) = rows(decode(logs(log_record(at=1), log_record(at=1), log_record())).batch)
    assert row["position"] == 2


@pytest.mark.parametrize("path", ["small", "large"])
def test_what_exceeds_a_limit_is_cut_marked_and_counted(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if path == "large":
        monkeypatch.setattr(opening, "ALWAYS_AFFORDABLE", -1)
    message = logs(
        log_record(attributes={"a": 1, "b": 2, "c": 3}, body="x" * 21),
        log_record(attributes={"a": "x" * 21}, body={"k": "x" * 30}),
        log_record(body="fits"),
        resource={"a": "x" * 21},
    )

    decoded = decode(message, Limits(max_attributes=2, max_value_length=20))

    shown = [(row["cut_attributes"], row["cut_values"], row["body"]) for row in rows(decoded.batch)]
    assert shown == [(1, 2, "x" * 20), (0, 3, ""), (0, 1, "fits")]
    assert decoded.cuts == {"cut_attributes": 1, "cut_values": 6}


def test_more_records_than_a_request_may_hold_are_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frame, "MAX_RECORDS", 3)
    with pytest.raises(TooLarge, match="holds 4 log records; at most 3 are accepted"):
        decode(logs(*[log_record()] * 4))


@pytest.mark.parametrize("payload", [b"\x0a\xff\xff\xff\xff\x0f", b"\xff", field(1, field(2, field(2, b"\xff")))])
def test_bytes_that_are_no_request_are_refused_with_its_name(payload: bytes) -> None:
    with pytest.raises(Permanent, match="the request is not a valid ExportLogsServiceRequest: "):
        decode(payload)
