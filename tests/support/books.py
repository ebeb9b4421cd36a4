"""What the store must hold, kept beside it by a plain reference; and a client that fails where it is told to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from collector.batch import SpanBatch
from exporters.clickhouse import ClickHouseExporter
from exporters.clickhouse.client import Handle
from exporters.clickhouse.connection import Connection, statement
from exporters.clickhouse.table import records_table, spans_of_traces
from exporters.clickhouse.writing import Writing
from tests.support.spans import DAY
from tests.support.store import Database
from tests.unit.exporters.counted import counted_ids
from tests.unit.exporters.traces import Row, latest, reference


class Books:
    """What one project must hold, kept beside the database by the plain reference; `check` compares the two."""

    def __init__(self, database: Database, project: str) -> None:
        self._database = database
        self._project = project
        self._rows: list[Row] = []

    def write(self, exporter: ClickHouseExporter, arriving: SpanBatch, token: str, *, again: bool = False) -> None:
        """Write a batch, and remember it."""
        self.remember(arriving)
        exporter.write(arriving, token, again=again)

    def remember(self, arriving: SpanBatch) -> None:
        """Expect the spans of this batch."""
        rows = spans_of_traces(records_table(arriving)).to_pylist()
        self._rows += [{**row, "position": len(self._rows) + number} for number, row in enumerate(rows)]

    def check(self) -> None:
        """Compare every decision, every trace, the sums and the ledger."""
        traces = latest(self._rows)
        standing = [one for by_id in traces.values() for one in by_id.values()]
        counted = {(trace, one): one in counted_ids(by_id) for trace, by_id in traces.items() for one in by_id}
        found = self._ask("SELECT trace_id, span_id, counts FROM spans FINAL WHERE project = {p:String}")
        assert {(row["trace_id"], row["span_id"]): row["counts"] for row in found} == counted
        assert len(found) == len(counted), "one row a span"
        self._check_traces()
        assert self.ledger() == self.expected_ledger(standing)

    def expected_ledger(self, standing: list[Row]) -> dict[int, tuple[int, ...]]:
        """What `ledger` must return while these rows stand."""
        days = (days_of(self._rows), days_of(standing))
        return {day: (days[0][day], days[0][day] - days[1][day]) for day in days[0]}

    def _check_traces(self) -> None:
        expected = {row["trace_id"]: row for row in reference(self._rows, {})}
        names = ("span_count", "input_tokens", "output_tokens", "cost_total", "unpriced_spans", "name", "status")
        found = self._ask(f"SELECT trace_id, {', '.join(names)} FROM traces FINAL WHERE project = {{p:String}}")
        assert {row["trace_id"]: [row[name] for name in names] for row in found} == {
            trace_id: [row[name] for name in names] for trace_id, row in expected.items()
        }
        (sums,) = self._ask(
            "SELECT sumIf(cost_total, counts) AS cost, sumIf(input_tokens, counts) AS tokens FROM spans FINAL"
            " WHERE project = {p:String}"
        )
        costs = [row["cost_total"] for row in found if row["cost_total"] is not None]
        assert (sums["cost"], sums["tokens"] or 0) == (
            sum(costs) if costs else None,
            sum(row["input_tokens"] for row in found),
        )

    def ledger(self) -> dict[int, tuple[int, ...]]:
        """Accepted spans and duplicates by day since the epoch."""
        found = self._ask(
            "SELECT toUInt32(day) AS number, sum(accepted) AS a, sum(duplicates) AS d FROM ledger FINAL"
            " WHERE project = {p:String} GROUP BY day"
        )
        return {row["number"]: (row["a"], row["d"]) for row in found}

    def _ask(self, sql: str) -> list[Row]:
        return self._database.rows(sql, p=self._project)


def days_of(rows: Iterable[Row]) -> Counter[int]:
    """Count spans by the day of their start, since the epoch."""
    return Counter(one["start_time"] // DAY for one in rows)


class FailingConnection:
    """Fails instead of running the statement with this number, as if the process had ended before it.

    Looking whether anything was ever deleted or has expired, which happens at any time, is not counted.
    """

    _LOOKS = tuple(map(statement, ("kinds_of_deletions.sql", "expired_until.sql", "unfinished_expiries.sql")))

    def __init__(self, connection: Connection, fail_at: int, error: Exception) -> None:
        self._connection = connection
        self._left = fail_at
        self._error = error

    def __getattr__(self, name: str) -> Any:
        if name in ("command", "change", "insert", "query"):
            return partial(self._run, getattr(self._connection, name))
        return getattr(self._connection, name)

    def _run(self, run: Callable[..., Any], sql: str, *arguments: Any, **named: Any) -> Any:
        self._left -= sql not in self._LOOKS
        if self._left == 0:
            raise self._error
        return run(sql, *arguments, **named)


def failing_writing(database: Database, fail_at: int, error: Exception) -> Writing:
    """A handle whose statement with this number fails, and its lock."""
    return Writing(Handle(lambda: FailingConnection(database.connect(), fail_at, error)))  # type: ignore[arg-type]
