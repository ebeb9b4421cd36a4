"""The statement that finds the ids of a page of spans. Values are bound; identifiers come from the tables of this module."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from exporters.clickhouse.connection import statement
from exporters.clickhouse.span_rows import ids_in

Values = dict[str, Any]

TRACE = "trace"
"""The kind of reference that every span has: to its own trace."""

# What a list may be sorted by, and the column.
_SORT_COLUMNS = {
    "start_time": "start_time",
    "end_time": "end_time",
    "received_at": "received_at",
    "latency": "latency_ns",
    "name": "name",
}

_NO_REPEATS = "(counts OR (input_tokens IS NULL AND output_tokens IS NULL AND cost_total IS NULL))"

_LABELS = {"label": "label = {label:String}", "has_feedback": "label != ''"}
_TAGGED = "hasAny(tags, {tags:Array(String)})"

# Filters that the row of a span has to pass, and the condition.
_ROW_CONDITIONS = {
    "kinds": "kind IN {kinds:Array(String)}",
    "names": "name IN {names:Array(String)}",
    "model": "(request_model = {model:String} OR response_model = {model:String})",
    "started_after_ns": "start_time >= fromUnixTimestamp64Nano({started_after_ns:Int64})",
    "started_before_ns": "start_time < fromUnixTimestamp64Nano({started_before_ns:Int64})",
}


def names_traces(filters: Any) -> bool:
    """Whether a filter leads to certain traces, wherever they lie in time."""
    named = (filters.trace_ids, filters.span_uuids, filters.span_ids, filters.references, filters.session_ids)
    return any(named) or filters.label is not None or filters.has_feedback is True


def times_of(filters: Any) -> tuple[int | None, int | None]:
    """Return between which starts (ns) spans can pass the filters; None where they may lie anywhere."""
    first, last = (filters.before, filters.after) if filters.descending else (filters.after, filters.before)
    since = [time for time in (filters.started_after_ns, first and first[0]) if time is not None]
    until = [time for time in (filters.started_before_ns, last and last[0]) if time is not None]
    return max(since, default=None), min(until, default=None)


_LAST_MINUTE = (2**32 - 60) * 10**9
"""The last one that a DateTime can hold, in 2106 (ns): later ones would come before all others."""


def is_last_page(filters: Any) -> bool:
    """Whether the page is what ends at a cursor: then it is found in the opposite order."""
    return filters.before is not None and filters.after is None


def find_statement(project: str, filters: Any, times: tuple[int | None, int | None]) -> tuple[str, Values]:
    """Return the SQL and the bound values that find the ids of one page of spans.

    `filters` is a `collector.query.reader.SpanFilters`. Nothing is looked for in minutes before the first and after the
    second of `times` (starts in ns; None: everywhere). A page that `is_last_page` comes in the opposite order.
    """
    values: Values = {"project": project, "limit": filters.limit, "offset": filters.offset}
    of_key = [*_in_minutes(times, values), *_of_key(filters, values)]
    of_row = [*_of_row(filters, values), *_beside_cursors(filters, values)]
    direction = "DESC" if filters.descending != is_last_page(filters) else "ASC"
    columns = dict.fromkeys((_SORT_COLUMNS[filters.sort_by], "start_time", "trace_id", "span_id"))
    sql = statement("find_spans.sql")
    for place, conditions in ((" /*and of the key*/", of_key), (" /*and of the row*/", of_row)):
        sql = sql.replace(place, "".join(f"\n    AND {condition}" for condition in conditions))
    return sql.replace("/*order*/ span_id", ", ".join(f"{column} {direction}" for column in columns)), values


def _in_minutes(times: tuple[int | None, int | None], values: Values) -> Iterator[str]:
    for name, comparison, time in (("since", ">=", times[0]), ("until", "<=", times[1])):
        if time is not None:
            values[name] = min(time, _LAST_MINUTE)
            yield f"toStartOfMinute(start_time) {comparison} toStartOfMinute(fromUnixTimestamp64Nano({{{name}:Int64}}))"


def _of_key(filters: Any, values: Values) -> Iterator[str]:
    """Conditions on the sort key, by what leads to the traces of the spans."""
    for name, column in (("trace_ids", "trace_id"), ("session_ids", "session_id")):
        if ids := getattr(filters, name):
            values[name] = list(ids)
            yield _in_traces(f"{column} IN {{{name}:Array(String)}}")
    if filters.span_ids:
        values["span_ids"] = list(filters.span_ids)
        yield "span_id IN {span_ids:Array(String)}"
    if filters.span_uuids:
        yield from _of_uuids(filters.span_uuids, values)
    if filters.references:
        yield _of_references(filters.references, values)
    for name, condition in _LABELS.items():
        value = getattr(filters, name)
        if value is False:
            yield f"(trace_id, span_id) NOT IN {_reviewed(condition)}"
        elif value is not None:
            values |= {} if value is True else {name: value}
            yield _in_traces(f"trace_id IN {_reviewed(condition, 'trace_id')}")
            yield f"(trace_id, span_id) IN {_reviewed(condition)}"


def _in_traces(condition: str) -> str:
    """The condition that a span belongs to a trace whose row in `traces` passes a condition."""
    return f"(toStartOfMinute(start_time), trace_id) IN {_nested('minutes_of_traces.sql', condition)}"


def _reviewed(condition: str, columns: str = "trace_id, span_id") -> str:
    """The ids of spans with feedback that passes a condition."""
    return _nested("reviewed_spans.sql", condition).replace("trace_id, span_id", columns, 1)


def _nested(name: str, condition: str = "1") -> str:
    return f"(\n    {statement(name).rstrip().replace('/*where*/ 1', condition)}\n    )"


def _of_uuids(uuids: Sequence[str], values: Values) -> Iterator[str]:
    """By the digits of the trace id that an id holds its trace is found, and in the trace the span."""
    held = [ids for uuid in uuids if (ids := ids_in(uuid))]
    starts = sorted({trace_start for trace_start, _ in held})
    values |= {f"trace_start_{number}": start for number, start in enumerate(starts)}
    values["uuid_digits"] = [trace_start + span_id for trace_start, span_id in held]
    begins = [f"startsWith(trace_id, {{trace_start_{number}:String}})" for number in range(len(starts))]
    yield _in_traces(f"({' OR '.join(begins) or '0'})")
    yield "concat(substring(trace_id, 1, 14), span_id) IN {uuid_digits:Array(String)}"


def _of_references(references: Sequence[Any], values: Values) -> str:
    by_kind: dict[str, list[str]] = {}
    for reference in references:
        by_kind.setdefault(reference.kind, []).append(reference.value)
    conditions = []
    if own := by_kind.pop(TRACE, None):
        values["own_traces"] = own
        conditions.append(_in_traces("trace_id IN {own_traces:Array(String)}"))
    for number, (kind, referred) in enumerate(by_kind.items()):
        values |= {f"kind_{number}": kind, f"referred_{number}": referred}
        spans = _nested("referring_spans.sql").replace("{kind:", f"{{kind_{number}:")
        spans = spans.replace("{referred:", f"{{referred_{number}:")
        conditions.append(f"(toStartOfMinute(start_time), trace_id, span_id) IN {spans}")
    return f"({' OR '.join(conditions)})"


def _of_row(filters: Any, values: Values) -> Iterator[str]:
    for name, condition in _ROW_CONDITIONS.items():
        value = getattr(filters, name)
        if value is not None and value != ():
            values[name] = list(value) if isinstance(value, tuple) else value
            yield condition
    if not filters.repeats:
        yield _NO_REPEATS
    if filters.tags:
        values["tags"] = list(filters.tags)
        yield f"({_TAGGED} OR (trace_id, span_id) IN {_reviewed(_TAGGED)})"


def _beside_cursors(filters: Any, values: Values) -> Iterator[str]:
    """What comes after a cursor, and before another, in the order of start, trace id and span id."""
    for name in ("after", "before"):
        cursor = getattr(filters, name)
        if cursor is not None:
            if filters.sort_by != "start_time":
                raise ValueError(
                    f"a page can only begin or end at a span in the order of start times, not {filters.sort_by}"
                )
            values |= {f"{name}_{part}": value for part, value in zip(("time", "trace", "span"), cursor, strict=True)}
            comparison = "<" if filters.descending == (name == "after") else ">"
            yield (
                f"(start_time, trace_id, span_id) {comparison} (fromUnixTimestamp64Nano({{{name}_time:Int64}}),"
                f" {{{name}_trace:String}}, {{{name}_span:String}})"
            )
