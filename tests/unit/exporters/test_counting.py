"""Whose usage counts towards its trace."""

from __future__ import annotations

import random
from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest

from exporters.clickhouse.rollup import roll_up
from tests.unit.exporters.traces import Row, call, plain, rolled, row, table, wrapper

# --- whose usage counts -----------------------------------------------------------------------------------------------


def test_an_agent_that_repeats_its_model_calls_does_not_count() -> None:
    trace = rolled(wrapper("a", tokens=300), call("b", "a", 100), row("c", "a"), call("d", "c", 200))
    assert (trace["input_tokens"], trace["output_tokens"]) == (300, 300)
    assert trace["cost_total"] == Decimal(600).scaleb(-12)


@pytest.mark.parametrize("operation", ["invoke_agent", "invoke_workflow"])
def test_usage_that_an_agent_adds_up_under_the_names_of_its_calls_is_not_added_to_them(operation: str) -> None:
    """open-telemetry/semantic-conventions-genai#19: sums over all spans were twice as large, thrice with a workflow above."""
    agent = {"kind": "AGENT", "operation": operation}
    trace = rolled(
        call("w", tokens=300, kind="CHAIN", operation="invoke_workflow"),
        call("a", "w", tokens=300, **agent),
        call("b", "a", 100, operation="chat"),
        row("t", "a", kind="TOOL", operation="execute_tool"),
        call("c", "a", 200, operation="chat"),
    )
    assert (trace["input_tokens"], trace["output_tokens"]) == (300, 300)
    assert trace["cost_total"] == Decimal(600).scaleb(-12)


def test_an_agent_whose_children_report_nothing_counts() -> None:
    assert rolled(wrapper("a"), row("b", "a", kind="LLM"))["input_tokens"] == 100


def test_of_nested_wrappers_without_model_calls_the_innermost_counts() -> None:
    trace = rolled(wrapper("a", tokens=1000), wrapper("b", "a", 100), row("c", "b"), wrapper("d", "c", 10))
    assert trace["input_tokens"] == 10


def test_of_a_model_call_inside_a_model_call_the_inner_counts() -> None:
    assert rolled(call("a", tokens=7), call("b", "a", 5))["input_tokens"] == 5


@pytest.mark.parametrize("kind", ["EMBEDDING", "RERANKER"])
def test_embeddings_and_rerankings_are_model_calls_too(kind: str) -> None:
    outer = wrapper("a", tokens=7, output_tokens=None)
    assert rolled(outer, call("b", "a", 5, kind=kind))["input_tokens"] == 5


def test_an_embedding_below_does_not_silence_what_it_is_no_part_of() -> None:
    """An agent, or a call whose tool looks something up: the usage of either is no repetition of the embedding's."""
    small = {"kind": "EMBEDDING", "input_tokens": 8, "output_tokens": None, "cost": 1}
    agent = rolled(call("a", tokens=4000, kind="AGENT"), row("t", "a", kind="TOOL"), call("e", "t", **small))
    assert (agent["input_tokens"], agent["output_tokens"], agent["cost_total"]) == (
        4008,
        4000,
        Decimal(8001).scaleb(-12),
    )
    outer = rolled(call("a", kind="CHAIN", input_tokens=8, output_tokens=None, cost=1), call("e", "a", **small))
    assert (outer["input_tokens"], outer["cost_total"]) == (8, Decimal(1).scaleb(-12))


def test_what_a_tool_calls_is_another_call_than_the_one_that_asked_for_it() -> None:
    trace = rolled(
        call("a", tokens=100, response_id="r1"),
        row("t", "a", kind="TOOL"),
        call("b", "t", tokens=7, response_id="r2"),
    )
    assert trace["input_tokens"] == 107


def test_a_wrapper_below_a_model_call_does_not_silence_it() -> None:
    """A tool run inside a model call that repeats its usage: the call is what was billed."""
    trace = rolled(call("a", tokens=7), call("b", "a", 5, kind="TOOL"))
    assert trace["input_tokens"] == 7 + 5, "nothing says that the two are the same tokens"


def test_only_its_own_descendants_silence_a_wrapper() -> None:
    trace = rolled(row("a"), wrapper("b", "a", 10), call("c", "a", 5))
    assert trace["input_tokens"] == 15


def test_a_report_of_output_tokens_alone_is_a_report() -> None:
    assert rolled(wrapper("a"), call("b", "a", input_tokens=None, output_tokens=3))["output_tokens"] == 3


def test_a_report_of_zero_tokens_is_a_report() -> None:
    assert rolled(wrapper("a"), call("b", "a", 0))["input_tokens"] == 0


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_the_order_of_arrival_of_parents_and_children_does_not_matter(order: tuple[int, ...]) -> None:
    spans = [wrapper("a", tokens=9), row("b", "a"), call("c", "b", 5)]
    assert rolled(*(spans[i] for i in order)) == rolled(*spans)


