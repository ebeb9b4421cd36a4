"""A migration becomes a local and a Distributed table; what changes rows is said to the local ones."""

from __future__ import annotations

import re

import pytest

from exporters.clickhouse.cluster_schema import SHARDING, ClusterSchema, local
from exporters.clickhouse.migrate import migrations

SCHEMA = ClusterSchema("shards", "ledger", replicated=False)
REPLICATED = ClusterSchema("shards", "ledger", replicated=True)


def created() -> list[str]:
    """All tables of the schema."""
    found = (re.search(r"^CREATE TABLE (\w+)", one.sql, re.MULTILINE) for one in migrations())
    return [match[1] for match in found if match]


def test_every_table_has_a_place_for_each_row() -> None:
    assert set(created()) == set(SHARDING)


@pytest.mark.parametrize("table", SHARDING)
def test_a_table_becomes_a_local_and_a_distributed_one(table: str) -> None:
    (migration,) = [one for one in migrations() if re.search(rf"^CREATE TABLE {table}$", one.sql, re.MULTILINE)]
    own, distributed = SCHEMA.statements(migration.sql)
    assert re.search(rf"^CREATE TABLE {table}_local$", own, re.MULTILINE)
    assert own.replace(f"{table}_local", table) == migration.sql
    assert f"CREATE OR REPLACE TABLE {table} AS {table}_local" in distributed
    assert f"Distributed('shards', 'ledger', '{table}_local', {SHARDING[table]})" in distributed


@pytest.mark.parametrize("table", SHARDING)
def test_a_replicated_table_has_a_path_for_its_shard_and_remembers_inserts(table: str) -> None:
    (migration,) = [one for one in migrations() if re.search(rf"^CREATE TABLE {table}$", one.sql, re.MULTILINE)]
    own, _ = REPLICATED.statements(migration.sql)
    path = f"'/clickhouse/tables/{{shard}}/ledger/{table}', '{{replica}}'"
    assert re.search(rf"^ENGINE = Replicated\w*MergeTree\({re.escape(path)}(, \w+)?\)$", own, re.MULTILINE), own
    assert len(re.findall(r"^SETTINGS replicated_deduplication_window = 10000", own, re.MULTILINE)) == 1


def test_a_change_of_a_table_is_made_to_the_local_one_and_the_distributed_one_is_made_anew() -> None:
    own, distributed = SCHEMA.statements("-- Why.\nALTER TABLE spans ADD COLUMN a Int8")
    assert own == "-- Why.\nALTER TABLE spans_local ADD COLUMN a Int8"
    assert distributed.startswith("CREATE OR REPLACE TABLE spans AS spans_local")


def test_a_view_is_over_the_distributed_tables() -> None:
    (view,) = [one.sql for one in migrations() if "CREATE VIEW span_messages" in one.sql]
    assert list(SCHEMA.statements(view)) == [view]


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("UPDATE spans SET counts = 1", "UPDATE spans_local SET counts = 1"),
        ("DELETE FROM span_content WHERE 1", "DELETE FROM span_content_local WHERE 1"),
        ("ALTER TABLE traces APPLY PATCHES", "ALTER TABLE traces_local APPLY PATCHES"),
        ("INSERT INTO traces SELECT * FROM traces", "INSERT INTO traces_local SELECT * FROM traces_local"),
        ("SELECT 1 FROM a JOIN traces", "SELECT 1 FROM a JOIN traces_local"),
        ("TRUNCATE TABLE repricing_values", "TRUNCATE TABLE repricing_values"),
        ("SELECT spans.name FROM spans_of_day", "SELECT spans.name FROM spans_of_day"),
    ],
)
def test_names_of_tables_become_local_and_nothing_else(sql: str, expected: str) -> None:
    assert local(sql) == expected
