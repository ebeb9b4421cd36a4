"""The limits: what exceeds them is cut, marked on its row and counted; what is within them stays as it is."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from collector.decode import Limits, columns, frame, opening
from collector.decode.limits import ALWAYS_AFFORDABLE, CUT_COLUMNS
from collector.errors import TooLarge
from tests.support.otlp import closed_request, event, field, key_values, link, request, resource_spans, span
from tests.unit.decode.reference import Reference, attributes, decode, facts, rows
from tests.unit.decode.strategies import requests

NO_CUTS = dict.fromkeys(CUT_COLUMNS, 0)


@pytest.fixture(params=["small", "large"])
def _path(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways to the limits: count after decoding (small requests), or before it (large ones)."""
    if request.param == "large":
        monkeypatch.setattr(opening, "ALWAYS_AFFORDABLE", -1)


both_paths = pytest.mark.usefixtures("_path")


def cuts_of(message: ExportTraceServiceRequest, limits: Limits) -> list[dict[str, int]]:
    """The cuts on each row, after a check that `cuts` is their sum."""
    decoded = decode(message, limits)
    per_row = [{name: row[name] for name in CUT_COLUMNS if row[name]} for row in rows(decoded.batch)]
    assert decoded.cuts == {name: sum(row.get(name, 0) for row in per_row) for name in CUT_COLUMNS}
    return per_row


@given(
    requests,
    st.builds(
        Limits,
        max_attributes=st.integers(0, 3),
        max_events=st.integers(0, 2),
        max_links=st.integers(0, 2),
        max_value_length=st.integers(0, 8),
    ),
)
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_both_paths_cut_what_the_reference_cuts(message: ExportTraceServiceRequest, limits: Limits) -> None:
    expected = Reference(message, limits).facts

    small = facts(decode(message, limits))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(opening, "ALWAYS_AFFORDABLE", -1)
        large = facts(decode(message, limits))

    assert (small.rows, small.attributes) == (expected.rows, expected.attributes)
    assert (large.rows, large.attributes) == (expected.rows, expected.attributes)


