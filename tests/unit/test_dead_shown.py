"""A dead letter as JSON: its records with all that they hold, of every signal."""

from __future__ import annotations

import json
from typing import Any

from google.protobuf.message import Message
from opentelemetry.proto.metrics.v1.metrics_pb2 import HistogramDataPoint

from collector.dead.shown import document
from collector.decode import Limits
from collector.journal import DeadLetter, Part, Record
from collector.replay import decode_again
from collector.signals import Signal
from tests.support.otlp import NOW, event, link, request, span
from tests.support.otlp_signals import gauge, histogram, log_record, logs, metrics, number


def shown(signal: Signal, sent: Message, *rows: int, of: int) -> dict[str, Any]:
    part = Part(rows, of)
    record = Record(7, "p", NOW, sent.SerializeToString(), signal, part)
    letter = DeadLetter(7, "p", signal, NOW, NOW, "no such column", of, part, 100)
    document_: dict[str, Any] = json.loads(document(letter, decode_again(record, Limits()), ""))
    return document_


def test_spans_are_shown_with_attributes_of_every_type_events_and_links() -> None:
    attributes = {"s": "ü", "i": 2**53 + 1, "d": 0.5, "b": True, "list": [1, "a"], "bytes": b"\x00"}
    sent = span(
        name="poison",
        attributes=attributes,
        events=[event("said", attributes={"gen_ai.prompt": "hello"})],
        links=[link(attributes={"k": 1})],
    )
    document_ = shown(Signal.TRACES, request(span(), sent, resource={"service.name": "shop"}), 1, of=2)
    (row,) = document_["records"]
    assert (document_["id"], document_["positions"], document_["records_in_request"]) == (7, [1], 2)
    assert row["name"] == "poison"
    assert row["attributes"] == {**attributes, "bytes": {"bytesValue": "AA=="}}
    assert row["resource"] == {"service.name": "shop"}
    assert row["start_time"].endswith(f"{NOW % 10**9:09}Z")
    assert row["events"][0]["name"] == "said"
    assert isinstance(row["events"][0]["time"], int)
    assert json.loads(row["links"][0]["attributes"]) == {"k": 1}


def test_log_records_are_shown_with_their_bodies() -> None:
    sent = logs(log_record(body="fine"), log_record(body={"content": "hello"}, attributes={"k": "v"}))
    (row,) = shown(Signal.LOGS, sent, 1, of=2)["records"]
    assert "hello" in str(row["body"])
    assert row["attributes"] == {"k": "v"}


def test_data_points_are_shown_with_their_values() -> None:
    point = HistogramDataPoint(
        time_unix_nano=NOW, count=3, sum=1.5, bucket_counts=[1, 2], explicit_bounds=[0.5], min=float("nan"), max=1.0
    )
    sent = metrics(gauge("gen_ai.a", number(1)), histogram("gen_ai.b", point))
    (row,) = shown(Signal.METRICS, sent, 1, of=2)["records"]
    assert row["metric"] == "gen_ai.b"
    assert row["count"] == 3
