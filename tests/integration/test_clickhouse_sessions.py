"""Sessions, users and analytics on the embedded ClickHouse: every sum equals the one over the list of traces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import pytest

from collector.errors import Permanent
from collector.query.reader import SessionFilters, TraceFilters
from exporters.clickhouse import read_sessions, read_whole
from tests.support.spans import DAY, HOUR, NOON, SECOND, agent, batch, chat, span
from tests.support.store import Database

Row = Mapping[str, Any]
MIDNIGHT = NOON - 12 * HOUR
"""2026-01-01T00:00:00Z, a Thursday."""
EVER = (0, 2**62)


def listed(database: Database, project: str, **filters: Any) -> list[Row]:
    """All traces that match, as the list of traces has them."""
    off = dict.fromkeys(("session_id", "status", "user_id", "name", "started_after_ns", "started_before_ns"))
    order = {"sort_by": "started_at", "descending": False}
    wanted = TraceFilters(**{"limit": 200, "offset": 0, "tags": (), **off, **order, **filters})
    rows, total = database.store.traces(project, wanted)
    assert len(rows) == total
    return list(rows)


@pytest.fixture(scope="module")
def shop(database: Database) -> str:
    """A project of seven traces, in several batches, with spans that come twice or late.

    ======  ==========  =======  =========  =====  ========  ==========  ======================
    number  starts      takes    status     user   session   tags        usage
    ======  ==========  =======  =========  =====  ========  ==========  ======================
    1       Thu 12:00   5 s      COMPLETED         first     paid        agent around two calls
    2       Thu 13:00   1 s      ERROR      bob    first     beta, paid  one call
    3       Thu 14:00   9 s      COMPLETED  ann    first                 a model without price
    4       Thu 15:00   unknown  RUNNING    ann    second    beta        none
    5       Fri 13:00   2 s      COMPLETED  ann    third/50%             one call of another model
    6       Mon 12:00   4 s      COMPLETED                               none
    7       Mon 12:30   3 s      COMPLETED  bob                          one call
    ======  ==========  =======  =========  =====  ========  ==========  ======================
    """

    def values(user: str, session: str, *tags: str) -> dict[str, Any]:
        return {"user.id": user, "session.id": session, "tag.tags": list(tags)}

    first = values("", "first", "paid")
    friday, monday = NOON + 25 * HOUR, NOON + 4 * DAY
    batches = [
        [
            chat(2, trace=1, parent=1, start=NOON + SECOND, values=first, tokens=(700, 70)),
            span(1, trace=2, start=NOON + HOUR, error="x", values=values("bob", "first", "paid", "beta")),
            chat(2, trace=2, parent=1, start=NOON + HOUR, tokens=(10, 1)),
            chat(1, trace=3, start=NOON + 2 * HOUR, seconds=9, model="nobody's", values=values("ann", "first")),
        ],
        [
            agent(1, trace=1, start=NOON, seconds=5, values=first, tokens=(1000, 100)),
            chat(3, trace=1, parent=1, start=NOON + 2 * SECOND, seconds=2, values=first, tokens=(300, 30)),
            chat(2, trace=1, parent=1, start=NOON + SECOND, values=first, tokens=(700, 70)),
            span(1, trace=4, parent=7, start=NOON + 3 * HOUR, values=values("ann", "second", "beta")),
        ],
        [
            chat(1, trace=5, start=friday, seconds=2, model="gpt-4o-mini", values=values("ann", "third/50%")),
            span(1, trace=6, start=monday, seconds=4),
            chat(1, trace=7, start=monday + HOUR // 2, seconds=3, values=values("bob", ""), tokens=(5, 5)),
        ],
    ]
    for number, spans in enumerate(batches):
        arrived = monday + DAY + number
        database.exporter.write(batch(*spans, project="sums", received_at=arrived), f"sums/{number}")
    return "sums"


def sessions(database: Database, project: str, **filters: Any) -> tuple[list[str], int]:
    rows, total = database.store.sessions(project, SessionFilters(**{"limit": 50, **filters}))
    return [row["session_id"] for row in rows], total


def assert_sums_up(session: Row, traces: Sequence[Row]) -> None:
    """Hold a session's row against the traces that it sums up."""
    known = [trace["latency_ns"] for trace in traces if trace["latency_ns"] is not None]
    ends = [trace["end_time"] for trace in traces if trace["end_time"] is not None]
    costs = [trace["cost_total"] for trace in traces if trace["cost_total"] is not None]
    assert dict(session) == {
        "session_id": traces[0]["session_id"],
        "trace_count": len(traces),
        "start_time": min(trace["start_time"] for trace in traces),
        "end_time": max(ends) if ends else None,
        "latency_ns": sum(known) if known else None,
        "has_error": any(trace["status"] == "ERROR" for trace in traces),
        "user_id": next((trace["user_id"] for trace in traces if trace["user_id"]), ""),
        "tags": sorted({tag for trace in traces for tag in trace["tags"]}),
        "span_count": sum(trace["span_count"] for trace in traces),
        "input_tokens": sum(trace["input_tokens"] for trace in traces),
        "output_tokens": sum(trace["output_tokens"] for trace in traces),
        "cost_total": sum(costs) if costs else None,
    }


