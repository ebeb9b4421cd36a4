"""The ledger: what came in and what became of it, entered batch by batch before the spans are stored.

Rejected spans are known when a request is decoded, and nothing of a request that is rejected whole is kept: their
numbers wait in memory for the next entry. A crash forgets those of the last moment, on both sides of the equation.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from collector.errors import Permanent
from exporters.clickhouse.arrival import Arrival
from exporters.clickhouse.arrow import command, query
from exporters.clickhouse.client import Handle
from exporters.clickhouse.tree import Ints

_DAY = 86_400 * 10**9


@dataclass
class _Line:
    """The numbers of one project and day."""

    accepted: int = 0
    duplicates: int = 0
    deleted: int = 0
    expired: int = 0
    rejected: Counter[str] = field(default_factory=Counter)


class Ledger:
    """Writes entries through one handle, in the thread of the exporter; rejected spans are counted in any thread."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle
        self._lock = threading.Lock()
        self._rejected: Counter[tuple[str, int, str]] = Counter()

    def count_rejected(self, project: str, received_at_ns: int, reasons: Mapping[str, int]) -> None:
        """Count spans that were rejected, for the next entry; `received_at_ns` is Unix time in ns."""
        with self._lock:
            for reason, count in reasons.items():
                self._rejected[project, received_at_ns // _DAY, reason] += count

    def is_entered(self, entry: str, *, or_withdrawn: bool = True) -> bool:
        """Say whether the entry was written before. Raises `Retryable`.

        Raises `Permanent` if it was withdrawn since; not `or_withdrawn`: then it counts as not written.
        """
        with self._handle.doing("reading the ledger in ClickHouse") as connection:
            found = query(connection, "ledger_entry.sql", {"entry": entry}).to_pylist()[0]
        withdrawn = bool(found["lines"]) and not found["accepted"]
        if withdrawn and or_withdrawn:
            raise Permanent("the store refused this batch before the collector was restarted")
        return bool(found["lines"]) and not withdrawn

    def enter(self, entry: str, arrivals: Iterable[Arrival]) -> None:
        """Write what arrived, and all rejected spans that wait. Raises `Retryable` or `Permanent`."""
        self._write(entry, _lines(arrivals))

    def enter_again(self, entry: str, arrivals: Iterable[Arrival]) -> None:
        """Write anew what arrived, in place of the entry that there is; what it says of rejected spans stays."""
        lines = _lines(arrivals)
        with self._handle.doing("reading the ledger in ClickHouse") as connection:
            for row in query(connection, "ledger_rejected.sql", {"entry": entry}).to_pylist():
                rejected = Counter(dict(zip(row["reasons"], row["counts"], strict=True)))
                lines[row["project"], row["day"]].rejected += rejected
        self._insert(entry, lines)

    def has(self, entry: str) -> bool:
        """Say whether there is such an entry, whatever it counts. Raises `Retryable` or `Permanent`."""
        with self._handle.doing("reading the ledger in ClickHouse") as connection:
            return bool(query(connection, "ledger_entry.sql", {"entry": entry})["lines"][0].as_py())

    def enter_deleted(self, entry: str, project: str, spans: Mapping[int, int]) -> None:
        """Write how many spans were deleted, by day since the epoch. Raises `Retryable` or `Permanent`."""
        if lines := {(project, day): _Line(deleted=count) for day, count in spans.items()}:
            self._insert(entry, lines)

    def enter_expired(self, entry: str, spans: Mapping[tuple[str, int], int]) -> None:
        """Write how many spans have expired, by project and day since the epoch. Raises `Retryable` or `Permanent`."""
        self._insert(entry, {key: _Line(expired=count) for key, count in spans.items()})

    def withdraw(self, entry: str) -> None:
        """Take back that the spans of an entry went to the store. Raises `Retryable` or `Permanent`."""
        with self._handle.doing("correcting the ledger in ClickHouse") as connection:
            command(connection, "withdraw_entry.sql", {"entry": entry})

    @property
    def waits(self) -> bool:
        """Whether rejected spans wait for an entry."""
        return bool(self._rejected)

    def flush(self) -> None:
        """Enter the rejected spans that still wait. Raises `Retryable` or `Permanent`."""
        if self._rejected:
            self._write(f"rejected until {time.time_ns()}", defaultdict(_Line))

    def _write(self, entry: str, lines: defaultdict[tuple[str, int], _Line]) -> None:
        with self._lock:
            waiting, self._rejected = self._rejected, Counter()
        for (project, day, reason), count in waiting.items():
            lines[project, day].rejected[reason] += count
        try:
            self._insert(entry, lines)
        except BaseException:
            with self._lock:
                self._rejected += waiting
            raise

    def _insert(self, entry: str, lines: Mapping[tuple[str, int], _Line]) -> None:
        reasons = [sorted(line.rejected) for line in lines.values()]
        parameters = {
            "entry": entry,
            "projects": [project for project, _ in lines],
            "days": [day for _, day in lines],
            "accepted": [line.accepted for line in lines.values()],
            "duplicates": [line.duplicates for line in lines.values()],
            "deleted": [line.deleted for line in lines.values()],
            "expired": [line.expired for line in lines.values()],
            "reasons": reasons,
            "rejected": [
                [line.rejected[one] for one in named] for line, named in zip(lines.values(), reasons, strict=True)
            ],
        }
        with self._handle.doing("writing the ledger in ClickHouse") as connection:
            command(connection, "insert_ledger.sql", parameters)


def _lines(arrivals: Iterable[Arrival]) -> defaultdict[tuple[str, int], _Line]:
    lines: defaultdict[tuple[str, int], _Line] = defaultdict(_Line)
    for arrival in arrivals:
        for day, count in _by_day(arrival.received):
            lines[arrival.project, day].accepted += count
        for day, count in _by_day(arrival.given_way):
            lines[arrival.project, day].duplicates += count
        for day, count in _by_day(arrival.deleted):
            lines[arrival.project, day].deleted += count
        for day, count in _by_day(arrival.expired):
            lines[arrival.project, day].expired += count
    return lines


def _by_day(times: Ints) -> Iterable[tuple[int, int]]:
    """Number of the day since the epoch, and how many of these times (ns) lie in it."""
    days, counts = np.unique(times // _DAY, return_counts=True)
    return zip(days.tolist(), counts.tolist(), strict=True)
