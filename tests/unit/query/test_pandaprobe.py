"""Rows to the PandaProbe shape."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from collector.project import project_uuid
from collector.query.pandaprobe.view import EVIDENCE, trace_document, trace_list_item
from tests.unit.query.rows import (
    ROOT_ID,
    START,
    TRACE_UUID,
    bare_span_row,
    model_call_row,
    running_trace_row,
    text_message,
    trace_row,
)


def span_document(row: dict[str, Any]) -> dict[str, Any]:
    [shown] = trace_document("default", trace_row(), [row])["spans"]
    assert isinstance(shown, dict)
    return shown


def evidence(row: dict[str, Any]) -> dict[str, Any]:
    shown = span_document(row)["metadata"][EVIDENCE]
    assert isinstance(shown, dict)
    return shown


def test_a_trace_is_shown_with_its_spans() -> None:
    shown = trace_document("default", trace_row(), [bare_span_row(), model_call_row()])
    assert shown["trace_id"] == TRACE_UUID
    assert shown["started_at"] == "2026-01-01T00:00:00.123456+00:00"
    assert shown["ended_at"] == "2026-01-01T00:00:02.623456+00:00"
    assert (shown["session_id"], shown["user_id"]) == ("session-1", "user-1")
    assert (shown["environment"], shown["release"], shown["tags"]) == ("production", "1.2.3", ["paid", "beta"])
    assert [span["trace_id"] for span in shown["spans"]] == [TRACE_UUID, TRACE_UUID]
    assert [span["parent_span_id"] for span in shown["spans"]] == [None, shown["spans"][0]["span_id"]]


def test_a_project_has_one_id_and_another_project_another() -> None:
    assert project_uuid("default") == project_uuid("default") == "02038125-df9d-5a5d-8a71-14d67d2fb6f1"
    assert project_uuid("other") != project_uuid("default")


def test_absent_values_of_a_running_trace_are_null_and_its_lists_empty() -> None:
    shown = trace_document("default", running_trace_row(), [])
    assert shown["status"] == "RUNNING"
    for field in ("input", "output", "ended_at", "session_id", "user_id", "environment", "release"):
        assert shown[field] is None
    assert (shown["tags"], shown["spans"]) == ([], [])


def test_a_time_on_the_second_shows_its_microseconds_too() -> None:
    shown = span_document(bare_span_row(start_time=1_767_225_600_000_000_000, end_time=None, latency_ns=None))
    assert shown["started_at"] == "2026-01-01T00:00:00.000000+00:00"
    assert shown["ended_at"] is None
    assert shown["latency_ms"] is None


def test_latency_is_in_milliseconds_and_the_first_token_is_a_time_too() -> None:
    shown = span_document(model_call_row())
    assert (shown["latency_ms"], shown["time_to_first_token_ms"]) == (800.0, 250.0)
    assert shown["started_at"] == "2026-01-01T00:00:00.124456+00:00"
    assert shown["completion_start_time"] == "2026-01-01T00:00:00.374456+00:00"


def test_kinds_without_a_documented_name_are_other_and_keep_theirs_as_evidence() -> None:
    for kind in ("AGENT", "TOOL", "LLM", "RETRIEVER", "CHAIN", "EMBEDDING", "OTHER"):
        assert span_document(bare_span_row(kind=kind))["kind"] == kind
        assert "kind" not in evidence(bare_span_row(kind=kind))
    for kind in ("RERANKER", "GUARDRAIL", "EVALUATOR"):
        assert span_document(bare_span_row(kind=kind))["kind"] == "OTHER"
        assert evidence(bare_span_row(kind=kind))["kind"] == kind


def test_the_model_is_the_one_that_answered_or_else_the_one_that_was_asked() -> None:
    assert span_document(model_call_row())["model"] == "gpt-4o-2024-08-06"
    assert evidence(model_call_row())["request_model"] == "gpt-4o"
    assert span_document(model_call_row(response_model=""))["model"] == "gpt-4o"
    assert "request_model" not in evidence(model_call_row(response_model=""))
    assert "request_model" not in evidence(model_call_row(response_model="gpt-4o"))
    assert span_document(bare_span_row())["model"] is None


def test_token_usage_holds_what_was_reported() -> None:
    assert span_document(model_call_row())["token_usage"] == {
        "prompt_tokens": 100,
        "completion_tokens": 20,
        "total_tokens": 120,
        "reasoning_tokens": 5,
        "cache_read_tokens": 60,
    }
    assert span_document(bare_span_row(input_tokens=7))["token_usage"] == {"prompt_tokens": 7, "total_tokens": 7}
    assert span_document(bare_span_row(output_tokens=0))["token_usage"] == {"completion_tokens": 0, "total_tokens": 0}
    assert span_document(bare_span_row(cache_read_tokens=3))["token_usage"] == {"cache_read_tokens": 3}
    assert span_document(bare_span_row())["token_usage"] is None


def test_cost_is_null_when_unpriced_and_zero_when_free() -> None:
    assert span_document(model_call_row())["cost"] == {"total": 0.00045, "input": 0.00025, "output": 0.0002}
    free = bare_span_row(cost_total=Decimal("0E-12"), cost_source="computed")
    assert span_document(free)["cost"] == {"total": 0.0}
    unpriced = bare_span_row(cost_source="unpriced", unpriced_reason="unknown model")
    assert span_document(unpriced)["cost"] is None
    assert evidence(unpriced)["unpriced_reason"] == "unknown model"


def test_request_attributes_are_parameters_and_the_rest_is_metadata() -> None:
    shown = span_document(model_call_row())
    assert shown["model_parameters"] == {"temperature": 0.5, "max_tokens": 256}
    assert {key: value for key, value in shown["metadata"].items() if key != EVIDENCE} == {
        "gen_ai.request.model": "gpt-4o",
        "app.feature": "search",
    }
    assert span_document(bare_span_row())["model_parameters"] is None


def test_metadata_says_which_rule_and_price_made_the_cost() -> None:
    shown = evidence(model_call_row())
    expected = {
        "cost_source": "computed",
        "price_provider": "openai",
        "price_model": "gpt-4o",
        "price_version": "2026.1",
        "price_tier": "standard",
        "price_effective_date": "2025-06-01",
        "token_basis": "inclusive",
        "counts": True,
        "cache_write_tokens": 0,
    }
    assert shown.items() >= expected.items()
    assert shown["finish_reasons"] == ["stop"]
    assert shown["scope"] == {"name": "opentelemetry.instrumentation.openai", "version": "1.3"}


def test_evidence_that_says_nothing_is_left_out() -> None:
    assert evidence(bare_span_row()) == {"span_id": ROOT_ID}


def test_attributes_named_like_our_evidence_are_kept_beside_it() -> None:
    shown = span_document(bare_span_row(attributes={"cost_source": "mine", EVIDENCE: "mine too", "__class__": 1}))
    assert shown["metadata"] == {
        "cost_source": "mine",
        "__class__": 1,
        EVIDENCE: {"span_id": ROOT_ID, "attribute": "mine too"},
    }


def test_events_links_and_cuts_are_shown_when_there_are_any() -> None:
    link = {"trace_id": "a" * 32, "span_id": "b" * 16, "attributes": {"why": "retry"}}
    event = {"time": START, "name": "exception", "attributes": {"exception.type": "ValueError"}}
    shown = evidence(bare_span_row(events=[event], links=[link], cut_values=2))
    assert shown["events"] == [{**event, "time": "2026-01-01T00:00:00.123456+00:00"}]
    assert shown["links"] == [link]
    assert shown["cut_values"] == 2
    assert "cut_links" not in shown


def test_the_resource_is_shown_once_and_again_where_it_differs() -> None:
    spans = [bare_span_row(), model_call_row(), model_call_row(resource={"service.name": "gateway"})]
    shown = trace_document("default", trace_row(), spans)
    assert shown["metadata"][EVIDENCE]["resource"] == {"service.name": "shop"}
    assert [span["metadata"][EVIDENCE].get("resource") for span in shown["spans"]] == [
        None,
        None,
        {"service.name": "gateway"},
    ]


def test_trace_metadata_holds_the_totals() -> None:
    shown = trace_document("default", trace_row(), [])["metadata"][EVIDENCE]
    assert (shown["input_tokens"], shown["output_tokens"], shown["cost_total"]) == (100, 20, 0.00045)
    assert trace_document("default", trace_row(cost_total=None), [])["metadata"][EVIDENCE]["cost_total"] is None


def test_an_error_is_its_text_or_null() -> None:
    failed = bare_span_row(status_code="ERROR", error="rate limited", error_type="RateLimitError")
    assert (span_document(failed)["status"], span_document(failed)["error"]) == ("ERROR", "rate limited")
    assert evidence(failed)["error_type"] == "RateLimitError"
    assert span_document(bare_span_row())["error"] is None


def test_a_tool_span_shows_values_when_its_texts_are_json() -> None:
    shown = span_document(bare_span_row(kind="TOOL", input='{"city": "Paris"}', output="21 degrees"))
    assert (shown["input"], shown["output"]) == ({"city": "Paris"}, "21 degrees")


def test_tool_definitions_are_evidence_and_calls_too_where_no_output_shows_them() -> None:
    calls = [{"id": "call_1", "name": "weather", "arguments": "{}"}]
    shown = evidence(model_call_row(tool_definitions='[{"type": "function", "name": "weather"}]', tool_calls=calls))
    assert shown["tool_definitions"] == [{"type": "function", "name": "weather"}]
    assert "tool_calls" not in shown
    assert evidence(model_call_row(output="", tool_calls=calls))["tool_calls"] == calls


def test_a_trace_shows_the_last_messages_of_its_root() -> None:
    asked = json.dumps([text_message("user", "1"), text_message("assistant", "2"), text_message("user", "3")])
    root = bare_span_row(kind="AGENT", input=asked, output=json.dumps([text_message("assistant", "4")]))
    shown = trace_document("default", trace_row(), [root, model_call_row()])
    assert shown["input"] == {"messages": [{"role": "user", "content": "3"}]}
    assert shown["output"] == {"messages": [{"role": "assistant", "content": "4"}]}


def test_a_root_whose_content_is_not_messages_shows_it_whole() -> None:
    root = bare_span_row(input='{"question": 1}', output="Paris")
    shown = trace_document("default", trace_row(), [root, model_call_row()])
    assert (shown["input"], shown["output"]) == ({"question": 1}, "Paris")


@pytest.mark.parametrize("roots", [[bare_span_row()], []])
def test_without_content_at_the_root_a_trace_shows_its_first_question_and_last_answer(roots: Any) -> None:
    first = model_call_row()
    last = model_call_row(
        input=json.dumps([text_message("user", "And of Spain?")]),
        output=json.dumps([text_message("assistant", "Madrid.")]),
    )
    shown = trace_document("default", trace_row(), [*roots, first, last])
    assert shown["input"] == {"messages": [{"role": "user", "content": "What is the capital of France?"}]}
    assert shown["output"] == {"messages": [{"role": "assistant", "content": "Madrid."}]}


def test_a_trace_without_content_shows_null() -> None:
    silent = model_call_row(input="", output="", system_instructions="")
    shown = trace_document("default", trace_row(), [bare_span_row(), silent])
    assert (shown["input"], shown["output"]) == (None, None)


def test_a_list_item_adds_up_tokens_and_counts_an_unpriced_trace_as_zero() -> None:
    shown = trace_list_item(trace_row())
    assert (shown["total_tokens"], shown["total_cost"], shown["latency_ms"]) == (120, 0.00045, 2500.0)
    shown = trace_list_item(running_trace_row())
    assert (shown["total_tokens"], shown["total_cost"], shown["latency_ms"]) == (0, 0.0, None)


def test_a_call_that_says_nothing_is_passed_over_for_one_that_does() -> None:
    """The last call failed, or its instrumentation captures no messages while the one around it does."""
    said = json.dumps([text_message("assistant", "Madrid.")])
    silent = model_call_row(span_id="0000000000000002", input="", output="", system_instructions="", error="timeout")
    shown = trace_document("default", trace_row(), [bare_span_row(), silent, model_call_row(output=said), silent])
    assert shown["output"] == {"messages": [{"role": "assistant", "content": "Madrid."}]}
    assert shown["input"]["messages"][-1]["role"] == "user"


def test_an_agent_below_an_application_root_speaks_where_no_model_call_does() -> None:
    asked, said = json.dumps([text_message("user", "2 + 2?")]), json.dumps([text_message("assistant", "4")])
    agent = bare_span_row(span_id="0000000000000002", parent_span_id=ROOT_ID, kind="AGENT", input=asked, output=said)
    shown = trace_document("default", trace_row(), [bare_span_row(), agent])
    assert shown["input"] == {"messages": [{"role": "user", "content": "2 + 2?"}]}
    assert shown["output"] == {"messages": [{"role": "assistant", "content": "4"}]}
