"""Logs, metrics, and content that arrived as logs, in the embedded ClickHouse: stored once, and joined to their spans."""

from __future__ import annotations

import itertools
import json
import random
import re
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.metrics.v1.metrics_pb2 import ExponentialHistogramDataPoint, HistogramDataPoint

import exporters.clickhouse
from collector.batch import LogBatch, MetricBatch
from collector.decode import Limits, decode_metrics
from exporters.clickhouse import read_joined
from tests.support.otlp import NOW, any_value, key_values
from tests.support.otlp_signals import (
    DETAILS,
    EVALUATION,
    counter,
    exponential_histogram,
    gauge,
    histogram,
    log_record,
    metrics,
    number,
)
from tests.support.spans import NOON, SECOND, batch, chat, log_batch, span, span_id, trace_id
from tests.support.store import Database

_tokens = itertools.count(1)


@pytest.fixture(autouse=True)
def _always_looking(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_joined, "LOOK_AGAIN_S", 0.0)


def metric_batch(project: str, message: ExportMetricsServiceRequest) -> MetricBatch:
    return decode_metrics(message.SerializeToString(), project=project, received_at=NOW, limits=Limits()).batch


def write_logs(database: Database, project: str, *records: LogRecord, received_at: int = NOW) -> None:
    token = f"{project}/{next(_tokens)}"
    database.exporter.write(log_batch(project, *records, received_at=received_at), token)


def write_spans(database: Database, project: str, *spans: Any) -> None:
    database.exporter.write(batch(*spans, project=project), f"{project}/{next(_tokens)}")


def event(name: str, number: int = 1, trace: int = 1, *, at: int = NOON, **more: Any) -> LogRecord:
    """An event of a span."""
    return log_record(event=name, trace_id=trace_id(trace), span_id=span_id(number), at=at, **more)


def count(database: Database, table: str, project: str) -> tuple[int, int]:
    """Stored rows: all, and without repetitions."""
    sql = "SELECT count() FROM {t:Identifier} {f} WHERE project = {p:String}"
    return (
        database.value(sql.replace("{f}", ""), t=table, p=project),
        database.value(sql.replace("{f}", "FINAL"), t=table, p=project),
    )


def spans_of(database: Database, project: str, number: int = 1) -> list[Any]:
    return database.trace(project, number)[1]


def words(text: str) -> list[tuple[str, str]]:
    """Role and text of each message."""
    return [(message["role"], message["parts"][0]["content"]) for message in json.loads(text)] if text else []


def view(database: Database, project: str) -> list[dict[str, Any]]:
    sql = "SELECT * FROM span_messages WHERE project = {p:String} ORDER BY start_time, trace_id, span_id"
    return database.rows(sql, p=project)


# --- stored once, as sent ---------------------------------------------------------------------------------------------

EVENTS = (
    log_record(body="a line", attributes={"n": 1}),
    event("gen_ai.user.message", body={"content": "Hi"}),
    event(EVALUATION, attributes={"gen_ai.evaluation.name": "relevance", "gen_ai.evaluation.score.value": 0.5}),
)
TABLES = {"logs": 3, "span_content": 1, "evaluations": 1}


