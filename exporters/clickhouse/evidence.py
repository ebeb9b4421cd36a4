"""Costs computed again from what is stored beside them.

How that is done is known to those who have the price book; they pass it in as `Pricing`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from exporters.clickhouse.arrow import query
from exporters.clickhouse.connection import Connection


@dataclass(frozen=True)
class Pricing:
    """A price book, as a function from stored columns to cost columns."""

    evidence: Mapping[str, str]
    """What it needs, by name: columns of `spans`, or expressions over them. Columns that `spans` lacks are left out."""
    columns: Sequence[str]
    """Names of the cost columns that it computes."""
    compute: Callable[[pa.Table], Mapping[str, pa.Array]]
    """From a table with the evidence and `start_time` (int64 ns) to the cost columns."""


@dataclass(frozen=True)
class CostColumns:
    """The evidence and the cost columns of `spans`, as they are read and written."""

    types: Mapping[str, str]
    """Name of each cost column that the table has, and its type in ClickHouse."""
    selected: Sequence[str]
    """What to select for the evidence and the cost columns."""

    @classmethod
    def of(cls, connection: Connection, pricing: Pricing) -> CostColumns:
        """Look up what of this the table has."""
        found = query(connection, "columns_of_spans.sql", {}).to_pylist()
        types = {row["name"]: row["type"] for row in found}
        costs = {name: types[name] for name in pricing.columns if name in types}
        evidence = [
            name if expression == name else f"{expression} AS {name}"
            for name, expression in pricing.evidence.items()
            if expression != name or name in types
        ]
        # A Date would come as a number.
        stored = [f"toDate32({name}) AS {name}" if "Date" in kind else name for name, kind in costs.items()]
        return cls(costs, [*evidence, *stored])


def computed(pricing: Pricing, columns: CostColumns, spans: pa.Table) -> pa.Table:
    """Return the cost columns of these spans, computed again; plain strings instead of dictionaries."""
    found = pricing.compute(spans)
    arrays = {name: found[name] for name in columns.types}
    return pa.table(
        {
            name: array.cast(pa.string()) if pa.types.is_dictionary(array.type) else array
            for name, array in arrays.items()
        }
    )
