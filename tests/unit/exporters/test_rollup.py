"""Trace rows from span rows: status, names, and above all whose usage counts."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporters.clickhouse.rollup import roll_up
from tests.unit.exporters.traces import Row, call, plain, reference, row, table


def rolled(*rows: Row, versions: dict[str, int] | None = None) -> Row:
    """The row of the only trace."""
    (trace,) = plain(roll_up(table(rows), versions or {}))
    return trace


def wrapper(span_id: str, parent: str = "", tokens: int = 100, **changes: Any) -> Row:
    """An agent that reports usage."""
    return call(span_id, parent, tokens, kind="AGENT", **changes)


# --- status, name, times ----------------------------------------------------------------------------------------------


def test_a_trace_is_running_until_a_root_has_arrived() -> None:
    trace = rolled(row("b", "a", start_time=5), row("c", "b"))
    assert (trace["status"], trace["root_span_id"], trace["end_time"], trace["latency_ns"]) == (
        "RUNNING",
        "",
        None,
        None,
    )
    assert trace["name"] == "name of b", "of the first span, while there is no root"


def test_a_trace_with_a_root_is_completed_and_lasts_from_its_first_start_to_its_last_end() -> None:
    trace = rolled(row("a", start_time=10, end_time=50), row("b", "a", start_time=8, end_time=70))
    assert (trace["status"], trace["name"], trace["root_span_id"]) == ("COMPLETED", "name of a", "a")
    assert (trace["start_time"], trace["last_start_time"], trace["end_time"], trace["latency_ns"]) == (8, 10, 70, 62)


def test_a_trace_fails_with_its_root_and_not_with_a_child() -> None:
    assert rolled(row("a"), row("b", "a", status_code="ERROR"))["status"] == "COMPLETED"
    failed = rolled(row("a", status_code="ERROR"), row("b", "a"))
    assert (failed["status"], failed["error_count"]) == ("ERROR", 1)


def test_of_several_roots_the_earliest_names_the_trace_and_any_can_fail_it() -> None:
    trace = rolled(row("b", start_time=11, status_code="ERROR"), row("a", start_time=12), row("c", start_time=10))
    assert (trace["root_span_id"], trace["status"]) == ("c", "ERROR")


def test_of_roots_that_start_together_the_smallest_id_names_the_trace() -> None:
    assert rolled(row("b"), row("a"), row("c"))["root_span_id"] == "a"


def test_an_orphan_beside_a_root_does_not_keep_the_trace_running() -> None:
    trace = rolled(row("a"), call("b", "never sent"))
    assert (trace["status"], trace["span_count"], trace["input_tokens"]) == ("COMPLETED", 2, 100)


def test_a_trace_without_any_end_has_none() -> None:
    trace = rolled(row("a", end_time=None))
    assert (trace["status"], trace["end_time"], trace["latency_ns"]) == ("COMPLETED", None, None)


def test_an_end_before_the_start_is_none() -> None:
    assert rolled(row("a", end_time=9))["end_time"] is None


@pytest.mark.parametrize("name", ["service_name", "environment", "release", "session_id", "user_id"])
def test_a_text_is_the_roots_or_that_of_the_earliest_span_that_has_one(name: str) -> None:
    later = row("c", "a", start_time=30, **{name: "later"})
    earlier = row("b", "a", start_time=20, **{name: "earlier"})
    assert rolled(row("a", start_time=25, **{name: "root"}), earlier, later)[name] == "root"
    assert rolled(row("a", start_time=25), later, earlier)[name] == "earlier"
    assert rolled(row("a"))[name] == ""


def test_tags_are_the_sorted_union_of_all_spans() -> None:
    trace = rolled(row("a", tags=["b", "a"]), row("b", "a", tags=["c", "a"]), row("c", "a"))
    assert trace["tags"] == ["a", "b", "c"]


# --- whose usage counts -----------------------------------------------------------------------------------------------


def test_an_agent_that_repeats_its_model_calls_does_not_count() -> None:
    trace = rolled(wrapper("a", tokens=300), call("b", "a", 100), row("c", "a"), call("d", "c", 200))
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


# --- sums -------------------------------------------------------------------------------------------------------------


def test_cost_is_exact_to_the_last_digit() -> None:
    trace = rolled(
        row("a"), *(call(f"b{i}", "a", cost=cost) for i, cost in enumerate((1, 999_999_999_999, 10**17 + 1)))
    )
    assert trace["cost_total"] == Decimal("100001.000000000001")


def test_cost_is_null_where_nothing_that_counts_is_priced() -> None:
    assert rolled(row("a"))["cost_total"] is None
    trace = rolled(wrapper("a", cost=5), call("b", "a", cost=None))
    assert (trace["cost_total"], trace["unpriced_spans"]) == (None, 1), "the wrapper's cost is no substitute"


def test_a_cost_of_zero_is_a_cost() -> None:
    trace = rolled(call("a", cost=0))
    assert (trace["cost_total"], trace["unpriced_spans"]) == (0, 0)


def test_spans_that_count_without_a_price_are_counted() -> None:
    trace = rolled(row("a"), call("b", "a"), call("c", "a", cost=None), call("d", "a", cost=None))
    assert (trace["cost_total"], trace["unpriced_spans"]) == (Decimal(200).scaleb(-12), 2)


def test_money_of_more_than_nine_million_dollars_does_not_wrap_around() -> None:
    most = 10**18 - 1
    trace = rolled(*(call(f"a{i}", cost=most) for i in range(100)))
    assert trace["cost_total"] == Decimal(100 * most).scaleb(-12)


def test_tokens_beyond_the_column_stay_at_its_largest_number() -> None:
    most = 2**63 - 1
    trace = rolled(call("a", tokens=most, cost=None), call("b", tokens=1, cost=None))
    assert trace["input_tokens"] == most
    assert rolled(call("a", tokens=most - 1, cost=None), call("b", tokens=1, cost=None))["input_tokens"] == most


# --- repetitions and versions -----------------------------------------------------------------------------------------


def test_of_a_span_that_came_twice_the_one_received_last_is_taken() -> None:
    early, late = call("a", tokens=5, received_at=1, name="early"), call("a", tokens=7, received_at=2, name="late")
    assert rolled(early, late) == rolled(late, early) == rolled(late)


def test_of_copies_received_in_the_same_millisecond_the_one_written_last_is_taken() -> None:
    early, late = call("a", tokens=5, position=1), call("a", tokens=7, position=2)
    assert rolled(early, late) == rolled(late, early) == rolled(late)


def test_a_later_copy_may_start_at_another_time() -> None:
    early, late = row("a", received_at=1, start_time=50), row("a", received_at=2, start_time=10)
    assert rolled(early, late)["last_start_time"] == 10


def test_versions_go_up_from_the_present_row() -> None:
    rows = [row("a"), row("a", trace_id="u")]
    assert [trace["version"] for trace in plain(roll_up(table(rows), {"t": 41}))] == [42, 1]


def test_nothing_rolls_up_to_nothing() -> None:
    assert plain(roll_up(table([]), {})) == []


# --- against the reference --------------------------------------------------------------------------------------------

_ids = st.sampled_from(["s0", "s1", "s2", "s3", "s4", "s5", "s6"])
_texts = st.sampled_from(["", "", "x", "y"])
_tokens = st.none() | st.integers(0, 1000)
_span = st.fixed_dictionaries(
    {
        "trace_id": st.sampled_from(["t", "u"]),
        "span_id": _ids,
        "parent_span_id": _ids | st.sampled_from(["", "", "missing"]),
        "start_time": st.integers(1, 20),
        "end_time": st.none() | st.integers(1, 40),
        "name": _texts,
        "kind": st.sampled_from(["LLM", "EMBEDDING", "RERANKER", "AGENT", "CHAIN", "TOOL", "OTHER"]),
        "status_code": st.sampled_from(["UNSET", "OK", "ERROR"]),
        **dict.fromkeys(("service_name", "environment", "release", "session_id", "user_id"), _texts),
        "tags": st.lists(st.sampled_from(["a", "b", "c"]), max_size=3),
        "input_tokens": _tokens,
        "output_tokens": _tokens,
        "cost": st.none() | st.integers(0, 10**18 - 1),
        "operation": st.sampled_from(["", "", "", "fetch_response"]),
        "response_id": st.sampled_from(["", "", "p", "q"]),
    }
)


@given(st.lists(_span, min_size=1, max_size=16), st.randoms(use_true_random=False))
def test_trace_rows_equal_a_plain_reference_in_any_order(spans: list[Row], shuffler: random.Random) -> None:
    rows = [{**span, "received_at": i // 2, "position": i} for i, span in enumerate(spans)]
    expected = reference(rows, {"u": 3})
    assert plain(roll_up(table(rows), {"u": 3})) == expected
    shuffler.shuffle(rows)
    assert plain(roll_up(table(rows), {"u": 3})) == expected
