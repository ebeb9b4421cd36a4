"""HolmesGPT, by hand from the source of HolmesGPT/holmesgpt."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.enrich.building import Sent, enriched, only
from tests.unit.enrich.dialects.short import columns, cost, kinds, usage


def chat(iteration: int, read: int, written: int, **more: Any) -> Sent:
    sent = {
        "gen_ai.system": "litellm",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.usage.input_tokens": read,
        "gen_ai.usage.output_tokens": written,
        "gen_ai.usage.total_tokens": read + written,
        "holmesgpt.iteration": iteration,
    }
    return Sent(sent | more, name="gen_ai.chat", scope="holmesgpt", scope_version="0.1.0")


def test_usage_that_adds_up_from_call_to_call_is_billed_for_the_first_alone() -> None:
    """HolmesGPT/holmesgpt PR#2439: each call repeats the usage of those before it. Three calls of 100 and 20 tokens."""
    found = enriched(chat(1, 100, 20), chat(2, 200, 40), chat(3, 300, 60))
    assert [row["kind"] for row in found] == ["LLM"] * 3
    assert [cost(row) for row in found] == [("0.00045", "computed"), (None, "unpriced"), (None, "unpriced")]
    assert usage(found[0]) == {"input_tokens": 100, "output_tokens": 20, "total_tokens": 120}
    for row in found[1:]:
        assert usage(row) == {}
        assert columns(row, "usage_problem", "unpriced_reason", "token_basis") == (
            "running_total",
            "invalid_usage",
            "",
        )


@pytest.mark.parametrize("cached", [0, 60])
def test_a_call_that_tells_of_cached_tokens_has_its_own_usage(cached: int) -> None:
    """HolmesGPT/holmesgpt PR#2439: as it is with that change."""
    more = {"gen_ai.usage.cache_read_input_tokens": cached, "gen_ai.usage.cache_creation_input_tokens": 0}
    first, second = enriched(chat(1, 100, 20, **more), chat(2, 100, 20, **more))
    assert usage(first) == usage(second)
    assert cost(second) == ("0.00045" if cached == 0 else "0.000375", "computed")


def test_an_investigation_is_an_agent_that_calls_tools() -> None:
    tool = {"holmesgpt.tool.name": "kubectl_get", "holmesgpt.tool.status": "success"}
    found = enriched(
        Sent({"holmesgpt.investigation.question": "Why?"}, name="holmesgpt.investigation", scope="holmesgpt"),
        Sent(tool, name="holmesgpt.tool.kubectl_get", scope="holmesgpt"),
    )
    assert kinds(found) == [("holmesgpt.investigation", "AGENT"), ("holmesgpt.tool.kubectl_get", "TOOL")]
    assert found[1]["tool_name"] == "kubectl_get"


def test_it_is_known_by_its_attributes_where_the_scope_was_lost() -> None:
    assert only({"holmesgpt.iteration": 1}, name="gen_ai.chat")["dialect"] == "holmesgpt"
