"""``spanledger migrate``: the schema of the database, brought up to date without a collector."""

from __future__ import annotations

import secrets
import sys

from collector.books.stopped import stopped_collector
from collector.settings import Settings
from exporters.clickhouse.migrate import migrations
from exporters.clickhouse.offline import open_database


def migrate(settings: Settings) -> int:
    """Bring the schema up to date, and print which it is; returns 0.

    Raises `StartError` when it cannot: see `exporters.clickhouse.migrate`.
    """
    with (
        stopped_collector(settings) as journal,
        open_database(
            settings.clickhouse, may_write=True, writer=journal.identity if journal else secrets.token_hex(16)
        ),
    ):
        sys.stdout.write(f"the schema in {settings.clickhouse.where} is up to date: {migrations()[-1].name}\n")
    return 0
