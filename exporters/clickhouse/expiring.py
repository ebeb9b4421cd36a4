"""The expiry of rows whose time to be kept is over, a partition at a time, in steps that can each be repeated.

What expires is noted first, on the disk, with the number of rows; spans are entered in the ledger under the name of the note;
then the rows are deleted; then the note says so. If nothing else is in the partition, it is dropped whole, else the rows
get marks, as deleted ones do, and leave the files as `removal` tells. An expiry that ends anywhere between is completed by
`complete`.

From the note on, the days that it names are closed for its project: see `late`.
"""

from __future__ import annotations

import secrets
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any, Literal

import pyarrow as pa

from exporters.clickhouse.arrow import change, command, insert, query, query_parts
from exporters.clickhouse.client import Handle
from exporters.clickhouse.connection import Connection
from exporters.clickhouse.ledger import Ledger

NOTED, EXPIRED, REMOVED = 0, 1, 2
"""The steps of an expiry: see the column `step`."""

DAY = 86_400 * 10**9

BESIDE_TRACES = ("feedback", "approvals", "trace_tags")
"""Tables whose rows go with the row of their trace."""


@dataclass(frozen=True)
class Kept:
    """A table whose rows are kept for some time."""

    name: str
    kind: Literal["spans", "traces", "logs", "metrics"]
    """The setting that says how long."""
    time: str
    """The column that says of when a row is."""


SPANS, TRACES = Kept("spans", "spans", "start_time"), Kept("traces", "traces", "last_start_time")

TABLES: Mapping[str, Kept] = {
    one.name: one
    for one in (
        # Spans first: a trace row never goes before the spans that it tells of.
        SPANS,
        Kept("span_content", "spans", "time"),
        Kept("evaluations", "spans", "time"),
        Kept("span_references", "spans", "start_time"),
        TRACES,
        Kept("logs", "logs", "time"),
        Kept("metrics", "metrics", "time"),
    )
}
"""By name."""


