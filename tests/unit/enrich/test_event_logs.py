"""GenAI events among log records: what becomes content or an evaluation of a span, and what stays a log record."""

from __future__ import annotations

import json
from typing import Any

import pytest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

from collector.batch import LogBatch, concat
from collector.decode import Limits, decode_logs
from collector.enrich.event_logs import enrich_logs
from tests.support.otlp import NOW
from tests.support.otlp_signals import DETAILS, EVALUATION, SPAN_ID, TRACE_ID, log_record, logs
from tests.unit.enrich.building import rows

USER = [{"role": "user", "parts": [{"type": "text", "content": "Hi"}]}]
ANSWER = [{"role": "assistant", "parts": [{"type": "text", "content": "Hello"}], "finish_reason": "stop"}]
TOOL = [{"type": "function", "name": "weather", "parameters": {"type": "object"}}]


def enriched(*records: LogRecord) -> LogBatch:
    payload = logs(*records).SerializeToString()
    return enrich_logs(decode_logs(payload, project="p", received_at=NOW, limits=Limits()).batch)


def content(*records: LogRecord) -> list[dict[str, Any]]:
    """The rows for `span_content`; JSON parsed, what is empty left out."""
    table = enriched(*records).content
    assert table is not None
    table.validate(full=True)
    shown = [{name: value for name, value in row.items() if value != ""} for row in table.to_pylist()]
    for row in shown:
        for name in {"input", "output", "system_instructions", "tool_definitions"} & row.keys():
            row[name] = json.loads(row[name])
    return shown


def evaluations(*records: LogRecord) -> list[dict[str, Any]]:
    table = enriched(*records).evaluations
    assert table is not None
    return table.select(("name", "score", "label", "explanation", "user_id")).to_pylist()


def stored(*records: LogRecord) -> list[dict[str, Any]]:
    """The rows for `logs`, attributes as (key, type, value)."""
    return rows(enriched(*records))  # type: ignore[arg-type]


def as_json(value: Any) -> str:
    return json.dumps(value)


@pytest.mark.parametrize("form", [as_json, lambda value: value], ids=["JSON text", "structured"])
def test_the_details_of_an_inference_become_content_and_leave_the_record(form: Any) -> None:
    instructions = [{"type": "text", "content": "Be brief"}]
    sent = {
        "gen_ai.operation.name": "chat",
        "gen_ai.input.messages": form(USER),
        "gen_ai.output.messages": form(ANSWER),
        "gen_ai.system_instructions": form(instructions),
        "gen_ai.tool.definitions": form(TOOL),
        "gen_ai.usage.input_tokens": 12,
    }
    record = log_record(event=DETAILS, attributes=sent, at=NOW - 7)

    (row,) = content(record)
    assert (row["trace_id"], row["span_id"]) == (TRACE_ID.hex(), SPAN_ID.hex())
    assert (row["event_name"], row["complete"]) == (DETAILS, True)
    assert (row["input"], row["output"]) == (USER, ANSWER)
    assert (row["system_instructions"], row["tool_definitions"]) == (instructions, TOOL)

    (log,) = stored(record)
    assert log["moved_to"] == "span_content"
    assert log["attributes"] == [
        ("gen_ai.operation.name", "string", "chat"),
        ("gen_ai.usage.input_tokens", "integer", 12),
    ]
    assert (log["request"], log["position"], log["time"]) == (row["request"], row["position"], row["time"])


def test_messages_in_the_form_of_a_provider_become_canonical() -> None:
    sent = {"gen_ai.input.messages": as_json([{"role": "user", "content": "Hi"}]), "gen_ai.output.messages": "Hello"}
    (row,) = content(log_record(event=DETAILS, attributes=sent))
    assert row["input"] == USER
    assert row["output"] == [{"role": "assistant", "parts": [{"type": "text", "content": "Hello"}]}]


