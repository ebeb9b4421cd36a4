"""Writing to the embedded ClickHouse: every span once, every trace recomputed from all its spans, nothing lost of a value."""

from __future__ import annotations

import base64
import math
import random
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
from genai_prices import Usage, calc_price
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from collector.batch import concat
from collector.errors import Misconfigured
from exporters.clickhouse import ClickHouse, ClickHouseExporter
from exporters.clickhouse.client import Handle
from exporters.clickhouse.writing import Writing
from tests.support.otlp import key_values
from tests.support.spans import (
    DAY,
    HOUR,
    NOON,
    SECOND,
    agent,
    batch,
    chat,
    span,
    span_id,
    trace_id,
)
from tests.support.store import Database, in_child


def counts(database: Database, project: str) -> tuple[int, int]:
    """Stored rows of spans: all, and without repetitions."""
    everything = database.value("SELECT count() FROM spans WHERE project = {p:String}", p=project)
    once = database.value("SELECT count() FROM spans FINAL WHERE project = {p:String}", p=project)
    return everything, once


def trace_rows(database: Database, project: str) -> list[dict[str, Any]]:
    """The present rows of all traces, without their versions."""
    sql = "SELECT * EXCEPT version FROM traces FINAL WHERE project = {p:String} ORDER BY trace_id"
    return database.rows(sql, p=project)


def write(database: Database, project: str, *spans: Span, token: str, **changes: Any) -> None:
    """Write the spans as one batch; tokens of different projects do not meet."""
    database.exporter.write(batch(*spans, project=project, **changes), f"{project}/{token}")


CONVERSATION = (
    agent(1, tokens=(300, 30)),
    chat(2, parent=1, tokens=(100, 10), start=NOON + SECOND),
    span(3, parent=1, start=NOON + 2 * SECOND),
    chat(4, parent=3, tokens=(200, 20), start=NOON + 3 * SECOND),
)
"""An agent that repeats the usage of two model calls."""


def expected_cost() -> Decimal:
    """What genai-prices says about the two model calls."""
    usages = (Usage(input_tokens=100, output_tokens=10), Usage(input_tokens=200, output_tokens=20))
    return sum((calc_price(usage, "gpt-4o", provider_id="openai").total_price for usage in usages), Decimal())


# --- once -------------------------------------------------------------------------------------------------------------


def test_a_batch_that_is_written_again_under_its_token_is_stored_once(database: Database, project: str) -> None:
    for _ in range(2):
        write(database, project, *CONVERSATION, token="a")
    assert counts(database, project) == (4, 4)
    assert [(row["span_count"], row["input_tokens"]) for row in trace_rows(database, project)] == [(4, 300)]


def test_spans_that_are_written_under_another_token_count_once(database: Database, project: str) -> None:
    write(database, project, *CONVERSATION, token="a")
    before = trace_rows(database, project)
    write(database, project, *CONVERSATION, token="b")
    assert counts(database, project) == (8, 4)
    assert trace_rows(database, project) == before
    _, spans = database.trace(project, 1)
    assert [one["span_id"] for one in spans] == [f"{number:016x}" for number in (1, 2, 3, 4)]


def test_a_span_that_comes_twice_in_a_batch_counts_once(database: Database, project: str) -> None:
    write(database, project, *CONVERSATION, *CONVERSATION[:2], token="a")
    row, spans = database.trace(project, 1)
    assert (row["span_count"], row["input_tokens"], len(spans)) == (4, 300, 4)


@pytest.mark.parametrize("moved", [-HOUR, -1, 1, HOUR])
def test_the_copy_that_was_received_last_is_shown_and_summed(database: Database, project: str, moved: int) -> None:
    """Even when it says that the span began in another minute, where the engine does not merge the two."""
    late = chat(2, parent=1, tokens=(7, 0), start=NOON + moved, name="late")
    early = chat(2, parent=1, tokens=(5, 0), start=NOON, name="early")
    root = span(1, start=NOON - 2 * HOUR)
    write(database, project, late, token="b", received_at=NOON + 3 * HOUR)
    write(database, project, root, early, token="a", received_at=NOON + HOUR)
    row, spans = database.trace(project, 1)
    assert (row["last_start_time"], row["input_tokens"], row["span_count"]) == (NOON + moved, 7, 2)
    assert [(one["name"], one["input_tokens"]) for one in spans] == [("span 1", None), ("late", 7)]


