"""F15: batches of hundreds of days, which the engine refuses to take in one INSERT; and clocks that are wrong."""

from __future__ import annotations

import pyarrow as pa
import pytest

from collector.batch import SpanBatch
from collector.decode import Limits
from exporters.clickhouse.days import MOST_DAYS, in_few_days
from tests.support.otlp_signals import log_record
from tests.support.spans import DAY, HOUR, NOON, SECOND, Span, batch, chat, log_batch, span
from tests.support.store import Database, in_child

YEARS = Limits(accept_past=3650 * DAY, accept_future=30 * DAY)


def test_a_batch_of_two_hundred_days_is_stored_once_however_often_it_is_written(
    database: Database, project: str
) -> None:
    days = [chat(number + 1, trace=number // 2 + 1, start=NOON - number * DAY) for number in range(200)]
    spans = batch(*days, project=project, limits=YEARS)
    records = log_batch(project, *(log_record(body=f"day {n}", at=NOON - n * DAY) for n in range(200)))
    for again in (False, True):
        database.exporter.write(spans, f"{project}/a", again=again)
        database.exporter.write(records, f"{project}/a/logs", again=again)
    for table in ("spans", "logs"):
        assert database.value(f"SELECT count() FROM {table} WHERE project = {{p:String}}", p=project) == 200
    traces = "SELECT count(), sum(span_count), sum(cost_total) FROM traces FINAL WHERE project = {p:String}"
    ((count, span_count, cost),) = database.client.query(traces, parameters={"p": project}).result_rows
    assert (count, span_count) == (100, 200)
    assert cost == database.value("SELECT sum(cost_total) FROM spans FINAL WHERE project = {p:String}", p=project)


def test_traces_of_more_than_a_hundred_months_are_stored(database: Database, project: str) -> None:
    months = [span(number + 1, trace=number + 1, start=NOON - number * 30 * DAY) for number in range(121)]
    database.exporter.write(batch(*months, project=project, limits=YEARS), f"{project}/a")
    assert database.value("SELECT count() FROM traces FINAL WHERE project = {p:String}", p=project) == 121


def times(*days: int) -> pa.Table:
    """Rows with these days as their time."""
    return pa.table({"time": pa.array([day * DAY for day in days], pa.timestamp("ns"))})


def test_a_batch_within_a_hundred_days_is_whole_under_its_own_token() -> None:
    whole = times(50, 50 + MOST_DAYS - 2, 60)
    ((rows, token),) = in_few_days(whole, "time", "t", of=whole)
    assert (rows, token) == (whole, "t")


def test_no_piece_of_a_batch_has_more_days_than_one_insert_may_have() -> None:
    whole = times(*range(5000, 5777))
    pieces = list(in_few_days(whole, "time", "t", of=whole))
    assert pa.concat_tables([rows for rows, _ in pieces]).sort_by("time") == whole
    assert all(0 < len(rows) <= MOST_DAYS for rows, _ in pieces)
    assert len({token for _, token in pieces}) == len(pieces)


def test_a_row_has_the_same_token_whatever_else_is_left_of_its_batch() -> None:
    whole = times(0, 99, 100, 250)
    tokens = {rows["time"][0].value: token for rows, token in in_few_days(whole, "time", "t", of=whole)}
    for left in (times(100), times(250), times(0, 250)):
        for rows, token in in_few_days(left, "time", "t", of=whole):
            assert tokens[rows["time"][0].value] == token
    assert list(in_few_days(times(), "time", "t", of=whole)) == []


# --- clocks -----------------------------------------------------------------------------------------------------------

ODD_ENDS = {
    1: (NOON - 5, None),  # before the start
    2: (1, None),  # 1970
    3: (0, None),  # none
    4: (NOON, 0),
    5: (2**63 - 1, 2**63 - 1 - NOON),  # 2262
}


def test_spans_that_end_before_they_start_or_in_1970_or_2262_are_stored_with_the_latency_that_is_true(
    database: Database, project: str
) -> None:
    spans = [ended(number, end) for number, (end, _) in ODD_ENDS.items()]
    database.exporter.write(batch(*spans, project=project, received_at=NOON + SECOND), f"{project}/a")
    for number, (_, latency) in ODD_ENDS.items():
        trace, (row,) = database.trace(project, number)
        assert (row["latency_ns"], trace["latency_ns"]) == (latency, latency), number
        assert row["start_time"] == NOON


def ended(number: int, end: int) -> Span:
    """A span of its own trace with this end, ns since the epoch."""
    one = span(number, trace=number)
    one.end_time_unix_nano = end
    return one


@pytest.mark.parametrize("jump", [-DAY, DAY, -HOUR, HOUR])
def test_a_collectors_clock_that_jumps_counts_nothing_twice(database: Database, project: str, jump: int) -> None:
    spans = [chat(1), chat(2, parent=1, tokens=(10, 1))]

    def arrived(at: int) -> SpanBatch:
        return batch(*spans, project=project, received_at=at, limits=YEARS)

    for number, at in enumerate((NOON + HOUR, NOON + HOUR + jump, NOON + HOUR + 1)):
        database.exporter.write(arrived(at), f"{project}/{number}")
    trace, rows = database.trace(project, 1)
    assert (trace["span_count"], len(rows)) == (2, 2)
    sums = "SELECT sumIf(cost_total, counts) FROM spans FINAL WHERE project = {p:String}"
    assert database.value(sums, p=project) == trace["cost_total"]


IN_A_ZONE = """if True:
    import sys
    from pathlib import Path
    from tests.support.spans import HOUR, batch, chat
    from tests.support.store import opened
    with opened("embedded", Path(sys.argv[1])) as database:
        starts = [int(start) for start in sys.argv[2:]]
        spans = [chat(number, trace=1, start=start) for number, start in enumerate(starts, 1)]
        database.exporter.write(batch(*spans, project="p"), "p/a")
        trace, rows = database.trace("p", 1)
        print([row["start_time"] for row in rows] == starts, trace["start_time"] == starts[0], trace["latency_ns"])
        print(database.value("SELECT groupUniqArray(toString(toDate(start_time))) FROM spans"))
        print(database.value("SELECT groupUniqArray(toString(day)) FROM ledger WHERE accepted > 0"))
"""


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/New_York"])
def test_an_hour_that_comes_twice_in_the_zone_of_the_machine_comes_once_here(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch, zone: str
) -> None:
    """2025-10-26 in Berlin: 02:30 is 00:30 UTC and again 01:30 UTC; 2025-11-02 in New York: 05:30 and 06:30 UTC."""
    monkeypatch.setenv("TZ", zone)
    first = {"America/New_York": 1_762_061_400}.get(zone, 1_761_438_600) * SECOND
    done = in_child(IN_A_ZONE, tmp_path, first, first + HOUR)
    day = "2025-11-02" if zone == "America/New_York" else "2025-10-26"
    assert done.stdout.splitlines() == [f"True True {HOUR + SECOND}", f"['{day}']", f"['{day}']"], done.stderr