@dataclass(frozen=True)
class _Noted:
    """One expiry, as the table `expiries` has it. Days are counted since the epoch."""

    entry: str
    table: Kept
    partition: str
    untils: Mapping[str, int]
    """By project: the first day that is kept."""
    rows: Mapping[str, int]
    """By project: how many rows expire."""

    @property
    def parts(self) -> dict[str, str]:
        """What its statements hold."""
        return {"/*table*/": self.table.name, "/*time*/": self.table.time}

    def columns(self) -> pa.Table:
        """Return it as the rows of the table."""
        count = len(self.untils)
        return pa.table(
            {
                "entry": pa.array([self.entry] * count),
                "table": pa.array([self.table.name] * count),
                "partition": pa.array([self.partition] * count),
                "project": pa.array(self.untils),
                "until": pa.array(self.untils.values(), pa.int32()).cast(pa.date32()),
                "rows": pa.array([self.rows[project] for project in self.untils], pa.uint64()),
                "noted_at": pa.array([time.time_ns() // 1000] * count, pa.timestamp("us", "UTC")),
                "step": pa.array([NOTED] * count, pa.uint8()),
            }
        )


class Expiring:
    """Lets rows expire through the handle that writes; used under its lock. Methods raise `Retryable` or `Permanent`."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle
        self._ledger = Ledger(handle)
        self._first_kept: Mapping[str, int] | None = None
        self._interrupted = True

    def forget(self) -> None:
        """Look again at what has expired, and whether that was interrupted: by another process."""
        self._first_kept = None
        self._interrupted = True

    def first_kept(self, project: str) -> int:
        """Return before which start (ns since the epoch) the spans of a project have expired, for good; 0: none have."""
        if self._first_kept is None:
            with self._handle.doing("reading what has expired in ClickHouse") as connection:
                self._first_kept = first_kept(connection)
        return self._first_kept.get(project, 0)

    def partitions(self, table: Kept, before: int) -> list[str]:
        """Return the partitions of a table that may hold rows of days before this one, the oldest first."""
        first = str(pa.scalar(before - 1, pa.int32()).cast(pa.date32())).replace("-", "")
        with self._handle.doing("looking for partitions in ClickHouse") as connection:
            found = query_parts(connection, "partitions.sql", {"table": table.name})["id"].to_pylist()
        # 20260131, 202601, or all.
        return sorted({one for one in found if not one.isdigit() or one <= first[: len(one)]})

    def expire(self, table: Kept, partition: str, until: Callable[[str], int]) -> int:
        """Let rows of a partition expire; return how many. `until` says of a project which day is the first to be kept."""
        noted = self._noted(table, partition, until)
        if not noted.untils:
            return 0
        self._interrupted = True
        self._first_kept = None
        with self._handle.doing("noting in ClickHouse what expires") as connection:
            insert(connection, "insert_expiries.sql", noted.columns(), {})
        self._carry_out(noted)
        self._interrupted = False
        return sum(noted.rows.values())

    def complete(self, through: int = NOTED) -> None:
        """Complete what was interrupted; `through` `EXPIRED`: repeat also what was not, as `Deleting.complete`."""
        if through == NOTED and not self._interrupted:
            return
        for noted, step in self._unfinished(through):
            if step == NOTED:
                self._carry_out(noted)
            else:
                self._delete_rows(noted)
        self._interrupted = False

    def unfinished(self, through: int) -> list[str]:
        """Return the expiries that have not come further than this step."""
        return [noted.entry for noted, _ in self._unfinished(through)]

    def mark(self, entry: str, step: int) -> None:
        """Note that an expiry has come as far as this step."""
        with self._handle.doing("noting in ClickHouse what has expired") as connection:
            command(connection, "mark_expiry.sql", {"entry": entry, "step": step})

    # --- one expiry ---------------------------------------------------------------------------------------------------

    def _noted(self, table: Kept, partition: str, until: Callable[[str], int]) -> _Noted:
        """Look up what is to expire, of which projects."""
        parts = {"/*table*/": f"{table.name} FINAL" if table is SPANS else table.name, "/*time*/": table.time}
        with self._handle.doing("counting in ClickHouse what expires") as connection:
            found = query(connection, "rows_by_day.sql", {"partition": partition}, parts).to_pylist()
        rows: dict[str, int] = defaultdict(int)
        untils: dict[str, int] = {}
        for row in found:
            project, day = row["project"], row["day"]
            if day < until(project):
                rows[project] += row["rows"]
                # Of spans, no more is closed than is entered: the day of the partition.
                untils[project] = day + 1 if table is SPANS else until(project)
        entry = f"expiry of {table.name} {partition} {time.time_ns()} {secrets.token_hex(4)}"
        return _Noted(entry, table, partition, untils, rows)

    def _unfinished(self, through: int) -> list[tuple[_Noted, int]]:
        with self._handle.doing("reading in ClickHouse what expires") as connection:
            found = query(connection, "unfinished_expiries.sql", {"step": through}).to_pylist()
        entries = [(entry, list(rows)) for entry, rows in groupby(found, itemgetter("entry"))]
        return [(_read(entry, rows), rows[0]["step"]) for entry, rows in entries]

    def _carry_out(self, noted: _Noted) -> None:
        if noted.table is SPANS:
            # Nothing was changed since the note: the same is entered, also a second time.
            days = {(project, until - 1): noted.rows[project] for project, until in noted.untils.items()}
            self._ledger.enter_expired(noted.entry, days)
        self._delete_rows(noted)
        self.mark(noted.entry, EXPIRED)

    def _delete_rows(self, noted: _Noted) -> None:
        with self._handle.doing("deleting from ClickHouse what has expired") as connection:
            if noted.table is TRACES:
                for table in BESIDE_TRACES:
                    _delete_of_traces(connection, noted, table)
            untils = {"projects": list(noted.untils), "untils": list(noted.untils.values())}
            stay = query(connection, "rows_that_stay.sql", {"partition": noted.partition, **untils}, noted.parts)
            if not stay["rows"][0].as_py():
                if noted.table is TRACES:
                    _delete_of_traces(connection, noted, "traces", elsewhere=True)
                change(connection, "drop_partition.sql", {"partition": noted.partition}, noted.parts)
            elif noted.table is TRACES:
                _delete_of_traces(connection, noted, "traces")
            else:
                for project, until in noted.untils.items():
                    where = {"partition": noted.partition, "project": project, "until": until * DAY}
                    change(connection, "expire_rows.sql", where, noted.parts)


def first_kept(connection: Connection) -> Mapping[str, int]:
    """Return by project before which start (ns since the epoch) its spans have expired, or are about to."""
    found = query(connection, "expired_until.sql", {})
    days = zip(found["project"].to_pylist(), found["until"].to_pylist(), strict=True)
    return {project: until * DAY for project, until in days}


def _read(entry: str, rows: Sequence[Mapping[str, Any]]) -> _Noted:
    """Return an expiry from its rows in the table."""
    untils, counts = ({row["project"]: row[name] for row in rows} for name in ("until", "rows"))
    return _Noted(entry, TABLES[rows[0]["table"]], rows[0]["partition"], untils, counts)


def _delete_of_traces(connection: Connection, noted: _Noted, table: str, *, elsewhere: bool = False) -> None:
    """Delete what a table holds of expired traces; `elsewhere`: only in other partitions of `traces` than this one.

    An older row of a trace may lie in the partition of a later month, and would come to light there.
    """
    parts = {"/*table*/": table}
    if elsewhere:
        parts["/*, and*/"] = "\n    AND _partition_id != {partition:String}"
    for project, until in noted.untils.items():
        where = {"partition": noted.partition, "project": project, "until": until * DAY}
        change(connection, "expire_traces.sql", where, parts)
