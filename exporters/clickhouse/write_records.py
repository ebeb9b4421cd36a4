"""Writing log records and data points: rows that are stored as they came, each table under the token of the batch.

A token is remembered by each table for itself, so that a batch which was written in part is completed by writing it again.
"""

from __future__ import annotations

import pyarrow as pa

from collector.batch import LogBatch, MetricBatch
from exporters.clickhouse.arrow import insert
from exporters.clickhouse.client import Handle
from exporters.clickhouse.days import in_few_days
from exporters.clickhouse.deleting import Deleting
from exporters.clickhouse.late import without_deleted
from exporters.clickhouse.table import records_table


def write_logs(handle: Handle, deleting: Deleting, batch: LogBatch, token: str) -> None:
    """Store log records, and what enrichment found in them for spans, but for what belongs to deleted traces.

    Raises `Retryable` or `Permanent`.
    """
    records = records_table(batch)
    for rows, own in in_few_days(without_deleted(deleting, records), "time", token, of=records):
        _insert(handle, "log records", "insert_logs.sql", rows, own)
    for what, name, found in (
        ("content of spans", "insert_span_content.sql", batch.content),
        ("evaluations", "insert_evaluations.sql", batch.evaluations),
    ):
        _insert(handle, what, name, None if found is None else without_deleted(deleting, found), token)


def write_metrics(handle: Handle, batch: MetricBatch, token: str) -> None:
    """Store data points. Raises `Retryable` or `Permanent`."""
    _insert(handle, "data points", "insert_metrics.sql", records_table(batch), token)


def _insert(handle: Handle, what: str, name: str, rows: pa.Table | None, token: str) -> None:
    if rows is not None and len(rows):
        with handle.doing(f"inserting {what} into ClickHouse") as connection:
            insert(connection, name, rows, {"token": token})
