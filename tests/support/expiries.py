"""What the store must hold after spans have expired, kept beside it by a plain reference."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from collector.batch import SpanBatch
from collector.settings_retention import Retention as Settings
from exporters.clickhouse.audit import Audit, Journaled
from exporters.clickhouse.audit_expired import check_expired
from exporters.clickhouse.retention import Retention
from exporters.clickhouse.table import records_table, spans_of_traces
from exporters.clickhouse.writing import Writing
from tests.support.books import days_of
from tests.support.spans import DAY, HOUR
from tests.support.store import Database
from tests.unit.exporters.counted import counted_ids
from tests.unit.exporters.traces import Row, latest, reference

NAMES = ("span_count", "input_tokens", "output_tokens", "cost_total", "unpriced_spans", "name", "status")


def retention_of(project: str, **kept: str) -> Settings:
    """Settings by which nothing but one project expires."""
    return Settings.model_validate({"projects": [{"project": project, **kept}]})


def expire(writing: Writing, settings: Settings, today: int) -> int:
    """Let expire what is over on a day since the epoch; return how many rows."""
    return Retention(writing, settings, now=lambda: today * DAY + HOUR).expire()


class BooksWithExpiries:
    """What one project must hold of its spans and traces, and what its ledger must say."""

    def __init__(self, database: Database, project: str) -> None:
        self._database = database
        self.project = project
        self._rows: list[Row] = []
        self._accepted: Counter[int] = Counter()
        self._duplicates: Counter[int] = Counter()
        self._deleted: Counter[int] = Counter()
        self._expired: Counter[int] = Counter()
        self._first_kept = 0
        self._older: dict[str, Row] = {}
        """Rows of traces of which spans have expired."""
        self._gone: set[str] = set()

    def remember(self, arriving: SpanBatch) -> None:
        """Expect the spans of this batch."""
        rows = spans_of_traces(records_table(arriving)).to_pylist()
        self._accepted += days_of(rows)
        deleted = [row for row in rows if row["trace_id"] in self._gone]
        rows = [row for row in rows if row["trace_id"] not in self._gone]
        kept = [
            row for row in rows if row["start_time"] // DAY >= self._first_kept and row["trace_id"] not in self._older
        ]
        self._deleted += days_of(deleted)
        self._expired += days_of(rows) - days_of(kept)
        before = 1 + max((row["position"] for row in self._rows), default=0)
        self._rows += [{**row, "position": before + number} for number, row in enumerate(kept)]

    def expire(self, today: int, spans: int, traces: int | None = None) -> None:
        """Let expire what is older than so many days."""
        first_kept = today - spans
        over = [row for row in self._standing(self._rows) if row["start_time"] // DAY < first_kept]
        if over:
            self._first_kept = max(self._first_kept, 1 + max(row["start_time"] // DAY for row in over))
            for row in reference([one for one in self._rows if one["trace_id"] not in self._older], {}):
                if int(row["start_time"]) // DAY < self._first_kept:
                    self._older[row["trace_id"]] = row
            self._expired += days_of(over)
            ids = {(row["trace_id"], row["span_id"]) for row in over}
            gone = [row for row in self._rows if (row["trace_id"], row["span_id"]) in ids]
            self._duplicates += days_of(gone) - days_of(over)
            self._rows = [row for row in self._rows if (row["trace_id"], row["span_id"]) not in ids]
        first_kept = today - (spans if traces is None else traces)
        self._older = {
            trace: row for trace, row in self._older.items() if int(row["last_start_time"]) // DAY >= first_kept
        }

    def delete(self, trace_ids: Iterable[str]) -> None:
        """Delete traces that are there."""
        ids = set(trace_ids)
        removed = [row for row in self._rows if row["trace_id"] in ids]
        standing = self._standing(removed)
        self._deleted += days_of(standing)
        self._duplicates += days_of(removed) - days_of(standing)
        self._rows = [row for row in self._rows if row["trace_id"] not in ids]
        self._older = {trace: row for trace, row in self._older.items() if trace not in ids}
        self._gone |= ids

    def traces(self) -> set[str]:
        """The traces that have a row."""
        return {row["trace_id"] for row in self._rows} | set(self._older)

    def check(self) -> None:
        """Compare every span, every decision of whole traces, every trace and the ledger."""
        standing = self._standing(self._rows)
        found = self._ask("SELECT trace_id, span_id, counts FROM spans FINAL WHERE project = {p:String}")
        assert {(row["trace_id"], row["span_id"]) for row in found} == {(r["trace_id"], r["span_id"]) for r in standing}
        assert len(found) == len(standing), "one row a span"
        whole = {trace: spans for trace, spans in latest(self._rows).items() if trace not in self._older}
        counted = {(trace, one): one in counted_ids(spans) for trace, spans in whole.items() for one in spans}
        assert {(r["trace_id"], r["span_id"]): r["counts"] for r in found if r["trace_id"] in whole} == counted
        rows = {row["trace_id"]: row for row in reference([r for r in self._rows if r["trace_id"] in whole], {})}
        traces = self._ask(f"SELECT trace_id, {', '.join(NAMES)} FROM traces FINAL WHERE project = {{p:String}}")
        assert {row["trace_id"]: [row[name] for name in NAMES] for row in traces} == {
            trace: [row[name] for name in NAMES] for trace, row in {**rows, **self._older}.items()
        }
        self._check_ledger(days_of(standing))

    def _check_ledger(self, standing: Counter[int]) -> None:
        left = days_of(self._rows)
        expected = {
            day: (count, self._duplicates[day] + left[day] - standing[day], self._deleted[day], self._expired[day])
            for day, count in self._accepted.items()
        }
        found = self._ask(
            "SELECT toUInt32(day) AS number, sum(accepted) AS a, sum(duplicates) AS b, sum(deleted) AS c, sum(expired) AS d"
            " FROM ledger FINAL WHERE project = {p:String} GROUP BY day"
        )
        assert {row["number"]: (row["a"], row["b"], row["c"], row["d"]) for row in found} == expected
        for day, (accepted, *others) in expected.items():
            assert accepted == standing[day] + sum(others)

    @staticmethod
    def _standing(rows: list[Row]) -> list[Row]:
        return [one for by_id in latest(rows).values() for one in by_id.values()]

    def _ask(self, sql: str) -> list[Any]:
        return self._database.rows(sql, p=self.project)


def audited(database: Database, project: str) -> list[str]:
    """What the audit finds to differ in one project."""
    audit = Audit(database.connection, lambda spans: None)
    balance, lines = audit.balance(Journaled())
    checks = [balance, *audit.traces(), check_expired(database.connection)]
    of_project = [line for key, line in lines.items() if key[0] == project]
    differ = [
        one.where for check in checks for one in check.differences if one.where.split(",")[0].split(":")[0] == project
    ]
    return differ + [str(line) for line in of_project if line.accepted != line.accounted]
