"""Whether what was deleted is gone from every table."""

from __future__ import annotations

from exporters.clickhouse.arrow import query
from exporters.clickhouse.audit import Check
from exporters.clickhouse.connection import Connection
from exporters.clickhouse.deleting import REQUESTED, TABLES
from exporters.clickhouse.tombstones import OWNERS


def check_deleted(connection: Connection) -> Check:
    """Look for traces that were deleted, or belong to a deleted session or user, in every table."""
    check = Check("no table holds anything of a deleted trace")
    check.compared = int(query(connection, "count_deletions.sql", {})["traces"][0].as_py())
    for table in TABLES:
        for row in query(connection, "rows_of_deleted.sql", {}, {"/*table*/": table}).to_pylist():
            check.differ(f"{row['project']}, trace {row['trace_id']}", "deleted", f"{row['rows']} rows in {table}")
    for what, column in OWNERS.items():
        for row in query(connection, "traces_of_deleted_owners.sql", {"what": what}, {"/*owner*/": column}).to_pylist():
            where = f"{row['project']}, trace {row['trace_id']}"
            check.differ(where, "deleted", f"a trace of the deleted {what} {row['owner']}")
    if query(connection, "unfinished_deletions.sql", {"step": REQUESTED}).num_rows:
        check.remark = "a deletion was interrupted: start the collector, which completes it, and stop it again"
    return check
