"""What the audit must know of spans that have expired: traces whose rows tell of more than is stored, and interruptions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from exporters.clickhouse.arrow import HexIds, query
from exporters.clickhouse.connection import Connection, statement
from exporters.clickhouse.expiring import first_kept


@dataclass(frozen=True)
class Expired:
    """The days whose spans have expired. Where nothing ever did, all conditions are empty."""

    first_kept: Mapping[str, int]
    """By project: before which start (ns since the epoch) its spans have expired."""
    half: Sequence[str]
    """Expiries that the ledger has, although rows of them may be left. Nearly always none."""

    @classmethod
    def of(cls, connection: Connection) -> Expired:
        """Look it up."""
        return cls(first_kept(connection), query(connection, "half_expired.sql", {})["entry"].to_pylist())

    @property
    def condition(self) -> str:
        """What stored spans are asked for beside all else: not to be of a day that is taken for expired."""
        return f"\n{statement('not_half_expired.sql')}" if self.half else ""

    @property
    def whole(self) -> Mapping[str, str]:
        """What says in ``stored_of_day.sql`` that a span is of a trace of which none has expired."""
        return {"/*whole*/ 1": statement("whole_trace.sql").rstrip()} if self.first_kept else {}

    @property
    def parameters(self) -> dict[str, Any]:
        """The values that `condition` and `whole` bind."""
        return {
            "half_expired": list(self.half),
            "expired_projects": list(self.first_kept),
            "first_kept": list(self.first_kept.values()),
        }

    def without(self, connection: Connection, project: str, spans: pa.Table) -> pa.Table:
        """Return these spans of a project (trace_id, start_time) without those that expire on arrival: see `late`."""
        first = self.first_kept.get(project)
        if first is None or not len(spans):
            return spans
        trace_ids = HexIds(pc.unique(spans["trace_id"]).to_pylist())
        present = query(connection, "present_traces.sql", {"project": project, "trace_ids": trace_ids})
        older = present["trace_id"].filter(pc.less(present["first"], first)).combine_chunks()
        over = pc.or_(pc.less(spans["start_time"], first), pc.is_in(spans["trace_id"], value_set=older))
        return spans.filter(pc.invert(over))