def test_a_call_that_two_layers_side_by_side_report_counts_once() -> None:
    trace = rolled(row("a"), call("b", "a", 7, response_id="r"), call("c", "a", 7, response_id="r", start_time=11))
    assert (trace["input_tokens"], trace["cost_total"]) == (7, Decimal(14).scaleb(-12))


def test_calls_with_different_response_ids_or_without_one_all_count() -> None:
    spans = [
        call("b", "a", 1, response_id="r"),
        call("c", "a", 10, response_id="s"),
        call("d", "a", 100),
        call("e", "a", 1000),
    ]
    assert rolled(row("a"), *spans)["input_tokens"] == 1111


def test_the_same_response_id_in_another_trace_is_another_call() -> None:
    first, second = plain(
        roll_up(table([call("a", tokens=5, response_id="r"), call("b", tokens=7, response_id="r", trace_id="u")]), {})
    )
    assert (first["input_tokens"], second["input_tokens"]) == (5, 7)


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ({"kind": "LLM", "cost": None}, {"kind": "AGENT"}),
        ({"output_tokens": None}, {"cost": None}),
        ({"start_time": 30}, {"output_tokens": None}),
        ({"start_time": 10, "span_id": "z"}, {"start_time": 11}),
        ({"span_id": "a"}, {"span_id": "b"}),
    ],
    ids=["a model call", "the priced one", "the one that reports more", "the one that began first", "the smaller id"],
)
def test_of_two_reports_of_one_call_the_better_one_counts(better: Row, worse: Row) -> None:
    spans = [
        call(**{"span_id": "x", "input_tokens": 5, "response_id": "r", **better}),
        call(**{"span_id": "y", "input_tokens": 7, "response_id": "r", **worse}),
    ]
    assert rolled(*spans)["input_tokens"] == rolled(*reversed(spans))["input_tokens"] == 5


def test_a_repeated_report_beside_a_wrapper_of_the_call_counts_nothing_more() -> None:
    """An agent around a call that a client library reports by itself, and so does the gateway it goes through."""
    spans = [wrapper("a", tokens=9), call("b", "a", 8, response_id="r"), call("c", "b", 7, response_id="r")]
    assert rolled(*spans, call("d", "a", 6, response_id="r"))["input_tokens"] == 7


def test_a_streamed_call_in_two_spans_counts_by_the_one_that_reports_usage() -> None:
    request = row("a", kind="LLM", response_id="r")
    assert rolled(request, call("b", "a", 5, kind="OTHER", response_id="r"))["input_tokens"] == 5


def test_fetching_an_answer_again_never_counts() -> None:
    fetch = call("c", "a", 7, kind="OTHER", operation="fetch_response")
    assert rolled(row("a"), call("b", "a", 5), fetch)["input_tokens"] == 5
    assert rolled(row("a"), fetch)["input_tokens"] == 0
    assert rolled(wrapper("a", tokens=3), fetch)["input_tokens"] == 3, "nor does it silence the spans above it"


def test_a_cost_without_tokens_is_a_report() -> None:
    image = call("b", "a", input_tokens=None, output_tokens=None, cost=4)
    assert rolled(wrapper("a", cost=9), image)["cost_total"] == Decimal(4).scaleb(-12)


def test_spans_of_other_traces_are_no_parents() -> None:
    first, second = plain(roll_up(table([wrapper("a", tokens=9), call("b", "a", 5, trace_id="u")]), {}))
    assert (first["input_tokens"], second["input_tokens"], second["status"]) == (9, 5, "RUNNING")


def test_a_span_that_is_its_own_parent_is_no_root_and_counts() -> None:
    trace = rolled(call("a", "a"))
    assert (trace["status"], trace["input_tokens"]) == ("RUNNING", 100)


def test_a_circle_of_parents_ends_and_what_hangs_on_it_counts() -> None:
    trace = rolled(row("a", "c"), wrapper("b", "a"), row("c", "b"), call("d", "b", 5))
    assert (trace["status"], trace["span_count"], trace["input_tokens"]) == ("RUNNING", 4, 5)


def test_in_a_chain_of_five_thousand_model_calls_the_innermost_counts() -> None:
    chain = [call(f"{i:04}", f"{i - 1:04}" if i else "", tokens=i + 1) for i in range(5000)]
    random.Random(1).shuffle(chain)
    trace = rolled(*chain)
    assert (trace["span_count"], trace["input_tokens"], trace["root_span_id"]) == (5000, 5000, "0000")


