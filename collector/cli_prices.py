"""``spanledger prices list | show``: the price book as the collector would use it, without the database."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from collector.enrich.prices import NANOSECONDS_PER_DAY, RATE_SCALE, REQUESTS, PriceBook, PricedModel, PriceRow
from collector.enrich.prices_units import USAGE_UNITS
from collector.errors import StartError
from collector.settings import PriceOverride
from collector.settings_values import read_day, shown

_COLUMNS = {unit: column for column, unit in USAGE_UNITS.items()}
_LISTED = {
    "input": "input_tokens",
    "output": "output_tokens",
    "cache read": "cache_read_tokens",
    "cache write": "cache_write_tokens",
}
"""Column of the list -> usage column."""
_WIDEST = 10_000
"""Columns of the terminal; no table has more."""


def list_prices(overrides: Sequence[PriceOverride], *, provider: str) -> str:
    """Print what every model (of a provider, if not "") costs today. Returns one sentence where there is none, or ""."""
    book = PriceBook.load(overrides)
    now = _nanoseconds(datetime.now(UTC).date())
    wanted = book.provider(provider)
    rows = [(model, row) for model in book.in_force() for row in [model.active(now)] if row.refusal is None]
    chosen = [(model, row) for model, row in rows if not wanted or row.provider == wanted]
    if not chosen:
        return _no_provider(provider, {row.provider for _, row in rows})
    table = _table("provider", "model", *(f">{name}" for name in _LISTED), "since", "source", "other prices")
    for model, row in sorted(chosen, key=lambda pair: (pair[1].provider, pair[1].model)):
        rates = (row.rates.get(USAGE_UNITS[unit]) for unit in _LISTED.values())
        more = (*row.tiers[1:], *(["per request"] if REQUESTS in row.rates else []), *model.variants)
        table.add_row(
            escape(row.provider),
            escape(row.model),
            *("" if rate is None and row.rates else _dollars((rate or (0,))[0] * 10**6) for rate in rates),
            str(row.effective_date or ""),
            row.version.partition(" ")[0],
            ", ".join(more),
        )
    of = " and ".join(dict.fromkeys(row.version for _, row in chosen))
    _print(table, f"{len(chosen)} models, USD per million tokens, today's ordinary price of {of}")
    return ""


def show_prices(overrides: Sequence[PriceOverride], name: str, *, provider: str, at: str | None) -> str:
    """Print the prices of a model: all of them, or those of one day. Returns one sentence where there is none, or "".

    The model is found as for a span that names it and the provider. Raises `StartError` for what is no day.
    """
    day = _day(at)
    book = PriceBook.load(overrides)
    found = book.model(provider, name)
    if not isinstance(found, PricedModel):
        return _no_model(book, provider, name)
    rows = [row for row in _rows(found, day) if row.refusal is None]
    current = found.active(_nanoseconds(day or datetime.now(UTC).date()))
    named = current if current.model else found.rows[-1]  # nothing applies before the first day of a configured price
    model = f"{shown(named.model)} of {named.provider or 'any provider'}"
    if not rows:
        when = f" on {day}" if day else ""
        return f"{model} has no price by tokens or requests{when}: it is billed by other units, or not yet"
    table = _table("unit", ">USD", "per", "tier", "from", "hours (UTC)", "version")
    for row in rows:
        since = str(row.effective_date or "")
        for unit, tier, rate in _rates(row):
            amount, per = (rate, "request") if unit == REQUESTS else (rate * 10**6, "million tokens")
            table.add_row(_COLUMNS.get(unit, unit), _dollars(amount), per, tier, since, _hours(row), row.version)
    _print(table, f'"{shown(name)}" is priced as {model}\nnames that lead to it: {found.rule}')
    return ""


def _rates(row: PriceRow) -> Iterator[tuple[str, str, int]]:
    """Yield unit, tier and rate, in the order of the usage columns; a model that is listed as free costs 0."""
    rates = row.rates or {USAGE_UNITS[unit]: (0,) for unit in ("input_tokens", "output_tokens")}
    order = list(_COLUMNS)
    for unit in sorted(rates, key=lambda unit: order.index(unit) if unit in order else len(order)):
        for tier, rate in zip(row.tiers, rates[unit], strict=True):
            yield unit, tier, rate


def _rows(model: PricedModel, at: date | None) -> Iterator[PriceRow]:
    """Yield the ordinary rows, then those of each service tier; with a day only what applies at some time of it."""
    for variant in ("", *model.variants):
        rows = model.for_tier(variant).rows
        if at is None:
            applying = list(rows)
        else:
            instants = {_nanoseconds(at) + row.validity.window_start_ns for row in rows}
            active = [model.for_tier(variant).active(instant) for instant in instants]
            applying = [row for row in rows if row in active]
        yield from (row for row in applying if row.variant == variant)


def _no_model(book: PriceBook, provider: str, name: str) -> str:
    wanted = book.provider(provider)
    rows = [model.rows[-1] for model in book.in_force()]
    if wanted and wanted not in {row.provider for row in rows}:
        return _no_provider(provider, {row.provider for row in rows})
    known = {row.model for row in rows if not wanted or row.provider == wanted}
    return f'there is no price for "{shown(name)}"{f" of {wanted}" if wanted else ""}; {_closest(name, known)}'


def _no_provider(provider: str, known: set[str]) -> str:
    return f'the provider "{shown(provider)}" has no prices; {_closest(provider, known)}'


def _closest(name: str, known: set[str]) -> str:
    lower = {other.lower(): other for other in sorted(known)}
    found = difflib.get_close_matches(name.lower(), lower, n=5, cutoff=0.5)
    return f"closest are {', '.join(lower[other] for other in found)}" if found else "no other name is close to it"


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return read_day(text)
    except ValueError as error:
        raise StartError(f'--at "{shown(text)}": {error}') from error


def _nanoseconds(day: date) -> int:
    return (day - date(1970, 1, 1)).days * NANOSECONDS_PER_DAY


def _dollars(amount: int) -> str:
    """Write an amount in 1e-24 USD as USD."""
    return f"{(Decimal(amount) / RATE_SCALE).normalize():f}"


def _hours(row: PriceRow) -> str:
    start, length = row.validity.window_start_ns, row.validity.window_length_ns
    if length == NANOSECONDS_PER_DAY:
        return ""
    first, last = (datetime.min + timedelta(microseconds=ns // 1000) for ns in (start, start + length))
    return f"{first:%H:%M} to {last:%H:%M}"


def _table(*columns: str) -> Table:
    """Return a table with these columns; those that begin with > are numbers."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column.lstrip(">"), justify="right" if column.startswith(">") else "left", no_wrap=True)
    return table


def _print(table: Table, sentence: str) -> None:
    console = Console(highlight=False)
    # Never narrower than its content: a number or a name that is cut reads as another one.
    console.width = max(console.width, console.measure(table, options=console.options.update(width=_WIDEST)).maximum)
    console.print(table)
    console.print(escape(sentence), soft_wrap=True)
