"""Rows to the messages of the gRPC read API: every field, and what is absent."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

from collector.enrich.kinds import KINDS
from collector.query.grpc import traces_pb2 as pb
from collector.query.grpc.values import MAX_DEPTH, amount, set_value
from collector.query.grpc.view import list_parts, summary_message, trace_message
from tests.unit.query.grpc_rows import bare_span_row, model_call_row, running_trace_row, trace_row
from tests.unit.query.rows import ROOT_ID, START, TRACE_ID, Row


def shown(message: Any) -> dict[str, Any]:
    """What is set, under the names of the file."""
    found: dict[str, Any] = MessageToDict(message, preserving_proto_field_name=True)
    return found


def span_message(row: Row, *, full: bool = True) -> pb.Span:
    return trace_message(trace_row(), [row], full=full).spans[0]


def value(content: Any) -> pb.Value:
    message = pb.Value()
    set_value(message, content)
    return message


def test_a_summary_has_every_column_of_the_trace() -> None:
    assert shown(summary_message(trace_row(error_count=1, unpriced_spans=2))) == {
        "trace_id": TRACE_ID,
        "name": "answer a question",
        "status": "TRACE_STATUS_COMPLETED",
        "start_time": "2026-01-01T00:00:00.123456789Z",
        "end_time": "2026-01-01T00:00:02.623456789Z",
        "latency": "2.500s",
        "root_span_id": ROOT_ID,
        "service_name": "shop",
        "environment": "production",
        "release": "1.2.3",
        "session_id": "session-1",
        "user_id": "user-1",
        "tags": ["paid", "beta"],
        "span_count": 2,
        "error_count": 1,
        "input_tokens": "100",
        "output_tokens": "20",
        "cost_total": "0.00045",
        "unpriced_spans": 2,
    }


def test_a_running_trace_has_no_end_and_no_cost() -> None:
    message = summary_message(running_trace_row())
    assert message.status == pb.TRACE_STATUS_RUNNING
    for absent in ("end_time", "latency", "cost_total"):
        assert not message.HasField(absent)


def test_a_free_trace_costs_0_which_is_not_the_same_as_no_cost() -> None:
    message = summary_message(trace_row(cost_total=Decimal("0E-12"), latency_ns=0))
    assert message.HasField("cost_total")
    assert message.cost_total == "0"
    assert message.HasField("latency")


def test_a_model_call_has_every_column_of_its_span() -> None:
    row = model_call_row(
        session_id="session-1",
        user_id="user-1",
        agent_name="planner",
        tool_name="search",
        tool_call_id="call-1",
        prompt_name="greeting",
        prompt_version="3",
        service_tier="batch",
        status_code="ERROR",
        status_message="failed",
        error="timed out",
        error_type="TimeoutError",
        usage_problem="contradictory",
        cost_reported=Decimal("0.0005"),
        unpriced_reason="",
        tool_definitions="[]",
        tool_calls=[{"id": "call-1", "name": "search", "arguments": "{}"}],
        evaluations=[{"name": "relevance", "score": 0.5, "label": "fair", "explanation": "so-so"}],
        metadata={"team": "a"},
        events=[{"time": START, "name": "first token", "attributes": {"n": 1}}],
        links=[{"trace_id": TRACE_ID, "span_id": ROOT_ID, "attributes": {"why": "retry"}}],
        cut_attributes=1,
        cut_values=2,
        cut_events=3,
        cut_links=4,
    )
    found = shown(span_message(row))
    assert found.keys() == {field.name for field in pb.Span.DESCRIPTOR.fields} - {"resource"}  # which is 0: the first
    same = (
        "span_id parent_span_id span_uuid name status_message error error_type operation provider request_model "
        "response_model response_id session_id user_id agent_name tool_name tool_call_id finish_reasons tags prompt_name "
        "prompt_version service_tier input output system_instructions tool_definitions tool_calls evaluations"
    )
    for name in same.split():
        assert found.pop(name) == row[name], name
    assert found == {
        "kind": "KIND_LLM",
        "status_code": "STATUS_CODE_ERROR",
        "start_time": "2026-01-01T00:00:00.124456789Z",
        "end_time": "2026-01-01T00:00:00.924456789Z",
        "latency": "0.800s",
        "time_to_first_token": "0.250s",
        "usage": {
            "input_tokens": "100",
            "output_tokens": "20",
            "cache_read_tokens": "60",
            "cache_write_tokens": "0",
            "reasoning_tokens": "5",
            "token_basis": "inclusive",
            "problem": "contradictory",
            "counts": True,
        },
        "cost": {
            "total": "0.00045",
            "input": "0.00025",
            "output": "0.0002",
            "reported": "0.0005",
            "source": "computed",
            "price": {
                "provider": "openai",
                "model": "gpt-4o",
                "version": "2026.1",
                "tier": "standard",
                "effective_date": "2025-06-01",
            },
        },
        "model_parameters": {"temperature": {"double_value": 0.5}, "max_tokens": {"int_value": "256"}},
        "metadata": {"team": {"string_value": "a"}},
        "attributes": {
            "gen_ai.request.model": {"string_value": "gpt-4o"},
            "gen_ai.request.temperature": {"double_value": 0.5},
            "gen_ai.request.max_tokens": {"int_value": "256"},
            "app.feature": {"string_value": "search"},
        },
        "events": [
            {
                "time": "2026-01-01T00:00:00.123456789Z",
                "name": "first token",
                "attributes": {"n": {"int_value": "1"}},
            }
        ],
        "links": [{"trace_id": TRACE_ID, "span_id": ROOT_ID, "attributes": {"why": {"string_value": "retry"}}}],
        "scope": {"name": "opentelemetry.instrumentation.openai", "version": "1.3"},
        "cut": {"attributes": 1, "values": 2, "events": 3, "links": 4},
    }


def test_a_span_that_says_nothing_has_nothing_set() -> None:
    found = shown(span_message(bare_span_row(end_time=None, latency_ns=None)))
    assert found.keys() == {"span_id", "span_uuid", "name", "kind", "start_time"}


def test_an_unpriced_call_has_a_reason_and_no_amount() -> None:
    absent = dict.fromkeys(("cost_total", "cost_input", "cost_output", "price_effective_date"))
    no_price = dict.fromkeys(("price_provider", "price_model", "price_version", "price_tier"), "")
    row = model_call_row(cost_source="unpriced", unpriced_reason="unknown_model", **absent, **no_price)
    assert shown(span_message(row).cost) == {"source": "unpriced", "unpriced_reason": "unknown_model"}


def test_a_price_without_a_date_is_shown_without_one() -> None:
    assert span_message(model_call_row(price_effective_date=None)).cost.price.effective_date == ""


def test_tokens_that_were_reported_as_0_are_not_those_that_were_not_reported() -> None:
    usage = span_message(model_call_row(cache_read_tokens=0, reasoning_tokens=None)).usage
    assert usage.HasField("cache_read_tokens")
    assert not usage.HasField("reasoning_tokens")


def test_the_basic_view_leaves_out_all_that_may_be_large() -> None:
    big = {"metadata": {"a": 1}, "events": [{"time": START, "name": "e", "attributes": {}}]}
    full, basic = (shown(span_message(model_call_row(**big), full=full)) for full in (True, False))
    assert full.keys() - basic.keys() == {
        "input", "output", "system_instructions", "metadata", "attributes", "events",
    }  # fmt: skip
    assert basic == {name: full[name] for name in basic}


def test_equal_resources_are_there_once_and_spans_point_at_theirs() -> None:
    other = {"service.name": "billing", "replicas": 3}
    spans = [bare_span_row(), bare_span_row(resource=other), bare_span_row()]
    message = trace_message(trace_row(), spans, full=False)
    assert [span.resource for span in message.spans] == [0, 1, 0]
    assert [shown(resource)["attributes"] for resource in message.resources] == [
        {"service.name": {"string_value": "shop"}},
        {"service.name": {"string_value": "billing"}, "replicas": {"int_value": "3"}},
    ]


def test_the_enums_know_every_kind_and_status() -> None:
    assert {name.removeprefix("KIND_") for name, number in pb.Kind.items() if number} == set(KINDS)
    for status in ("RUNNING", "COMPLETED", "ERROR"):
        message = summary_message(trace_row(status=status))
        assert pb.TraceStatus.Name(message.status) == f"TRACE_STATUS_{status}"
    for code in ("UNSET", "OK", "ERROR"):
        assert pb.StatusCode.Name(span_message(bare_span_row(status_code=code)).status_code) == f"STATUS_CODE_{code}"


def test_a_kind_that_only_a_newer_version_knows_is_unspecified() -> None:
    assert span_message(bare_span_row(kind="ORACLE")).kind == pb.KIND_UNSPECIFIED


@pytest.mark.parametrize(
    ("money", "text"),
    [
        ("0.000000000001", "0.000000000001"),
        ("0E-12", "0"),
        ("100.000000000000", "100"),
        ("100", "100"),
        ("1E+2", "100"),
        ("1234567890123456789.123456789012", "1234567890123456789.123456789012"),
        ("-0.500000000000", "-0.5"),
    ],
)
def test_an_amount_is_exact_and_plain(money: str, text: str) -> None:
    assert amount(Decimal(money)) == text


@pytest.mark.parametrize(
    "content",
    [
        "text", "", True, False, 0, 2**63 - 1, -(2**63), 2**53 + 1, 0.1, 1.0, None, [], {}, [None, [1, "a"]],
        {"a": {"b": [True, 2.5]}, "": None},
    ],
    ids=repr,
)  # fmt: skip
def test_a_value_is_read_by_opentelemetrys_own_definition(content: Any) -> None:
    def read(message: AnyValue) -> Any:
        arm = message.WhichOneof("value")
        if arm == "array_value":
            return [read(member) for member in message.array_value.values]
        if arm == "kvlist_value":
            return {pair.key: read(pair.value) for pair in message.kvlist_value.values}
        return arm and getattr(message, arm)

    found = read(AnyValue.FromString(value(content).SerializeToString()))
    assert found == content
    assert type(found) is type(content)


def test_bytes_and_doubles_that_json_cannot_write_come_back() -> None:
    assert value({"bytesValue": "AAH/"}).bytes_value == b"\x00\x01\xff"
    assert math.isnan(value({"doubleValue": "NaN"}).double_value)
    assert value({"doubleValue": "-Infinity"}).double_value == -math.inf


@pytest.mark.parametrize(
    "content", [{"bytesValue": "no base64"}, {"bytesValue": 1}, {"doubleValue": "1.5"}, {"doubleValue": []}], ids=repr
)
def test_an_object_that_only_looks_like_one_of_those_stays_an_object(content: Any) -> None:
    assert value(content).WhichOneof("value") == "kvlist_value"


def test_an_integer_beyond_64_bits_keeps_its_digits() -> None:
    assert value(2**64 - 1).string_value == "18446744073709551615"


@pytest.mark.parametrize("wrap", [lambda inner: [inner], lambda inner: {"a": inner}], ids=["list", "object"])
def test_what_nests_too_deeply_is_text_below_a_depth_that_every_parser_reads(wrap: Any) -> None:
    content: Any = "core"
    for _ in range(150):
        content = wrap(content)
    attributes = {"deep": content}
    row = model_call_row(attributes=attributes, events=[{"time": START, "name": "e", "attributes": attributes}])
    read = pb.GetTraceResponse.FromString(
        pb.GetTraceResponse(trace=trace_message(trace_row(), [row], full=True)).SerializeToString()
    )
    inner = read.trace.spans[0].events[0].attributes["deep"]
    for _ in range(MAX_DEPTH):
        inner = inner.array_value.values[0] if inner.HasField("array_value") else inner.kvlist_value.values["a"]
    assert inner.string_value.count("[") + inner.string_value.count("{") == 150 - MAX_DEPTH


def test_a_list_is_cut_into_parts_by_bytes_and_loses_nothing() -> None:
    rows = [trace_row(trace_id=f"{number:032x}", name="n" * 300) for number in range(10)]
    parts = list(list_parts(rows, 1000))
    assert [len(part.traces) for part in parts] == [3, 3, 3, 1]
    assert [trace.trace_id for part in parts for trace in part.traces] == [row["trace_id"] for row in rows]
    assert list(list_parts([], 1000)) == []


def test_times_are_exact_to_the_nanosecond_also_before_2001() -> None:
    for time in (0, 1, 999_999_999_999_999_999, START):
        message = span_message(bare_span_row(start_time=time))
        assert message.HasField("start_time")
        assert message.start_time.ToNanoseconds() == time
