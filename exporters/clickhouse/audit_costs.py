"""A sample of stored costs, each computed again from the evidence beside it."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from exporters.clickhouse.arrow import HexIds, query
from exporters.clickhouse.audit import Check
from exporters.clickhouse.connection import Connection
from exporters.clickhouse.evidence import CostColumns, Pricing, computed
from exporters.clickhouse.portions import differences

_AT_ONCE = 2000


def check_costs(connection: Connection, pricing: Pricing, count: int) -> Check:
    """Compute the costs of `count` stored spans again, or of all if they are fewer.

    What was priced by a price that is not the present one cannot be computed again; it is counted in the remark.
    """
    check = Check("costs equal those computed again from their evidence (a sample)")
    columns = CostColumns.of(connection, pricing)
    elsewhere: Counter[str] = Counter()
    for spans in _sample(connection, columns, count):
        reported = pc.equal(spans["cost_source"], "reported")
        _check_reported(check, spans.filter(reported))
        _check_computed(check, spans.filter(pc.invert(reported)), pricing, columns, elsewhere)
    if elsewhere:
        versions = ", ".join(f"{count} by {version}" for version, count in sorted(elsewhere.items()))
        check.remark = f"not checkable, because the present price book has another price: {versions}"
    return check


def _sample(connection: Connection, columns: CostColumns, count: int) -> Iterator[pa.Table]:
    chosen = query(connection, "sample_of_costs.sql", {"count": count, "salt": secrets.randbits(63)}).sort_by("start")
    for offset in range(0, len(chosen), _AT_ONCE):
        some = chosen.slice(offset, _AT_ONCE)
        bounds = pc.min_max(some["start"]).as_py()
        parameters = {
            "first": bounds["min"],
            "last": bounds["max"],
            "trace_ids": HexIds(pc.unique(some["trace_id"]).to_pylist()),
            "spans": HexIds(pc.binary_join_element_wise(some["trace_id"], some["span_id"], "").to_pylist()),
        }
        more = "".join(f",\n    {column}" for column in columns.selected)
        yield query(connection, "costs_of_spans.sql", parameters, {"/*, more*/": more})


def _check_reported(check: Check, spans: pa.Table) -> None:
    """The sender said what it costs: there is nothing to compute."""
    check.compared += len(spans)
    for span in spans.filter(pc.not_equal(spans["cost_total"], spans["cost_reported"]).fill_null(True)).to_pylist():
        check.differ(f"{_where(span)}: cost_total", span["cost_reported"], span["cost_total"])


def _check_computed(
    check: Check, spans: pa.Table, pricing: Pricing, columns: CostColumns, elsewhere: Counter[str]
) -> None:
    again = computed(pricing, columns, spans)
    same_price = pc.equal(spans["price_version"], again["price_version"]).fill_null(False)
    elsewhere.update(spans["price_version"].filter(pc.invert(same_price)).to_pylist())
    spans, again = spans.filter(same_price), again.filter(same_price)
    check.compared += len(spans)
    for name, differ in differences(spans, again).items():
        for row in np.flatnonzero(differ).tolist():
            span = {key: spans[key][row].as_py() for key in ("project", "trace_id", "span_id")}
            check.differ(f"{_where(span)}: {name}", again[name][row].as_py(), spans[name][row].as_py())


def _where(span: dict[str, str]) -> str:
    return f"{span['project']}, trace {span['trace_id']}, span {span['span_id']}"
