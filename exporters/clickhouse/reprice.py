"""Applies a price book to stored spans: only what changes is written, column by column, never the rest of a row.

A portion of traces at a time: the new costs, then which spans count because of them, then the trace rows. Each step writes
only what differs from what it computes, so that a run which ended anywhere is completed by the next one, and a run after
that changes nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from exporters.clickhouse.arrow import change, text
from exporters.clickhouse.connection import Connection
from exporters.clickhouse.counting import Forest, forest
from exporters.clickhouse.evidence import CostColumns, Pricing, computed
from exporters.clickhouse.portions import Period, Portion, differences, read_portion
from exporters.clickhouse.rollup import trace_rows
from exporters.clickhouse.table import money_units
from exporters.clickhouse.tags import TagEdit, tag_edits, with_edits
from exporters.clickhouse.tree import Bools, Ints, deduplicate
from exporters.clickhouse.write import correct_counts, insert_traces, where_stored

_FROM_UNSTORED_NUMBERS = pa.array(["invalid_usage"])
"""Reasons that come from numbers which are not stored, because they cannot be true: no price book changes them."""


@dataclass
class Change:
    """What repricing changes for one model. Money is USD, of the spans that count."""

    spans: int = 0
    """Spans of which any cost column changes, the evidence included."""
    old_total: Decimal = Decimal()
    new_total: Decimal = Decimal()


@dataclass(frozen=True)
class Wanted:
    """Which spans are to be repriced."""

    period: Period
    model: str | None = None
    """Only spans that name it as their request or response model."""

    def rows(self, spans: pa.Table) -> Ints:
        """Return the rows of these spans that are to be repriced."""
        wanted: Bools = self.period.contains(spans["start_time"].to_numpy())
        wanted &= ~pc.is_in(spans["unpriced_reason"], value_set=_FROM_UNSTORED_NUMBERS).to_numpy()
        if self.model is not None:
            by_request, by_response = (
                pc.equal(spans[name], self.model).to_numpy() for name in ("request_model", "response_model")
            )
            wanted &= by_request | by_response
        return np.flatnonzero(wanted)


def reprice(
    connection: Connection,
    plan: Sequence[Portion],
    pricing: Pricing,
    wanted: Wanted,
    *,
    dry_run: bool,
    advance: Callable[[int], None],
) -> dict[str, Change]:
    """Reprice the spans of these portions; return what changes, by model: that of the response, else of the request.

    `dry_run`: nothing is written. `advance` is told of the spans that are done. Raises what the connection raises.
    """
    columns = CostColumns.of(connection, pricing)
    changes: dict[str, Change] = defaultdict(Change)
    if not dry_run:
        definitions = ", ".join(f"{name} {kind}" for name, kind in columns.types.items())
        change(connection, "drop_repricing_values.sql", {})
        change(connection, "repricing_values.sql", {}, {"/*columns*/": definitions})
    for portion in plan:
        traces, spans = read_portion(connection, portion, wanted.period, columns.selected)
        if len(spans):
            repriced = _repriced(deduplicate(spans), pricing, columns, wanted)
            _count(repriced, changes)
            if not dry_run:
                _write(connection, portion.project, traces, repriced, columns)
        advance(portion.spans)
    if not dry_run:
        change(connection, "drop_repricing_values.sql", {})
    return dict(changes)


@dataclass(frozen=True)
class _Repriced:
    """Some whole traces before and after, row by row."""

    before: Forest
    after: Forest
    changed: Ints
    """Rows whose cost columns change."""
    values: pa.Table
    """The new cost columns of these rows."""


def _repriced(spans: pa.Table, pricing: Pricing, columns: CostColumns, wanted: Wanted) -> _Repriced:
    before = forest(spans)
    rows = wanted.rows(before.spans)
    candidates = before.spans.take(pa.array(rows))
    again = computed(pricing, columns, candidates)
    differ = np.logical_or.reduce(list(differences(candidates, again).values()))
    changed, values = rows[differ], again.filter(pa.array(differ))
    after = forest(_with_costs(before.spans, changed, values)) if len(changed) else before
    return _Repriced(before, after, changed, values)


def _with_costs(spans: pa.Table, rows: Ints, values: pa.Table) -> pa.Table:
    """Return the spans with other costs in these rows."""
    units = money_units(values["cost_total"].combine_chunks())
    cost, missing = spans["cost"].fill_null(0).to_numpy().copy(), spans["cost"].is_null().to_numpy().copy()
    cost[rows], missing[rows] = units.fill_null(0).to_numpy(), units.is_null().to_numpy(zero_copy_only=False)
    return spans.set_column(spans.schema.get_field_index("cost"), "cost", pa.array(cost, mask=missing))


def _count(repriced: _Repriced, changes: dict[str, Change]) -> None:
    """Add what changes to the report."""
    changed = np.zeros(len(repriced.after.spans), bool)
    changed[repriced.changed] = True
    # A price may decide which of two reports of a call counts: then the totals change by spans whose costs do not.
    rows = pa.array(np.flatnonzero(changed | (repriced.before.counts != repriced.after.counts)))
    for grown, total in ((repriced.before, "old_total"), (repriced.after, "new_total")):
        spans = grown.spans.take(rows)
        model = pc.if_else(pc.equal(spans["response_model"], ""), spans["request_model"], spans["response_model"])
        cost = pc.if_else(pa.array(grown.counts).take(rows), spans["cost"].fill_null(0), 0).cast(pa.decimal128(38, 0))
        table = pa.table({"model": model, "cost": cost, "changed": pa.array(changed).take(rows)})
        sums = table.group_by("model").aggregate([("cost", "sum"), ("changed", "sum")])
        for row in sums.to_pylist():
            change = changes[row["model"]]
            change.spans += row["changed_sum"] if grown is repriced.before else 0
            setattr(change, total, getattr(change, total) + Decimal(row["cost_sum"]).scaleb(-12))


def _write(connection: Connection, project: str, traces: pa.Table, repriced: _Repriced, columns: CostColumns) -> None:
    after = repriced.after
    _update(connection, project, after.spans.take(pa.array(repriced.changed)), repriced.values, columns)
    turned = after.counts != after.spans["counts"].to_numpy()
    position = after.spans.schema.get_field_index("counts")
    decided = after.spans.set_column(position, "counts", pa.array(after.counts))
    correct_counts(connection, project, decided.filter(pa.array(turned)))
    edits = tag_edits(connection, project, traces["trace_id"].to_pylist())
    insert_traces(connection, project, _new_rows(traces, after, edits))


def _update(connection: Connection, project: str, spans: pa.Table, values: pa.Table, columns: CostColumns) -> None:
    """Write these values into the cost columns of stored spans."""
    if not len(spans):
        return
    change(connection, "clear_repricing_values.sql", {})
    arriving = spans.select(("trace_id", "span_id")).append_column("changed", pa.array(np.ones(len(spans), bool)))
    for name in values.column_names:
        arriving = arriving.append_column(name, values[name])
    columns_of_table = {"/*columns*/": ", ".join(arriving.column_names)}
    connection.insert_everywhere(text("insert_repricing_values.sql", columns_of_table), arriving)
    assignments = (f"{name} = joinGet('repricing_values', '{name}', trace_id, span_id)" for name in columns.types)
    parts = {"/*assignments*/": ",\n    ".join(assignments)}
    change(connection, "update_costs.sql", where_stored(project, spans), parts)


def _new_rows(stored: pa.Table, grown: Forest, edits: Mapping[str, TagEdit]) -> pa.Table:
    """Return the trace rows that differ from the stored ones, with higher versions."""
    versions = dict(zip(stored["trace_id"].to_pylist(), stored["version"].to_pylist(), strict=True))
    rows = with_edits(trace_rows(grown, versions), edits)
    stored = stored.take(pc.index_in(rows["trace_id"], value_set=stored["trace_id"].combine_chunks()))
    differ = np.logical_or.reduce(list(differences(stored, rows.drop_columns("version")).values()))
    return rows.filter(pa.array(differ))
