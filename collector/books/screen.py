"""What a person sees of the audit and of repricing."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from exporters.clickhouse.audit import Balance, Check, Key
from exporters.clickhouse.reprice import Change

MOST_PROJECTS = 50
"""Projects that the equation is shown for; those beyond are one line."""

_WIDE = 10_000
"""Width of what goes to a file or a pipe: every row on one line."""

_EQUATION = (
    "received", "rejected", "accepted", "stored", "duplicates", "deleted", "expired", "in the journal", "dead letters",
)  # fmt: skip


@contextmanager
def progress(doing: str) -> Iterator[tuple[Callable[[int], None], Callable[[int], None]]]:
    """Show a bar on standard error, which is gone at the end; yields what sets the total, and what moves the bar on."""
    columns = (TextColumn(doing), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(doing, total=None)
        yield lambda total: bar.update(task, total=total), lambda spans: bar.update(task, advance=spans)


def show_audit(lines: Mapping[Key, Balance], checks: Sequence[Check]) -> None:
    """Print the equation by project, every check, and what differs."""
    if lines:
        _print(_equation(lines))
    table = _table("check", ">compared", ">differ")
    for check in checks:
        table.add_row(escape(check.claim), f"{check.compared:,}", f"{check.differing:,}")
        if check.remark:
            table.add_row(f"  ({escape(check.remark)})", "", "")
    _print(table)
    differing = [check for check in checks if check.differing]
    if not differing:
        _console().print("The books balance.")
        return
    table = _table("differs", "should be", "is")
    for check in differing:
        for one in check.differences:
            table.add_row(escape(one.where), escape(one.expected), escape(one.found))
        if check.differing > len(check.differences):
            table.add_row(f"... and {check.differing - len(check.differences):,} more", "", "")
    _print(table)
    _console().print("The books do not balance.")


def _equation(lines: Mapping[Key, Balance]) -> Table:
    """received = rejected + accepted; accepted = the rest."""
    accepted: Counter[str] = Counter()
    for (project, _), line in lines.items():
        accepted[project] += line.accepted
    largest = {project for project, _ in accepted.most_common(MOST_PROJECTS)}
    sums: dict[str, list[int]] = defaultdict(lambda: [0] * len(_EQUATION))
    for (project, _), line in sorted(lines.items()):
        numbers = (
            line.accepted + line.rejected, line.rejected, line.accepted, line.stored, line.duplicates, line.deleted,
            line.expired, line.waiting, line.refused,
        )  # fmt: skip
        name = project if project in largest else "all others"
        sums[name] = [total + number for total, number in zip(sums[name], numbers, strict=True)]
    table = _table("project", *(f">{name}" for name in _EQUATION))
    for project, totals in sums.items():
        table.add_row(escape(project), *(f"{number:,}" for number in totals))
    return table


def show_repricing(changes: Mapping[str, Change], *, dry_run: bool, waiting: int) -> None:
    """Print what changed by model, and what did not take part."""
    # Also models without a changed span: one that counts no more, because another has a price now, changes the total.
    changes = {model: change for model, change in changes.items() if change != Change()}
    if changes:
        table = _table("model", ">spans", ">old total", ">new total", ">difference")
        total = Change()
        for model, change in sorted(changes.items()):
            table.add_row(escape(model) or "(none)", *_numbers(change))
            total.spans += change.spans
            total.old_total += change.old_total
            total.new_total += change.new_total
        table.add_section()
        table.add_row("all", *_numbers(total))
        _print(table)
        _console().print("USD; totals are those of the spans that count.")
    what = "would change" if dry_run else "changed"
    _console().print(f"Spans that {what}: {sum(change.spans for change in changes.values()):,}.")
    if dry_run:
        _console().print("This was a dry run: nothing was written.")
    if waiting:
        _console().print(f"Requests that wait in the journal, and are priced when they are delivered: {waiting:,}.")


def _numbers(change: Change) -> tuple[str, ...]:
    money = (change.old_total, change.new_total, change.new_total - change.old_total)
    return f"{change.spans:,}", *map(_dollars, money)


def _dollars(amount: Decimal) -> str:
    """All digits that there are, two after the point at least."""
    whole, _, fraction = f"{amount:,.12f}".partition(".")
    return f"{whole}.{fraction.rstrip('0'):0<2}"


def _console() -> Console:
    console = Console(highlight=False, soft_wrap=True)
    return console if console.is_terminal else Console(highlight=False, soft_wrap=True, width=_WIDE)


def _print(table: Table) -> None:
    _console().print(table)


def _table(*columns: str) -> Table:
    """A table with these columns; those that begin with ``>`` hold numbers."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column.lstrip(">"), justify="right" if column.startswith(">") else "left", overflow="fold")
    return table
