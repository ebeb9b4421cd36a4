"""The schema explains itself, and what people may ask is what the documentation names."""

from __future__ import annotations

import re
from pathlib import Path

from exporters.clickhouse.statements.allowed import PROJECT_TABLES, TABLES
from tests.support.store import ROOT, Database

INTERNAL = {"deletions", "expiries", "schema_migrations", "write_claims"}
"""Tables that the product keeps for itself."""

IN_DEFAULT = "database = currentDatabase() AND NOT startsWith(table, 'repricing') AND NOT endsWith(table, '_local')"


def test_every_table_view_and_column_has_a_comment(database: Database) -> None:
    columns = f"SELECT table, name FROM system.columns WHERE {IN_DEFAULT} AND comment = ''"
    assert database.client.query(columns).result_rows == []
    tables = f"SELECT table FROM system.tables WHERE {IN_DEFAULT} AND comment = ''"
    assert database.client.query(tables).result_rows == []


def test_every_table_is_open_to_people_or_internal(database: Database) -> None:
    found = {row[0] for row in database.client.query(f"SELECT table FROM system.tables WHERE {IN_DEFAULT}").result_rows}
    assert found == TABLES | INTERNAL


def test_every_table_with_a_project_is_filtered_by_it(database: Database) -> None:
    sql = f"SELECT DISTINCT table FROM system.columns WHERE {IN_DEFAULT} AND name = 'project'"
    found = {row[0] for row in database.client.query(sql).result_rows}
    views = {"span_messages"}
    assert found - INTERNAL - views == set(PROJECT_TABLES)


def test_the_role_may_read_what_is_open_to_people() -> None:
    grants = (ROOT / "exporters/clickhouse/engine.xml").read_text(encoding="utf-8")
    assert set(re.findall(r"GRANT SELECT ON default\.(\w+)", grants)) == TABLES


def test_the_readme_names_every_table_that_is_open_to_people() -> None:
    section = (ROOT / "README.md").read_text(encoding="utf-8").partition("\n## SQL\n")[2].partition("\n## ")[0]
    assert set(re.findall(r"`(\w+)`", section)) >= TABLES
    ready = {path.stem for path in Path(ROOT / "exporters/clickhouse/sql/ready").glob("*.sql")}
    assert set(re.findall(r"`(\w+)`", section)) >= ready
