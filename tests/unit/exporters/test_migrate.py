"""Migrations: applied once, in order, and refused when the database is not what this program expects."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

import pytest

from collector.errors import StartError
from exporters.clickhouse.migrate import migrate, migrations


class RecordingClient:
    """A database that remembers its migrations, and every statement."""

    def __init__(self, applied: dict[int, str] | None = None) -> None:
        self.applied = dict(applied or {})
        self.commands: list[str] = []

    def command(self, sql: str) -> None:
        self.commands.append(sql)

    def query(self, _: str) -> Any:
        return SimpleNamespace(result_rows=sorted(self.applied.items()))

    def insert(self, table: str, rows: list[list[Any]], column_names: list[str]) -> None:
        assert (table, column_names) == ("schema_migrations", ["number", "name", "digest"])
        for number, _, digest in rows:
            self.applied[number] = digest
            self.commands.append(f"recorded {number}")


def test_a_new_database_gets_every_migration_in_order_and_its_record() -> None:
    client = RecordingClient()
    migrate(client)  # type: ignore[arg-type]
    expected = [step for m in migrations() for step in (m.sql, f"recorded {m.number}")]
    assert client.commands[1:] == expected
    assert client.applied == {m.number: m.digest for m in migrations()}


def test_a_database_that_is_up_to_date_is_left_alone() -> None:
    client = RecordingClient({m.number: m.digest for m in migrations()})
    migrate(client)  # type: ignore[arg-type]
    assert len(client.commands) == 1, "nothing but the table of migrations, if it does not exist"


def test_only_what_is_missing_is_applied() -> None:
    first, *rest = migrations()
    client = RecordingClient({first.number: first.digest})
    migrate(client)  # type: ignore[arg-type]
    assert [sql for sql in client.commands[1:] if not sql.startswith("recorded")] == [m.sql for m in rest]


def test_a_newer_schema_is_refused_with_what_to_do() -> None:
    newest = migrations()[-1].number
    client = RecordingClient({m.number: m.digest for m in migrations()} | {newest + 7: "?"})
    sentence = f"the database has schema version {newest + 7}, this program knows only {newest}: use a newer"
    with pytest.raises(StartError, match=re.escape(sentence)):
        migrate(client)  # type: ignore[arg-type]
    assert len(client.commands) == 1


def test_a_migration_that_was_applied_in_another_form_is_refused_by_name() -> None:
    first = migrations()[0]
    client = RecordingClient({m.number: m.digest for m in migrations()} | {first.number: "another"})
    with pytest.raises(StartError, match=re.escape(f"the migration {first.name} was applied")):
        migrate(client)  # type: ignore[arg-type]


def test_migrations_are_numbered_once_each_and_hold_one_statement_each() -> None:
    found = migrations()
    numbers = [m.number for m in found]
    assert numbers == sorted(set(numbers))
    for migration in found:
        code = re.sub(r"--.*|'(?:[^'\\]|\\.)*'", "", migration.sql)
        assert code.count(";") == 0, f"{migration.name}: the client runs one statement at a time"
