"""Spans of Pipecat, by hand from the source of pipecat-ai 1.14 (`pipecat/utils/tracing`): it needs speech to work on."""

from __future__ import annotations

import json
from typing import Any

from tests.unit.enrich.building import Sent, enriched, only
from tests.unit.enrich.dialects.expected import ANSWER, QUESTION, SYSTEM
from tests.unit.enrich.dialects.short import attributes, columns, content, cost, said, usage

SCOPE = "pipecat"
CALL: dict[str, Any] = {
    "gen_ai.provider.name": "openai",
    "gen_ai.operation.name": "chat",
    "gen_ai.request.model": "gpt-4o",
    "stream": True,
    "input": json.dumps([{"role": "system", "content": SYSTEM}, {"role": "user", "content": QUESTION}]),
    "output": ANSWER,
    "metrics.ttfb": 0.4,
    "gen_ai.usage.input_tokens": 100,
    "gen_ai.usage.output_tokens": 20,
    "gen_ai.usage.cache_read.input_tokens": 60,
    "gen_ai.usage.reasoning.output_tokens": 5,
    "conversation.id": "c-1",
}


def test_a_call_has_its_messages_its_usage_and_the_time_to_its_first_token() -> None:
    row = only(CALL, name="llm", scope=SCOPE)
    assert columns(row, "dialect", "kind", "provider", "session_id") == ("pipecat", "LLM", "openai", "c-1")
    assert usage(row) == {
        "input_tokens": 100,
        "output_tokens": 20,
        "cache_read_tokens": 60,
        "reasoning_tokens": 5,
    }
    assert cost(row) == ("0.000375", "computed")
    assert row["time_to_first_token_ns"] == 400_000_000
    assert content(row) == {
        "input": [said("system", SYSTEM), said("user", QUESTION)],
        "output": [said("assistant", ANSWER)],
    }
    assert not {"input", "output"} & set(attributes(row))


def test_a_call_that_did_not_stream_has_no_first_token() -> None:
    assert only({**CALL, "stream": False}, name="llm", scope=SCOPE)["time_to_first_token_ns"] is None


def test_usage_of_claude_is_passed_on_without_the_cached_tokens() -> None:
    sent = {
        "gen_ai.provider.name": "anthropic",
        "gen_ai.request.model": "claude-sonnet-4-5",
        "gen_ai.usage.input_tokens": 10,
        "gen_ai.usage.output_tokens": 20,
        "gen_ai.usage.cache_read_input_tokens": 500,
        "gen_ai.usage.cache_creation_input_tokens": 100,
    }
    row = only(sent, name="llm", scope=SCOPE)
    assert (usage(row)["input_tokens"], row["token_basis"]) == (610, "exclusive_scope")
    assert cost(row) == ("0.000855", "computed")


def test_an_answer_that_looks_like_json_stays_text() -> None:
    assert content(only({**CALL, "output": "42"}, name="llm", scope=SCOPE))["output"] == [said("assistant", "42")]


def test_speech_and_turns_have_their_text_and_their_kind() -> None:
    spans = [("stt", {"transcript": QUESTION}), ("tts", {"text": ANSWER}), ("turn", {}), ("conversation", {})]
    stt, tts, turn, conversation = enriched(*(Sent(sent, name=name, scope=SCOPE) for name, sent in spans))
    assert [row["kind"] for row in (stt, tts, turn, conversation)] == ["LLM", "LLM", "CHAIN", "CHAIN"]
    assert (content(stt), content(tts)) == ({"output": QUESTION}, {"input": ANSWER})


def test_bare_names_of_another_scope_are_no_content() -> None:
    row = only({"input": "a", "output": "b", "metrics.ttfb": 0.4}, name="llm")
    assert columns(row, "dialect", "input", "output", "time_to_first_token_ns") == ("genai", "", "", None)
