"""Deletions that were interrupted when the ledger had them already, and their rows were not deleted, or only some."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from exporters.clickhouse.arrow import query
from exporters.clickhouse.connection import Connection


@dataclass(frozen=True)
class HalfDeleted:
    """Traces that the books take for deleted, although rows of them may be left. Nearly always none."""

    entries: Sequence[str]
    """The names of the deletions in the ledger."""
    trace_ids: Mapping[str, Sequence[str]]
    """By project."""

    @classmethod
    def of(cls, connection: Connection) -> HalfDeleted:
        """Look up which there are."""
        trace_ids: dict[str, list[str]] = defaultdict(list)
        rows = query(connection, "half_deleted.sql", {}).to_pylist()
        for row in rows:
            trace_ids[row["project"]].append(row["trace_id"])
        return cls(sorted({row["entry"] for row in rows}), trace_ids)

    def without(self, project: str, rows: pa.Table) -> pa.Table:
        """Return these rows of a project, which have a trace_id, without those of these traces."""
        if project not in self.trace_ids:
            return rows
        ids = pa.array(self.trace_ids[project], pa.string())
        return rows.filter(pc.invert(pc.is_in(rows["trace_id"], value_set=ids)))