def test_a_request_takes_the_path_for_large_ones_by_itself() -> None:
    """The same spans, once beside enough others to exceed what is affordable without a look at the counts."""
    spans = [span(attributes={f"k{i}": i for i in range(4)}, events=[event(), event()]) for _ in range(3)]
    filler = [span(name="x" * (ALWAYS_AFFORDABLE // 3)) for _ in range(4)]
    limits = Limits(max_attributes=3, max_events=1)

    small, large = facts(decode(request(*spans), limits)), facts(decode(request(*spans, *filler), limits))

    assert large.rows[:3] == small.rows
    assert large.attributes == small.attributes
    assert small.rows[0]["cut_attributes"] == 1


@both_paths
@pytest.mark.parametrize(
    ("message", "cut"),
    [
        (request(span(attributes={"a": 1, "b": 2, "c": 3})), {"cut_attributes": 1}),
        (request(span(events=[event()] * 5)), {"cut_events": 3}),
        (request(span(links=[link()] * 4)), {"cut_links": 2}),
        (request(span(events=[event(attributes={"a": 1, "b": 2, "c": 3})] * 2)), {"cut_attributes": 2}),
        (request(span(links=[link(attributes={"a": 1, "b": 2, "c": 3})])), {"cut_attributes": 1}),
        (request(span(), resource={"a": 1, "b": 2, "c": 3, "d": 4}), {"cut_attributes": 2}),
        (request(span(), scope_attributes={"a": 1, "b": 2, "c": 3}), {"cut_attributes": 1}),
        (request(span(attributes={"a": "x" * 21})), {"cut_values": 1}),
        (request(span(attributes={"x" * 21: 1})), {"cut_values": 1}),
        (request(span(attributes={"a": b"x" * 21, "b": ["x" * 30]})), {"cut_values": 2}),
        (request(span(attributes={"a": {"x" * 30: 1}})), {"cut_values": 1}),
        (request(span(events=[event(attributes={"a": "x" * 21})])), {"cut_values": 1}),
        (request(span(links=[link(attributes={"a": b"x" * 21})])), {"cut_values": 1}),
        (request(span(), resource={"a": "x" * 21, "b": ["x" * 30]}), {"cut_values": 2}),
        (request(span(), scope_attributes={"a": b"x" * 21, "x" * 21: 1}), {"cut_values": 2}),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, dict) else "request",
)
def test_what_exceeds_a_limit_is_marked_on_its_row_and_counted(message: ExportTraceServiceRequest, cut: Any) -> None:
    innocent = resource_spans(span(attributes={"a": 1}), resource={"a": 1})
    both = ExportTraceServiceRequest(resource_spans=[*message.resource_spans, innocent])

    assert cuts_of(both, Limits(max_attributes=2, max_events=2, max_links=2, max_value_length=20)) == [cut, {}]


@both_paths
def test_exactly_at_the_limits_nothing_changes() -> None:
    full = {"k" * 20: "é" * 20, "b": b"x" * 20}
    message = request(
        span(attributes=full, events=[event(attributes=full)] * 2, links=[link(attributes=full)] * 2),
        resource=full,
        scope_attributes=full,
    )
    limits = Limits(max_attributes=2, max_events=2, max_links=2, max_value_length=20)

    limited, free = decode(message, limits), decode(message)

    assert facts(limited) == facts(free)
    assert limited.cuts == NO_CUTS


@both_paths
def test_the_first_ones_are_kept() -> None:
    message = request(
        span(
            attributes=[(f"a{i}", i) for i in range(5)],
            events=[event(f"e{i}") for i in range(5)],
            links=[link(span_id=bytes([i + 1] * 8)) for i in range(5)],
        )
    )

    batch = decode(message, Limits(max_attributes=2, max_events=2, max_links=2)).batch

    assert [key for _, key, _, _ in attributes(batch)] == ["a0", "a1"]
    assert [kept["name"] for kept in rows(batch)[0]["events"]] == ["e0", "e1"]
    assert [kept["span_id"] for kept in rows(batch)[0]["links"]] == ["01" * 8, "02" * 8]


def test_strings_are_cut_by_characters_and_what_cannot_be_cut_becomes_null() -> None:
    sent = {"text": "𝄞é" * 5, "bytes": b"x" * 4, "list": ["abc"], "map": {"a": 1}, "short": ["a"][:0]}
    batch = decode(request(span(attributes=sent), resource=sent), Limits(max_value_length=3)).batch

    assert attributes(batch) == [
        (0, "tex", "string", "'𝄞é𝄞'"),
        (0, "byt", "json", "None"),
        (0, "lis", "json", "None"),
        (0, "map", "json", "None"),
        (0, "sho", "json", "[]"),
    ]
    expected = {"tex": "𝄞é𝄞", "byt": None, "lis": None, "map": None, "sho": []}
    assert rows(batch)[0]["resource"] == repr(expected)


@both_paths
@pytest.mark.parametrize(
    ("element", "cut"), [(b"\x4a\x00", "cut_attributes"), (b"\x5a\x00", "cut_events"), (b"\x6a\x00", "cut_links")]
)
def test_the_shortest_elements_there_can_be_are_counted_too(element: bytes, cut: str) -> None:
    payload = closed_request(span().SerializeToString() + element * 21)

    assert decode(payload, Limits(max_attributes=20, max_events=20, max_links=20)).cuts == NO_CUTS | {cut: 1}


def test_numbers_are_never_cut() -> None:
    batch = decode(request(span(attributes={"": 2**63 - 1, "d": 1.5})), Limits(max_value_length=1)).batch

    assert [value for *_, value in attributes(batch)] == [str(2**63 - 1), "1.5"]


def test_a_limit_of_zero_keeps_none() -> None:
    message = request(span(attributes={"a": 1}, events=[event()], links=[link()]))

    cut = cuts_of(message, Limits(max_attributes=0, max_events=0, max_links=0))

    assert cut == [{"cut_attributes": 2, "cut_events": 1, "cut_links": 1}]  # the resource has one too


def test_a_span_that_is_rejected_counts_no_cuts() -> None:
    message = request(span(span_id=b"", attributes={"a": "xx", "b": 2}, events=[event()] * 2))

    assert decode(message, Limits(max_attributes=1, max_events=1, max_value_length=1)).cuts == NO_CUTS


def test_fields_that_we_do_not_know_survive_the_cutting_of_others() -> None:
    closed = span(name="whole", attributes={"a": 1, "b": 2}).SerializeToString() + field(99, b"?")

    batch = decode(closed_request(closed), Limits(max_attributes=1)).batch

    assert [row["name"] for row in rows(batch)] == ["whole"]


@pytest.mark.parametrize("what", ["spans", "scopes", "resources"])
def test_more_than_the_most_that_a_request_may_hold_is_too_large(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frame, "MAX_RECORDS", 3)
    several = {
        "spans": lambda n: field(1, field(2, field(2, b"") * n)),
        "scopes": lambda n: field(1, field(2, b"") * n),
        "resources": lambda n: field(1, b"") * n,
    }[what]

    decode(several(3))
    with pytest.raises(
        TooLarge, match=f"^the request holds 4 {what}; at most 3 are accepted in one: send smaller batc"
    ):
        decode(several(4))


@pytest.mark.parametrize("describe", [frame._describe_resource, frame._describe_scope])
def test_large_resources_and_scopes_are_read_but_not_remembered(describe: Any) -> None:
    describe.cache_clear()
    text = "x" * columns.REMEMBERED
    large = request(span(), resource={"large": text}, scope="large", scope_attributes={"large": text})

    row = rows(decode(large).batch)[0]
    assert row["resource"] == row["scope_attributes"] == repr({"large": text})
    assert describe.cache_info().currsize == 0

    decode(request(span(), resource={"a": 1}))
    assert describe.cache_info().currsize == 1


@pytest.mark.parametrize(("value", "rows"), [("x" * (columns.REMEMBERED + 1), 1), ("x", columns.REMEMBERED + 1)])
def test_large_constant_columns_are_built_but_not_remembered(value: str, rows: int) -> None:
    columns._build_constant.cache_clear()

    assert columns.constant(value, rows).to_pylist() == [value] * rows
    assert columns._build_constant.cache_info().currsize == 0

    assert columns.constant("x", 2).to_pylist() == ["x", "x"]
    assert columns._build_constant.cache_info().currsize == 1


def test_a_remembered_resource_does_not_bring_along_the_cuts_of_another() -> None:
    """Cut to one attribute, the second resource is the first; its cut is its own."""
    whole, longer = key_values({"a": 1}), key_values({"a": 1, "b": 2})
    limits = Limits(max_attributes=1)

    assert cuts_of(request(span(), resource=[(p.key, p.value) for p in whole]), limits) == [{}]
    assert cuts_of(request(span(), resource=[(p.key, p.value) for p in longer]), limits) == [{"cut_attributes": 1}]
    assert cuts_of(request(span(), resource=[(p.key, p.value) for p in whole]), limits) == [{}]
