"""Spans of Gemini CLI, by hand from its source (`packages/core/src/telemetry` and `core/loggingContentGenerator.ts`): the
program needs Google's service.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.enrich.building import Sent, enriched, only
from tests.unit.enrich.dialects.expected import ANSWER, QUESTION, SYSTEM
from tests.unit.enrich.dialects.short import columns, content, cost, identity, said, usage

SCOPE = "gemini-cli"
CALL: dict[str, Any] = {
    "gen_ai.operation.name": "llm_call",
    "gen_ai.agent.name": "gemini-cli",
    "gen_ai.conversation.id": "s-1",
    "gen_ai.request.model": "gemini-2.5-flash",
    "gen_ai.prompt.name": "s-1########3",
    "gen_ai.usage.input_tokens": 100,
    "gen_ai.usage.output_tokens": 20,
    "gen_ai.input.messages": json.dumps([{"role": "user", "parts": [{"text": QUESTION}]}]),
    "gen_ai.output.messages": json.dumps([{"role": "model", "parts": [{"text": ANSWER}]}]),
    "gen_ai.system_instructions": json.dumps({"role": "user", "parts": [{"text": SYSTEM}]}),
}


def test_a_call_is_one_of_gemini_whose_messages_are_brought_into_canonical_form() -> None:
    row = only(CALL, scope=SCOPE)
    assert identity(row) == ("gemini_cli", "LLM", "llm_call", "gcp.gemini", "gemini-2.5-flash", "")
    assert columns(row, "session_id", "agent_name", "prompt_name") == ("s-1", "gemini-cli", "")
    assert content(row) == {
        "input": [said("user", QUESTION)],
        "output": [said("assistant", ANSWER)],
        "system_instructions": [{"type": "text", "content": SYSTEM}],
    }
    assert usage(row) == {"input_tokens": 100, "output_tokens": 20}
    assert (row["token_basis"], cost(row)) == ("inclusive_scope", ("0.00008", "computed"))


@pytest.mark.parametrize(
    ("operation", "kind"),
    [
        ("llm_call", "LLM"),
        ("tool_call", "TOOL"),
        ("agent_call", "AGENT"),
        ("user_prompt", "CHAIN"),
        ("system_prompt", "CHAIN"),
        ("schedule_tool_calls", "CHAIN"),
    ],
)
def test_its_operations_have_names_of_their_own(operation: str, kind: str) -> None:
    row = only({"gen_ai.operation.name": operation}, scope=SCOPE)
    assert columns(row, "kind", "operation") == (kind, operation)


def test_a_tool_has_its_arguments_out_of_the_request_and_what_it_gave() -> None:
    asked = {"callId": "c-1", "name": "look_up_order", "args": {"order_id": "A-1001"}, "isClientInitiated": False}
    sent = {
        "gen_ai.operation.name": "tool_call",
        "gen_ai.tool.name": "look_up_order",
        "gen_ai.tool.call_id": "c-1",
        "gen_ai.input.messages": json.dumps(asked),
        "gen_ai.output.messages": json.dumps({"status": "success", "response": "packed"}),
    }
    row = only(sent, scope=SCOPE)
    assert columns(row, "tool_name", "tool_call_id") == ("look_up_order", "c-1")
    assert content(row) == {
        "input": {"order_id": "A-1001"},
        "output": {"status": "success", "response": "packed"},
    }


def test_messages_that_were_cut_in_the_middle_stay_text() -> None:
    row = only({**CALL, "gen_ai.input.messages": '[{"role":"user","parts":[{"text":"Wher'}, scope=SCOPE)
    assert content(row)["input"] == [said("user", '[{"role":"user","parts":[{"text":"Wher')]


def test_releases_of_before_the_conventions_have_json_of_input_and_output() -> None:
    sent = {"gen_ai.operation.name": "schedule_tool_calls", "input-json": '{"a": 1}', "output-json": "[1, 2]"}
    assert content(only(sent, scope=SCOPE)) == {"input": {"a": 1}, "output": [1, 2]}


def test_its_keys_are_nothing_in_another_scope() -> None:
    for row in enriched(Sent({"input-json": "{}"}), Sent({"input-json": "{}"}, scope="my.app")):
        assert columns(row, "dialect", "input") == ("genai", "")