def test_a_span_whose_start_is_cut_to_milliseconds_when_it_is_sent_again_is_one_row(
    database: Database, project: str
) -> None:
    """langfuse/langfuse#14725: the start was a part of what makes a row, and an update had it in milliseconds."""
    sent = NOON + 123_456_789
    root = span(1, start=NOON)
    write(database, project, root, chat(2, parent=1, tokens=(100, 10), start=sent), token="a", received_at=NOON)
    again = chat(2, parent=1, tokens=(200, 20), start=sent // 10**6 * 10**6, name="again")
    write(database, project, again, token="b", received_at=NOON + SECOND)
    (row,) = trace_rows(database, project)
    assert (row["span_count"], row["input_tokens"], row["output_tokens"]) == (2, 200, 20)
    _, spans = database.trace(project, 1)
    assert [(one["name"], one["input_tokens"]) for one in spans] == [("span 1", None), ("again", 200)]
    assert counts(database, project)[1] == 2


def test_an_empty_batch_writes_nothing(database: Database, project: str) -> None:
    one = batch(span(1), project=project)
    empty = type(one)(one.columns.slice(0, 0), one.attributes.without(slice(None)))  # type: ignore[arg-type]
    database.exporter.write(empty, "token")
    assert counts(database, project) == (0, 0)


# --- traces -----------------------------------------------------------------------------------------------------------


def test_a_trace_shows_the_exact_cost_of_its_model_calls_and_not_of_what_repeats_them(
    database: Database, project: str
) -> None:
    write(database, project, *CONVERSATION, token="a")
    row, spans = database.trace(project, 1)
    assert (row["input_tokens"], row["output_tokens"], row["unpriced_spans"]) == (300, 30, 0)
    assert row["cost_total"] == expected_cost() == spans[1]["cost_total"] + spans[3]["cost_total"]


@pytest.mark.parametrize("seed", range(3))
def test_spans_in_batches_of_their_own_in_any_order_make_the_same_trace(
    database: Database, project: str, seed: int
) -> None:
    write(database, project, *CONVERSATION, token="all")
    (whole,) = trace_rows(database, project)
    spans = list(CONVERSATION)
    random.Random(seed).shuffle(spans)
    for number, one in enumerate(spans):
        write(database, f"{project}-apart", one, token=str(number))
    (apart,) = trace_rows(database, f"{project}-apart")
    assert {**apart, "project": project} == whole


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (2, 0, 3, 1)])
def test_a_trace_over_hours_and_midnight_is_recomputed_from_all_its_spans(
    database: Database, project: str, order: Sequence[int]
) -> None:
    starts = [NOON, NOON + 5 * HOUR, NOON + 13 * HOUR, NOON + 30 * HOUR]
    spans = [agent(1, start=starts[0], tokens=(1, 1))]
    spans += [chat(n, parent=1, tokens=(10**n, 0), start=starts[n - 1]) for n in (2, 3, 4)]
    for number in order:
        # Each batch holds another trace too, so that its window is not the trace's.
        other = span(9, trace=100 + number, start=starts[number] + SECOND)
        write(database, project, spans[number], other, token=str(number))
    row, stored = database.trace(project, 1)
    assert (row["span_count"], row["input_tokens"], row["status"]) == (4, 11_100, "COMPLETED")
    assert (row["start_time"], row["last_start_time"]) == (starts[0], starts[3])
    assert [one["start_time"] for one in stored] == starts


def test_a_trace_runs_until_its_root_arrives(database: Database, project: str) -> None:
    write(database, project, chat(2, parent=1), token="child")
    assert database.trace(project, 1)[0]["status"] == "RUNNING"
    write(database, project, span(1, seconds=5, error="out of luck"), token="root")
    row, _ = database.trace(project, 1)
    assert (row["status"], row["root_span_id"], row["latency_ns"]) == ("ERROR", f"{1:016x}", 5 * SECOND)


