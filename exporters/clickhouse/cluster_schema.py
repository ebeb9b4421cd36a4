"""The schema of a cluster, made from the same migrations: local tables on every server, and Distributed ones over them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

SHARDING: Mapping[str, str] = {
    **dict.fromkeys(
        ("spans", "traces", "feedback", "approvals", "trace_tags", "span_references"), "cityHash64(trace_id)"
    ),
    # Records without a trace are found by the answer that they belong to.
    **dict.fromkeys(("logs", "span_content", "evaluations"), "cityHash64(if(trace_id = '', response_id, trace_id))"),
    "metrics": "request",
    **dict.fromkeys(("ledger", "expiries"), "cityHash64(entry)"),
    "deletions": "cityHash64(id)",
    "prices": "cityHash64(model)",
    "write_claims": "0",
}
"""The tables of a cluster, and where a row of each lies: rows that replace each other always on one shard."""

LOCAL = "_local"
"""Ends the names of the tables that hold the rows of one shard."""

_NAMES = "|".join(SHARDING)
_NAMED = re.compile(rf"(\b(?:FROM|JOIN|INTO|UPDATE|TABLE|TABLE IF (?:NOT )?EXISTS)\s+)({_NAMES})\b", re.IGNORECASE)


def local(sql: str) -> str:
    """Return a statement with the names of the local tables."""
    return _NAMED.sub(rf"\1\2{LOCAL}", sql)


_TABLE = re.compile(r"^(CREATE TABLE(?: IF NOT EXISTS)?|ALTER TABLE) (\w+)", re.MULTILINE)
_INSERT = re.compile(r"^INSERT INTO ", re.MULTILINE)
_ENGINE = re.compile(r"^ENGINE = (\w*MergeTree)(?:\(([^)]*)\))?$", re.MULTILINE)
_AFTER_KEY = re.compile(r"^(?:SETTINGS |(?=COMMENT '))", re.MULTILINE)

# As many inserts as a table by itself remembers (non_replicated_deduplication_window), for a week.
_REPLICATED_WINDOW = "replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 604800"


@dataclass(frozen=True)
class ClusterSchema:
    """How a migration is applied to each server of a cluster."""

    cluster: str
    database: str
    replicated: bool
    """Whether the local tables are replicated, under paths with the macros {shard} and {replica} of the server."""

    def statements(self, sql: str) -> Iterator[str]:
        """Return what is to be run on a server in place of one migration."""
        match = _TABLE.search(sql)
        if match is None or match[2] not in SHARDING:
            # A view is over the Distributed tables; what is moved from one table to another stays on its shard.
            yield local(sql) if _INSERT.search(sql) else sql
            return
        own = local(sql)
        yield self._replicated(own, match[2]) if self.replicated and match[1].startswith("CREATE") else own
        yield self._distributed(match[2])

    def _distributed(self, table: str) -> str:
        """A Distributed table holds nothing, so it is made anew whenever the local one changes."""
        return (
            f"CREATE OR REPLACE TABLE {table} AS {table}{LOCAL}\n"
            f"ENGINE = Distributed('{self.cluster}', '{self.database}', '{table}{LOCAL}', {SHARDING[table]})\n"
            f"COMMENT 'The rows of {table}{LOCAL} on all shards; what their columns mean, they say themselves'"
        )

    def _replicated(self, sql: str, table: str) -> str:
        def engine(found: re.Match[str]) -> str:
            path = f"/clickhouse/tables/{{shard}}/{self.database}/{table}"
            arguments = ", ".join((f"'{path}'", "'{replica}'", *([found[2]] if found[2] else [])))
            return f"ENGINE = Replicated{found[1]}({arguments})"

        changed, count = _ENGINE.subn(engine, sql)
        if not count:
            raise ValueError(f"the engine of {table} is not known how to be replicated")
        more = ", " if "\nSETTINGS " in changed else "\n"
        return _AFTER_KEY.sub(f"SETTINGS {_REPLICATED_WINDOW}{more}", changed, count=1)
