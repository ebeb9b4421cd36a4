"""Usage of which a part is missing: kept as it is reported, and not priced."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.unit.enrich.building import Sent, enriched, only

KEYS = {
    "input": "gen_ai.usage.input_tokens",
    "output": "gen_ai.usage.output_tokens",
    "total": "gen_ai.usage.total_tokens",
    "read": "gen_ai.usage.cache_read.input_tokens",
    "written": "gen_ai.usage.cache_write.input_tokens",
    "reasoning": "gen_ai.usage.reasoning.output_tokens",
}
CHAT = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o"}
CLAUDE = {**CHAT, "gen_ai.provider.name": "anthropic", "gen_ai.request.model": "claude-sonnet-4-5"}
EVIDENCE = ("usage_problem", "cost_source", "unpriced_reason")


def usage(**numbers: int) -> dict[str, int]:
    return {KEYS[name]: number for name, number in numbers.items()}


def evidence(row: dict[str, Any]) -> tuple[str, ...]:
    return tuple(row[name] for name in EVIDENCE)


def assert_refused(row: dict[str, Any], problem: str, reason: str, **kept: int | None) -> None:
    assert evidence(row) == (problem, "unpriced", reason)
    assert {value for name, value in row.items() if name.startswith("cost_") and name != "cost_source"} == {None}
    assert {name: row[f"{name}_tokens"] for name in kept} == kept


def assert_priced(row: dict[str, Any]) -> None:
    assert evidence(row) == ("", "computed", "")


# Totals.

PARTS = usage(input=1000, output=80, read=500, written=100, reasoning=30)


@pytest.mark.parametrize(
    "total",
    [
        1080,  # input and output
        1080 - 500,  # without what was read from the cache
        1080 - 100,  # without what was written to it
        1080 - 600,  # without either
        1080 - 30,  # without reasoning
        1080 - 600 - 30,
        0,  # not known
    ],
)
def test_a_total_may_leave_out_cached_tokens_and_reasoning(total: int) -> None:
    row = only({**CLAUDE, **PARTS, **usage(total=total)})
    assert_priced(row)
    assert (row["input_tokens"], row["output_tokens"]) == (1000, 80)


@pytest.mark.parametrize("total", [1680, 1680 - 500, 1680 - 100, 1680 - 600])
def test_the_total_of_a_sender_that_leaves_cached_tokens_out_of_the_input_may_add_any_of_them(total: int) -> None:
    (row,) = enriched(
        Sent({**CLAUDE, **PARTS, **usage(total=total)}, scope="openlit.instrumentation.anthropic", scope_version="1")
    )
    assert_priced(row)
    assert row["input_tokens"] == 1600


def test_a_total_that_adds_the_reasoning_completes_the_output_and_is_explained() -> None:
    row = only({**CHAT, **usage(input=100, output=20, reasoning=5, total=125)})
    assert_priced(row)
    assert row["output_tokens"] == 25


@pytest.mark.parametrize("total", [1081, 1079, 1110 + 1, 2000, 400, 1])
def test_a_total_that_no_sum_gives_contradicts_the_counts_and_nothing_is_priced(total: int) -> None:
    row = only({**CLAUDE, **PARTS, **usage(total=total)})
    assert_refused(row, "contradictory", "invalid_usage", input=1000, output=80, total=total, cache_read=500)


@pytest.mark.parametrize(
    ("provider", "model"),
    [("gcp.gemini", "gemini-2.5-flash"), ("openai", "gpt-4o"), ("aws.bedrock", "amazon.nova-lite-v1:0")],
)
def test_a_total_of_more_than_is_told_is_of_usage_that_is_missing(provider: str, model: str) -> None:
    """Candidates and total of Gemini, without the thoughts between them, also behind an API like OpenAI's; input, output and
    total of Bedrock, without the cached tokens."""
    sent = {**CHAT, "gen_ai.provider.name": provider, "gen_ai.request.model": model}
    row = only({**sent, **usage(input=100, output=15, total=150)})
    assert_refused(row, "contradictory", "invalid_usage", input=100, output=15, total=150)


def test_a_total_that_counts_more_than_an_embedding_reports_contradicts_it() -> None:
    embedding = {**CHAT, "gen_ai.operation.name": "embeddings", "gen_ai.request.model": "text-embedding-3-small"}
    whole, more = enriched(
        Sent({**embedding, **usage(input=8, total=8)}), Sent({**embedding, **usage(input=8, total=9)})
    )
    assert_priced(whole)
    assert_refused(more, "contradictory", "invalid_usage", input=8, output=None)


def test_a_reported_cost_is_the_total_of_usage_that_is_missing_and_a_reported_zero_is_none() -> None:
    counts = usage(input=100, output=20, total=150)
    paid, zero = enriched(
        *(Sent({**CHAT, **counts, "gen_ai.usage.cost": cost}, scope="openlit.x") for cost in (0.5, 0.0))
    )
    assert evidence(paid) == ("contradictory", "reported", "invalid_usage")
    assert (paid["cost_total"], paid["cost_input"]) == (Decimal("0.5"), None)
    assert_refused(zero, "contradictory", "invalid_usage")


# Sides.


@pytest.mark.parametrize(
    "counts", [{"output": 20}, {"input": 0, "output": 20}, {"output": 20, "total": 120}, {"total": 120}]
)
def test_a_model_call_that_tells_of_no_input_is_not_priced(counts: dict[str, int]) -> None:
    row = only({**CHAT, **usage(**counts)})
    kept = {"input": counts.get("input"), "output": counts.get("output"), "total": counts.get("total")}
    assert_refused(row, "missing_input", "incomplete_usage", **kept)


def test_a_call_that_answered_and_reports_nothing_but_zeros_has_lost_its_usage() -> None:
    zeros = usage(input=0, output=0)
    assert_refused(only({**CHAT, **zeros}), "missing_input", "incomplete_usage", input=0, output=0)
    assert only({**CHAT, **zeros}, failed=True)["cost_total"] == 0


@pytest.mark.parametrize("counts", [{"input": 100}, {"input": 100, "total": 120}])
def test_a_model_call_that_tells_of_no_output_is_not_priced(counts: dict[str, int]) -> None:
    row = only({**CHAT, **usage(**counts)})
    assert_refused(row, "missing_output", "incomplete_usage", input=100, output=None)


def test_no_output_is_missing_where_it_is_zero_or_the_total_is_the_input_or_the_call_failed() -> None:
    rows = enriched(
        Sent({**CHAT, **usage(input=100, output=0)}),
        Sent({**CHAT, **usage(input=100, total=100)}),
        Sent({**CHAT, **usage(input=100)}, failed=True),
    )
    for row in rows:
        assert_priced(row)
        assert row["cost_total"] == Decimal("0.00025")


def test_an_input_that_is_missing_is_missed_in_a_call_that_failed_too() -> None:
    row = only({**CHAT, **usage(output=20)}, failed=True)
    assert_refused(row, "missing_input", "incomplete_usage", output=20)


def test_an_input_that_was_all_read_from_the_cache_is_not_missing() -> None:
    row = only({**CLAUDE, **usage(input=0, output=20, read=500)})
    assert_priced(row)
    assert row["input_tokens"] == 500


@pytest.mark.parametrize(
    "sent",
    [
        {"gen_ai.operation.name": "image"},
        {"gen_ai.operation.name": "text_to_speech"},
        {"gen_ai.operation.name": "speech_to_text"},
        {"ai.operationId": "ai.generateSpeech"},
        {"gen_ai.operation.name": "invoke_agent"},
        {"gen_ai.operation.name": "embeddings"},
        {"gen_ai.operation.name": "rerank"},
    ],
)
@pytest.mark.parametrize("counts", [{"input": 100}, {"output": 100}])
def test_other_media_embeddings_and_wrappers_may_have_one_side_only(
    sent: dict[str, str], counts: dict[str, int]
) -> None:
    call = {name: value for name, value in CHAT.items() if name != "gen_ai.operation.name"}
    assert_priced(only({**call, **sent, **usage(**counts)}))


def test_a_span_that_is_a_model_call_only_by_its_usage_need_not_have_an_output() -> None:
    """It may be an embedding. With an output it is none."""
    call = {name: value for name, value in CHAT.items() if name != "gen_ai.operation.name"}
    embedding, answer = enriched(Sent({**call, **usage(input=100)}), Sent({**call, **usage(output=20)}))
    assert embedding["kind"] == "LLM"
    assert_priced(embedding)
    assert_refused(answer, "missing_input", "incomplete_usage", output=20)


@pytest.mark.parametrize(
    "sent",
    [
        Sent({"openinference.span.kind": "LLM", "llm.model_name": "gpt-4o", "llm.token_count.prompt": 100}),
        Sent(
            {"langfuse.observation.model.name": "gpt-4o", "langfuse.observation.usage_details": '{"input": 100}'},
            scope="langfuse-sdk",
        ),
        Sent({**CHAT, "gen_ai.operation.name": "", **usage(input=100)}, name="call_llm", scope="gcp.vertex.agent"),
    ],
    ids=["by kind", "by a reader", "by name"],
)
def test_what_a_dialect_calls_a_model_call_is_one(sent: Sent) -> None:
    (row,) = enriched(sent)
    assert (row["kind"], row["usage_problem"]) == ("LLM", "missing_output")


def test_numbers_that_cannot_be_true_are_the_problem_before_those_that_are_missing() -> None:
    row = only({**CHAT, **usage(input=-1, output=20, total=120)})
    assert evidence(row) == ("negative", "unpriced", "invalid_usage")


def test_a_model_without_a_price_is_the_reason_before_the_usage() -> None:
    row = only({**CHAT, "gen_ai.request.model": "my-own", **usage(output=20)})
    assert evidence(row) == ("missing_input", "unpriced", "unknown_model")


def test_each_row_of_a_batch_is_looked_at_on_its_own() -> None:
    whole = {**CHAT, **usage(input=100, output=20, total=120)}
    rows = enriched(
        Sent(whole),
        Sent({**CHAT, **usage(output=20)}),
        Sent(CHAT),
        Sent({**whole, **usage(total=121)}),
        Sent({**CHAT, **usage(input=100)}),
        Sent(whole),
    )
    assert [row["usage_problem"] for row in rows] == ["", "missing_input", "", "contradictory", "missing_output", ""]