def test_each_recomputation_has_a_higher_version(database: Database, project: str) -> None:
    versions = []
    for number in range(3):
        write(database, project, span(number + 1), token=str(number))
        versions.append(database.value("SELECT max(version) FROM traces WHERE project = {p:String}", p=project))
    assert versions == [1, 2, 3]


def test_projects_with_the_same_trace_id_stay_apart(database: Database, project: str) -> None:
    other = f"{project}-other"
    database.exporter.write(
        concat([batch(chat(1, tokens=(1, 0)), project=project), batch(chat(1, tokens=(2, 0)), project=other)]), project
    )
    assert database.trace(project, 1)[0]["input_tokens"] == 1
    assert database.trace(other, 1)[0]["input_tokens"] == 2
    write(database, other, chat(2, tokens=(40, 0)), token="more")
    assert database.trace(project, 1)[0]["input_tokens"] == 1
    assert database.trace(other, 1)[0]["input_tokens"] == 42


def test_a_batch_of_twenty_days_is_stored(database: Database, project: str) -> None:
    days = [span(number + 1, trace=number // 2 + 1, start=NOON + number * DAY) for number in range(20)]
    write(database, project, *days, token="a", received_at=NOON + 20 * DAY)
    assert counts(database, project) == (20, 20)
    for number in range(1, 11):
        row, spans = database.trace(project, number)
        assert (row["span_count"], len(spans), row["last_start_time"] - row["start_time"]) == (2, 2, DAY)


# --- values -----------------------------------------------------------------------------------------------------------


def test_every_value_survives_to_the_reader(database: Database, project: str) -> None:
    values = {
        "text": "a\x00b'\"\\{x:String}\n\t 日本 😀",
        "smallest": -(2**63),
        "largest": 2**63 - 1,
        "double": 1e-300,
        "infinity": math.inf,
        "true": True,
        "bytes": bytes(range(256)),
        "list": ["a", 1, 2.0, None, [False]],
        "mapping": {"a": {"b": [2**63 - 1, math.nan]}},
        "empty": None,
        "": "an empty key",
    }
    one = span(2, parent=1, values={**values, "nan": math.nan})
    event = one.events.add(time_unix_nano=NOON + 1, name="e'v", dropped_attributes_count=3)
    event.attributes.extend(key_values({"list": [1], "text": "\\"}))
    link = one.links.add(trace_id=trace_id(7), span_id=span_id(8), trace_state="a=b")
    link.attributes.extend(key_values({"n": -1}))
    write(database, project, span(1), one, token="a", resource={"service.name": "shöp", "n": 2**63 - 1, "l": [True]})
    _, (_, stored) = database.trace(project, 1)
    shown = dict(stored["attributes"])
    assert math.isnan(shown.pop("nan"))
    assert shown.pop("bytes") == {"bytesValue": base64.b64encode(bytes(range(256))).decode()}
    assert shown.pop("mapping") == {"a": {"b": [2**63 - 1, {"doubleValue": "NaN"}]}}
    assert shown == {name: value for name, value in values.items() if name not in ("bytes", "mapping")}
    assert type(shown["smallest"]) is int
    assert stored["events"] == [{"time": NOON + 1, "name": "e'v", "attributes": {"list": [1], "text": "\\"}}]
    assert stored["links"] == [{"trace_id": f"{7:032x}", "span_id": f"{8:016x}", "attributes": {"n": -1}}]
    assert stored["resource"] == {"service.name": "shöp", "n": 2**63 - 1, "l": [True]}


def test_times_keep_their_nanoseconds(database: Database, project: str) -> None:
    write(database, project, span(1, start=NOON + 123_456_789), token="a")
    row, (one,) = database.trace(project, 1)
    assert one["start_time"] == row["start_time"] == NOON + 123_456_789
    assert one["end_time"] == row["end_time"] == NOON + SECOND + 123_456_789


def test_the_uuid_of_a_span_in_sql_is_the_readers(database: Database, project: str) -> None:
    spans = [span(1), span(2, parent=1)]
    for one in spans:
        one.trace_id = bytes(range(0x10, 0x20))
    spans[1].span_id = bytes.fromhex("fedcba9876543210")
    write(database, project, *spans, token="a")
    _, shown = database.store.trace(project, bytes(range(0x10, 0x20)).hex())  # type: ignore[misc]
    sql = "SELECT toString(span_uuid) AS shown, parent_span_uuid FROM spans WHERE project = {p:String} ORDER BY span_id"
    expected = [(row["shown"], row["parent_span_uuid"]) for row in database.rows(sql, p=project)]
    assert [(one["span_uuid"], one["parent_span_uuid"]) for one in shown] == expected
    assert expected[1] == ("10111213-1415-416f-8edc-ba9876543210", "10111213-1415-4160-8000-000000000001")


# --- failures ---------------------------------------------------------------------------------------------------------


def test_a_row_is_readable_through_another_handle_as_soon_as_write_returns(database: Database, project: str) -> None:
    for number in range(20):
        write(database, project, span(1, trace=number + 1), token=str(number))
        assert database.trace(project, number + 1)[0]["span_count"] == 1


def test_a_writer_writes_on_after_a_batch_that_was_refused(database: Database, project: str) -> None:
    exporter = ClickHouseExporter(Writing(Handle(database.connect)))
    one = batch(span(1), project=project)
    unknown = one.with_columns({"no_such_column": one.column("name")})
    with pytest.raises(Misconfigured, match=r"inserting spans into ClickHouse failed: .*no_such_column"):
        exporter.write(unknown, f"{project}/a")
    exporter.write(one, f"{project}/a", again=True)
    exporter.close()
    assert counts(database, project) == (1, 1)


SECOND_PROCESS = """if True:
    import sys
    from collector.errors import StartError
    from collector.settings import ClickHouse as Settings
    from exporters.clickhouse import ClickHouse
    try:
        ClickHouse(Settings(url=sys.argv[1]))
    except StartError as error:
        print(error)
"""


@pytest.mark.parametrize("database", ["embedded"], indirect=True)
def test_a_second_process_on_the_same_directory_is_refused_with_one_sentence(database: Database) -> None:
    child = in_child(SECOND_PROCESS, database.settings.url)
    path = database.settings.directory
    assert child.stdout == (
        f"clickhouse.url: the embedded engine cannot open {path}; another process may be using it: stop that process, or"
        " name another directory\n"
    ), child.stderr


def test_a_database_of_a_newer_or_another_program_is_refused_with_one_sentence(tmp_path: Any) -> None:
    code = """if True:
        import sys
        from collector.errors import StartError
        from exporters.clickhouse import ClickHouse
        from collector.settings import ClickHouse as Settings
        from exporters.clickhouse.client import Opener
        settings = Settings(url=sys.argv[1])
        for change in (
            "INSERT INTO schema_migrations (number, name, digest) VALUES (1, 'x', 'changed')",
            "INSERT INTO schema_migrations (number, name, digest) VALUES (9999, 'x', 'x')",
        ):
            with ClickHouse(settings):
                other = Opener(settings)()
                other.command("SET mutations_sync = 1")
                other.command(change)
                try:
                    ClickHouse(settings)
                except StartError as error:
                    print(error)
                other.command("DELETE FROM schema_migrations WHERE digest IN ('changed', 'x')")
                other.close()
    """
    child = in_child(code, f"chdb:{tmp_path}")
    changed, newer = child.stdout.splitlines() or [child.stderr, ""]
    assert changed.startswith("the migration 0001_spans.sql was applied to this database in another form"), child.stderr
    assert newer.startswith("the database has schema version 9999, this program knows only"), child.stderr


def test_opening_again_finds_everything(database: Database, project: str) -> None:
    write(database, project, *CONVERSATION, token="a")
    with ClickHouse(database.settings, writer="f" * 32) as again:
        found = again.store.trace(project, f"{1:032x}")
        assert found is not None
        assert found[0]["span_count"] == 4
        again.exporter.write(batch(*CONVERSATION, project=project), f"{project}/a")
    assert counts(database, project) == (4, 4)
