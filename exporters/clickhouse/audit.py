"""Whether the books balance: what is stored, compared with what was entered and with itself computed anew.

Nothing is changed. Everything is read a portion at a time: a day of spans, or some thousand traces.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from exporters.clickhouse.arrow import HexIds, query, query_parts
from exporters.clickhouse.connection import Connection, statement
from exporters.clickhouse.counting import Forest, forest, reports
from exporters.clickhouse.expired import Expired
from exporters.clickhouse.half_deleted import HalfDeleted
from exporters.clickhouse.portions import Portion, differences, portions, read_portion
from exporters.clickhouse.rollup import trace_rows
from exporters.clickhouse.tags import tag_edits, with_edits
from exporters.clickhouse.tombstones import TRACE

SHOWN = 20
"""Differences that a check keeps for showing; all are counted."""

_TIMES = frozenset({"start_time", "last_start_time", "end_time"})

Advance = Callable[[int], None]
"""Told how many spans have been compared since it was last told."""

Key = tuple[str, date]
"""Project and UTC day."""


@dataclass(frozen=True)
class Difference:
    """One thing that is not as it must be."""

    where: str
    expected: str
    found: str


@dataclass
class Check:
    """One comparison: what it says if all agree, how many were compared, and what differs."""

    claim: str
    compared: int = 0
    differing: int = 0
    differences: list[Difference] = field(default_factory=list)
    remark: str = ""

    def differ(self, where: str, expected: object, found: object) -> None:
        """Note a difference."""
        self.differing += 1
        if len(self.differences) < SHOWN:
            self.differences.append(Difference(where, str(expected), str(found)))


@dataclass
class Balance:
    """The equation of one project and day, in spans."""

    accepted: int = 0
    rejected: int = 0
    duplicates: int = 0
    deleted: int = 0
    expired: int = 0
    stored: int = 0
    waiting: int = 0
    """In the journal, not in the store: entered in the ledger or not."""
    refused: int = 0
    """Kept aside in the journal because the store will never take them."""

    @property
    def accounted(self) -> int:
        """What became of the accepted spans."""
        return self.stored + self.duplicates + self.deleted + self.expired + self.waiting + self.refused


@dataclass(frozen=True)
class Journaled:
    """What the journal holds, in spans by project and UTC day of their start."""

    waiting: Counter[Key] = field(default_factory=Counter)
    """Not entered in the ledger yet."""
    refused: Counter[Key] = field(default_factory=Counter)
    """Dead letters: never entered."""
    begun: Sequence[pa.Table] = ()
    """Batches that are entered in the ledger and may be stored in part: project, trace_id, span_id, start_time (ns)."""
    begun_tokens: Sequence[str] = ()
    """The tokens of these batches."""
    begun_spans: Counter[Key] = field(default_factory=Counter)
    """All spans of these batches. If the store refused one, some of its parts may not be entered yet."""
    dropped: Counter[Key] = field(default_factory=Counter)
    """Spans of dead letters that were dropped: never entered."""


class Audit:
    """One audit of one database, through a connection that serves nothing else meanwhile."""

    def __init__(self, connection: Connection, advance: Advance) -> None:
        self._connection = connection
        self._advance = advance
        self._half_deleted = HalfDeleted.of(connection)
        self._expired = Expired.of(connection)
        self._stored: dict[str, dict[str, Any]] = defaultdict(_nothing)
        """By project: standing spans and sums of what counts, as SQL gives them, of traces of which no span has expired."""

    def spans(self) -> int:
        """Return how many spans will be compared, for those who show the progress: each twice."""
        return 2 * sum(portion.spans for portion in portions(self._connection))

    def entered(self, batches: Sequence[str]) -> set[str]:
        """Return which of these batches (their tokens) are entered in the ledger."""
        if not batches:
            return set()
        found = query(self._connection, "entered_batches.sql", {"batches": HexIds(batches)})
        return set(found["batch"].to_pylist())

    # --- the equation -------------------------------------------------------------------------------------------------

    def balance(self, journaled: Journaled) -> tuple[Check, dict[Key, Balance]]:
        """Compare what was accepted with what became of it, by project and day."""
        lines: dict[Key, Balance] = defaultdict(Balance)
        for row in query(self._connection, "ledger_by_day.sql", {}).to_pylist():
            line = lines[row["project"], row["day"]]
            for name in ("accepted", "rejected", "duplicates", "deleted", "expired"):
                setattr(line, name, int(row[name]))
        for row in self._stored_by_day():
            lines[row["project"], row["day"]].stored = int(row["stored"])
        for key, count in journaled.waiting.items():
            lines[key].accepted += count
            lines[key].waiting += count
        for key, count in journaled.refused.items():
            lines[key].accepted += count
            lines[key].refused += count
        for key, count in journaled.dropped.items():
            lines[key].accepted += count
            lines[key].deleted += count
        for key, count in (journaled.begun_spans - self._entered_of(journaled.begun_tokens)).items():
            lines[key].accepted += count
        for key, count in self._missing(journaled.begun).items():
            lines[key].waiting += count
        check = Check("every accepted span is stored, a duplicate, deleted, expired, or in the journal")
        for (project, day), line in sorted(lines.items()):
            check.compared += line.accepted
            if line.accepted != line.accounted:
                check.differ(f"{project}, {day}", f"{line.accepted} accepted", f"{line.accounted} accounted for")
        return check, dict(lines)

    def _entered_of(self, batches: Sequence[str]) -> Counter[Key]:
        """Count what is entered as accepted of these batches and their parts."""
        if not batches:
            return Counter()
        found = query(self._connection, "entered_of_batches.sql", {"batches": HexIds(batches)})
        return Counter({(row["project"], row["day"]): int(row["accepted"]) for row in found.to_pylist()})

    def _stored_by_day(self) -> Iterable[dict[str, Any]]:
        entries = self._half_deleted.entries
        of_deleted = f"\n{statement('not_half_deleted.sql')}" if entries else ""
        parts = {"/*, and*/": of_deleted + self._expired.condition, **self._expired.whole}
        partitions = query_parts(self._connection, "partitions.sql", {"table": "spans"})["id"]
        for partition in sorted(set(partitions.to_pylist())):
            parameters = {"partition": partition, "half_deleted": list(entries), **self._expired.parameters}
            for row in query(self._connection, "stored_of_day.sql", parameters, parts).to_pylist():
                total = self._stored[row["project"]]
                for name in total:
                    total[name] += row[name] or 0
                self._advance(int(row["stored"]))
                yield row

    def _missing(self, begun: Sequence[pa.Table]) -> Counter[Key]:
        """Count the spans of unfinished batches that are not stored, and will be: not deleted or expired ones.

        Deletions and expiries wait for the end of a batch: the ledger has those as such, in the entry of either.
        """
        missing: Counter[Key] = Counter()
        for batch in begun:
            for project in pc.unique(batch["project"]).to_pylist():
                spans = batch.filter(pc.equal(batch["project"], project))
                bounds = pc.min_max(spans["start_time"]).as_py()
                where = {"project": project, "first": bounds["min"], "last": bounds["max"]}
                ids = HexIds(pc.unique(spans["trace_id"]).to_pylist())
                stored = query(self._connection, "span_ids_of_traces.sql", {**where, "trace_ids": ids})
                found = set(zip(stored["trace_id"].to_pylist(), stored["span_id"].to_pylist(), strict=True))
                asked = spans.select(("trace_id",)).rename_columns(("id",))
                gone = query(self._connection, "tombstones.sql", {"project": project, "what": TRACE}, asked=asked)["id"]
                spans = spans.filter(pc.invert(pc.is_in(spans["trace_id"], value_set=gone.combine_chunks())))
                spans = self._expired.without(self._connection, project, spans)
                starts = {(row["trace_id"], row["span_id"]): row["start_time"] for row in spans.to_pylist()}
                missing.update((project, day_of(start)) for span, start in starts.items() if span not in found)
        return missing

    # --- traces -------------------------------------------------------------------------------------------------------

    def traces(self) -> tuple[Check, Check, Check]:
        """Compare every trace row, every decision and the sums with those computed anew from the spans. After `balance`."""
        rows = Check("every trace row equals the aggregate over its spans")
        counts = Check("every span counts, or does not, as its whole trace says")
        summed: dict[str, dict[str, Any]] = defaultdict(_nothing)
        for portion in portions(self._connection):
            stored, spans = (
                self._half_deleted.without(portion.project, rows) for rows in read_portion(self._connection, portion)
            )
            if len(stored):
                grown = forest(spans)
                edits = tag_edits(self._connection, portion.project, stored["trace_id"].to_pylist())
                _compare_traces(rows, portion, stored, with_edits(trace_rows(grown, {}), edits))
                _compare_counts(counts, portion, grown)
                total = summed[portion.project]
                total["spans"] += len(grown.spans)
                for name in ("input_tokens", "output_tokens", "cost_total"):
                    total[name] += pc.sum(stored[name]).as_py() or 0
            self._advance(portion.spans)
        return rows, counts, self._sums(summed)

    def _sums(self, summed: dict[str, dict[str, Any]]) -> Check:
        """Compare the sums over all spans, by SQL, with those over all traces: then no span is outside of a trace."""
        check = Check("sums over the spans that count equal sums over the traces, by project")
        for project in sorted({*self._stored, *summed}):
            check.compared += 1
            for name, of_spans in self._stored[project].items():
                of_traces = summed[project][name]
                if of_spans != of_traces:
                    check.differ(f"{project}: {name}", f"{of_spans} over spans", f"{of_traces} over traces")
        return check


def _nothing() -> dict[str, Any]:
    return dict.fromkeys(("spans", "input_tokens", "output_tokens", "cost_total"), 0)


def _compare_traces(check: Check, portion: Portion, stored: pa.Table, computed: pa.Table) -> None:
    check.compared += len(stored)
    known = pc.is_in(stored["trace_id"], value_set=computed["trace_id"].combine_chunks()).to_numpy()
    for trace_id in stored["trace_id"].take(pa.array(np.flatnonzero(~known))).to_pylist():
        check.differ(f"{portion.project}, trace {trace_id}", "spans", "none")
    stored = stored.filter(pa.array(known))
    for name, differ in differences(stored, computed.drop_columns("version")).items():
        for row in np.flatnonzero(differ).tolist():
            where = f"{portion.project}, trace {stored['trace_id'][row].as_py()}: {name}"
            check.differ(where, _shown(computed, name, row), _shown(stored, name, row))


def _shown(traces: pa.Table, name: str, row: int) -> object:
    """A value of a trace row; times to the ns, whether they are timestamps or integers."""
    value = traces[name][row]
    if name not in _TIMES or not value.is_valid:
        return value.as_py()
    return f"{np.datetime64(value.cast(pa.int64()).as_py(), 'ns')}Z"


def _compare_counts(check: Check, portion: Portion, grown: Forest) -> None:
    """Of spans that report nothing it does not matter, and rows of older programs say what they like."""
    matters = reports(grown.spans)
    check.compared += int(matters.sum())
    differ = matters & (grown.counts != grown.spans["counts"].to_numpy())
    for row in np.flatnonzero(differ).tolist():
        span = {name: grown.spans[name][row].as_py() for name in ("trace_id", "span_id", "counts")}
        where = f"{portion.project}, trace {span['trace_id']}, span {span['span_id']}"
        check.differ(where, _counts_text(bool(grown.counts[row])), _counts_text(span["counts"]))


def _counts_text(counts: bool) -> str:
    return "counts" if counts else "does not count"


def day_of(time: int) -> date:
    """Return the UTC day of a time in ns since the epoch."""
    return date.fromordinal(date(1970, 1, 1).toordinal() + time // (86_400 * 10**9))
