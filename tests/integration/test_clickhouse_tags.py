"""Tags that are edited by hand: on trace rows now, on those that are computed later, and after a crash."""

from __future__ import annotations

from typing import Any

import pytest

from collector.errors import Retryable
from collector.query.reader import TraceFilters
from exporters.clickhouse import edit_tags
from exporters.clickhouse.audit import Audit
from exporters.clickhouse.portions import EVER, portions
from exporters.clickhouse.reprice import Wanted, reprice
from exporters.clickhouse.tags import complete_edits, tag_edits
from tests.integration.test_clickhouse_reprice import DOUBLE, pricing
from tests.support.spans import NOON, SECOND, batch, chat, span
from tests.support.store import Database, in_child


def hexes(*numbers: int) -> list[str]:
    return [f"{number:032x}" for number in numbers]


def write(database: Database, project: str, token: str, *spans: Any) -> None:
    database.exporter.write(batch(*spans, project=project, received_at=NOON + 60 * SECOND), f"{project}/{token}")


def tagged(number: int, *tags: str, trace: int = 1, **changes: Any) -> Any:
    return span(number, trace=trace, values={"tag.tags": list(tags)}, **changes)


def tags(database: Database, project: str, number: int = 1) -> list[str]:
    return list(database.trace(project, number)[0]["tags"])


def found_by(database: Database, project: str, tag: str) -> list[int]:
    off = dict.fromkeys(("session_id", "status", "user_id", "name", "started_after_ns", "started_before_ns"))
    filters = TraceFilters(limit=50, offset=0, tags=(tag,), sort_by="started_at", descending=False, **off)  # type: ignore[arg-type]
    return [int(row["trace_id"], 16) for row in database.store.traces(project, filters)[0]]


@pytest.fixture
def editor(database: Database) -> Any:
    return database.clickhouse.editor


def test_tags_are_added_and_removed_and_found(database: Database, project: str, editor: Any) -> None:
    write(database, project, "0", tagged(1, "a", "b"), tagged(1, "b", trace=2, start=NOON + SECOND))
    assert editor.edit_tags(project, hexes(1, 2, 3), ["z", "ü", "c"], ["a"]) == 2, "the third is not there"
    assert (tags(database, project), tags(database, project, 2)) == (["b", "c", "z", "ü"], ["b", "c", "z", "ü"])
    assert (found_by(database, project, "c"), found_by(database, project, "a")) == ([1, 2], [])
    editor.edit_tags(project, hexes(2), ["a"], ["c", "b"])
    assert (tags(database, project), tags(database, project, 2)) == (["b", "c", "z", "ü"], ["a", "z", "ü"])


def test_a_tag_that_is_both_added_and_removed_is_added(database: Database, project: str, editor: Any) -> None:
    write(database, project, "0", tagged(1, "a"))
    editor.edit_tags(project, hexes(1), ["a", "b"], ["a", "b"])
    assert tags(database, project) == ["a", "b"]


def test_the_same_edit_again_writes_nothing(database: Database, project: str, editor: Any) -> None:
    write(database, project, "0", tagged(1, "a"))
    editor.edit_tags(project, hexes(1), ["b"], ["a"])
    edits = "SELECT count() FROM trace_tags WHERE project = {p:String}"
    sql = f"SELECT ({edits}), (SELECT max(version) FROM traces WHERE project = {{p:String}})"
    before = database.rows(sql, p=project)
    assert editor.edit_tags(project, hexes(1), ["b"], ["a"]) == 1
    assert editor.edit_tags(project, hexes(1, 2), [], []) == 1, "the second is not there"
    assert database.rows(sql, p=project) == before


def test_an_edit_changes_nothing_but_the_tags(database: Database, project: str, editor: Any) -> None:
    write(database, project, "0", chat(1, values={"tag.tags": ["a"]}), chat(2, parent=1))
    sql = "SELECT * EXCEPT (version, tags) FROM traces FINAL WHERE project = {p:String}"
    before = database.rows(sql, p=project)
    editor.edit_tags(project, hexes(1), ["b"], [])
    assert database.rows(sql, p=project) == before


