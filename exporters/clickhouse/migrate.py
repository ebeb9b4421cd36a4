"""Bringing the schema up to date: numbered .sql files, each applied once and recorded in `schema_migrations`."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import resources

from collector.errors import StartError
from exporters.clickhouse.connection import Connection, statement
from exporters.clickhouse.drift import declared, refuse_drift

_MADE = re.compile(r"\b(CREATE TABLE|CREATE VIEW|ADD COLUMN|ADD INDEX) (?!IF NOT EXISTS)")
_FILE_NAME = re.compile(r"(\d{4})_[a-z_]+\.sql")


@dataclass(frozen=True)
class Migration:
    """One numbered file: a single statement."""

    number: int
    name: str
    sql: str

    @property
    def digest(self) -> str:
        """Hash of the file as it was applied."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def migrations() -> list[Migration]:
    """Return all migrations that this program knows, by number."""
    names = sorted(entry.name for entry in (resources.files("exporters.clickhouse") / "sql").iterdir())
    found = [(match, name) for name in names if (match := _FILE_NAME.fullmatch(name))]
    return [Migration(int(match[1]), name, statement(name)) for match, name in found]


def missing_migrations(connection: Connection) -> list[str]:
    """Return the names of the migrations that the database lacks, on any of its servers. Changes nothing.

    Raises `StartError` when the schema is newer than this program, was changed under it, or a table has lost what
    migrations made.
    """
    lacking: set[str] = set()
    for server in connection.servers():
        applied = _applied(server) if _is_there(server) else {}
        missing = _missing(applied)
        lacking.update(migration.name for migration in missing)
        if not missing:
            refuse_drift(server, declared(one.sql for one in migrations()))
    return sorted(lacking)


def migrate(connection: Connection, tell: Callable[[str], None] | None = None) -> None:
    """Apply what is missing, on each server; `tell` is told the name of each that was applied.

    Raises `StartError` when the schema is newer than this program, or was changed under it: a migration was applied in
    another form, or a table has lost what the migrations made.
    """
    expected = declared(one.sql for one in migrations())
    for server in connection.servers():
        server.command(statement("schema_migrations.sql"))
        applied = _applied(server)
        for migration in _missing(applied):
            for sql in connection.schema(_again(migration.sql)):
                server.command(sql)
            record = {"number": migration.number, "name": migration.name, "digest": migration.digest}
            server.command(statement("record_migration.sql"), record)
            if tell is not None:
                tell(migration.name)
        refuse_drift(server, expected)


def _again(sql: str) -> str:
    """Return the statement so that it may have been run before: by a process that was killed then, or another one."""
    return _MADE.sub(r"\1 IF NOT EXISTS ", sql)


def _is_there(server: Connection) -> bool:
    return bool(server.rows(statement("has_migrations.sql")))


def _applied(server: Connection) -> dict[int, str]:
    rows = server.rows(statement("applied_migrations.sql"))
    return {int(row["number"]): str(row["digest"]) for row in rows}


def _missing(applied: Mapping[int, str]) -> list[Migration]:
    known = migrations()
    if applied and max(applied) > known[-1].number:
        raise StartError(
            f"the database has schema version {max(applied)}, this program knows only {known[-1].number}: use a newer"
            " spanledger, or another database"
        )
    for migration in known:
        if applied.get(migration.number, migration.digest) != migration.digest:
            raise StartError(
                f"the migration {migration.name} was applied to this database in another form than this program has:"
                " use the spanledger that made it, or another database"
            )
    return [migration for migration in known if migration.number not in applied]
