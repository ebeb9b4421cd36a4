"""Migrations: applied once, in order, and refused when the database is not what this program expects."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest

from collector.errors import StartError
from exporters.clickhouse.connection import Connection, statement
from exporters.clickhouse.drift import Declared, declared
from exporters.clickhouse.migrate import migrate, migrations


class RecordingConnection(Connection):
    """A database that remembers its migrations, and every statement."""

    def __init__(self, applied: dict[int, str] | None = None) -> None:
        self.applied = dict(applied or {})
        self.commands: list[str] = []

    def command(self, sql: str, parameters: Mapping[str, Any] | None = None) -> None:
        if parameters is None:
            self.commands.append(sql)
            return
        assert sql == statement("record_migration.sql")
        self.applied[parameters["number"]] = parameters["digest"]
        self.commands.append(f"recorded {parameters['number']}")

    def rows(self, sql: str, parameters: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        if sql == statement("columns.sql"):
            return [
                {"table": table, "name": name, "type": column.kind}
                for table, columns in declared(one.sql for one in migrations()).items()
                for name, column in (columns or {"any": Declared("String", "")}).items()
            ]
        assert sql == statement("applied_migrations.sql")
        return [{"number": number, "digest": digest} for number, digest in sorted(self.applied.items())]


def as_run(sql: str) -> str:
    """A statement as it is run: it may have been run before."""
    return re.sub(r"(CREATE TABLE|CREATE VIEW|ADD COLUMN|ADD INDEX) (?!IF NOT)", r"\1 IF NOT EXISTS ", sql)


def test_a_new_database_gets_every_migration_in_order_and_its_record() -> None:
    connection = RecordingConnection()
    migrate(connection)
    expected = [step for m in migrations() for step in (as_run(m.sql), f"recorded {m.number}")]
    assert connection.commands[1:] == expected
    assert connection.applied == {m.number: m.digest for m in migrations()}


def test_a_database_that_is_up_to_date_is_left_alone() -> None:
    connection = RecordingConnection({m.number: m.digest for m in migrations()})
    migrate(connection)
    assert len(connection.commands) == 1, "nothing but the table of migrations, if it does not exist"


def test_only_what_is_missing_is_applied() -> None:
    first, *rest = migrations()
    connection = RecordingConnection({first.number: first.digest})
    migrate(connection)
    assert [sql for sql in connection.commands[1:] if not sql.startswith("recorded")] == [as_run(m.sql) for m in rest]


def test_a_newer_schema_is_refused_with_what_to_do() -> None:
    newest = migrations()[-1].number
    connection = RecordingConnection({m.number: m.digest for m in migrations()} | {newest + 7: "?"})
    sentence = f"the database has schema version {newest + 7}, this program knows only {newest}: use a newer"
    with pytest.raises(StartError, match=re.escape(sentence)):
        migrate(connection)
    assert len(connection.commands) == 1


def test_a_migration_that_was_applied_in_another_form_is_refused_by_name() -> None:
    first = migrations()[0]
    connection = RecordingConnection({m.number: m.digest for m in migrations()} | {first.number: "another"})
    with pytest.raises(StartError, match=re.escape(f"the migration {first.name} was applied")):
        migrate(connection)


def test_migrations_are_numbered_once_each_and_hold_one_statement_each() -> None:
    found = migrations()
    numbers = [m.number for m in found]
    assert numbers == sorted(set(numbers))
    for migration in found:
        code = re.sub(r"--.*|'(?:[^'\\]|\\.)*'", "", migration.sql)
        assert code.count(";") == 0, f"{migration.name}: the connection runs one statement at a time"