@pytest.mark.parametrize("first", ["a", "b", "c"])
def test_of_model_calls_that_are_each_others_parents_one_counts(first: str) -> None:
    circle = [call("a", "c", 5), call("b", "a", 5), call("c", "b", 5)]
    spans = [{**one, "start_time": 10 + (one["span_id"] != first)} for one in circle]
    assert rolled(*spans)["input_tokens"] == 5


def test_an_agent_beside_a_call_whose_parent_never_arrived_counts_too() -> None:
    """They may be brothers below a caller that makes no spans: nothing tells that the agent repeats the call."""
    assert rolled(wrapper("a", "caller", tokens=9), call("c", "caller", 5))["input_tokens"] == 14
    assert rolled(wrapper("a", tokens=9), call("c", "lost", 5))["input_tokens"] == 14


# --- one call, two reports --------------------------------------------------------------------------------------------


def reported(span_id: str, parent: str, scope: str, start: int, end: int, **changes: Any) -> Row:
    """A call of a model, as an instrumentation reports it."""
    times = {"start_time": start, "end_time": end}
    return call(span_id, parent, **({"scope_name": scope, "request_model": "m", "tokens": 7} | times | changes))


def test_a_call_that_a_framework_reports_without_its_response_id_counts_once() -> None:
    """Callbacks around a streamed call beside the spans of the client library, which are not their children."""
    framework, client = reported("b", "a", "callbacks", 10, 30), reported("c", "a", "client", 12, 28, response_id="r")
    assert rolled(row("a"), framework, client)["input_tokens"] == 7
    chained = [row("chain", "a"), {**framework, "parent_span_id": "chain"}]
    assert rolled(row("a"), *chained, client)["input_tokens"] == 7
    partial = framework | {"input_tokens": 0, "cost": None}
    assert rolled(row("a"), partial, client)["cost_total"] == Decimal(14).scaleb(-12)


@pytest.mark.parametrize(
    "other",
    [
        {"scope_name": "callbacks"},
        {"request_model": "n"},
        {"end_time": 34},
        {"start_time": 7},
        {"service_name": "another"},
        {"input_tokens": 50},
        {"input_tokens": 9, "output_tokens": 9},
        {"input_tokens": 9, "output_tokens": 6},
        {"kind": "EMBEDDING"},
        {"input_tokens": 0, "output_tokens": 0},
    ],
    ids=", ".join,
)
def test_a_call_that_differs_is_another_call(other: Row) -> None:
    framework = reported("b", "a", "callbacks", 10, 30)
    client = reported("c", "a", "client", 12, 28, response_id="r") | other
    together = rolled(row("a"), framework, client)
    assert together["input_tokens"] == framework["input_tokens"] + client["input_tokens"]


def test_calls_of_two_branches_are_two_and_those_below_one_place_are_one() -> None:
    """A branch is what the program made; what an instrumentation puts above its own calls is none."""
    framework, client = reported("b", "x", "callbacks", 10, 30), reported("c", "y", "client", 12, 28, response_id="r")
    branches = [row("a"), row("x", "a", scope_name="app"), row("y", "a", scope_name="app")]
    assert rolled(*branches, framework, client)["input_tokens"] == 14
    assert rolled(*branches, framework | {"parent_span_id": "a"}, client)["input_tokens"] == 7
    chains = [row("a"), row("x", "a", scope_name="callbacks"), row("y", "a", scope_name="client")]
    assert rolled(*chains, framework, client)["input_tokens"] == 7


def test_what_suppresses_each_other_is_two_calls_also_beside_a_third_report() -> None:
    names = ("callbacks", "opentelemetry.instrumentation.langchain", "opentelemetry.instrumentation.openai.v1")
    reports = [reported(f"b{i}", "a", name, 10 + i, 40 - i) for i, name in enumerate(names)]
    assert rolled(row("a"), *reports)["input_tokens"] == 14


def test_as_many_as_can_be_paired_are_paired() -> None:
    """Whichever encloses which: the last to begin takes what ends last within it."""
    outers = [reported(f"f{i}", "a", "callbacks", start, end) for i, (start, end) in enumerate(((0, 90), (5, 100)))]
    inners = [reported(f"c{i}", "a", "client", start, end) for i, (start, end) in enumerate(((6, 99), (7, 80)))]
    assert rolled(row("a"), *outers, *inners)["input_tokens"] == 14
    flat = [reported(f"f{i:04}", "a", "callbacks", i, 9000 + i) for i in range(1000)]
    flat += [reported(f"c{i:04}", "a", "client", 3000 + i, 8000 + i) for i in range(1000)]
    assert rolled(row("a"), *flat)["input_tokens"] == 7000


