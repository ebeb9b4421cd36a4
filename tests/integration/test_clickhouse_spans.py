"""Spans by themselves from the embedded ClickHouse: filters, orders, pages, cursors, and ids that are not theirs."""

from __future__ import annotations

import json
from typing import Any

import pytest

from collector.query.reader import Reference, SpanFilters
from exporters.clickhouse.span_rows import span_uuid
from tests.support.spans import DAY, HOUR, NOON, SECOND, agent, batch, chat, span, span_id, trace_id
from tests.support.store import Database

HOSTILE = "'); DROP TABLE spans; -- {project:String} \\"


def ids(trace: int, number: int) -> tuple[str, str]:
    """Trace id and span id."""
    return trace_id(trace).hex(), span_id(number).hex()


def uuid(trace: int, number: int) -> str:
    return span_uuid(*ids(trace, number))


def listed(database: Database, project: str, **changes: Any) -> list[tuple[int, int]]:
    """The numbers of trace and span of each row of the page."""
    rows = database.store.spans(project, SpanFilters(**{"limit": 50, **changes}))
    return [(int(row["trace_id"], 16), int(row["span_id"], 16)) for row in rows]


@pytest.fixture(scope="module")
def shop(database: Database) -> str:
    """A project of seven spans in three traces; two traces have a span 1.

    =====  ====  =======  =====  ======  ========  ===========  =======
    trace  span  starts   takes  kind    name      model        session
    =====  ====  =======  =====  ======  ========  ===========  =======
    1      1     0 h      5 s    AGENT   answer    gpt-4o       first
    1      2     0 h 1 s  1 s    LLM     chat a    gpt-4o       first
    1      3     0 h 2 s  3 s    LLM     chat b    gpt-4o-mini  first
    2      1     5 h      2 s    OTHER   answer                 first
    2      4     30 h     -      OTHER   late                   first
    3      5     50 h     9 s    LLM     chat a    gpt-4o       second
    3      6     50 h     1 s    OTHER   tagged                 second
    =====  ====  =======  =====  ======  ========  ===========  =======
    """
    first, second = {"session.id": "first"}, {"session.id": "second"}
    spans = [
        agent(1, trace=1, tokens=None, seconds=5, name="answer", values=first),
        chat(2, trace=1, parent=1, start=NOON + SECOND, name="chat a"),
        chat(3, trace=1, parent=1, start=NOON + 2 * SECOND, seconds=3, name="chat b", model="gpt-4o-mini"),
        span(1, trace=2, start=NOON + 5 * HOUR, seconds=2, name="answer", values=first),
        span(4, trace=2, parent=1, start=NOON + 30 * HOUR, seconds=None, name="late"),
        chat(5, trace=3, start=NOON + 50 * HOUR, seconds=9, name="chat a", values=second),
        span(6, trace=3, parent=5, start=NOON + 50 * HOUR, name="tagged", values={"tag.tags": ["paid", "beta"]}),
    ]
    database.exporter.write(batch(*spans, project="shop of spans"), "shop of spans")
    opinions = [(1, 2, "good", "positive", ["mine"], False), (1, 3, "bad", "negative", [], False)]
    opinions += [(3, 5, "none", "", ["mine"], False), (3, 6, "back", "positive", ["mine"], True)]
    for trace, number, name, label, tags, removed in opinions:
        row = ["shop of spans", *ids(trace, number), name, label, tags, removed]
        names = ["project", "trace_id", "span_id", "feedback_id", "label", "tags", "removed"]
        database.client.insert("feedback", [row], column_names=names)
    return "shop of spans"


