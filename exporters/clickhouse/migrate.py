"""Bringing the schema up to date: numbered .sql files, each applied once and recorded in `schema_migrations`."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from importlib import resources

from clickhouse_connect.driver.client import Client

from collector.errors import StartError
from exporters.clickhouse.client import statement

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


def is_migrated(client: Client) -> bool:
    """Return whether the database has exactly the migrations of this program. Changes nothing."""
    if not client.query(statement("has_migrations.sql")).result_rows:
        return False
    rows = client.query(statement("applied_migrations.sql")).result_rows
    return {int(row[0]): str(row[1]) for row in rows} == {one.number: one.digest for one in migrations()}


def migrate(client: Client) -> None:
    """Apply what is missing. Raises `StartError` when the schema is newer than this program, or was changed under it."""
    client.command(statement("schema_migrations.sql"))
    rows = client.query(statement("applied_migrations.sql")).result_rows
    applied = {int(row[0]): str(row[1]) for row in rows}
    known = migrations()
    if applied and max(applied) > known[-1].number:
        raise StartError(
            f"the database has schema version {max(applied)}, this program knows only {known[-1].number}: use a newer"
            " spanledger, or another database"
        )
    for migration in known:
        if migration.number not in applied:
            client.command(migration.sql)
            row = [[migration.number, migration.name, migration.digest]]
            client.insert("schema_migrations", row, column_names=["number", "name", "digest"])
        elif applied[migration.number] != migration.digest:
            raise StartError(
                f"the migration {migration.name} was applied to this database in another form than this program has:"
                " use the spanledger that made it, or another database"
            )