def test_spans_that_arrive_later_obey_the_edits(database: Database, project: str, editor: Any) -> None:
    write(database, project, "0", tagged(1, "a"), tagged(1, "a", trace=2))
    editor.edit_tags(project, hexes(1), ["x"], ["a", "c"])
    write(database, project, "1", tagged(2, "a", "b", "c", parent=1), tagged(2, "c", trace=2, parent=1))
    assert (tags(database, project), tags(database, project, 2)) == (["b", "x"], ["a", "c"])
    editor.edit_tags(project, hexes(1), ["a"], ["x"])
    write(database, project, "2", tagged(3, "d", parent=1))
    assert tags(database, project) == ["a", "b", "d"]


def test_edits_of_one_project_are_not_those_of_another(database: Database, project: str, editor: Any) -> None:
    other = f"{project}-other"
    for one in (project, other):
        write(database, one, "0", tagged(1, "a"))
    editor.edit_tags(project, hexes(1), ["x"], [])
    for one in (project, other):
        write(database, one, "1", tagged(2, "b", parent=1))
    assert (tags(database, project), tags(database, other)) == (["a", "b", "x"], ["a", "b"])


@pytest.mark.parametrize(
    "hostile", ["'", "\\", "' OR 1=1 --", "{x:String}", "a\x00b", "\t\n", "']", "日本 😀", "/*which*/ 1"]
)
def test_hostile_texts_are_tags_like_others(database: Database, project: str, editor: Any, hostile: str) -> None:
    write(database, project, "0", tagged(1, "a"))
    assert editor.edit_tags(project, hexes(1), [hostile], []) == 1
    assert found_by(database, project, hostile) == [1]
    assert editor.edit_tags(project, [hostile], ["x"], []) == 0
    assert editor.edit_tags(f"{hostile} of nobody", hexes(1), ["x"], []) == 0
    editor.edit_tags(project, hexes(1), [], [hostile])
    assert tags(database, project) == ["a"]


