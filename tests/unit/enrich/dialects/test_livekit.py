"""Spans of LiveKit Agents, by hand from the source of livekit-agents 1.8.9, 1.7.0, 1.6.0, 1.4.2 and 1.2.9
(`telemetry/trace_types.py`, `telemetry/utils.py`, `metrics/base.py`, `llm/llm.py`, `voice/generation.py`): its sessions need a
room, which no server here has.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.enrich.building import SECOND, Sent, enriched, only
from tests.unit.enrich.dialects.expected import ANSWER, QUESTION, SYSTEM
from tests.unit.enrich.dialects.short import (
    attributes,
    columns,
    content,
    cost,
    identity,
    said,
    tool_call,
    tool_result,
    usage,
)

SCOPE = "livekit-agents"
PREFIXES = pytest.mark.parametrize("prefix", ["lk.pii.", "lk."])
"""Since 1.8, and before."""


def metrics(**counts: Any) -> str:
    return json.dumps({"type": "llm_metrics", "ttft": 0.2, "cancelled": False, "total_tokens": 120, **counts})


REQUEST: dict[str, Any] = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.request.stream": True,
    "gen_ai.response.model": "gpt-4o",
    "gen_ai.response.id": "chatcmpl-1",
    "gen_ai.response.finish_reasons": ["stop"],
    "gen_ai.response.time_to_first_chunk": 0.2,
    "gen_ai.usage.input_tokens": 100,
    "gen_ai.usage.output_tokens": 20,
    "gen_ai.usage.cache_read.input_tokens": 60,
    "gen_ai.usage.input_cached_tokens": 60,
    "gen_ai.usage.reasoning.output_tokens": 5,
    "gen_ai.usage.reasoning_tokens": 5,
    "gen_ai.input.messages": json.dumps([said("user", QUESTION)]),
    "gen_ai.output.messages": json.dumps([said("assistant", ANSWER, finish_reason="stop")]),
    "gen_ai.conversation.id": "room-1",
    "lk.llm_metrics": metrics(),
}


def test_a_request_is_the_model_call_and_its_total_is_in_its_metrics() -> None:
    row = only(REQUEST, name="llm_request", scope=SCOPE)
    assert identity(row) == ("livekit", "LLM", "chat", "openai", "gpt-4o", "gpt-4o")
    assert usage(row) == {
        "input_tokens": 100,
        "output_tokens": 20,
        "total_tokens": 120,
        "cache_read_tokens": 60,
        "reasoning_tokens": 5,
    }
    assert (row["token_basis"], cost(row)) == ("inclusive_total", ("0.000375", "computed"))
    assert columns(row, "finish_reasons", "session_id", "time_to_first_token_ns") == (["stop"], "room-1", SECOND // 5)
    assert content(row) == {
        "input": [said("user", QUESTION)],
        "output": [said("assistant", ANSWER, finish_reason="stop")],
    }


def test_names_of_tokens_of_before_the_conventions_had_any_are_read_too() -> None:
    sent = {
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 20,
        "gen_ai.usage.input_cached_tokens": 60,
    }
    row = only(sent, name="llm_request", scope=SCOPE)
    assert (row["kind"], cost(row)) == ("LLM", ("0.000375", "computed"))


COUNTED = {"gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 20}


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "api.openai.com"},
        {"gen_ai.usage.cache_read.input_tokens": 60},
    ],
    ids=["1.2", "1.4 to 1.6", "1.7"],
)
def test_cached_tokens_that_only_the_metrics_tell_have_their_own_rate(more: dict[str, Any]) -> None:
    """Up to 1.6 the attributes are the two counts."""
    told = metrics(prompt_tokens=100, prompt_cached_tokens=60, completion_tokens=20)
    row = only(
        {"gen_ai.request.model": "gpt-4o", **COUNTED, **more, "lk.llm_metrics": told}, name="llm_request", scope=SCOPE
    )
    assert (row["cache_read_tokens"], row["token_basis"]) == (60, "inclusive_total")
    assert cost(row) == ("0.000375", "computed")


def test_what_was_written_into_the_cache_is_in_the_metrics_of_1_7_only() -> None:
    sent = {
        "gen_ai.request.model": "claude-sonnet-4-5",
        "gen_ai.provider.name": "anthropic",
        "gen_ai.usage.input_tokens": 610,
        "gen_ai.usage.cache_read.input_tokens": 500,
        "gen_ai.usage.output_tokens": 20,
        "lk.llm_metrics": metrics(prompt_cached_tokens=500, cache_creation_tokens=100, total_tokens=630),
    }
    row = only(sent, name="llm_request", scope=SCOPE)
    assert (row["cache_write_tokens"], cost(row)) == (100, ("0.000855", "computed"))


def test_metrics_that_count_nothing_of_a_kind_say_nothing_of_it() -> None:
    told = metrics(prompt_cached_tokens=0, cache_creation_tokens=0, reasoning_tokens=0)
    row = only({"gen_ai.request.model": "gpt-4o", **COUNTED, "lk.llm_metrics": told}, name="llm_request", scope=SCOPE)
    assert usage(row) == {"input_tokens": 100, "output_tokens": 20, "total_tokens": 120}


@pytest.mark.parametrize("cached", [-1, "many", 0.5, [60]])
def test_cached_tokens_in_the_metrics_that_are_no_count_price_nothing(cached: Any) -> None:
    told = metrics(prompt_cached_tokens=cached)
    row = only({"gen_ai.request.model": "gpt-4o", **COUNTED, "lk.llm_metrics": told}, name="llm_request", scope=SCOPE)
    assert columns(row, "cache_read_tokens", "cost_total", "unpriced_reason") == (None, None, "invalid_usage")


@pytest.mark.parametrize("told", ["", "{", "[]", '"x"', "null", "7"])
def test_metrics_that_are_no_object_are_none(told: str) -> None:
    row = only({"gen_ai.request.model": "gpt-4o", **COUNTED, "lk.llm_metrics": told}, name="llm_request", scope=SCOPE)
    assert usage(row) == {"input_tokens": 100, "output_tokens": 20}


def test_input_of_claude_that_a_total_shows_to_lack_cached_tokens_is_completed() -> None:
    sent = {
        **REQUEST,
        "gen_ai.provider.name": "anthropic",
        "gen_ai.request.model": "claude-sonnet-4-5",
        "gen_ai.response.model": "claude-sonnet-4-5",
        "gen_ai.usage.input_tokens": 10,
        "gen_ai.usage.cache_read.input_tokens": 500,
        "gen_ai.usage.cache_write.input_tokens": 100,
        "lk.llm_metrics": metrics(total_tokens=630),
    }
    row = only(sent, name="llm_request", scope=SCOPE)
    assert (usage(row)["input_tokens"], row["token_basis"]) == (610, "exclusive_total")
    assert cost(row) == ("0.000855", "computed")


def test_counts_that_are_all_0_are_no_report() -> None:
    """Of a call that was cancelled before the model had counted."""
    sent = {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.usage.input_tokens": 0,
        "gen_ai.usage.output_tokens": 0,
        "lk.llm_metrics": metrics(total_tokens=0, cancelled=True),
    }
    row = only(sent, name="llm_request", scope=SCOPE)
    assert (row["kind"], usage(row), cost(row)) == ("LLM", {}, (None, ""))


CHAT_CONTEXT = json.dumps(
    {
        "items": [
            {"type": "message", "role": "system", "content": [SYSTEM]},
            {"type": "message", "role": "user", "content": [QUESTION]},
            {"type": "function_call", "call_id": "c1", "name": "look_up_order", "arguments": '{"order_id": "A-1001"}'},
            {"type": "function_call_output", "call_id": "c1", "output": "A-1001: packed", "is_error": False},
            {"type": "agent_handoff", "new_agent_id": "a"},
        ]
    }
)


@PREFIXES
def test_the_node_above_a_request_is_a_chain_with_the_conversation(prefix: str) -> None:
    calls = json.dumps([{"call_id": "c2", "name": "look_up_order", "arguments": '{"order_id": "A-1002"}'}])
    sent = {
        f"{prefix}chat_ctx": CHAT_CONTEXT,
        f"{prefix}response.text": ANSWER,
        f"{prefix}response.function_calls": calls,
        "lk.response.ttft": 0.25,
    }
    row = only(sent, name="llm_node", scope=SCOPE)
    assert columns(row, "dialect", "kind", "time_to_first_token_ns") == ("livekit", "CHAIN", SECOND // 4)
    assert content(row)["input"] == [
        said("system", SYSTEM),
        said("user", QUESTION),
        tool_call("c1", {"order_id": "A-1001"}),
        tool_result("c1", "A-1001: packed"),
    ]
    (answer,) = content(row)["output"]
    assert answer["parts"] == [
        {"type": "text", "content": ANSWER},
        {"type": "tool_call", "id": "c2", "name": "look_up_order", "arguments": {"order_id": "A-1002"}},
    ]
    assert [call["id"] for call in row["tool_calls"]] == ["c2"]
    assert set(attributes(row)) == {"lk.response.ttft"}


def test_a_node_that_asks_a_model_by_itself_is_the_model_call() -> None:
    row = only({"gen_ai.operation.name": "chat", "lk.pii.response.text": "42"}, name="llm_node", scope=SCOPE)
    assert (row["kind"], content(row)) == ("LLM", {"output": [said("assistant", "42")]})


@PREFIXES
def test_a_tool_has_what_it_was_given_and_what_it_gave(prefix: str) -> None:
    sent = {
        "lk.function_tool.id": "c1",
        "lk.function_tool.name": "look_up_order",
        f"{prefix}function_tool.arguments": '{"order_id": "A-1001"}',
        f"{prefix}function_tool.output": "A-1001: packed",
    }
    row = only(sent, name="function_tool", scope=SCOPE)
    assert columns(row, "kind", "tool_name", "tool_call_id") == ("TOOL", "look_up_order", "c1")
    assert content(row) == {"input": {"order_id": "A-1001"}, "output": "A-1001: packed"}


@PREFIXES
@pytest.mark.parametrize(
    ("name", "kind", "sent", "found"),
    [
        (
            "agent_turn",
            "AGENT",
            {"user_input": QUESTION, "response.text": ANSWER},
            {"input": QUESTION, "output": ANSWER},
        ),
        ("assistant_turn", "AGENT", {"user_input": QUESTION}, {"input": QUESTION}),
        ("user_turn", "CHAIN", {"user_transcript": QUESTION}, {"output": QUESTION}),
        ("tts_request", "OTHER", {"input_text": ANSWER}, {"input": ANSWER}),
    ],
)
def test_turns_and_speech_are_plain_text(
    prefix: str, name: str, kind: str, sent: dict[str, str], found: dict[str, str]
) -> None:
    row = only({f"{prefix}{key}": value for key, value in sent.items()}, name=name, scope=SCOPE)
    assert (row["kind"], content(row), row["attributes"]) == (kind, found, [])


def test_a_number_that_was_said_stays_text() -> None:
    row = only({"lk.pii.user_transcript": "42"}, name="user_turn", scope=SCOPE)
    assert row["output"] == "42"


def test_minus_1_says_that_no_token_came() -> None:
    found = enriched(
        *(Sent({"lk.response.ttft": seconds}, name="llm_node", scope=SCOPE) for seconds in (-1, -1.0, 0.5, 0.0))
    )
    assert [row["time_to_first_token_ns"] for row in found] == [None, None, SECOND // 2, 0]


def test_tokens_of_speech_are_told_apart_by_their_modality() -> None:
    sent = {
        "gen_ai.operation.name": "generate_content",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-realtime",
        "gen_ai.usage.input_tokens": 300,
        "gen_ai.usage.output_tokens": 50,
        "gen_ai.usage.audio.input_tokens": 200,
        "gen_ai.usage.audio.output_tokens": 40,
        "gen_ai.usage.cache_read.input_tokens": 100,
        "gen_ai.usage.audio.cache_read.input_tokens": 80,
    }
    old = {
        "gen_ai.request.model": "gpt-realtime",
        "gen_ai.usage.input_tokens": 300,
        "gen_ai.usage.output_tokens": 50,
        "gen_ai.usage.input_audio_tokens": 200,
        "gen_ai.usage.output_audio_tokens": 40,
        "gen_ai.usage.input_cached_tokens": 100,
    }
    now, before = enriched(
        Sent(sent, name="realtime_inference", scope=SCOPE), Sent(old, name="realtime_metrics", scope=SCOPE)
    )
    counted = {
        "input_tokens": 300,
        "output_tokens": 50,
        "cache_read_tokens": 100,
        "input_audio_tokens": 200,
        "output_audio_tokens": 40,
    }
    assert now["kind"] == before["kind"] == "LLM"
    assert usage(now) == {**counted, "cache_read_audio_tokens": 80}
    assert usage(before) == counted


REALTIME: dict[str, Any] = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o-realtime-preview",
    "gen_ai.usage.input_tokens": 300,
    "gen_ai.usage.output_tokens": 50,
    "gen_ai.usage.input_text_tokens": 100,
    "gen_ai.usage.input_audio_tokens": 200,
    "gen_ai.usage.input_cached_tokens": 100,
    "gen_ai.usage.output_text_tokens": 10,
    "gen_ai.usage.output_audio_tokens": 40,
}
"""What 1.4 to 1.7 say of a response in attributes."""


def realtime_metrics(**details: Any) -> str:
    asked = {"text_tokens": 100, "audio_tokens": 200, "image_tokens": 0, "cached_tokens": 100, **details}
    made = {"text_tokens": 10, "audio_tokens": 40, "image_tokens": 0}
    return json.dumps(
        {
            "type": "realtime_model_metrics",
            "input_tokens": 300,
            "output_tokens": 50,
            "total_tokens": 350,
            "input_token_details": asked,
            "output_token_details": made,
        }
    )


@pytest.mark.parametrize(("name", "kind"), [("agent_turn", "AGENT"), ("realtime_metrics", "LLM")])
def test_cached_audio_that_only_the_metrics_tell_has_its_own_rate(name: str, kind: str) -> None:
    """Up to 1.7: 80 text tokens and 120 of audio at the full rate, 20 and 80 cached; 10 and 40 out."""
    cached = {"audio_tokens": 80, "text_tokens": 20, "image_tokens": 0}
    told = realtime_metrics(cached_tokens_details=cached)
    row = only({**REALTIME, "lk.realtime_model_metrics": told}, name=name, scope=SCOPE)
    assert row["kind"] == kind
    assert usage(row) == {
        "input_tokens": 300,
        "output_tokens": 50,
        "total_tokens": 350,
        "cache_read_tokens": 100,
        "input_audio_tokens": 200,
        "output_audio_tokens": 40,
        "cache_read_audio_tokens": 80,
        "input_image_tokens": 0,
        "cache_read_image_tokens": 0,
        "output_image_tokens": 0,
    }
    assert (row["token_basis"], cost(row)) == ("inclusive_total", ("0.00885", "computed"))


def test_without_details_of_the_cached_tokens_the_attributes_stand() -> None:
    told = realtime_metrics(cached_tokens_details=None)
    row = only({**REALTIME, "lk.realtime_model_metrics": told}, name="realtime_metrics", scope=SCOPE)
    assert columns(row, "cache_read_tokens", "cache_read_audio_tokens", "input_audio_tokens") == (100, None, 200)


def test_a_response_that_was_cancelled_before_it_was_counted_reports_nothing() -> None:
    nothing = dict.fromkeys((key for key in REALTIME if ".usage." in key), 0)
    told = json.dumps({"type": "realtime_model_metrics", "cancelled": True, "total_tokens": 0})
    row = only({**REALTIME, **nothing, "lk.realtime_model_metrics": told}, name="realtime_metrics", scope=SCOPE)
    assert (row["kind"], usage(row), cost(row)) == ("LLM", {}, (None, ""))


def test_a_session_is_that_of_the_conversation_else_of_the_room_else_of_the_job() -> None:
    job, room, conversation = {"lk.job_id": "j"}, {"lk.room_sid": "r"}, {"gen_ai.conversation.id": "c"}
    found = enriched(*(Sent(sent, scope=SCOPE) for sent in (job, job | room, job | room | conversation)))
    assert [row["session_id"] for row in found] == ["j", "r", "c"]


def test_a_failure_says_what_failed() -> None:
    sent = {"exception.type": "APIStatusError", "exception.message": "status 500"}
    row = only(sent, name="llm_node", scope=SCOPE, failed=True, message="status 500")
    assert columns(row, "error", "error_type") == ("status 500", "APIStatusError")


def test_it_is_known_by_its_attributes_where_the_scope_was_lost() -> None:
    row = only({"lk.function_tool.name": "f"}, name="function_tool")
    assert columns(row, "dialect", "kind") == ("livekit", "TOOL")
