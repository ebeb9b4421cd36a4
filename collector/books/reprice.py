"""``spanledger reprice``: the present price book, applied to stored spans."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from functools import partial

from collector.books.screen import progress, show_repricing
from collector.books.stopped import pricing, stopped_collector
from collector.enrich import PriceBook
from collector.enrich.prices_table import price_table
from collector.errors import StartError
from collector.settings import Settings
from exporters.clickhouse.offline import open_database
from exporters.clickhouse.portions import Period, portions
from exporters.clickhouse.prices import add_prices
from exporters.clickhouse.reprice import Wanted
from exporters.clickhouse.reprice import reprice as reprice_stored


def reprice(
    settings: Settings, *, since: str, until: str, model: str | None, version: str | None, dry_run: bool
) -> int:
    """Apply the present price book to stored spans, and print what changed; returns 0.

    `since` and `until` are days or times as a person writes them, UTC unless they say otherwise; the end is excluded.
    `version`: go on only if the price book has it. Raises `StartError` when it cannot begin, or ends early: then the same
    command again completes it.
    """
    wanted = Wanted(_period(since, until), model)
    book = PriceBook.load(settings.enrich.prices.overrides)
    _check_version(book, version)
    with (
        stopped_collector(settings) as journal,
        open_database(
            settings.clickhouse, may_write=not dry_run, writer=journal.identity if journal else secrets.token_hex(16)
        ) as client,
        progress("repricing spans") as (total, advance),
    ):
        if not dry_run:
            add_prices(client, {name: partial(price_table, book, name) for name in book.versions})
        plan = portions(client, wanted.period)
        total(sum(portion.spans for portion in plan))
        changes = reprice_stored(client, plan, pricing(book), wanted, dry_run=dry_run, advance=advance)
        waiting = journal.records if journal else 0
    show_repricing(changes, dry_run=dry_run, waiting=waiting)
    return 0


def _check_version(book: PriceBook, version: str | None) -> None:
    """A book holds the prices of one version of genai-prices: no other can be applied."""
    if version is None or version in book.versions or f"genai-prices {version}" in book.versions:
        return
    raise StartError(
        f"--prices-version {version}: this installation has {', '.join(book.versions)}: install the version of"
        " genai-prices that you want to apply, or leave the option out"
    )


def _period(since: str, until: str) -> Period:
    period = Period(_time("--from", since), _time("--to", until))
    if period.since >= period.until:
        raise StartError(f"--from {since} --to {until}: no time lies between them: --to is excluded, and must be later")
    return period


def _time(option: str, text: str) -> int:
    """Read a day or a time; returns ns since the epoch."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        time = datetime.max
    since_epoch = (time if time.tzinfo else time.replace(tzinfo=UTC)) - datetime(1970, 1, 1, tzinfo=UTC)
    nanoseconds = since_epoch // timedelta(microseconds=1) * 1000
    if not 0 <= nanoseconds < 2**63:
        raise StartError(
            f"{option} {text}: allowed is a day such as 2026-01-31, or a time such as 2026-01-31T12:00, from 1970 to 2261"
        )
    return nanoseconds