@pytest.mark.parametrize(
    ("event", "body", "column", "message"),
    [
        (
            "gen_ai.system.message",
            {"content": "Be brief"},
            "input",
            ("system", {"type": "text", "content": "Be brief"}),
        ),
        ("gen_ai.user.message", {"content": "Hi"}, "input", ("user", {"type": "text", "content": "Hi"})),
        (
            "gen_ai.user.message",
            {"content": "Hi", "role": "human"},
            "input",
            ("user", {"type": "text", "content": "Hi"}),
        ),
        ("gen_ai.user.message", "Hi", "input", ("user", {"type": "text", "content": "Hi"})),
        (
            "gen_ai.assistant.message",
            {"tool_calls": [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}]},
            "input",
            ("assistant", {"type": "tool_call", "id": "c1", "name": "f", "arguments": {"a": 1}}),
        ),
        (
            "gen_ai.tool.message",
            {"content": "sunny", "id": "c1"},
            "input",
            ("tool", {"type": "tool_call_response", "id": "c1", "response": "sunny"}),
        ),
        (
            "gen_ai.choice",
            {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Hello"}},
            "output",
            ("assistant", {"type": "text", "content": "Hello"}),
        ),
        (  # as OpenLLMetry sends it
            "gen_ai.choice",
            {
                "index": 0,
                "finish_reason": "tool_calls",
                "message": {"content": None},
                "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
            },
            "output",
            ("assistant", {"type": "tool_call", "id": "c1", "name": "f", "arguments": {}}),
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_event_that_is_one_message_becomes_a_part_of_the_content(
    event: str, body: Any, column: str, message: tuple[str, dict[str, Any]]
) -> None:
    record = log_record(event=event, body=body, attributes={"gen_ai.system": "openai"})

    (row,) = content(record)
    assert {"input", "output"} & row.keys() == {column}
    assert [(said["role"], said["parts"]) for said in row[column]] == [(message[0], [message[1]])]
    assert row["complete"] is False

    (log,) = stored(record)
    assert (log["body"], log["body_type"], log["moved_to"]) == ("", "", "span_content")
    assert log["attributes"] == [("gen_ai.system", "string", "openai")]


def test_a_choice_keeps_its_finish_reason() -> None:
    body = {"index": 0, "finish_reason": "length", "message": {"content": "Hel"}}
    ((message,),) = [row["output"] for row in content(log_record(event="gen_ai.choice", body=body))]
    assert message["finish_reason"] == "length"


def test_a_message_may_stand_in_the_attribute_of_azures_packages() -> None:
    sent = {"gen_ai.event.content": as_json({"content": "Hi", "role": "user"}), "gen_ai.system": "az.ai.inference"}
    record = log_record(event="gen_ai.user.message", attributes=sent)
    assert [row["input"] for row in content(record)] == [USER]
    assert [log["attributes"] for log in stored(record)] == [[("gen_ai.system", "string", "az.ai.inference")]]


def test_the_name_of_an_event_may_be_an_attribute() -> None:
    record = log_record(attributes={"event.name": "gen_ai.user.message"}, body={"content": "Hi"})
    assert [row["input"] for row in content(record)] == [USER]
    assert [log["event_name"] for log in stored(record)] == ["gen_ai.user.message"]


@pytest.mark.parametrize(
    ("event", "body", "attributes"),
    [
        ("gen_ai.user.message", None, {"gen_ai.system": "openai"}),
        ("gen_ai.user.message", {"content": ""}, {}),
        ("gen_ai.choice", {"index": 0, "finish_reason": "stop", "message": {"role": "assistant"}}, {}),
        ("gen_ai.choice", 5, {}),
        (DETAILS, None, {"gen_ai.request.model": "gpt-4o", "gen_ai.input.messages": ""}),
        (DETAILS, None, {"gen_ai.input.messages": None}),
        (EVALUATION, None, {"gen_ai.response.id": "r"}),
        ("exception", None, {"exception.message": "boom"}),
        ("", {"content": "Hi"}, {}),
        ("gen_ai.something.new", {"content": "Hi"}, {"gen_ai.input.messages": "x"}),
    ],
)
def test_an_event_without_content_stays_as_it_is(event: str, body: Any, attributes: dict[str, Any]) -> None:
    """Most instrumentations leave content out unless they are told otherwise."""
    batch = enriched(log_record(event=event, body=body, attributes=attributes))
    assert len(batch.content) == len(batch.evaluations) == 0  # type: ignore[arg-type]
    (log,) = rows(batch)  # type: ignore[arg-type]
    assert log["moved_to"] == ""
    assert [key for key, *_ in log["attributes"]] == list(attributes)
    assert bool(log["body"]) == (body is not None)


def test_without_ids_of_a_span_the_id_of_the_response_leads_to_it() -> None:
    """As OpenLIT sends the event of a streamed call."""
    sent = {"gen_ai.response.id": "chatcmpl-1", "gen_ai.output.messages": ANSWER}
    for ids in ({"trace_id": bytes(16), "span_id": bytes(8)}, {"span_id": b""}, {"trace_id": b"short"}):
        (row,) = content(log_record(event=DETAILS, attributes=sent, **ids))
        assert "trace_id" not in row
        assert "span_id" not in row
        assert (row["response_id"], row["output"]) == ("chatcmpl-1", ANSWER)


def test_content_that_leads_to_no_span_stays_in_its_record() -> None:
    sent = {"gen_ai.output.messages": as_json(ANSWER)}
    for record in (
        log_record(event=DETAILS, attributes=sent, trace_id=b"", span_id=b""),
        log_record(event="gen_ai.user.message", body={"content": "Hi"}, trace_id=b"", span_id=b""),
    ):
        assert content(record) == []
        (log,) = stored(record)
        assert log["moved_to"] == ""
        assert log["body"] or log["attributes"]


def test_an_evaluation_result_becomes_a_row_and_leaves_the_record() -> None:
    sent = {
        "gen_ai.evaluation.name": "relevance",
        "gen_ai.evaluation.score.value": 0.75,
        "gen_ai.evaluation.score.label": "pass",
        "gen_ai.evaluation.explanation": "It answers.",
        "gen_ai.response.id": "r",
    }
    record = log_record(event=EVALUATION, attributes=sent)
    said = {"name": "relevance", "score": 0.75, "label": "pass", "explanation": "It answers.", "user_id": ""}
    assert evaluations(record) == [said]
    (log,) = stored(record)
    assert (log["moved_to"], log["attributes"]) == ("evaluations", [("gen_ai.response.id", "string", "r")])


@pytest.mark.parametrize(
    ("users", "user_id"),
    [
        ({"user.id": "ann"}, "ann"),
        ({"enduser.id": "bob"}, "bob"),
        ({"user.id": "ann", "enduser.id": "bob"}, "ann"),
        ({"user.id": 7}, "7"),
    ],
)
def test_an_evaluation_by_a_person_says_who_it_is(users: dict[str, Any], user_id: str) -> None:
    record = log_record(event=EVALUATION, attributes={"gen_ai.evaluation.name": "feedback", **users})
    (row,) = evaluations(record)
    assert row["user_id"] == user_id


def test_a_user_alone_is_no_evaluation_and_stays_in_the_record() -> None:
    record = log_record(event=EVALUATION, attributes={"user.id": "ann"})
    assert evaluations(record) == []
    assert [log["attributes"] for log in stored(record)] == [[("user.id", "string", "ann")]]


@pytest.mark.parametrize(
    ("score", "number"), [(1, 1.0), ("0.5", 0.5), (float("nan"), None), ("good", None), (True, None), (None, None)]
)
def test_a_score_is_a_finite_number_and_anything_else_stays_in_the_record(score: Any, number: float | None) -> None:
    record = log_record(
        event=EVALUATION, attributes={"gen_ai.evaluation.name": "n", "gen_ai.evaluation.score.value": score}
    )
    assert evaluations(record) == [{"name": "n", "score": number, "label": "", "explanation": "", "user_id": ""}]
    assert [len(log["attributes"]) for log in stored(record)] == [0 if number is not None else 1]


def test_an_exception_is_an_error_of_its_span_and_stays_with_its_stack() -> None:
    sent = {"exception.type": "openai.RateLimitError", "exception.message": "slow down", "exception.stacktrace": "..."}
    record = log_record(event="gen_ai.client.operation.exception", attributes=sent)
    (row,) = content(record)
    assert (row["error"], row["error_type"]) == ("slow down", "openai.RateLimitError")
    (log,) = stored(record)
    assert (log["moved_to"], {key for key, *_ in log["attributes"]}) == ("", set(sent))


def test_only_the_events_of_a_batch_are_touched_wherever_they_stand() -> None:
    plain = [log_record(body=f"line {i}", attributes={"i": i, "gen_ai.input.messages": "kept"}) for i in range(3)]
    event = log_record(event="gen_ai.user.message", body={"content": "Hi"}, attributes={"i": 9})
    logged = stored(plain[0], event, plain[1], event, plain[2])

    assert [log["body"] for log in logged] == ["line 0", "", "line 1", "", "line 2"]
    assert [log["moved_to"] for log in logged] == ["", "span_content", "", "span_content", ""]
    assert [[value for _, _, value in log["attributes"]] for log in logged] == [
        [0, "kept"],
        [9],
        [1, "kept"],
        [9],
        [2, "kept"],
    ]
    assert [row["position"] for row in content(plain[0], event, plain[1], event)] == [1, 3]


def test_requests_that_are_joined_first_and_enriched_then_give_the_same_rows() -> None:
    payloads = [
        logs(log_record(event="gen_ai.user.message", body={"content": text}), resource={"r": text}).SerializeToString()
        for text in ("a", "b")
    ]
    batches = [decode_logs(each, project="p", received_at=NOW, limits=Limits()).batch for each in payloads]
    apart = [row for each in batches for row in enrich_logs(each).content.to_pylist()]  # type: ignore[union-attr]
    together = enrich_logs(concat(batches)).content.to_pylist()  # type: ignore[union-attr]
    assert together == apart
    assert len({row["request"] for row in together}) == 2


def test_a_batch_without_records_is_enriched_to_one_without_rows() -> None:
    batch = enriched()
    assert len(batch) == len(batch.content) == len(batch.evaluations) == 0  # type: ignore[arg-type]
    assert {"response_id", "moved_to"} <= set(batch.columns.schema.names)
