"""``spanledger audit``: whether the books balance."""

from __future__ import annotations

from collector.books.journaled import journaled
from collector.books.screen import progress, show_audit
from collector.books.stopped import pricing, stopped_collector
from collector.decode import Limits
from collector.enrich import PriceBook
from collector.errors import StartError
from collector.settings import Settings
from exporters.clickhouse.audit import Audit
from exporters.clickhouse.audit_costs import check_costs
from exporters.clickhouse.audit_deleted import check_deleted
from exporters.clickhouse.audit_expired import check_expired
from exporters.clickhouse.offline import open_database


def audit(settings: Settings, *, sample: int) -> int:
    """Print whether the books balance; returns 0 if they do, else 1. `sample` is how many costs are computed again.

    Raises `StartError` when it cannot be found out.
    """
    if sample < 0:
        raise StartError(f"--sample {sample}: allowed is a number of spans, 0 or more")
    prices = pricing(PriceBook.load(settings.enrich.prices.overrides))
    with (
        stopped_collector(settings) as journal,
        open_database(settings.clickhouse, may_write=False) as client,
        progress("comparing spans") as (total, advance),
    ):
        auditor = Audit(client, advance)
        total(auditor.spans())
        held, journal_is_sound = journaled(journal, Limits.of(settings.decode), auditor.entered)
        balances, lines = auditor.balance(held)
        checks = [
            balances,
            *auditor.traces(),
            check_costs(client, prices, sample),
            check_deleted(client),
            check_expired(client),
            journal_is_sound,
        ]
    show_audit(lines, checks)
    return int(any(check.differing for check in checks))
