"""The queries that are ready to use: sql/ready/NAME.sql, each beginning with a comment that says what it answers."""

from __future__ import annotations

from importlib import resources

from exporters.clickhouse.connection import statement


def ready_names() -> list[str]:
    """Return the names of all ready queries, sorted."""
    folder = resources.files("exporters.clickhouse") / "sql" / "ready"
    return sorted(entry.name.removesuffix(".sql") for entry in folder.iterdir() if entry.name.endswith(".sql"))


def ready_query(name: str) -> str:
    """Return the SQL of a ready query; `name` is one of `ready_names`."""
    return statement(f"ready/{name}.sql")


def ready_about(name: str) -> str:
    """Return the comment at its beginning, on one line."""
    lines = ready_query(name).splitlines()
    first = next(number for number, line in enumerate(lines) if not line.startswith("--"))
    return " ".join(line.removeprefix("--").strip() for line in lines[:first])
