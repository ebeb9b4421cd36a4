"""F12: somebody changed the tables under the program, or another version of it did: it says what, and does not start."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from collector.errors import StartError
from collector.settings import ClickHouse as Settings
from exporters.clickhouse import ClickHouse
from exporters.clickhouse.client import Opener
from exporters.clickhouse.connection import Connection
from exporters.clickhouse.drift import declared
from exporters.clickhouse.migrate import migrations
from tests.support.clickhouse_server import CLUSTER, joined_url, one_server, two_shards
from tests.support.collector_process import CollectorProcess
from tests.support.command import spanledger
from tests.support.spans import batch, chat
from tests.support.store import Database

WRITER = "e" * 32


@pytest.fixture(scope="module", params=["server", "cluster"])
def anywhere(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[], Settings]]:
    """Makes settings of a database that nobody has."""
    directory = tmp_path_factory.mktemp("drift")
    if request.param == "server":
        with one_server(directory) as url:
            yield lambda: Settings(url=f"{url}/drift_{secrets.token_hex(4)}")
    else:
        with two_shards(directory) as shards:
            yield lambda: Settings(url=f"{joined_url(shards)}/drift_{secrets.token_hex(4)}", cluster=CLUSTER)


def test_what_the_migrations_declare_is_what_the_database_has(database: Database) -> None:
    expected = declared(one.sql for one in migrations())
    found: dict[str, set[tuple[str, str]]] = {}
    for row in database.rows("SELECT table, name, type FROM system.columns WHERE database = currentDatabase()"):
        found.setdefault(row["table"].removesuffix("_local"), set()).add((row["name"], re.sub(r"\s", "", row["type"])))
    assert expected.keys() == found.keys()
    without = {"schema_migrations", "span_messages"}  # the table of migrations, and a view: both are only known by name
    for table in expected.keys() - without:
        columns = {(name, re.sub(r"\s", "", column.kind)) for name, column in expected[table].items()}
        assert columns == found[table], table


CHANGES = {
    "ALTER TABLE spans DROP COLUMN dialect": "the table spans{local} has no column dialect, which this program needs",
    "ALTER TABLE traces RENAME COLUMN span_count TO spans": "the table traces{local} has no column span_count",
    "ALTER TABLE evaluations MODIFY COLUMN score Nullable(Float32)": (
        "the column score of the table evaluations{local} is Nullable(Float32), and must be Nullable(Float64): run `ALTER TABLE"
        " evaluations{local} MODIFY COLUMN score Nullable(Float64)`"
    ),
    "DROP TABLE trace_tags SYNC": "the database has no table trace_tags, which it once had: restore it",
    "DROP VIEW span_messages SYNC": "the database has no table span_messages",
}


@pytest.mark.parametrize("change", CHANGES, ids=lambda sql: "_".join(re.findall(r"\w+", sql)[:3]))
def test_a_table_that_lost_something_refuses_the_start_and_is_named(
    anywhere: Callable[[], Settings], change: str
) -> None:
    settings = anywhere()
    with ClickHouse(settings, writer=WRITER):
        pass
    run(settings, change)
    with pytest.raises(StartError) as refused:
        ClickHouse(settings, writer=WRITER)
    sentence = str(refused.value)
    tables = {"", "_local"} if settings.cluster and not change.startswith("DROP VIEW") else {""}
    assert any(f"clickhouse.url: {CHANGES[change].format(local=local)}" in sentence for local in tables), sentence
    assert "\n" not in sentence


def run(settings: Settings, sql: str) -> None:
    """Run a statement on every server, on the table that holds the rows if it is one of a cluster."""
    connection: Connection = Opener(settings)()
    own = re.sub(r"TABLE (\w+)", r"TABLE \1_local", sql) if settings.cluster and sql.startswith("ALTER") else sql
    for server in connection.servers():
        server.command(own)
    connection.close()


def test_the_statement_in_the_sentence_mends_it(anywhere: Callable[[], Settings]) -> None:
    settings = anywhere()
    with ClickHouse(settings, writer=WRITER):
        pass
    run(settings, "ALTER TABLE spans DROP COLUMN counts")
    mended = 0
    for _ in range(10):
        try:
            opened = ClickHouse(settings, writer=WRITER)
        except StartError as refusal:
            connection = Opener(settings)()
            (statement,) = re.findall("`(.*)`", str(refusal))
            assert "Bool DEFAULT kind IN ('LLM'" in statement
            for server in connection.servers():
                server.command(statement.replace("ADD COLUMN", "ADD COLUMN IF NOT EXISTS"))
            connection.close()
            mended += 1
        else:
            with opened:
                opened.exporter.write(batch(chat(1), project="mended"), "mended/a")
                assert opened.store.trace("mended", f"{1:032x}") is not None
            break
    assert mended == 1


def test_columns_of_ones_own_disturb_nothing(anywhere: Callable[[], Settings]) -> None:
    settings = anywhere()
    with ClickHouse(settings, writer=WRITER):
        pass
    run(settings, "ALTER TABLE spans ADD COLUMN team String DEFAULT 'none'")
    with ClickHouse(settings, writer=WRITER) as opened:
        opened.exporter.write(batch(chat(1), project="team"), "team/a")
        assert opened.store.trace("team", f"{1:032x}") is not None


def test_every_command_on_a_drifted_database_ends_with_one_sentence(tmp_path: Path) -> None:
    with CollectorProcess(tmp_path) as collector:
        assert collector.terminate() == 0
    first = spanledger(tmp_path, "serve", after=["ALTER TABLE spans DROP COLUMN dialect"])
    for done in (first, spanledger(tmp_path, "audit"), spanledger(tmp_path, "migrate")):
        assert done.returncode == 2
        (line,) = done.stderr.splitlines()
        assert line.startswith("spanledger: clickhouse.url: the table spans has no column dialect"), line
        assert "ALTER TABLE spans ADD COLUMN dialect LowCardinality(String)" in line


def test_an_older_schema_is_completed_by_the_command_that_the_sentence_names(tmp_path: Path) -> None:
    with CollectorProcess(tmp_path) as collector:
        assert collector.terminate() == 0
    older = ("ALTER TABLE evaluations DROP COLUMN user_id", "DELETE FROM schema_migrations WHERE number = 25")
    refused = spanledger(tmp_path, "audit", after=older)
    assert refused.returncode == 2
    assert "run `spanledger migrate`" in refused.stderr
    migrated = spanledger(tmp_path, "migrate")
    assert (migrated.returncode, migrated.stderr) == (0, "")
    assert migrated.stdout.endswith("is up to date now.\n")
    assert spanledger(tmp_path, "audit").returncode == 0


def test_a_running_collector_keeps_the_command_out(tmp_path: Path) -> None:
    with CollectorProcess(tmp_path):
        refused = spanledger(tmp_path, "migrate")
        assert refused.returncode == 2
        assert "the collector is running" in refused.stderr