@pytest.mark.parametrize(
    "filters",
    [
        {},
        {"tags": ("beta", "none")},
        {"user_id": "ann"},
        {"started_after_ns": NOON + HOUR},
        {"started_before_ns": NOON + HOUR},
        {"started_after_ns": NOON + HOUR, "started_before_ns": NOON + 2 * HOUR, "user_id": "bob", "tags": ("paid",)},
    ],
)
def test_a_session_sums_up_those_of_its_traces_that_match(
    database: Database, shop: str, filters: dict[str, Any]
) -> None:
    rows, total = database.store.sessions(shop, SessionFilters(limit=50, **filters))
    matching = [trace for trace in listed(database, shop, **filters) if trace["session_id"]]
    assert {row["session_id"] for row in rows} == {trace["session_id"] for trace in matching}
    assert total == len(rows) > 0
    for row in rows:
        assert_sums_up(row, [trace for trace in matching if trace["session_id"] == row["session_id"]])


def test_what_repeats_usage_or_came_twice_is_summed_up_once(database: Database, shop: str) -> None:
    ((first,), _) = database.store.sessions(shop, SessionFilters(limit=50, query="FIRST"))
    assert (first["input_tokens"], first["span_count"]) == (1000 + 10 + 1000, 6)
    assert first["cost_total"] > 0


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, ["third/50%", "second", "first"]),
        ({"has_error": True}, ["first"]),
        ({"has_error": False}, ["third/50%", "second"]),
        ({"has_error": False, "user_id": "ann"}, ["third/50%", "second", "first"]),
        ({"user_id": "ANN"}, []),
        ({"tags": ("beta",)}, ["second", "first"]),
        ({"query": "S"}, ["second", "first"]),
        ({"query": "%"}, ["third/50%"]),
        ({"query": "_"}, []),
        ({"query": "first_"}, []),
        ({"started_after_ns": NOON + 25 * HOUR + 1}, []),
        ({"sort_by": "trace_count"}, ["first", "second", "third/50%"]),
        ({"sort_by": "trace_count", "descending": False}, ["second", "third/50%", "first"]),
        ({"sort_by": "latency"}, ["first", "third/50%", "second"]),
        ({"sort_by": "latency", "descending": False}, ["third/50%", "first", "second"]),
        ({"sort_by": "cost"}, ["first", "third/50%", "second"]),
        ({"sort_by": "cost", "descending": False}, ["second", "third/50%", "first"]),
        ({"sort_by": "recent", "descending": False}, ["first", "second", "third/50%"]),
    ],
)
def test_sessions_are_filtered_and_sorted(
    database: Database, shop: str, filters: dict[str, Any], expected: list[str]
) -> None:
    assert sessions(database, shop, **filters) == (expected, len(expected))


def test_pages_of_sessions_follow_each_other(database: Database, shop: str) -> None:
    pages = [sessions(database, shop, limit=2, offset=offset) for offset in (0, 2, 4)]
    assert pages == [(["third/50%", "second"], 3), (["first"], 3), ([], 3)]


def test_a_session_has_its_traces_in_order_of_time_as_they_are_read_alone(database: Database, shop: str) -> None:
    found = database.store.session(shop, "first", 200, 0)
    assert found is not None
    session, traces = found
    assert_sums_up(session, listed(database, shop, session_id="first"))
    for number, (row, spans) in enumerate(traces, start=1):
        alone, its_spans = database.trace(shop, number)
        assert {name: row[name] for name in alone} == alone
        assert list(spans) == its_spans
    assert len(traces) == 3


def test_a_page_of_a_session_has_the_sums_of_all_its_traces(database: Database, shop: str) -> None:
    pages = [database.store.session(shop, "first", 2, offset) for offset in (0, 2, 4)]
    assert [[int(row["trace_id"], 16) for row, _ in page[1]] for page in pages if page] == [[1, 2], [3], []]
    assert len({str(page[0]) for page in pages if page}) == 1


def test_a_session_that_lasts_for_days_is_found_whole(database: Database, project: str) -> None:
    """One of its traces has spans in more minutes than are named to the store."""
    values = {"session.id": "long"}
    spans = [
        span(1, trace=1, start=NOON, values=values),
        span(1, trace=2, start=NOON + DAY, values=values),
        span(2, trace=2, parent=1, start=NOON + 3 * DAY, values=values),
        span(1, trace=3, start=NOON + 2 * DAY, values=values),
    ]
    database.exporter.write(batch(*spans, project=project), project)
    found = database.store.session(project, "long", 200, 0)
    assert found is not None
    assert [(int(row["trace_id"], 16), len(its)) for row, its in found[1]] == [(1, 1), (2, 2), (3, 1)]


