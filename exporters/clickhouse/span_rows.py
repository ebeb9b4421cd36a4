"""Stored rows of spans as the read API gets them: one each, with their attributes, and what is JSON parsed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson

from exporters.clickhouse.connection import statement

Row = Mapping[str, Any]

_ATTRIBUTE_MAPS = ("attributes_string", "attributes_int", "attributes_double", "attributes_bool")


def span_statement(name: str) -> str:
    """Return the SQL of one file that selects the columns of spans as ``/*columns*/``."""
    return statement(name).replace("/*columns*/ *", statement("span_columns.sql").rstrip())


def span_uuid(trace_id: str, span_id: str) -> str:
    """Return the alias column `span_uuid` of the table `spans`; ``""`` for no span."""
    if not span_id:
        return ""
    return f"{trace_id[:8]}-{trace_id[8:12]}-4{trace_id[12:14]}{span_id[0]}-8{span_id[1:4]}-{span_id[4:]}"


def ids_in(uuid: str) -> tuple[str, str] | None:
    """Return what a `span_uuid` holds: the first 14 digits of the trace id, and the span id; None if it is none."""
    digits = uuid.replace("-", "")
    trace_start, span_id = digits[:12] + digits[13:15], digits[15:16] + digits[17:]
    return (trace_start, span_id) if span_uuid(trace_start, span_id) == uuid else None


def latest_rows(rows: Iterable[Row]) -> list[Row]:
    """Return of each span the row that was received last. The rows have the column trace_id."""
    latest = {(row["trace_id"], row["span_id"]): row for row in sorted(rows, key=lambda row: row["received_at"])}
    return list(latest.values())


def span_row(row: Row) -> dict[str, Any]:
    """Return a stored row of the columns in ``sql/span_columns.sql`` and trace_id as `collector.query.reader` has it."""
    span = {name: value for name, value in row.items() if not name.startswith("attributes_")}
    span["span_uuid"] = span_uuid(row["trace_id"], row["span_id"])
    span["parent_span_uuid"] = span_uuid(row["trace_id"], row["parent_span_id"])
    attributes: dict[str, Any] = {}
    for name in _ATTRIBUTE_MAPS:
        attributes.update(row[name])
    attributes.update((key, orjson.loads(value)) for key, value in row["attributes_json"].items())
    span["attributes"] = attributes
    span["resource"] = orjson.loads(row["resource"])
    span["events"] = [_with_fields(event, ("time", "name")) for event in row["events"]]
    span["links"] = [_with_fields(link, ("trace_id", "span_id")) for link in row["links"]]
    span["tool_calls"] = [dict(call) for call in row["tool_calls"]]
    span["evaluations"] = [dict(evaluation) for evaluation in row["evaluations"]]
    for name in ("metadata", "model_parameters"):
        span[name] = orjson.loads(row[name]) if row[name] else {}
    return span


def _with_fields(value: Row, fields: Sequence[str]) -> dict[str, Any]:
    """Return these fields of an event or a link, and its attributes parsed."""
    return {**{field: value[field] for field in fields}, "attributes": orjson.loads(value["attributes"])}
