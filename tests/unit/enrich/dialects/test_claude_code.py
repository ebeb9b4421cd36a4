"""Spans of Claude Code and the Claude Agent SDK, by hand from Anthropic's documentation of its monitoring: the program
needs Anthropic's service.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.enrich.building import Sent, enriched, only
from tests.unit.enrich.dialects.expected import ANSWER, QUESTION
from tests.unit.enrich.dialects.short import attributes, columns, content, cost, identity, said, usage

SCOPE = "com.anthropic.claude_code.tracing"
PREFIXES = pytest.mark.parametrize("prefix", ["", "claude_code."])
REQUEST: dict[str, Any] = {
    "span.type": "llm_request",
    "session.id": "s-1",
    "user.id": "u-1",
    "gen_ai.system": "anthropic",
    "gen_ai.request.model": "claude-sonnet-4-5",
    "model": "claude-sonnet-4-5",
    "input_tokens": 10,
    "output_tokens": 20,
    "cache_read_tokens": 500,
    "cache_creation_tokens": 100,
    "ttft_ms": 250,
    "speed": "normal",
    "request_id": "req-1",
    "stop_reason": "end_turn",
    "success": True,
}


@PREFIXES
def test_a_request_counts_cached_tokens_beside_the_input_and_costs_what_the_price_list_says(prefix: str) -> None:
    row = only({**REQUEST, "span.type": f"{prefix}llm_request"}, scope=SCOPE)
    assert identity(row) == ("claude_code", "LLM", "chat", "anthropic", "claude-sonnet-4-5", "")
    assert usage(row) == {
        "input_tokens": 610,
        "output_tokens": 20,
        "cache_read_tokens": 500,
        "cache_write_tokens": 100,
    }
    assert (row["token_basis"], cost(row)) == ("exclusive_scope", ("0.000855", "computed"))
    assert columns(row, "session_id", "user_id", "response_id") == ("s-1", "u-1", "req-1")
    assert columns(row, "finish_reasons", "time_to_first_token_ns", "service_tier") == (["end_turn"], 250 * 10**6, "")


def test_more_input_than_cached_tokens_does_not_make_the_input_include_them() -> None:
    row = only({**REQUEST, "input_tokens": 1000}, scope=SCOPE)
    assert (usage(row)["input_tokens"], row["token_basis"]) == (1600, "exclusive_scope")


def test_a_fast_request_is_of_a_tier_of_its_own() -> None:
    assert only({**REQUEST, "speed": "fast"}, scope=SCOPE)["service_tier"] == "fast"


def test_the_bare_model_is_the_model_of_releases_that_have_no_other() -> None:
    sent = {key: value for key, value in REQUEST.items() if not key.startswith("gen_ai.")}
    row = only(sent, scope=SCOPE)
    assert (row["request_model"], cost(row)) == ("claude-sonnet-4-5", ("0.000855", "computed"))


def test_new_context_is_messages_of_the_user_and_results_of_tools() -> None:
    context = f"[USER]\n{QUESTION}\n\n---\n\n[TOOL RESULT: toolu_1]\nA-1001: packed"
    sent = {**REQUEST, "new_context": context, "response.model_output": ANSWER, "user_system_prompt": "Be brief."}
    row = only(sent, scope=SCOPE)
    assert content(row) == {
        "input": [
            said("user", QUESTION),
            {
                "role": "tool",
                "parts": [{"type": "tool_call_response", "id": "toolu_1", "response": "A-1001: packed"}],
            },
        ],
        "output": [said("assistant", ANSWER)],
        "system_instructions": [{"type": "text", "content": "Be brief."}],
    }
    assert not {"new_context", "response.model_output", "user_system_prompt"} & set(attributes(row))


@PREFIXES
def test_a_prompt_is_an_interaction_of_an_agent(prefix: str) -> None:
    sent = {
        "span.type": f"{prefix}interaction",
        "session.id": "s-1",
        "user_prompt": QUESTION,
        "interaction.sequence": 1,
    }
    row = only(sent, name="claude_code.interaction", scope=SCOPE)
    assert columns(row, "kind", "operation", "session_id") == ("AGENT", "invoke_agent", "s-1")
    assert content(row) == {"input": [said("user", QUESTION)]}


@PREFIXES
def test_waiting_for_permission_and_executing_are_no_second_call_of_a_tool(prefix: str) -> None:
    names = ("tool", "tool.blocked_on_user", "tool.execution")
    found = enriched(*(Sent({"span.type": f"{prefix}{name}", "tool_name": "Bash"}, scope=SCOPE) for name in names))
    assert [row["kind"] for row in found] == ["TOOL", "OTHER", "OTHER"]


def test_a_tool_has_what_it_was_given_and_its_result_is_in_an_event() -> None:
    sent = {
        "span.type": "tool",
        "tool_name": "Bash",
        "tool_use_id": "toolu_1",
        "tool_input": '[TOOL INPUT: Bash]\n{"command": "ls"}',
    }
    row = only(sent, scope=SCOPE, events=[("tool.output", {"output": "a.txt", "truncated": False})])
    assert columns(row, "tool_name", "tool_call_id", "operation") == ("Bash", "toolu_1", "execute_tool")
    assert content(row) == {"input": {"command": "ls"}, "output": "a.txt"}


def test_redacted_content_is_none() -> None:
    interaction = {"span.type": "interaction", "user_prompt": "<REDACTED>", "user_prompt_length": 25}
    request = {**REQUEST, "new_context": "<REDACTED>"}
    for row in enriched(Sent(interaction, scope=SCOPE), Sent(request, scope=SCOPE)):
        assert content(row) == {}


def test_a_failure_says_what_failed() -> None:
    sent = {"span.type": "llm_request", "model": "claude-sonnet-4-5", "success": False, "error_class": "overloaded"}
    row = only(sent, scope=SCOPE, failed=True, message="529 Overloaded")
    assert columns(row, "kind", "error", "error_type") == ("LLM", "529 Overloaded", "overloaded")
    assert usage(row) == {}


@pytest.mark.parametrize("scope", ["", "my.app"])
def test_bare_names_of_another_scope_are_no_usage(scope: str) -> None:
    row = only({key: value for key, value in REQUEST.items() if not key.startswith("gen_ai.")}, scope=scope)
    assert columns(row, "dialect", "kind") == ("genai", "OTHER")
    assert (usage(row), cost(row)) == ({}, (None, ""))
