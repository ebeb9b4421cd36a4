"""Spans of GitHub Copilot in VS Code and on the command line, by hand from the source of microsoft/vscode-copilot-chat."""

from __future__ import annotations

import pytest

from tests.unit.enrich.building import only
from tests.unit.enrich.dialects.short import columns, cost, usage

SENT = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.usage.input_tokens": 100,
    "gen_ai.usage.output_tokens": 20,
    "gen_ai.usage.cache_read.input_tokens": 60,
    "gen_ai.usage.reasoning_tokens": 5,
    "copilot_chat.time_to_first_token": 300,
    "copilot_chat.chat_session_id": "s-1",
}


@pytest.mark.parametrize("scope", ["copilot-chat", "github.copilot", ""])
def test_a_call_is_of_the_conventions_but_for_reasoning_session_and_first_token(scope: str) -> None:
    row = only(SENT, scope=scope)
    assert columns(row, "dialect", "kind", "session_id") == ("copilot", "LLM", "s-1")
    assert usage(row) == {
        "input_tokens": 100,
        "output_tokens": 20,
        "cache_read_tokens": 60,
        "reasoning_tokens": 5,
    }
    assert cost(row) == ("0.000375", "computed")
    assert row["time_to_first_token_ns"] == 300_000_000


def test_an_agent_repeats_the_sum_of_its_calls_and_is_no_call_itself() -> None:
    assert only({**SENT, "gen_ai.operation.name": "invoke_agent"}, scope="copilot-chat")["kind"] == "AGENT"
