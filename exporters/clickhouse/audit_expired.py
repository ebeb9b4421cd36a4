"""Whether what has expired is gone."""

from __future__ import annotations

from exporters.clickhouse.arrow import query
from exporters.clickhouse.audit import Check
from exporters.clickhouse.connection import Connection
from exporters.clickhouse.expiring import NOTED


def check_expired(connection: Connection) -> Check:
    """Look for spans of days that have expired."""
    check = Check("no span of an expired day is stored")
    check.compared = int(query(connection, "count_expired.sql", {})["spans"][0].as_py())
    for row in query(connection, "rows_of_expired.sql", {}).to_pylist():
        check.differ(f"{row['project']}, {row['day']}", "expired", f"{row['spans']} spans")
    if query(connection, "unfinished_expiries.sql", {"step": NOTED}).num_rows:
        check.remark = "an expiry was interrupted: start the collector, which completes it, and stop it again"
    return check
