"""What the store must hold after deletions, kept beside it by a plain reference."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from collector.batch import SpanBatch
from exporters.clickhouse import ClickHouseEditor
from exporters.clickhouse.table import records_table, spans_of_traces
from tests.support.books import Books, days_of
from tests.support.spans import NOON
from tests.support.store import Database
from tests.unit.exporters.traces import Row, latest

OWNERS = {"session": "session_id", "user": "user_id"}
LATER = NOON + 3 * 365 * 86_400 * 10**9
"""After every deletion that a test makes."""


class BooksWithDeletions(Books):
    """`Books` of which traces, sessions and users are deleted."""

    def __init__(self, database: Database, project: str) -> None:
        super().__init__(database, project)
        self._accepted: Counter[int] = Counter()
        self._deleted: Counter[int] = Counter()
        self._duplicates: Counter[int] = Counter()
        self._gone: set[str] = set()
        self._gone_owners: set[tuple[str, str]] = set()

    def remember(self, arriving: SpanBatch) -> None:
        """Expect the spans of this batch, but for those of deleted traces."""
        rows = spans_of_traces(records_table(arriving)).to_pylist()
        self._accepted += days_of(rows)
        before, known = len(self._rows), [row for row in rows if row["trace_id"] not in self._gone]
        self._rows += [{**row, "position": before + number} for number, row in enumerate(known)]
        belonging = {one for owner in self._gone_owners for one in self._traces_of(owner)}
        self._rows = self._rows[:before]
        self._remove(belonging)
        kept = [row for row in known if row["trace_id"] not in belonging]
        before = 1 + max((row["position"] for row in self._rows), default=0)
        self._rows += [{**row, "position": before + number} for number, row in enumerate(kept)]
        self._deleted += days_of(rows) - days_of(kept)

    def delete_traces(self, editor: ClickHouseEditor, ids: Sequence[str]) -> None:
        """Delete traces, here and there."""
        found = {one for one in ids if one in latest(self._rows)}
        assert editor.delete_traces(self._project, ids) == len(found)
        self._remove(found)

    def delete_owner(self, editor: ClickHouseEditor, what: str, name: str) -> None:
        """Delete a session or a user, here and there."""
        found = self._traces_of((what, name))
        delete = editor.delete_session if what == "session" else editor.delete_user
        assert delete(self._project, name) == len(found)
        self._gone_owners.add((what, name))
        self._remove(found)

    def check(self) -> None:
        """Compare all that is stored, and look for what must not be there in every table."""
        super().check()
        for table in tables_of_traces(self._database):
            sql = f"SELECT count() FROM {table} WHERE project = {{p:String}} AND trace_id IN {{ids:Array(String)}}"
            assert self._database.value(sql, p=self._project, ids=sorted(self._gone)) == 0, table

    def expected_ledger(self, standing: list[Row]) -> dict[int, tuple[int, ...]]:
        """What `ledger` must return while these rows stand."""
        duplicates = self._duplicates + (days_of(self._rows) - days_of(standing))
        return {day: (count, duplicates[day], self._deleted[day]) for day, count in self._accepted.items()}

    def ledger(self) -> dict[int, tuple[int, ...]]:
        """Accepted, duplicate and deleted spans by day since the epoch."""
        found = self._database.rows(
            "SELECT toUInt32(day) AS number, sum(accepted) AS a, sum(duplicates) AS b, sum(deleted) AS c FROM ledger FINAL"
            " WHERE project = {p:String} GROUP BY day",
            p=self._project,
        )
        return {row["number"]: (row["a"], row["b"], row["c"]) for row in found}

    def _traces_of(self, owner: tuple[str, str]) -> set[str]:
        what, name = owner
        return {
            trace_id
            for trace_id, spans in latest(self._rows).items()
            if min(span["start_time"] for span in spans.values()) < LATER
            and any(span[OWNERS[what]] == name for span in spans.values())
        }

    def _remove(self, trace_ids: set[str]) -> None:
        removed = [row for row in self._rows if row["trace_id"] in trace_ids]
        standing = [one for by_id in latest(removed).values() for one in by_id.values()]
        self._deleted += days_of(standing)
        self._duplicates += days_of(removed) - days_of(standing)
        self._rows = [row for row in self._rows if row["trace_id"] not in trace_ids]
        self._gone |= trace_ids


def tables_of_traces(database: Database) -> list[str]:
    """Every table and view that has trace ids and projects, whichever there are."""
    sql = (
        "SELECT table FROM system.columns WHERE database = currentDatabase() AND name IN ('trace_id', 'project')"
        " GROUP BY table HAVING count() = 2 ORDER BY table"
    )
    return [str(row["table"]) for row in database.rows(sql)]


def held(database: Database, project: str, trace: int, *, also_on_disk: bool = False) -> dict[str, Any]:
    """How many rows every table and view has of a trace, where it has any; `also_on_disk`: also those that nothing shows."""
    counts = {}
    for table in tables_of_traces(database):
        sql = f"SELECT count() FROM {table} WHERE project = {{p:String}} AND trace_id = {{t:String}}"
        if also_on_disk:
            sql += " SETTINGS apply_deleted_mask = 0"
        counts[table] = database.value(sql, p=project, t=f"{trace:032x}")
    return {table: count for table, count in counts.items() if count}
