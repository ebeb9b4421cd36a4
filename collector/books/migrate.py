"""``spanledger migrate``: bring the schema of the database up to date, or say what that would do."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape

from collector.books.stopped import stopped_collector
from collector.settings import Settings
from exporters.clickhouse.offline import bring_up_to_date


def migrate(settings: Settings, *, check: bool) -> int:
    """Apply what is missing, each with a line; returns 0. `check`: change nothing, return 1 if anything is missing.

    A collector does the same when it starts: this is for who wants it done before, by a user with more rights. Raises
    `StartError` when the database cannot be opened, or its schema is newer than this program.
    """
    console = Console(highlight=False, soft_wrap=True)
    with stopped_collector(settings):
        missing = bring_up_to_date(
            settings.clickhouse, lambda name: console.print(f"applied {escape(name)}"), check=check
        )
    where = escape(settings.clickhouse.where)
    if not missing:
        console.print(f"The schema in {where} is up to date.")
    elif check:
        console.print(f"Missing in {where}: {', '.join(missing)}.")
    else:
        console.print(f"The schema in {where} is up to date now.")
    return int(check and bool(missing))
