"""Trace rows from span rows: status, names, and above all whose usage counts."""

from __future__ import annotations

import random
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporters.clickhouse.rollup import roll_up
from tests.unit.exporters.traces import Row, call, plain, reference, rolled, row, table, wrapper

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
_tokens = st.none() | st.integers(0, 3) | st.integers(0, 1000)
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
        "scope_name": st.sampled_from(["", "one", "two"]),
        "request_model": st.sampled_from(["", "m", "n"]),
        "response_model": st.sampled_from(["", "m", "n"]),
    }
)


_alike = _span.map(
    lambda span: {
        **span,
        "trace_id": "t",
        "kind": {"EMBEDDING": "LLM", "RERANKER": "LLM", "OTHER": "AGENT"}.get(span["kind"], span["kind"]),
        "parent_span_id": span["parent_span_id"] if span["span_id"] > "s2" else "missing",
        "input_tokens": span["input_tokens"] and 5,
        "output_tokens": span["output_tokens"] and 7,
        "operation": "",
        "response_id": span["response_id"] and "p",
        "end_time": span["start_time"] + span["start_time"] % 7 * 3,
        "service_name": "",
        "request_model": "m",
    }
)
"""Spans of which many could be reports of one call."""


@given(st.lists(_span, min_size=1, max_size=16) | st.lists(_alike, max_size=9), st.randoms(use_true_random=False))
def test_trace_rows_equal_a_plain_reference_in_any_order(spans: list[Row], shuffler: random.Random) -> None:
    rows = [{**span, "received_at": i // 2, "position": i} for i, span in enumerate(spans)]
    expected = reference(rows, {"u": 3})
    assert plain(roll_up(table(rows), {"u": 3})) == expected
    shuffler.shuffle(rows)
    assert plain(roll_up(table(rows), {"u": 3})) == expected
