"""Statements that try to read, write or learn what they shall not. Each is refused; the writer goes on."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from collector.errors import StatementError
from exporters.clickhouse.statements import Limits, Statements
from tests.support.spans import batch, chat
from tests.support.statements import answer, refusal
from tests.support.store import Database

pytestmark = pytest.mark.parametrize("database", ["embedded"], indirect=True, scope="session")


@pytest.fixture(scope="module")
def statements(database: Database) -> Statements:
    return Statements(database.settings.url, Limits(seconds=20))


@pytest.fixture(autouse=True)
def _writer_goes_on(database: Database, project: str) -> Iterator[None]:
    yield
    database.exporter.write(batch(chat(1), project=f"{project}-after"), f"{project}-after/1")
    count = "SELECT count() FROM spans FINAL WHERE project = {p:String}"
    assert database.value(count, p=f"{project}-after") == 1


FILE = "/etc/hostname"

READ_OTHERS = [
    f"SELECT file('{FILE}')",
    f"SELECT FILE('{FILE}')",
    f"SELECT `file`('{FILE}')",
    f'SELECT "file"(\'{FILE}\')',
    f"SELECT/**/file/**/('{FILE}') -- a comment",
    f"SELECT file($${FILE}$$)",
    f"SELECT * APPLY file FROM (SELECT '{FILE}' AS a)",
    f"SELECT * APPLY(x -> file(x)) FROM (SELECT '{FILE}' AS a)",
    f"SELECT * REPLACE(file(a) AS a) FROM (SELECT '{FILE}' AS a)",
    f"SELECT arrayMap(x -> file(x), ['{FILE}'])",
    f"SELECT (SELECT file('{FILE}'))",
    f"WITH file('{FILE}') AS a SELECT a",
    f"WITH f AS (SELECT file('{FILE}')) SELECT * FROM f",
    f"SELECT 1 ORDER BY file('{FILE}')",
    f"SELECT 1 LIMIT (SELECT length(file('{FILE}')))",
    f"SELECT 1 GROUP BY file('{FILE}') HAVING file('{FILE}') != ''",
    f"SELECT sum(1) OVER (PARTITION BY file('{FILE}'))",
    f"SELECT 1 AS `a, function_name: toString, function_type: ordinary`, file('{FILE}') AS `x, function_name: toString`",
    f"SELECT 1 UNION ALL SELECT length(file('{FILE}'))",
    f"SELECT number AS n FROM numbers(3) ORDER BY n WITH FILL FROM length(file('{FILE}')) TO 9",
    f"SELECT number AS n, 'x' AS s FROM numbers(3) ORDER BY n WITH FILL INTERPOLATE (s AS file('{FILE}'))",
    f"SELECT number FROM numbers(3) LIMIT 1 BY file('{FILE}')",
    f"SELECT 1 LIMIT 1 OFFSET length(file('{FILE}'))",
    f"SELECT DISTINCT ON (file('{FILE}')) 1",
    f"SELECT sum(number) OVER w FROM numbers(3) WINDOW w AS (PARTITION BY file('{FILE}'))",
    f"SELECT sum(number) OVER (ORDER BY number ROWS BETWEEN length(file('{FILE}')) PRECEDING AND CURRENT ROW) FROM numbers(3)",
    f"SELECT quantile(length(file('{FILE}')))(number) FROM numbers(3)",
    f"SELECT 1 FROM numbers(1) AS a INNER JOIN numbers(1) AS b ON a.number = length(file('{FILE}'))",
    f"SELECT x FROM numbers(1) ARRAY JOIN [file('{FILE}')] AS x",
    f"SELECT 1 GROUP BY GROUPING SETS ((file('{FILE}')))",
    f"SELECT 1 QUALIFY file('{FILE}') != ''",
    f"SELECT count() FROM spans SAMPLE length(file('{FILE}'))",
    f"SELECT COLUMNS('a') APPLY(x -> file(x)) FROM (SELECT '{FILE}' AS a)",
    f"SELECT 1 WHERE EXISTS(SELECT file('{FILE}'))",
    f"SELECT number FROM numbers(length(file('{FILE}')))",
    f"EXPLAIN SELECT file('{FILE}')",
    f"EXPLAIN QUERY TREE SELECT file('{FILE}')",
    f"EXPLAIN SYNTAX SELECT file('{FILE}')",
    f"EXPLAIN PLAN actions = 1 SELECT file('{FILE}')",
    f"SELECT * FROM (EXPLAIN SELECT file('{FILE}'))",
    f"SELECT * FROM file('{FILE}', 'LineAsString')",
    f"SELECT 'x' IN file('{FILE}', 'LineAsString')",
    f"DESCRIBE file('{FILE}')",
    f"DESCRIBE (SELECT file('{FILE}'))",
    f"SELECT b FROM values('a String, b String ALIAS file(\\'{FILE}\\')', ('x'))",
    f"SELECT * FROM format(CSV, file('{FILE}'))",
    f"SELECT * FROM view(SELECT * FROM file('{FILE}'))",
    f"SELECT * FROM viewIfPermitted(SELECT * FROM file('{FILE}') ELSE null('a Int8'))",
    "SELECT * FROM url('http://127.0.0.1:1/', CSV, 'a String')",
    "SELECT * FROM s3('http://127.0.0.1:1/a/b', 'CSV')",
    "SELECT * FROM remote('127.0.0.1', 'default', 'deletions')",
    "SELECT * FROM remoteSecure('127.0.0.1', 'default', 'deletions')",
    "SELECT * FROM cluster('default', 'default', 'deletions')",
    "SELECT * FROM clusterAllReplicas('default', 'default', 'deletions')",
    "SELECT * FROM mysql('127.0.0.1:1', 'a', 'b', 'c', 'd')",
    "SELECT * FROM postgresql('127.0.0.1:1', 'a', 'b', 'c', 'd')",
    "SELECT * FROM executable('script', TSV, 'a Int8')",
    "SELECT * FROM input('a Int8')",
    "SELECT * FROM Python(reader)",
    "SELECT * FROM merge('default', '.*')",
    "SELECT * FROM merge('system', '.*')",
    "SELECT * FROM loop(deletions)",
    "SELECT * FROM dictionary('d')",
    "SELECT * FROM mergeTreeIndex('default', 'spans')",
    "SELECT dictGet('d', 'a', 1)",
    "SELECT joinGet('default.deletions', 'id', 1)",
    "SELECT hasColumnInTable('127.0.0.1', 'u', 'p', 'default', 'deletions', 'id')",
    "SELECT catboostEvaluate('/etc/passwd', 1.0)",
    "SELECT aiGenerate('name', 'text')",
    "SELECT addressToLine(toUInt64(1)), addressToSymbol(toUInt64(1))",
    "SELECT flameGraph(a) FROM (SELECT [toUInt64(1)] AS a)",
    "SELECT sleep(1)",
    "SELECT sleepEachRow(1) FROM numbers(3)",
    "SELECT count() FROM numbers(3) WHERE NOT ignore(sleepEachRow(1))",
    "SELECT logTrace('x')",
    "SELECT getServerPort('http_port'), getMacro('x'), serverUUID(), filesystemAvailable()",
    "SELECT * FROM `/etc/hostname`",
    "SELECT * FROM default.`/etc/hostname`",
    "SELECT * FROM `file:///etc/hostname`",
    "SELECT * FROM `http://127.0.0.1:1/a.csv`",
    "SELECT 'x' IN `/etc/hostname`",
    "SELECT 'x' IN (SELECT * FROM `/etc/hostname`)",
    "WITH f AS (SELECT * FROM `/etc/hostname`) SELECT * FROM f",
    "DESCRIBE TABLE `/etc/hostname`",
    "EXISTS TABLE `/etc/hostname`",
    "SHOW CREATE TABLE `/etc/hostname`",
    "SELECT * FROM {t:Identifier}",
    "SELECT * FROM deletions",
    "SELECT * FROM default.schema_migrations",
    "SELECT 'x' IN (SELECT id FROM deletions)",
    "SELECT * FROM system.processes",
    "SELECT * FROM `system`.`processes`",
    "SELECT * FROM \"system\".\"processes\"",
    "SELECT 1 IN system.processes",
    "SELECT 1 IN (system.processes)",
    "SELECT 1 IN (SELECT 1 IN system.processes)",
    "SELECT 'x' IN (SELECT query FROM system.processes)",
    "SELECT * FROM system.query_log",
    "SELECT * FROM system.parts",
    "SELECT * FROM system.users",
    "SELECT * FROM system.server_settings",
    "SELECT * FROM information_schema.tables",
    "SELECT * FROM INFORMATION_SCHEMA.TABLES",
    "WITH spans AS (SELECT * FROM system.processes) SELECT * FROM spans",
    "WITH spans AS (SELECT * FROM deletions) SELECT * FROM spans",
    "FROM system.processes SELECT query",
    "SHOW PROCESSLIST",
    "SHOW TABLES FROM information_schema",
    "SHOW CREATE TABLE deletions",
    "SHOW CREATE TABLE system.processes",
    "SHOW GRANTS",
    "SHOW USERS",
    "SHOW DATABASES INTO OUTFILE 'x'",
    "DESCRIBE deletions",
    "EXISTS TABLE deletions",
]  # fmt: skip


@pytest.mark.parametrize("statement", READ_OTHERS)
def test_what_reads_beyond_the_documented_tables_is_refused(statements: Statements, statement: str) -> None:
    assert refusal(statements, statement, t="/etc/hostname").name in ("ACCESS_DENIED", "SYNTAX_ERROR", "UNKNOWN_TABLE")


WRITE = [
    "INSERT INTO spans SELECT * FROM spans",
    "INSERT INTO FUNCTION file('{path}', 'CSV', 'a Int8') SELECT 1",
    "CREATE TABLE mine (a Int8) ENGINE = Memory",
    "CREATE TEMPORARY TABLE mine (a Int8)",
    "CREATE FUNCTION mine AS x -> file(x)",
    "DROP TABLE spans",
    "TRUNCATE TABLE spans",
    "ALTER TABLE spans DELETE WHERE 1",
    "DELETE FROM spans WHERE 1",
    "UPDATE spans SET counts = 0 WHERE 1",
    "OPTIMIZE TABLE spans FINAL",
    "SYSTEM STOP MERGES",
    "KILL QUERY WHERE 1",
    "BACKUP TABLE spans TO File('{path}')",
    "ATTACH TABLE spans",
    "SET readonly = 0",
    "SET max_execution_time = 0",
    "SET ROLE owning",
    "SET ROLE ALL",
    "USE system",
    "GRANT owning TO default",
    "EXECUTE AS default SELECT 1",
    "BEGIN TRANSACTION",
    "SELECT 1 PARALLEL WITH DROP TABLE spans",
    "WITH a AS (SELECT 1) INSERT INTO spans SELECT * FROM a",
    "SELECT 1; DROP TABLE spans",
    "SELECT 1; SELECT 2",
    "SELECT 1;;DROP TABLE spans",
    "SELECT 1) UNION ALL SELECT * FROM file('/etc/passwd') --",
    "SELECT 1 INTO OUTFILE '{path}'",
    "SELECT 1 INTO OUTFILE '{path}' FORMAT CSV",
    "SELECT 1 FORMAT CSV INTO OUTFILE '{path}'",
    "SELECT 1 /* */ INTO /* */ OUTFILE /* */ '{path}' TRUNCATE AND STDOUT COMPRESSION 'none' FORMAT CSV",
    "SELECT 1 into outfile $${path}$$",
    "SELECT 1 INTO OUTFILE '{path}' FORMAT CSV SETTINGS max_threads = 1",
    "SELECT 1 UNION ALL SELECT 2 INTO OUTFILE '{path}'",
    "(SELECT 1 INTO OUTFILE '{path}')",
    "SELECT * FROM (SELECT 1 INTO OUTFILE '{path}')",
    "EXPLAIN SELECT 1 INTO OUTFILE '{path}'",
    "EXPLAIN AST SELECT 1 INTO OUTFILE '{path}'",
    "SHOW TABLES INTO OUTFILE '{path}'",
    "DESCRIBE spans INTO OUTFILE '{path}'",
    "EXISTS spans INTO OUTFILE '{path}'",
    "SELECT * FROM sqlite('{path}', 't')",
    "DESCRIBE sqlite('{path}', 't')",
    "EXPLAIN SELECT * FROM sqlite('{path}', 't')",
    "SELECT 1 FORMAT PostgreSQLWire",
    "SELECT 1 FORMAT Template SETTINGS format_template_row = '/etc/passwd'",
]  # fmt: skip


@pytest.mark.parametrize("statement", WRITE)
def test_what_writes_or_changes_settings_is_refused_and_leaves_no_file(
    statements: Statements, statement: str, tmp_path: Path
) -> None:
    path = tmp_path / "written"
    refused = refusal(statements, statement.replace("{path}", str(path)))
    assert refused.name in ("ACCESS_DENIED", "SYNTAX_ERROR", "UNKNOWN_FORMAT", "READONLY")
    assert not path.exists()


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT 1 SETTINGS max_execution_time = 0",
        "SELECT * FROM (SELECT 1 SETTINGS max_memory_usage = 0)",
        "SELECT 1 SETTINGS readonly = 0",
        "SELECT 1 SETTINGS additional_table_filters = {}",
        "SELECT 1 UNION ALL SELECT 2 SETTINGS max_threads = 64",
        "WITH a AS (SELECT 1 SETTINGS max_result_rows = 0) SELECT * FROM a",
        "SELECT 1 FORMAT CSV SETTINGS max_threads = 64",
        "SELECT 1 SETTINGS profile = 'default'",
        "SELECT count() FROM (SELECT 1 FROM spans SETTINGS additional_table_filters = {}) UNION ALL SELECT 1",
        "EXPLAIN SYNTAX SELECT 1 SETTINGS max_threads = 64",
    ],
)
def test_a_statement_cannot_lift_its_limits(statements: Statements, statement: str) -> None:
    assert refusal(statements, statement).name in ("READONLY", "SYNTAX_ERROR")


@pytest.mark.parametrize("table", ["deletions", "system.processes", "system`.`processes", "file('/etc/passwd')"])
def test_a_parameter_can_name_no_table_that_is_not_allowed(statements: Statements, table: str) -> None:
    assert refusal(statements, "SELECT * FROM {t:Identifier}", t=table).name in ("ACCESS_DENIED", "UNKNOWN_TABLE")
    assert refusal(statements, "SHOW CREATE TABLE {t:Identifier}", t=table).name == "ACCESS_DENIED"


def test_text_that_looks_like_a_clause_or_a_function_is_text(statements: Statements) -> None:
    text = "x'; DROP TABLE spans -- INTO OUTFILE 'y' file( system.processes $$ \\ \n\t"
    quoted = text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n").replace("\t", "\\t")
    assert answer(statements, f"SELECT '{quoted}'") == text.strip()
    assert answer(statements, "SELECT {x:String}", x="it's \\'a\\' \\\\ INTO OUTFILE") == "it's 'a' \\ INTO OUTFILE"
    assert answer(statements, "SELECT 1 AS `INTO OUTFILE`") == "1"


def test_usual_statements_are_answered(statements: Statements, project: str) -> None:
    for statement in (
        "SELECT 1;",
        "/* begin */ SELECT 1 -- end",
        "WITH x AS (SELECT number AS n FROM numbers(10)) SELECT n, sumIf(n, n > 3) OVER (ORDER BY n) FROM x LIMIT 1",
        "SELECT uniqExactIf(trace_id, counts), quantilesTDigest(0.5, 0.9)(latency_ns), topK(3)(name) FROM spans FINAL",
        "SELECT attributes_string['a'], JSONExtractString(input, 'b'), arrayMap(x -> x.name, tool_calls) FROM spans",
        "SELECT CASE kind WHEN 'LLM' THEN 1 ELSE 2 END, toStartOfInterval(start_time, INTERVAL 1 HOUR)::Date FROM spans",
        "SELECT count() FROM spans AS a FINAL INNER JOIN traces AS b FINAL USING (project, trace_id)",
        "SELECT * FROM span_messages LIMIT 1",
        "SELECT name, comment FROM system.columns WHERE table = 'spans'",
        "SELECT DISTINCT version(), timezone(), currentDatabase() FROM system.one",
        "SHOW TABLES LIKE 'sp%'", "SHOW DATABASES", "DESCRIBE TABLE default.spans", "SHOW CREATE TABLE span_messages",
        "SHOW COLUMNS FROM spans", "EXISTS TABLE spans", "EXPLAIN SELECT count() FROM spans", "EXPLAIN SYNTAX SELECT 1",
    ):  # fmt: skip
        assert statements.run(statement, form="JSON", parameters={}, project=None).form == "JSON"
        if not statement.startswith("EXPLAIN SELECT"):
            statements.run(statement, form="JSON", parameters={}, project=project)


# --- what a statement may cost ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("statement", "name"),
    [
        ("SELECT count() FROM numbers(9000000000) WHERE NOT ignore(SHA512(toString(number)))", "TIMEOUT_EXCEEDED"),
        ("SELECT number FROM numbers(9000000000)", "TOO_MANY_ROWS_OR_BYTES"),
        ("SELECT count() FROM numbers(1000000000000)", "TOO_MANY_ROWS"),
        ("SELECT count() FROM system.numbers WHERE number % 2 = 3", "TIMEOUT_EXCEEDED"),
        ("SELECT groupArray(repeat('x', 1000)) FROM numbers(900000000)", "MEMORY_LIMIT_EXCEEDED"),
        ("SELECT length(repeat('x', 1000000000)), randomString(1000000000)", "MEMORY_LIMIT_EXCEEDED"),
        ("SELECT count() FROM numbers(1000000) AS a, numbers(1000000) AS b, numbers(1000000) AS c", "TIMEOUT_EXCEEDED"),
        (f"SELECT {'(' * 5000}1{')' * 5000}", "TOO_DEEP_RECURSION"),
        (f"SELECT {'-' * 5000}1", "SYNTAX_ERROR"),
        (f"SELECT '{'x' * (256 << 10)}'", "SYNTAX_ERROR"),
    ],
)  # fmt: skip
def test_a_costly_statement_is_ended_by_a_limit(database: Database, statement: str, name: str) -> None:
    small = Statements(database.settings.url, Limits(seconds=1, memory=256 << 20, rows=1000))
    found = refusal(small, statement)
    assert found.name == name


def test_a_statement_can_be_cancelled(statements: Statements) -> None:
    failed: list[StatementError] = []

    def run() -> None:
        try:
            statements.run(
                "SELECT count() FROM system.numbers WHERE number % 2 = 3",
                form="TSV",
                parameters={},
                project=None,
                mark="abc",
            )
        except StatementError as error:
            failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    while thread.is_alive():  # it may not have begun
        statements.cancel("abc")
        time.sleep(0.05)
    assert [error.name for error in failed] == ["QUERY_WAS_CANCELLED"]
