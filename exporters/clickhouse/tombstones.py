"""What was deleted on request, and must not be stored again: looked up for everything that arrives."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping

import pyarrow as pa
import pyarrow.compute as pc

from exporters.clickhouse.arrow import query
from exporters.clickhouse.client import Handle
from exporters.clickhouse.tree import deduplicate

TRACE, SESSION, USER, RESPONSE = "trace", "session", "user", "response"
"""What can be deleted; a response, only within its trace."""

OWNERS: Mapping[str, str] = {SESSION: "session_id", USER: "user_id"}
"""What traces belong to, and the column of `spans` that says so."""

LOOK_AGAIN_S = 1.0
"""Seconds after which it is looked again whether another process has deleted something of a kind that nothing was of."""


class Tombstones:
    """The table `deletions`, asked through the handle that writes; used under its lock.

    Where nothing was ever deleted, it is asked once a second and not for every batch.
    """

    def __init__(self, handle: Handle) -> None:
        self._handle = handle
        self._kinds: frozenset[str] = frozenset()
        self._look_again = 0.0

    def kinds(self) -> frozenset[str]:
        """Return of what kinds anything has been deleted. Raises `Retryable` or `Permanent`, as all that asks here."""
        if time.monotonic() >= self._look_again and len(self._kinds) < len((TRACE, RESPONSE, *OWNERS)):
            with self._handle.doing("reading deletions in ClickHouse") as connection:
                self._kinds = frozenset(query(connection, "kinds_of_deletions.sql", {})["what"].to_pylist())
            self._look_again = time.monotonic() + LOOK_AGAIN_S
        return self._kinds

    def forget(self) -> None:
        """Ask again of what kinds anything has been deleted."""
        self._look_again = 0.0

    def add(self, kinds: Iterable[str]) -> None:
        """Remember that something of these kinds is deleted now."""
        self._kinds |= frozenset(kinds)

    def among(self, project: str, what: str, ids: pa.Array | pa.ChunkedArray) -> pa.Table:
        """Return those of these ids that were deleted: `id` and, in ns since the epoch, `requested_at`."""
        asked = pa.table({"id": pc.unique(ids)})
        asked = asked.filter(pc.not_equal(asked["id"], ""))
        if what not in self.kinds() or not len(asked):
            return pa.table({"id": pa.array([], pa.string()), "requested_at": pa.array([], pa.int64())})
        with self._handle.doing("reading deletions in ClickHouse") as connection:
            return query(connection, "tombstones.sql", {"project": project, "what": what}, asked=asked)

    def rows_of_deleted(self, project: str, rows: pa.Table) -> pa.Array:
        """Return which of these rows belong to a deleted trace, or to an answer within one and to no trace.

        `rows` have the columns trace_id and response_id.
        """
        gone = pc.is_in(rows["trace_id"], value_set=self.among(project, TRACE, rows["trace_id"])["id"].combine_chunks())
        homeless = pc.equal(rows["trace_id"], "")
        answers = self.among(project, RESPONSE, rows["response_id"].filter(homeless))["id"].combine_chunks()
        return pc.or_(gone, pc.and_(homeless, pc.is_in(rows["response_id"], value_set=answers)))


def traces_of_owners(spans: pa.Table, deleted: Mapping[str, pa.Table]) -> list[str]:
    """Return the traces that belong to a deleted session or user, and had begun when that was deleted.

    `spans` has the columns of ``sql/spans_of_traces.sql`` and all rows of the spans of whole traces: what counts is the
    latest of each. `deleted` has for `SESSION` and `USER` an answer of `Tombstones.among`.
    """
    standing = deduplicate(spans)
    starts = standing.group_by("trace_id").aggregate([("start_time", "min")])
    found: set[str] = set()
    for what, column in OWNERS.items():
        owned = standing.select(("trace_id", column)).join(deleted[what], column, "id", join_type="inner")
        owned = owned.join(starts, "trace_id")
        begun = pc.less(owned["start_time_min"], owned["requested_at"])
        found.update(owned["trace_id"].filter(begun).to_pylist())
    return sorted(found)
