"""Cost columns: the cost of each span, its parts, and the evidence for it."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest

from collector.enrich.cost import _groups, cost_columns
from tests.unit.enrich.pricing import BOOK, MODELS, NOVEMBER, Span, cost, costs, expected, money


def test_the_order_and_encoding_of_spans_does_not_matter() -> None:
    batch = [Span(provider, model, {"input_tokens": n}) for n, (provider, model) in enumerate(list(MODELS)[::40])]
    forward = costs(batch)
    assert costs(batch[::-1], dictionaries=True)[::-1] == forward
    assert [cost(span) for span in batch] == forward


def test_a_computed_cost_shows_its_evidence() -> None:
    usage = {"input_tokens": 1000, "cache_read_tokens": 800, "cache_write_tokens": 100, "output_tokens": 100}
    assert cost(Span("anthropic", "claude-sonnet-4-5", usage)) == {
        "cost_input": Decimal("0.000915000000"),
        "cost_output": Decimal("0.001500000000"),
        "cost_other": Decimal(0),
        "cost_cache_read": Decimal("0.00024"),
        "cost_cache_write": Decimal("0.000375"),
        "cost_reasoning": None,
        "cost_total": Decimal("0.002415000000"),
        "cost_reported": None,
        "cost_source": "computed",
        "price_provider": "anthropic",
        "price_model": "claude-sonnet-4-5",
        "price_tier": "base",
        "price_version": BOOK.version,
        "price_effective_date": None,
        "unpriced_reason": "",
    }


@pytest.mark.parametrize(("model", "tokens"), [("openai/gpt-4o", 0), ("deepseek-r1:free", 1000)])
def test_zero_tokens_and_free_models_cost_nothing_and_are_computed(model: str, tokens: int) -> None:
    row = cost(Span("openrouter", model, {"input_tokens": tokens, "output_tokens": tokens}))
    assert (row["cost_source"], row["cost_total"]) == ("computed", 0)


@pytest.mark.parametrize("high", [5, 2**40])
def test_rows_are_grouped_by_all_their_codes_however_many_these_are(high: int) -> None:
    columns = [np.array(codes, np.int64) for codes in ([0, 1, 0, 1, 0], [3, high, 3, high, 4], [0, high, 0, 2, 0])]
    group, combinations = _groups(columns)
    assert [combinations[position] for position in group] == list(zip(*(c.tolist() for c in columns), strict=True))
    assert len(combinations) == len(set(combinations)) == 4
    assert _groups([column[:0] for column in columns])[1] == []


def test_no_spans_give_empty_columns_of_the_same_types() -> None:
    empty = pa.array([], pa.string())
    columns = cost_columns(
        BOOK,
        provider=empty,
        request_model=empty.dictionary_encode(),
        response_model=empty,
        start_time=pa.array([], pa.timestamp("ns", "UTC")),
        usage={"input_tokens": pa.array([], pa.int64())},
    )
    assert {len(column) for column in columns.values()} == {0}
    assert columns["cost_total"].type == pa.decimal128(18, 12)
    assert columns["price_effective_date"].type == pa.date32()
    assert columns["unpriced_reason"].type == pa.dictionary(pa.int32(), pa.string())


def test_slices_and_nulls_in_dictionaries_are_read_right() -> None:
    names = pa.DictionaryArray.from_arrays(pa.array([2, 0, None, 1], pa.int8()), ["gpt-4o", None, "nobody-knows"])
    providers = pa.array(["openai"] * 4)
    columns = cost_columns(
        BOOK,
        provider=providers.slice(1),
        request_model=pa.nulls(3, pa.string()),
        response_model=names.slice(1),
        start_time=pa.array([0] * 4, pa.timestamp("ns", "UTC")).slice(1),
        usage={"input_tokens": pa.array([9, 1_000_000, 1, 1]).slice(1)},
    )
    assert columns["cost_total"].to_pylist() == [Decimal("2.5"), None, None]
    assert columns["unpriced_reason"].to_pylist() == ["", "no_model", "no_model"]


@pytest.mark.parametrize(
    ("response_model", "request_model", "priced_as"),
    [
        ("gpt-4o-mini-2024-07-18", "gpt-4o", "gpt-4o-mini"),
        ("", "gpt-4o", "gpt-4o"),
        (None, "gpt-4o", "gpt-4o"),
    ],
)
def test_the_response_model_decides_before_the_request_model(
    response_model: str | None, request_model: str, priced_as: str
) -> None:
    span = Span("openai", response_model, {"input_tokens": 10}, request_model=request_model)
    assert cost(span)["price_model"] == priced_as


@pytest.mark.parametrize(("asked", "answered"), [("gpt-4o", "my-deployment"), ("gpt-5", "gpt-5.9")])
def test_what_another_model_costs_that_answered_is_not_known(asked: str, answered: str) -> None:
    row = cost(Span("openai", answered, {"input_tokens": 10}, request_model=asked))
    assert (row["cost_total"], row["unpriced_reason"]) == (None, "unknown_model")


def test_a_missing_provider_is_told_by_the_model() -> None:
    assert cost(Span(None, "gpt-4o", {"input_tokens": 10}))["price_provider"] == "openai"


def test_a_fee_per_request_is_other_than_input_and_output_and_in_the_total() -> None:
    row, free = costs([
        Span("perplexity", "sonar", {"input_tokens": 1000, "output_tokens": 0}),
        Span("openai", "gpt-4o", {"input_tokens": 1000}),
    ])  # fmt: skip
    assert (*money(row), row["cost_other"]) == (Decimal("0.001"), 0, Decimal("0.013"), Decimal("0.012"))
    assert free["cost_other"] == 0, "none is a report"


def test_reasoning_costs_the_rate_of_output_where_it_has_none_of_its_own() -> None:
    usage = {"input_tokens": 100, "cache_read_tokens": 60, "output_tokens": 20, "reasoning_tokens": 5}
    row = cost(Span("openai", "gpt-4o", usage))
    assert (row["cost_total"], row["cost_cache_read"]) == (Decimal("0.000375"), Decimal("0.000075"))
    assert row["cost_reasoning"] == Decimal("0.00005")
    assert row["cost_cache_write"] is None, "nothing about it was reported"


def test_a_part_whose_tokens_are_not_reported_is_null_and_reported_as_zero_is_zero() -> None:
    silent, zero = costs([
        Span("openai", "gpt-4o", {"input_tokens": 9, "output_tokens": 9}),
        Span("openai", "gpt-4o", {"input_tokens": 9, "output_tokens": 9, "cache_read_tokens": 0, "reasoning_tokens": 0}),
    ])  # fmt: skip
    assert (silent["cost_cache_read"], silent["cost_reasoning"]) == (None, None)
    assert (zero["cost_cache_read"], zero["cost_reasoning"]) == (0, 0)


def test_a_write_to_the_cache_for_an_hour_costs_its_own_rate() -> None:
    usage = {"input_tokens": 300, "cache_write_tokens": 200, "cache_write_1h_tokens": 100, "output_tokens": 0}
    row = cost(Span("anthropic", "claude-sonnet-4-5", usage))
    assert row["cost_cache_write"] == Decimal("0.000375") + Decimal("0.0006")
    assert row["cost_input"] == row["cost_cache_write"] + Decimal("0.0003")


def test_who_sells_the_models_of_another_sells_them_at_the_ordinary_price() -> None:
    usage = {"input_tokens": 1000, "output_tokens": 100}
    row = cost(Span("azure", "gpt-4.1", usage, NOVEMBER, service_tier="batch"))
    assert (row["price_provider"], row["price_tier"]) == ("azure", "base")
    assert money(row) == expected(Span("azure", "gpt-4.1", usage, NOVEMBER, service_tier="batch"))


def test_columns_that_nobody_sends_may_be_left_out() -> None:
    names = pa.array(["openai"]), pa.array(["gpt-4o"])
    columns = cost_columns(
        BOOK,
        provider=names[0],
        request_model=names[1],
        response_model=pa.nulls(1, pa.string()),
        start_time=pa.array([0], pa.timestamp("ns", "UTC")),
        usage={"input_tokens": pa.array([1_000_000])},
    )
    assert columns["cost_total"].to_pylist() == [Decimal("2.5")]
    assert columns["cost_reported"].to_pylist() == columns["cost_cache_read"].to_pylist() == [None]


@pytest.mark.parametrize(
    ("provider", "address", "model", "billed_by"),
    [
        (None, "api.groq.com", "llama-3.1-8b-instant", "groq"),
        ("langchain", "https://api.mistral.ai/v1", "mistral-large-latest", "mistral"),
        ("openai", "api.groq.com", "openai/gpt-oss-120b", "groq"),
        ("openai", "openrouter.ai", "openai/gpt-4o", "openrouter"),
        ("openai", "my-resource.openai.azure.com", "gpt-4o-2024-08-06", "azure"),
        ("anthropic", "bedrock-runtime.us-east-1.amazonaws.com", "us.anthropic.claude-sonnet-4-6-v1:0", "aws"),
        ("acme", "api.openai.com", "gpt-4o", "openai"),
        ("openai", "llm.internal.example", "gpt-4o", "openai"),
        ("mistral_ai", "api.openai.com", "mistral-large-latest", "mistral"),
        (None, "localhost", "gpt-4o", "openai"),
    ],
)
def test_the_address_tells_who_bills_where_the_provider_does_not(
    provider: str | None, address: str, model: str, billed_by: str
) -> None:
    row = cost(Span(provider, model, {"input_tokens": 10}, server_address=address))
    assert (row["cost_source"], row["price_provider"]) == ("computed", billed_by)


def test_a_usage_column_without_a_price_unit_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="total_tokens"):
        cost(Span("openai", "gpt-4o", {"total_tokens": 1}))