EVERYTHING = [(3, 6), (3, 5), (2, 4), (2, 1), (1, 3), (1, 2), (1, 1)]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, EVERYTHING),
        ({"descending": False}, EVERYTHING[::-1]),
        ({"limit": 3}, EVERYTHING[:3]),
        ({"limit": 3, "offset": 2}, EVERYTHING[2:5]),
        ({"limit": 3, "offset": 6}, EVERYTHING[6:]),
        ({"limit": 3, "offset": 7}, []),
        ({"trace_ids": (ids(1, 1)[0],)}, [(1, 3), (1, 2), (1, 1)]),
        ({"trace_ids": (ids(1, 1)[0], ids(2, 1)[0])}, EVERYTHING[2:]),
        ({"span_ids": (ids(1, 1)[1],)}, [(2, 1), (1, 1)]),
        ({"span_ids": (ids(1, 1)[1], ids(1, 6)[1])}, [(3, 6), (2, 1), (1, 1)]),
        ({"span_ids": (ids(1, 1)[1],), "trace_ids": (ids(2, 1)[0],)}, [(2, 1)]),
        ({"session_ids": ("first",)}, EVERYTHING[2:]),
        ({"session_ids": ("first", "second")}, EVERYTHING),
        ({"session_ids": ("third",)}, []),
        ({"kinds": ("LLM",)}, [(3, 5), (1, 3), (1, 2)]),
        ({"kinds": ("AGENT", "LLM"), "session_ids": ("first",)}, [(1, 3), (1, 2), (1, 1)]),
        ({"names": ("answer",)}, [(2, 1), (1, 1)]),
        ({"names": ("answe",)}, []),
        ({"model": "gpt-4o"}, [(3, 5), (1, 2), (1, 1)]),
        ({"label": "positive"}, [(1, 2)]),
        ({"label": "negative"}, [(1, 3)]),
        ({"has_feedback": True}, [(1, 3), (1, 2)]),
        ({"has_feedback": False}, [(3, 6), (3, 5), (2, 4), (2, 1), (1, 1)]),
        ({"has_feedback": False, "kinds": ("LLM",)}, [(3, 5)]),
        ({"tags": ("beta",)}, [(3, 6)]),
        ({"tags": ("mine",)}, [(3, 5), (1, 2)]),
        ({"tags": ("mine", "paid")}, [(3, 6), (3, 5), (1, 2)]),
        ({"started_after_ns": NOON + 5 * HOUR}, EVERYTHING[:4]),
        ({"started_after_ns": NOON + 5 * HOUR + 1}, EVERYTHING[:3]),
        ({"started_before_ns": NOON + 5 * HOUR}, EVERYTHING[4:]),
        ({"started_before_ns": NOON + 5 * HOUR + 1}, EVERYTHING[3:]),
        ({"started_before_ns": NOON + SECOND, "descending": False}, [(1, 1)]),
        ({"sort_by": "name", "descending": False}, [(1, 1), (2, 1), (1, 2), (3, 5), (1, 3), (2, 4), (3, 6)]),
        ({"sort_by": "latency"}, [(3, 5), (1, 1), (1, 3), (2, 1), (3, 6), (1, 2), (2, 4)]),
        ({"sort_by": "received_at", "limit": 3}, EVERYTHING[:3]),
        ({"sort_by": "end_time", "limit": 3}, [(3, 5), (3, 6), (2, 1)]),
    ],
)
def test_a_page_of_spans_is_what_its_filters_say(
    database: Database, shop: str, filters: dict[str, Any], expected: list[tuple[int, int]]
) -> None:
    assert listed(database, shop, **filters) == expected


@pytest.mark.parametrize("trace_and_span", EVERYTHING)
def test_a_span_is_found_by_the_id_that_is_shown_for_it(
    database: Database, shop: str, trace_and_span: tuple[int, int]
) -> None:
    # All traces of these tests begin with the same digits, so that only whole ids tell spans of one number apart.
    found = listed(database, shop, span_uuids=(uuid(*trace_and_span),))
    assert trace_and_span in found
    assert {number for _, number in found} == {trace_and_span[1]}


def test_spans_that_repeat_the_usage_of_others_are_left_out_if_wanted(database: Database, project: str) -> None:
    spans = [
        agent(1, tokens=(1000, 100)),  # repeats its call
        chat(2, parent=1, start=NOON + 1),  # wraps the same call
        chat(3, parent=2, start=NOON + 2),
        chat(4, parent=1, start=NOON + 3, tokens=None, error="refused"),
        span(5, parent=1, start=NOON + 4),
    ]
    database.exporter.write(batch(*spans, project=project), f"{project}-1")
    assert listed(database, project, descending=False) == [(1, 1), (1, 2), (1, 3), (1, 4), (1, 5)]
    assert listed(database, project, descending=False, repeats=False) == [(1, 3), (1, 4), (1, 5)]
    assert listed(database, project, kinds=("LLM",), repeats=False) == [(1, 4), (1, 3)]


def test_the_shown_id_tells_traces_apart_that_begin_differently(database: Database, project: str) -> None:
    near, far = 1, 1 << 120
    spans = [span(7, trace=near), span(7, trace=far)]
    database.exporter.write(batch(*spans, project=project), f"{project}-1")
    assert listed(database, project, span_uuids=(uuid(far, 7),)) == [(far, 7)]
    assert listed(database, project, span_uuids=(uuid(far, 7), uuid(near, 7))) == [(far, 7), (near, 7)]


