"""A key of one project asks with SQL: what it sees, and what it can find out of others. Nothing."""

from __future__ import annotations

import pytest

from exporters.clickhouse.statements import Limits, Statements
from tests.support.spans import DAY, NOON, batch, chat
from tests.support.statements import answer, refusal
from tests.support.store import Database

pytestmark = pytest.mark.parametrize("database", ["embedded"], indirect=True, scope="session")

SECRET = "SECRET of another project"
SECRETS = {"session.id": SECRET, "gen_ai.response.id": SECRET}


@pytest.fixture(scope="module")
def statements(database: Database) -> Statements:
    return Statements(database.settings.url, Limits())


@pytest.fixture
def two_projects(database: Database, project: str) -> str:
    """Two spans of this project at noon; those of another, of that minute and of days that no other has."""
    mine = [chat(number, name="mine", values={"session.id": "s"}) for number in (1, 2)]
    database.exporter.write(batch(*mine, project=project), f"{project}/mine")
    theirs = [
        chat(number, name=SECRET, start=NOON + number % 2 * 50 * DAY + number, values=SECRETS) for number in range(3, 9)
    ]
    database.exporter.write(
        batch(*theirs, project=f"{project}-theirs", received_at=NOON + 60 * DAY), f"{project}/theirs"
    )
    return project


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT name FROM spans",
        "SELECT name FROM default.spans FINAL",
        "SELECT a.name FROM spans AS a",
        "SELECT `default.spans`.name FROM spans AS `default.spans`",
        "SELECT name FROM span_messages",
        "SELECT name FROM (SELECT * FROM (SELECT * FROM span_messages))",
        "WITH s AS (SELECT * FROM spans) SELECT name FROM s",
        "WITH RECURSIVE s AS (SELECT name, 1 AS n FROM spans UNION ALL SELECT name, n + 1 FROM s WHERE n < 2) SELECT * FROM s",
        "SELECT name FROM spans UNION ALL SELECT name FROM traces",
        "SELECT b.name FROM traces AS a INNER JOIN spans AS b ON 1 = 1",
        "SELECT b.name FROM (SELECT 1 AS x) AS a LEFT JOIN spans AS b ON a.x = b.flags + 1",
        "SELECT b.name FROM numbers(1) AS a RIGHT JOIN spans AS b ON a.number = b.flags",
        "SELECT b.name FROM numbers(1) AS a FULL JOIN spans AS b ON a.number = b.flags",
        "SELECT a.name FROM spans AS a, traces AS b",
        "SELECT arrayJoin((SELECT groupArray(name) FROM spans))",
        "SELECT name FROM spans WHERE project != '' OR 1",
        "SELECT any(name) FROM spans GROUP BY project",
        "SELECT name FROM spans ORDER BY start_time DESC LIMIT 100",
        "SELECT min(name), max(name) FROM spans",
        "SELECT first_value(name) OVER (ORDER BY name) FROM spans",
        "SELECT name FROM {t:Identifier}",
        "SELECT name FROM spans QUALIFY row_number() OVER (PARTITION BY project) > 0",
    ],
)  # fmt: skip
def test_only_rows_of_the_project_are_seen(statements: Statements, two_projects: str, statement: str) -> None:
    found = answer(statements, statement, two_projects, t="spans")
    assert "mine" in found
    assert SECRET not in found


@pytest.mark.parametrize(
    ("statement", "value"),
    [
        ("SELECT count() FROM spans FINAL", "2"),
        ("SELECT count() FROM traces FINAL", "1"),
        ("SELECT uniqExact(project) FROM spans", "1"),
        ("SELECT project = {p:String} FROM spans LIMIT 1", "1"),
        (f"SELECT count() FROM spans WHERE name = '{SECRET}'", "0"),
        (f"SELECT '{SECRET}' IN (SELECT name FROM spans)", "0"),
        (
            "SELECT count() FROM (SELECT * FROM spans) AS s, spans AS t WHERE (s.name, 1) IN (SELECT name, 1 FROM spans)",
            "4",
        ),
        ("SELECT max(toDate(start_time)) FROM spans", "2026-01-01"),
        ("SELECT count() FROM spans WHERE start_time > '2026-01-02 00:00:00'", "0"),
        ("SELECT countIf(accepted > 0), sum(accepted) FROM ledger FINAL", "1\t2"),
    ],
)
def test_nothing_of_other_projects_is_counted(
    statements: Statements, two_projects: str, statement: str, value: str
) -> None:
    assert answer(statements, statement, two_projects, p=two_projects) == value