def test_an_edit_outlives_a_clock_that_goes_back(
    database: Database, project: str, editor: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(database, project, "0", tagged(1, "a"))
    editor.edit_tags(project, hexes(1), ["x"], [])
    monkeypatch.setattr(edit_tags.time, "time_ns", lambda: NOON)
    editor.edit_tags(project, hexes(1), ["y"], ["x"])
    edit = tag_edits(database.connection, project, hexes(1))[hexes(1)[0]]
    assert (edit.added, edit.removed) == (frozenset("y"), frozenset("x"))


# --- while there are none ---------------------------------------------------------------------------------------------

_COUNT_QUERIES = """
import sys
from collector.settings import ClickHouse as Settings
from exporters.clickhouse import ClickHouse, tags
from tests.support.spans import batch, span

asked = []
query = tags.query
tags.query = lambda client, name, parameters: asked.append(name) or query(client, name, parameters)
with ClickHouse(Settings(url=f"chdb:{sys.argv[1]}")) as clickhouse:
    for number in range(1, 6):
        clickhouse.exporter.write(batch(span(number)), str(number))
    print(asked)
    clickhouse.editor.edit_tags("default", [f"{1:032x}"], ["x"], [])
    asked.clear()
    clickhouse.exporter.write(batch(span(9)), "9")
    print(asked, clickhouse.store.trace("default", f"{1:032x}")[0]["tags"])
"""


def test_while_nothing_was_edited_batches_ask_once_whether_anything_was(tmp_path: Any) -> None:
    done = in_child(_COUNT_QUERIES, tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "['has_trace_tags.sql', 'has_trace_tags.sql']",  # when the database is opened, and at the first known trace
        "['trace_tags_of.sql'] ['x']",
    ]


# --- crashes, audit, reprice ------------------------------------------------------------------------------------------


def test_an_edit_that_a_crash_cut_in_two_is_completed_by_the_same_call(
    database: Database, project: str, editor: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(database, project, "0", tagged(1, "a"))
    cut_in_two(monkeypatch, editor, project)
    assert tags(database, project) == ["a"], "the edit is stored, and not applied"
    editor.edit_tags(project, hexes(1), ["x"], ["a"])
    assert tags(database, project) == ["x"]


def test_an_edit_that_a_crash_cut_in_two_is_completed_when_the_database_is_opened(
    database: Database, project: str, editor: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(database, project, "0", tagged(1, "a"), tagged(1, "a", trace=2))
    cut_in_two(monkeypatch, editor, project)
    complete_edits(database.connection)
    assert (tags(database, project), tags(database, project, 2)) == (["x"], ["a"])
    versions = database.value("SELECT max(version) FROM traces WHERE project = {p:String}", p=project)
    complete_edits(database.connection)
    assert database.value("SELECT max(version) FROM traces WHERE project = {p:String}", p=project) == versions


def cut_in_two(monkeypatch: pytest.MonkeyPatch, editor: Any, project: str) -> None:
    def crash(*_: Any) -> None:
        raise Retryable("the power is cut")

    with monkeypatch.context() as patched:
        patched.setattr(edit_tags, "apply_edits", crash)
        with pytest.raises(Retryable, match="the power is cut"):
            editor.edit_tags(project, hexes(1), ["x"], ["a"])


def test_an_opened_database_applies_what_is_stored(tmp_path: Any) -> None:
    program = """
import sys
from collector.settings import ClickHouse as Settings
from exporters.clickhouse import ClickHouse, edit_tags
from tests.support.spans import batch, span
with ClickHouse(Settings(url=f"chdb:{sys.argv[1]}")) as clickhouse:
    if sys.argv[2] == "cut":
        clickhouse.exporter.write(batch(span(1)), "0")
        edit_tags.apply_edits = lambda *_: None
        clickhouse.editor.edit_tags("default", [f"{1:032x}"], ["x"], [])
    print(clickhouse.store.trace("default", f"{1:032x}")[0]["tags"])
"""
    printed = [in_child(program, tmp_path, what).stdout.strip() for what in ("cut", "open")]
    assert printed == ["[]", "['x']"]


def differences(database: Database, project: str) -> list[str]:
    rows, *_ = Audit(database.connection, lambda _: None).traces()
    return [one.where for one in rows.differences if one.where.startswith(f"{project},")]


def test_the_audit_expects_the_tags_as_they_were_edited(database: Database, project: str, editor: Any) -> None:
    write(database, project, "0", tagged(1, "a"), tagged(1, "a", trace=2))
    editor.edit_tags(project, hexes(1), ["x"], ["a"])
    assert differences(database, project) == []
    database.connection.command(
        "INSERT INTO traces SELECT * REPLACE (version + 1 AS version, ['a'] AS tags) FROM traces FINAL"
        " WHERE project = {p:String} AND trace_id = {t:String}",
        parameters={"p": project, "t": hexes(1)[0]},
    )
    assert differences(database, project) == [f"{project}, trace {hexes(1)[0]}: tags"]


def test_repricing_keeps_the_tags_as_they_were_edited(database: Database, project: str, editor: Any) -> None:
    write(database, project, "0", chat(1, values={"tag.tags": ["a"]}))
    editor.edit_tags(project, hexes(1), ["x"], ["a"])
    before, _ = database.trace(project, 1)
    plan = [portion for portion in portions(database.connection) if portion.project == project]
    reprice(database.connection, plan, pricing(DOUBLE), Wanted(EVER), dry_run=False, advance=lambda _: None)
    after, _ = database.trace(project, 1)
    assert after["cost_total"] == 2 * before["cost_total"]
    assert after["tags"] == before["tags"] == ["x"]