@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("limit", [1, 2, 3, 7])
def test_pages_between_cursors_put_together_are_everything_forwards_and_backwards(
    database: Database, shop: str, *, descending: bool, limit: int
) -> None:
    everything = EVERYTHING if descending else EVERYTHING[::-1]
    seen: list[tuple[int, int]] = []
    cursor = None
    while page := database.store.spans(shop, SpanFilters(limit=limit, descending=descending, after=cursor)):
        seen += [(int(row["trace_id"], 16), int(row["span_id"], 16)) for row in page]
        cursor = (page[-1]["start_time"], page[-1]["trace_id"], page[-1]["span_id"])
    assert seen == everything

    seen = []
    cursor = (0 if descending else 1 << 62, "", "")
    while page := database.store.spans(shop, SpanFilters(limit=limit, descending=descending, before=cursor)):
        seen = [(int(row["trace_id"], 16), int(row["span_id"], 16)) for row in page] + seen
        cursor = (page[0]["start_time"], page[0]["trace_id"], page[0]["span_id"])
    assert seen == everything


def test_between_two_cursors_lies_what_comes_after_one_and_before_the_other(database: Database, shop: str) -> None:
    after, before = (NOON + 50 * HOUR, *ids(3, 5)), (NOON, *ids(1, 1))
    assert listed(database, shop, after=after, before=before) == EVERYTHING[2:6]
    assert listed(database, shop, after=after, before=before, limit=2) == EVERYTHING[2:4]
    assert listed(database, shop, after=before, before=after, descending=False, limit=2) == [(1, 2), (1, 3)]


def test_a_cursor_without_an_order_of_start_times_is_a_mistake(database: Database, shop: str) -> None:
    with pytest.raises(ValueError, match="in the order of start times, not name"):
        listed(database, shop, sort_by="name", after=(NOON, "", ""))


def test_spans_that_lie_far_apart_are_found_in_one_page(database: Database, project: str) -> None:
    far = [span(number, trace=number, start=NOON - number * 8 * DAY) for number in range(1, 6)]
    database.exporter.write(batch(*far, project=project, received_at=NOON + SECOND), f"{project}-1")
    assert [number for number, _ in listed(database, project)] == [1, 2, 3, 4, 5]
    assert [number for number, _ in listed(database, project, descending=False)] == [5, 4, 3, 2, 1]
    assert [number for number, _ in listed(database, project, limit=2, offset=2)] == [3, 4]


def test_rows_are_those_of_the_whole_trace(database: Database, shop: str) -> None:
    _, expected = database.trace(shop, 1)
    shown = database.store.spans(shop, SpanFilters(limit=50, trace_ids=(ids(1, 1)[0],), descending=False))
    assert list(shown) == expected
    assert shown[0]["trace_id"] == ids(1, 1)[0]


def test_a_span_that_was_sent_again_is_there_once_as_it_was_sent_last(database: Database, project: str) -> None:
    sent = [(NOON, "first"), (NOON + 20 * SECOND, "same minute"), (NOON + HOUR, "another minute")]
    for at, (start, name) in enumerate(sent):
        again = batch(span(1, start=start, name=name), project=project, received_at=NOON + 2 * HOUR + at * SECOND)
        database.exporter.write(again, f"{project}-{at}")
        (row,) = database.store.spans(project, SpanFilters(limit=50))
        assert row["name"] == name
        assert listed(database, project, started_before_ns=start) == []
        assert listed(database, project, names=("first",)) == ([(1, 1)] if name == "first" else [])


def test_spans_of_another_project_are_not_there(database: Database, shop: str, project: str) -> None:
    for filters in (
        {},
        {"trace_ids": (ids(1, 1)[0],)},
        {"span_ids": (ids(1, 1)[1],)},
        {"span_uuids": (uuid(1, 1),)},
        {"session_ids": ("first",)},
        {"label": "positive"},
        {"tags": ("mine",)},
    ):
        assert listed(database, project, **filters) == []