@pytest.fixture(autouse=True)
def _tables_looked_at_each_time(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that found nothing to join looks again after a second; here it shall see what was just written."""
    monkeypatch.setattr(read_joined, "LOOK_AGAIN_S", 0.0)
    database.store._joined._look_again = 0.0


def test_a_batch_of_logs_that_is_written_again_under_its_token_is_stored_once(database: Database, project: str) -> None:
    for _ in range(2):
        database.exporter.write(log_batch(project, *EVENTS), f"{project}/again")
    assert {table: count(database, table, project) for table in TABLES} == {t: (n, n) for t, n in TABLES.items()}


def test_a_batch_of_logs_that_was_written_in_part_is_completed(database: Database, project: str) -> None:
    whole = log_batch(project, *EVENTS)
    part = LogBatch(whole.columns, whole.attributes)
    for each in (part, whole):
        database.exporter.write(each, f"{project}/part")
    assert {table: count(database, table, project) for table in TABLES} == {t: (n, n) for t, n in TABLES.items()}


def test_a_request_of_logs_that_is_sent_again_is_counted_once(database: Database, project: str) -> None:
    write_logs(database, project, *EVENTS)
    write_logs(database, project, *EVENTS, received_at=NOW + SECOND)
    for table, rows in TABLES.items():
        assert count(database, table, project)[1] == rows


def test_a_request_of_metrics_that_is_sent_again_is_counted_once(database: Database, project: str) -> None:
    message = metrics(counter("gen_ai.x", number(1), number(1)), gauge("gen_ai.y", number(2)))
    for token in ("a", "a", "b"):
        database.exporter.write(metric_batch(project, message), f"{project}/{token}")
    assert count(database, "metrics", project)[1] == 3
    assert database.value("SELECT sum(value) FROM metrics FINAL WHERE project = {p:String}", p=project) == 4.0


def test_every_value_of_a_log_record_survives(database: Database, project: str) -> None:
    record = log_record(
        body="a\x00b'\"\\{x:String}\n日本 😀",
        at=NOW + 123,
        observed=NOW + 456,
        attributes={"s": "é", "i": -(2**63), "d": 1.5, "b": True, "l": [1, "x"], "n": None},
    )
    record.severity_number, record.severity_text, record.flags, record.dropped_attributes_count = 17, "ERROR", 1, 4
    write_logs(database, project, record)
    (row,) = database.rows(
        "SELECT *, toUnixTimestamp64Nano(time) AS at, toUnixTimestamp64Nano(assumeNotNull(observed_time)) AS observed"
        " FROM logs WHERE project = {p:String}",
        p=project,
    )
    assert row["body"] == "a\x00b'\"\\{x:String}\n日本 😀"
    assert (row["at"], row["observed"]) == (NOW + 123, NOW + 456)
    assert (row["severity_number"], row["severity_text"], row["flags"]) == (17, "ERROR", 1)
    assert row["dropped_attributes_count"] == 4
    assert (row["attributes_string"], row["attributes_int"]) == ({"s": "é"}, {"i": -(2**63)})
    assert (row["attributes_double"], row["attributes_bool"]) == ({"d": 1.5}, {"b": True})
    assert row["attributes_json"] == {"l": '[1,"x"]', "n": "null"}


def test_every_kind_of_metric_is_stored(database: Database, project: str) -> None:
    point = HistogramDataPoint(
        time_unix_nano=NOW,
        start_time_unix_nano=NOW - SECOND,
        count=3,
        sum=1.5,
        bucket_counts=[1, 2],
        explicit_bounds=[1],
    )
    exponential = ExponentialHistogramDataPoint(time_unix_nano=NOW, count=2, scale=-1, zero_count=1)
    exponential.positive.offset = -4
    exponential.positive.bucket_counts.extend([1, 2**63])
    message = metrics(
        gauge("gen_ai.a", number(0.5, attributes={"gen_ai.token.type": "input", "server.port": 443})),
        counter("gen_ai.b", number(7), unit="{token}"),
        histogram("gen_ai.c", point, unit="s"),
        exponential_histogram("gen_ai.d", exponential),
    )
    database.exporter.write(metric_batch(project, message), project)
    a, b, c, d = database.rows("SELECT * FROM metrics FINAL WHERE project = {p:String} ORDER BY metric", p=project)
    assert (a["type"], a["value"], a["count"], a["start_time"]) == ("gauge", 0.5, None, None)
    assert (a["attributes_string"], a["attributes_int"]) == ({"gen_ai.token.type": "input"}, {"server.port": 443})
    assert (b["type"], b["value"], b["unit"], b["temporality"]) == ("sum", 7.0, "{token}", "delta")
    assert (c["count"], c["sum"], c["min"], c["bucket_bounds"], c["bucket_counts"]) == (3, 1.5, None, [1.0], [1, 2])
    assert (d["scale"], d["zero_count"], d["positive_offset"], d["positive_counts"]) == (-1, 1, -4, [1, 2**63])
    assert (d["value"], d["negative_counts"]) == (None, [])


# --- joined to spans --------------------------------------------------------------------------------------------------

CONVERSATION = (
    event("gen_ai.system.message", 2, at=NOON + 1, body={"content": "Be brief"}),
    event("gen_ai.user.message", 2, at=NOON + 2, body={"content": "Hi"}),
    event("gen_ai.assistant.message", 2, at=NOON + 3, body={"content": "Yes?"}),
    event("gen_ai.user.message", 2, at=NOON + 4, body={"content": "Bye"}),
    event("gen_ai.choice", 2, at=NOON + 9, body={"index": 0, "finish_reason": "stop", "message": {"content": "Bye!"}}),
)
INPUT = [("system", "Be brief"), ("user", "Hi"), ("assistant", "Yes?"), ("user", "Bye")]


@pytest.mark.parametrize("seed", range(4))
def test_message_events_make_the_content_of_their_span_in_any_order_before_and_after_it(
    database: Database, project: str, seed: int
) -> None:
    steps: list[Any] = [*CONVERSATION, (span(1), chat(2, parent=1))]
    random.Random(seed).shuffle(steps)
    for step in steps:
        if isinstance(step, LogRecord):
            write_logs(database, project, step)
        else:
            write_spans(database, project, *step)

    root, call = spans_of(database, project)
    assert words(call["input"]) == INPUT
    assert words(call["output"]) == [("assistant", "Bye!")]
    assert (root["input"], root["output"]) == ("", "")
    shown_root, shown_call = view(database, project)
    assert (shown_call["input"], shown_call["output"]) == (call["input"], call["output"])
    assert shown_root["input"] == ""


def test_message_events_that_are_sent_again_do_not_repeat_the_messages(database: Database, project: str) -> None:
    write_spans(database, project, chat(2))
    for arrival in range(3):
        write_logs(database, project, *CONVERSATION, received_at=NOW + arrival * SECOND)
    (call,) = spans_of(database, project)
    assert words(call["input"]) == INPUT
    assert view(database, project)[0]["input"] == call["input"]


def details(number: int = 1, **said: Any) -> dict[str, Any]:
    messages = {
        name: [{"role": role, "parts": [{"type": "text", "content": text}]}] for name, (role, text) in said.items()
    }
    return {f"gen_ai.{name}.messages": value for name, value in messages.items()}


def test_the_details_of_an_inference_fill_what_its_span_lacks(database: Database, project: str) -> None:
    attributes = details(input=("user", "from the log"), output=("assistant", "also")) | {
        "gen_ai.system_instructions": [{"type": "text", "content": "Be brief"}],
        "gen_ai.tool.definitions": [{"type": "function", "name": "f"}],
    }
    own = {"gen_ai.input.messages": json.dumps([{"role": "user", "parts": [{"type": "text", "content": "its own"}]}])}
    write_spans(database, project, chat(1, values=own))
    write_logs(database, project, event(DETAILS, attributes=attributes))

    (call,) = spans_of(database, project)
    assert words(call["input"]) == [("user", "its own")]
    assert words(call["output"]) == [("assistant", "also")]
    assert json.loads(call["system_instructions"]) == [{"type": "text", "content": "Be brief"}]
    assert json.loads(call["tool_definitions"])[0]["name"] == "f"
    (shown,) = view(database, project)
    for name in ("input", "output", "system_instructions", "tool_definitions"):
        assert shown[name] == call[name]


@pytest.mark.parametrize("span_first", [True, False])
def test_an_event_without_ids_is_joined_by_the_id_of_the_response(
    database: Database, project: str, span_first: bool
) -> None:
    """OpenLIT's streaming events: trace and span id are zero."""
    attributes = details(output=("assistant", "streamed")) | {"gen_ai.response.id": "chatcmpl-7"}
    record = log_record(event=DETAILS, trace_id=bytes(16), span_id=bytes(8), at=NOON, attributes=attributes)
    spans = (chat(1, values={"gen_ai.response.id": "chatcmpl-7"}), chat(2, values={"gen_ai.response.id": "another"}))
    steps = [lambda: write_spans(database, project, *spans), lambda: write_logs(database, project, record)]
    for step in steps if span_first else reversed(steps):
        step()

    first, second = spans_of(database, project)
    assert words(first["output"]) == [("assistant", "streamed")]
    assert second["output"] == ""
    assert [shown["output"] for shown in view(database, project)] == [first["output"], ""]


def test_evaluations_that_arrive_as_logs_are_added_to_those_of_the_span(database: Database, project: str) -> None:
    def result(name: str, at: int, **more: Any) -> LogRecord:
        attributes = {
            "gen_ai.evaluation.name": name,
            "gen_ai.evaluation.score.value": 0.5,
            **more.pop("attributes", {}),
        }
        return event(EVALUATION, at=at, attributes=attributes, **more)

    write_logs(database, project, result("late", NOON + 9), result("early", NOON + 1))
    by_response = result("of the response", NOON + 20, attributes={"gen_ai.response.id": f"r-{project}"})
    by_response.trace_id = by_response.span_id = b""
    write_spans(database, project, chat(1, values={"gen_ai.response.id": f"r-{project}"}))
    write_logs(database, project, by_response)

    (call,) = spans_of(database, project)
    assert [(each["name"], each["score"]) for each in call["evaluations"]] == [
        ("early", 0.5),
        ("late", 0.5),
        ("of the response", 0.5),
    ]
    (shown,) = view(database, project)
    assert [dict(each) for each in shown["evaluations"]] == [
        {name: each[name] for name in ("name", "score", "label", "explanation")} for each in call["evaluations"]
    ]


def test_an_exception_event_says_why_a_span_failed(database: Database, project: str) -> None:
    write_spans(database, project, chat(1, error="", values={"error.type": "RateLimitError"}))
    attributes = {"exception.type": "openai.RateLimitError", "exception.message": "slow down"}
    write_logs(database, project, event("gen_ai.client.operation.exception", attributes=attributes))
    (call,) = spans_of(database, project)
    assert (call["error"], call["error_type"]) == ("slow down", "RateLimitError")


def test_content_stays_in_its_project_and_its_trace(database: Database, project: str) -> None:
    write_spans(database, project, chat(1, trace=1), chat(1, trace=2))
    write_logs(database, f"{project}-other", event("gen_ai.user.message", 1, 1, body={"content": "of another project"}))
    write_logs(database, project, event("gen_ai.user.message", 1, 2, body={"content": "of another trace"}))
    assert [one["input"] for one in spans_of(database, project, 1)] == [""]
    assert [words(one["input"]) for one in spans_of(database, project, 2)] == [[("user", "of another trace")]]
    assert [words(shown["input"]) for shown in view(database, project)] == [[], [("user", "of another trace")]]


def test_hostile_texts_are_joined_like_any_other(database: Database, project: str) -> None:
    hostile = "'); DROP TABLE spans; -- {project:String} \\ \x00 ]}"
    write_spans(database, project, chat(1, values={"gen_ai.response.id": hostile}))
    attributes = details(input=("user", hostile), output=("assistant", hostile)) | {"gen_ai.response.id": hostile}
    record = log_record(event=DETAILS, trace_id=b"", span_id=b"", at=NOON, attributes=attributes)
    write_logs(database, project, record, event("gen_ai.user.message", body=hostile))
    (call,) = spans_of(database, project)
    assert words(call["input"]) == [("user", hostile)]
    assert view(database, project)[0]["input"] == call["input"]


def test_where_no_content_arrives_as_logs_the_tables_are_not_asked(
    database: Database, project: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_spans(database, project, chat(1))
    joined = database.store._joined
    monkeypatch.setattr(joined, "_has", {"content": 0, "evaluations": 0})
    monkeypatch.setattr(joined, "_look_again", float("inf"))
    asked: list[str] = []
    query = database.store._readers.query
    monkeypatch.setattr(
        database.store._readers, "query", lambda sql, values: (asked.append(sql), query(sql, values))[1]
    )
    spans_of(database, project)
    assert len(asked) == 2
    assert not any("span_content" in sql or "evaluations\n" in sql for sql in asked)


def test_a_lookup_by_trace_or_by_response_reads_few_granules(database: Database, project: str) -> None:
    """Sixty thousand rows, of which one is wanted."""
    for table, rest in (("span_content", "event_name, complete"), ("evaluations", "name, score")):
        database.connection.command(
            f"INSERT INTO {table} (project, trace_id, span_id, response_id, request, time, {rest})"
            f" SELECT '{project}', if(number % 2, lower(hex(sipHash128(number))), ''), if(number % 2, 'x', ''),"
            f" toString(number), number, now(), 'x', 1 FROM numbers(60000)"
        )
        for owner in (read_joined._OF_TRACE, read_joined._OF_RESPONSES):
            values = {"project": project, "trace_id": "f" * 32, "response_ids": ["4444"]}
            sql = f"EXPLAIN ESTIMATE SELECT * FROM {table} WHERE project = {{project:String}} AND {owner}"
            rows = sum(row["rows"] for row in database.rows(sql, **values))
            assert rows <= 2 * 1024, (table, owner)


README = Path(exporters.clickhouse.__file__).parent / "README.md"
QUERIES = [
    query.strip()
    for block in re.findall(r"```sql\n(.*?)```", README.read_text(encoding="utf-8"), re.S)
    for query in block.split(";")
    if query.strip()
]


@pytest.mark.parametrize("query", QUERIES, ids=range(len(QUERIES)))
def test_a_query_of_the_readme_runs(database: Database, query: str) -> None:
    database.rows(query)


def test_a_structured_body_is_json_in_the_table(database: Database, project: str) -> None:
    record = log_record(attributes={"k": 1})
    record.body.CopyFrom(any_value({"a": [1, {"b": None}]}))
    record.attributes.extend(key_values({"event.name": "my.event"}))
    write_logs(database, project, record)
    sql = "SELECT body, body_type, event_name, moved_to FROM logs WHERE project = {p:String}"
    assert database.rows(sql, p=project) == [
        {"body": '{"a":[1,{"b":null}]}', "body_type": "json", "event_name": "my.event", "moved_to": ""}
    ]