def test_spans_of_equal_ids_stay_in_their_traces(database: Database, shop: str) -> None:
    found = database.store.session(shop, "first", 200, 0)
    assert found is not None
    for row, spans in found[1]:
        assert {one["trace_id"] for one in spans} == {row["trace_id"]}
        assert len(spans) == row["span_count"]


def test_an_answer_with_too_many_spans_is_refused_with_what_to_do(
    database: Database, shop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read_whole, "MOST_SPANS", 5)
    with pytest.raises(Permanent, match=r"3 traces of this page have 6 spans.*smaller limit"):
        database.store.session(shop, "first", 200, 0)
    assert database.store.session(shop, "first", 2, 0) is not None


def test_users_are_summed_up_latest_first(database: Database, shop: str) -> None:
    rows, total = database.store.users(shop, 50, 0)
    assert [dict(row) for row in rows] == [
        {
            "user_id": "bob",
            "trace_count": 2,
            "first_start_time": NOON + HOUR,
            "last_start_time": NOON + 4 * DAY + HOUR // 2,
            "error_count": 1,
        },
        {
            "user_id": "ann",
            "trace_count": 3,
            "first_start_time": NOON + 2 * HOUR,
            "last_start_time": NOON + 25 * HOUR,
            "error_count": 0,
        },
    ]
    assert total == 2
    assert [row["user_id"] for row in database.store.users(shop, 1, 1)[0]] == ["ann"]


# --- analytics --------------------------------------------------------------------------------------------------------

PERIODS = {
    "hour": [MIDNIGHT + hours * HOUR for hours in (12, 13, 14, 15, 37, 108)],
    "day": [MIDNIGHT, MIDNIGHT + DAY, MIDNIGHT + 4 * DAY],
    "week": [MIDNIGHT - 3 * DAY, MIDNIGHT + 4 * DAY],
}
LENGTHS = {"hour": HOUR, "day": DAY, "week": 7 * DAY}


@pytest.mark.parametrize("granularity", PERIODS)
@pytest.mark.parametrize("metric", ["volume", "errors", "latency"])
def test_periods_count_the_traces_that_began_in_them(
    database: Database, shop: str, metric: str, granularity: str
) -> None:
    rows = database.store.analytics(shop, metric, granularity, *EVER)
    assert [row["bucket"] * SECOND for row in rows] == PERIODS[granularity]
    for row in rows:
        traces = in_period(database, shop, row, granularity)
        known = sorted(trace["latency_ns"] for trace in traces if trace["latency_ns"] is not None)
        assert row["trace_count"] == len(traces)
        assert row["error_count"] == sum(trace["status"] == "ERROR" for trace in traces)
        shown = {name: row[f"latency_{name}"] for name in ("average", "p50", "p90", "p99")}
        if known:
            quantiles = {f"p{percent}": interpolated(known, percent / 100) for percent in (50, 90, 99)}
            assert shown == pytest.approx({"average": sum(known) / len(known), **quantiles})
        else:
            assert all(value is None or value != value for value in shown.values())


def interpolated(values: list[int], level: float) -> float:
    """The continuous percentile: between two values where it falls between them."""
    place = level * (len(values) - 1)
    below, share = int(place), place - int(place)
    above = values[min(below + 1, len(values) - 1)]
    return values[below] + (above - values[below]) * share


def in_period(database: Database, project: str, row: Row, granularity: str) -> list[Row]:
    start = row["bucket"] * SECOND
    return listed(database, project, started_after_ns=start, started_before_ns=start + LENGTHS[granularity])


@pytest.mark.parametrize("granularity", PERIODS)
@pytest.mark.parametrize("metric", ["cost", "tokens"])
def test_periods_sum_up_the_usage_of_the_traces_that_began_in_them(
    database: Database, shop: str, metric: str, granularity: str
) -> None:
    rows = database.store.analytics(shop, metric, granularity, *EVER)
    assert [row["bucket"] * SECOND for row in rows] == PERIODS[granularity]
    for row in rows:
        traces = in_period(database, shop, row, granularity)
        costs = [trace["cost_total"] for trace in traces if trace["cost_total"] is not None]
        assert row["input_tokens"] == sum(trace["input_tokens"] for trace in traces)
        assert row["output_tokens"] == sum(trace["output_tokens"] for trace in traces)
        assert row["cost_total"] == (sum(costs) if costs else None)