def test_calls_with_two_response_ids_are_two_however_alike() -> None:
    one, other = reported("b", "a", "x", 10, 30, response_id="r"), reported("c", "a", "y", 12, 28, response_id="s")
    assert rolled(row("a"), one, other)["input_tokens"] == 14


def test_reports_that_nearly_coincide_are_one_call() -> None:
    """As of two handlers of the same callbacks, which begin in one order and end in the same."""
    one, other = reported("b", "a", "x", 10, 30), reported("c", "a", "y", 11, 31)
    assert rolled(row("a"), one, other)["input_tokens"] == 7


def test_a_call_that_three_layers_report_counts_once() -> None:
    callbacks, tracer = reported("b", "a", "callbacks", 10, 40), reported("c", "a", "tracer", 11, 39)
    outer, inner = reported("d", "a", "client", 12, 38), reported("e", "d", "transport", 13, 37, response_id="r")
    for rows in permutations([callbacks, tracer, outer, inner]):
        assert rolled(row("a"), *rows)["input_tokens"] == 7


@pytest.mark.parametrize(
    "model", ["M", "openai/m", "models/m", "us.vendor.m-v1:0", "m-2024-08-06", "m@20240806", "m-latest"]
)
def test_names_of_one_model_may_be_decorated(model: str) -> None:
    one, other = reported("b", "a", "x", 10, 30), reported("c", "a", "y", 11, 29, request_model=model)
    assert rolled(row("a"), one, other)["input_tokens"] == 7


def test_what_instrumentations_that_suppress_each_other_report_are_two_calls() -> None:
    scopes = [f"opentelemetry.instrumentation.{name}" for name in ("langchain", "openai")]
    one, other = reported("b", "a", scopes[0], 10, 30), reported("c", "a", scopes[1], 11, 29, response_id="r")
    assert rolled(row("a"), one, other)["input_tokens"] == 14


def test_eighty_streams_at_once_count_once_each() -> None:
    frameworks = [reported(f"f{i:02}", "a", "callbacks", 100 + i, 9000 + i) for i in range(80)]
    clients = [reported(f"c{i:02}", "a", "client", 300 + i, 8000 + i, response_id=f"r{i}") for i in range(80)]
    assert rolled(row("a"), *frameworks, *clients)["input_tokens"] == 80 * 7


def test_a_crowd_of_calls_that_look_alike_is_decided_in_moments() -> None:
    many = [reported(f"{i:05}", "a", f"scope {i % 64}", i, i + 5000) for i in range(2000)]
    agents = [wrapper(f"w{i:05}", f"lost {i}") for i in range(4000)]
    chain = [call(f"n{i:05}", f"n{i - 1:05}" if i else "a", response_id="r", cost=None) for i in range(4000)]
    assert rolled(row("a"), *many, *agents, *chain)["span_count"] == 10_001


def test_of_calls_that_run_at_the_same_time_each_is_one_with_one_other() -> None:
    frameworks = [reported("f1", "a", "callbacks", 10, 40), reported("f2", "a", "callbacks", 12, 30)]
    clients = [reported("c1", "a", "client", 13, 29, response_id="r"), reported("c2", "a", "client", 14, 39)]
    for rows in permutations([*frameworks, *clients]):
        assert rolled(row("a"), *rows)["input_tokens"] == 14


def test_a_call_that_is_priced_stands_in_for_the_same_call_below_it_that_is_not() -> None:
    outer, inner = call("b", "a", 7, response_id="r"), call("c", "b", 5, response_id="r", cost=None)
    assert rolled(row("a"), outer, inner)["cost_total"] == Decimal(14).scaleb(-12)
    assert rolled(row("a"), outer, inner | {"cost": 10})["input_tokens"] == 5, "of equals it is the inner one"
    another = call("d", "b", 3, response_id="s")
    trace = rolled(row("a"), outer, inner, another)
    assert (trace["input_tokens"], trace["unpriced_spans"]) == (8, 1), "it may be the sum of both"
    assert rolled(row("a"), outer | {"response_id": "q"}, inner)["cost_total"] is None


@pytest.mark.parametrize("ids", [("r", ""), ("", "r"), ("", "")])
def test_a_call_that_is_priced_stands_in_for_one_below_it_with_the_same_usage(ids: tuple[str, str]) -> None:
    outer, inner = call("b", "a", 7, response_id=ids[0]), call("c", "b", 7, response_id=ids[1], cost=None)
    assert rolled(row("a"), outer, inner)["cost_total"] == Decimal(14).scaleb(-12)
    assert rolled(row("a"), outer, inner | {"input_tokens": None})["cost_total"] == Decimal(14).scaleb(-12)
    assert rolled(row("a"), outer, inner | {"input_tokens": 6})["cost_total"] is None