@pytest.mark.parametrize("text", [HOSTILE, "", "\x00", "ä" * 100, "{x:UInt8}", "%", "'"])
def test_hostile_texts_in_filters_find_nothing(database: Database, shop: str, text: str) -> None:
    for name in ("trace_ids", "span_ids", "span_uuids", "session_ids", "names", "tags"):
        assert listed(database, shop, **{name: (text,)}) == [], name
    assert listed(database, shop, label=text or "other") == []
    assert listed(database, shop, kinds=(text,)) == []
    assert listed(database, shop, after=(0, text, text)) == []


def test_content_that_arrived_as_logs_is_filled_in_for_its_own_span_alone(database: Database, project: str) -> None:
    spans = [chat(1, trace=1), chat(1, trace=2)]
    database.exporter.write(batch(*spans, project=project), f"{project}-1")
    said = json.dumps([{"role": "user", "parts": [{"type": "text", "content": "from a log"}]}])
    names = ["project", "trace_id", "span_id", "time", "received_at", "complete", "input", "request", "position"]
    row = [project, *ids(2, 1), 0, 0, True, said, 1, 0]
    database.client.insert("span_content", [row], column_names=names)
    database.store._joined._look_again = 0.0
    shown = {row["trace_id"]: row["input"] for row in database.store.spans(project, SpanFilters(limit=5))}
    assert shown == {ids(1, 1)[0]: "", ids(2, 1)[0]: said}


def test_spans_are_found_by_what_they_refer_to(database: Database, project: str) -> None:
    spans = [
        span(1, trace=1, values={"galtea.inference_result.id": "ir_1"}),
        span(2, trace=1, values={"galtea.trace.id": "ir_2", "galtea.inference_result.id": "ir_1"}),
        span(3, trace=2, start=NOON + 40 * HOUR, values={"galtea.trace.id": "ir_1"}),
        span(4, trace=2, values={"lasso.table_id": "t", "lasso.row_id": 7}),
        span(5, trace=3, values={"lasso.table_id": "t"}),
    ]
    database.exporter.write(batch(*spans, project=project), f"{project}-1")

    def referring(*references: Reference, **changes: Any) -> list[tuple[int, int]]:
        return listed(database, project, references=references, **changes)

    assert referring(Reference("galtea.inference_result", "ir_1")) == [(2, 3), (1, 2), (1, 1)]
    assert referring(Reference("galtea.inference_result", "ir_1"), limit=1, offset=1) == [(1, 2)]
    assert referring(Reference("galtea.inference_result", "ir_2")) == []
    assert referring(Reference("letta.step", "ir_1")) == []
    assert referring(Reference.of("lasso.row", "t", "7")) == [(2, 4)]
    assert referring(Reference.of("lasso.row", "t", "")) == []
    assert referring(Reference("trace", ids(3, 1)[0])) == [(3, 5)]
    both = (Reference("trace", ids(3, 1)[0]), Reference.of("lasso.row", "t", "7"))
    assert referring(*both) == [(3, 5), (2, 4)]
    assert referring(Reference(HOSTILE, HOSTILE)) == []
    assert listed(database, f"{project}-other", references=(Reference("galtea.inference_result", "ir_1"),)) == []


def test_a_batch_that_is_written_again_refers_once(database: Database, project: str) -> None:
    written = batch(span(1, values={"letta.step_id": "one"}), project=project)
    for again in (False, True, True):
        database.exporter.write(written, f"{project}-1", again=again)
    count = "SELECT count() FROM span_references WHERE project = {project:String}"
    assert database.value(count, project=project) == 1


def test_spans_without_references_write_none(database: Database, project: str) -> None:
    database.exporter.write(batch(span(1), project=project), f"{project}-1")
    assert listed(database, project) == [(1, 1)]
    assert database.value("SELECT count() FROM span_references WHERE project = {project:String}", project=project) == 0


def test_of_a_span_that_a_batch_holds_twice_the_row_that_stands_refers(database: Database, project: str) -> None:
    spans = [
        span(1, values={"other": 1}),
        span(2, start=NOON, values={"letta.step_id": "before"}),
        span(2, start=NOON + HOUR, values={"letta.step_id": "after"}),
        span(3, values={"letta.step_id": "third"}),
    ]
    database.exporter.write(batch(*spans, project=project), f"{project}-1")
    sql = "SELECT value FROM span_references WHERE project = {project:String} ORDER BY value"
    assert [row["value"] for row in database.rows(sql, project=project)] == ["after", "third"]
    assert listed(database, project, references=(Reference("letta.step", "after"),)) == [(1, 2)]
    assert listed(database, project, references=(Reference("letta.step", "third"),)) == [(1, 3)]