def test_only_what_began_between_the_times_is_counted(database: Database, shop: str) -> None:
    def counted(first: int, last: int) -> int:
        return sum(row["trace_count"] for row in database.store.analytics(shop, "volume", "hour", first, last))

    assert counted(NOON, NOON + HOUR) == 1
    assert counted(NOON, NOON + HOUR + 1) == 2
    assert counted(NOON + 1, NOON + HOUR + 1) == 1
    assert counted(NOON + HOUR, NOON) == 0


def test_models_are_ranked_by_the_calls_that_count(database: Database, shop: str) -> None:
    rows = [dict(row) for row in database.store.analytics(shop, "models", "day", *EVER)]
    assert [(row["model"], row["call_count"]) for row in rows] == [("gpt-4o", 4), ("gpt-4o-mini", 1), ("nobody's", 1)]
    assert rows[0]["input_tokens"] == 700 + 300 + 10 + 5, "the agent's repeat them"
    assert rows[2]["cost_total"] is None
    traces = listed(database, shop)
    for name in ("input_tokens", "output_tokens"):
        assert sum(row[name] for row in rows) == sum(trace[name] for trace in traces)
    costs = [trace["cost_total"] or Decimal() for trace in traces]
    assert sum(row["cost_total"] or Decimal() for row in rows) == sum(costs)
    assert database.store.analytics(shop, "models", "day", NOON + DAY, NOON + 3 * DAY)[0]["model"] == "gpt-4o-mini"


def test_no_more_than_ten_models_are_ranked(database: Database, project: str) -> None:
    spans = [chat(number, trace=number, model=f"model {number:02}") for number in range(1, 13)]
    database.exporter.write(batch(*spans, project=project), project)
    rows = database.store.analytics(project, "models", "day", *EVER)
    assert [row["model"] for row in rows] == [f"model {number:02}" for number in range(1, 11)]


def test_too_many_periods_are_refused_with_what_to_do(
    database: Database, shop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read_sessions, "MOST_PERIODS", 3)
    with pytest.raises(Permanent, match=r"more than 3 hours with traces.*coarser"):
        database.store.analytics(shop, "volume", "hour", *EVER)
    assert len(database.store.analytics(shop, "volume", "day", *EVER)) == 3


def test_tokens_beyond_64_bits_are_summed_up_exactly(database: Database, project: str) -> None:
    largest = 2**63 - 1
    database.connection.command(
        "INSERT INTO traces (project, trace_id, version, start_time, session_id, input_tokens, output_tokens, latency_ns)"
        " SELECT {p:String}, toString(number), 1, now(), 's', {n:Int64}, {n:Int64}, {n:Int64} FROM numbers(3)",
        parameters={"p": project, "n": largest},
    )
    ((row,), _) = database.store.sessions(project, SessionFilters(limit=1))
    assert (row["input_tokens"], row["output_tokens"], row["latency_ns"]) == (3 * largest,) * 3
    (row,) = database.store.analytics(project, "tokens", "day", *EVER)
    assert row["input_tokens"] == 3 * largest


# --- other projects, hostile texts ------------------------------------------------------------------------------------

HOSTILE = [
    "'",
    "\\",
    "\\'",
    "' OR 1=1 --",
    "{x:String}",
    "%s",
    "a\x00b",
    "\t\r\n",
    "/*where*/ 1",
    "/*having*/ 1",
    "日本 😀",
]


@pytest.fixture(scope="module")
def hostile(database: Database) -> str:
    """A project with a session and a user for each hostile text."""
    spans = [
        span(1, trace=number, start=NOON + number, values={"user.id": text, "session.id": text, "tag.tags": [text]})
        for number, text in enumerate(HOSTILE, start=1)
    ]
    database.exporter.write(batch(*spans, project="hostile sums"), "hostile sums")
    return "hostile sums"


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_a_hostile_text_finds_itself_and_nothing_else(database: Database, hostile: str, text: str) -> None:
    for filters in ({"user_id": text}, {"tags": (text,)}):
        assert sessions(database, hostile, **filters) == ([text], 1)
    containing = [other for other in HOSTILE if text.lower() in other.lower()]
    assert sessions(database, hostile, query=text, descending=False) == (containing, len(containing))
    found = database.store.session(hostile, text, 10, 0)
    assert found is not None
    assert (found[0]["session_id"], found[0]["tags"], len(found[1])) == (text, [text], 1)


def test_another_project_sees_none_of_it(database: Database, shop: str, project: str) -> None:
    assert sessions(database, project) == ([], 0)
    assert database.store.session(project, "first", 200, 0) is None
    assert database.store.users(project, 50, 0) == ([], 0)
    for metric in ("volume", "cost", "models"):
        assert list(database.store.analytics(project, metric, "day", *EVER)) == []


def test_traces_without_a_session_are_none(database: Database, shop: str) -> None:
    assert database.store.session(shop, "", 200, 0) is None
    assert "" not in sessions(database, shop)[0]
