"""What both commands need: the collector kept out, and the price book as a function over stored columns."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from collector.enrich import PriceBook
from collector.enrich.repricing import EVIDENCE, cost_column_names, costs_again
from collector.errors import StartError
from collector.journal import InUseError, Journal
from collector.settings import Settings
from exporters.clickhouse.evidence import Pricing


@contextmanager
def stopped_collector(settings: Settings) -> Iterator[Journal | None]:
    """Keep the collector out, and lend its journal; None if there is none yet. Raises `StartError` if it is running."""
    directory = settings.journal.directory
    if not directory.is_dir():
        yield None
        return
    try:
        opened = Journal.open(
            directory,
            max_size=settings.journal.max_size,
            max_dead=settings.journal.max_dead,
            sync=settings.journal.sync,
        )
    except InUseError as error:
        raise StartError(
            f"the collector is running (it has the journal in {directory} open), and no second process can open its"
            " database: stop it, and run this command again"
        ) from error
    with opened as journal:
        yield journal


def pricing(book: PriceBook) -> Pricing:
    """Return the price book as a function from the stored evidence to the cost columns."""
    return Pricing(EVIDENCE, cost_column_names(book), partial(costs_again, book))