@pytest.mark.parametrize("modifier", ["", " FINAL"])
@pytest.mark.parametrize(
    "condition",
    [
        "throwIf(startsWith(name, 'SECRET'))",
        "throwIf(startsWith(session_id, 'SECRET'))",
        "throwIf(project != {p:String})",
        "throwIf(toDate(start_time) > '2026-01-02')",
        "throwIf(start_time > '2026-01-02 00:00:00')",
        "intDiv(1, toInt64(toStartOfMinute(start_time)) - toInt64(toDateTime('2026-02-20 12:00:00', 'UTC')))",
        "intDiv(1, toInt64(toDate(start_time)) - toInt64(toDate('2026-02-20')))",
        "accurateCast(toInt64(toDateTime('2026-02-01 00:00:00', 'UTC')) - toInt64(toStartOfMinute(start_time)), 'UInt32')",
        "toInt8(if(name = 'mine', '1', name))",
        "CAST(name, 'Enum8(\\'mine\\' = 1)') = 'mine'",
        "name IN (SELECT if(throwIf(startsWith(session_id, 'SECRET')), 'x', name) FROM spans)",
        "throwIf(response_id != '')",
        "throwIf(trace_id != '00000000000000000000000000000001')",
    ],
)
def test_a_condition_is_not_tried_on_rows_parts_or_keys_of_other_projects(
    statements: Statements, two_projects: str, modifier: str, condition: str
) -> None:
    """It would fail there, and so tell by its error that they are."""
    for statement in (
        f"SELECT count() FROM spans{modifier} WHERE NOT ignore({condition})",
        f"SELECT count() FROM spans{modifier} WHERE {condition} >= 0 OR 1",
        f"SELECT count() FROM (SELECT * FROM spans{modifier}) WHERE NOT ignore({condition})",
        f"SELECT countIf(NOT ignore({condition})) FROM spans{modifier}",
    ):
        assert answer(statements, statement, two_projects, p=two_projects) == "2"


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT count() FROM spans PREWHERE throwIf(name != 'mine') = 0",
        "SELECT count() FROM (SELECT 1 FROM spans FINAL PREWHERE throwIf(name != 'mine') = 0)",
        "SELECT count() FROM spans WHERE throwIf(_partition_id = '20260220') = 0",
        "SELECT _part FROM spans",
        "SELECT `_part_offset` FROM spans AS s",
        "SELECT s._block_number FROM spans AS s",
        "SELECT total_rows FROM system.tables WHERE name = 'spans'",
        "SELECT * FROM system.tables",
        "SELECT * EXCEPT (name) FROM system.tables",
        "SELECT COLUMNS('rows') FROM system.tables",
        "SELECT t.* FROM system.tables AS t",
        "SELECT data_compressed_bytes FROM system.columns",
        "EXPLAIN ESTIMATE SELECT * FROM spans",
        "EXPLAIN PLAN indexes = 1 SELECT * FROM spans",
        "EXPLAIN PIPELINE SELECT * FROM spans",
        "EXPLAIN SELECT * FROM spans",
        "EXPLAIN SYNTAX SELECT * FROM spans PREWHERE 1",
    ],
)
def test_what_tells_how_much_others_have_is_refused(statements: Statements, two_projects: str, statement: str) -> None:
    assert refusal(statements, statement, two_projects).name == "ACCESS_DENIED"


@pytest.mark.parametrize("name", ["it's", "a\\", "a'}b", "\\'", "日本", "x' OR 1 --", "`", '"', "{}", "%"])
def test_the_name_of_a_project_is_never_sql(
    database: Database, statements: Statements, project: str, name: str
) -> None:
    own = f"{project} {name}"
    database.exporter.write(batch(chat(1), project=own), f"{project}/quoted/{name}")
    assert answer(statements, "SELECT count(), any(project) FROM spans FINAL", own) == f"1\t{own}"
    assert answer(statements, "SELECT count() FROM spans FINAL", f"{own}?") == "0"
