"""GenAI events among log records: what they tell of a span, as rows of the tables `span_content` and `evaluations`.

A pure function from `LogBatch` to `LogBatch`. Events and their attributes are those of the GenAI semantic conventions, and the
message events that these had up to version 1.36, whose content is the body. Work per row is only done on such records.

What is taken from a record is taken out of it, so that nothing is stored twice; but only where the record says which span it
belongs to: by trace id and span id, or, when it has none (OpenLIT's streaming events), by the id of the model's response.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from collector.batch import VALUE_COLUMNS, LogBatch, pick
from collector.enrich.event_content import CHOICE, DETAILS, DETAILS_FIELDS, ROLES, choice, message
from collector.json_text import json_value, render

EVALUATION = "gen_ai.evaluation.result"
EXCEPTION = "gen_ai.client.operation.exception"
MESSAGES = frozenset({CHOICE, *ROLES})
"""Events that are one message."""

_FROM_RECORD = ("project", "trace_id", "span_id", "response_id", "request", "position", "time", "received_at")
CONTENT = pa.schema(
    {
        "event_name": pa.string(),
        "complete": pa.bool_(),
        **dict.fromkeys(("input", "output", "system_instructions", "tool_definitions"), pa.string()),
        **dict.fromkeys(("error", "error_type"), pa.string()),
    }
)
EVALUATIONS = pa.schema(
    {"name": pa.string(), "score": pa.float64(), **dict.fromkeys(("label", "explanation", "user_id"), pa.string())}
)
"""The columns of both tables beside those that come from the log record."""

_NO_CONTENT = {field.name: "" for field in CONTENT if field.type == pa.string()}

Row = dict[str, Any]


@dataclass
class _Event:
    """One event that says which span it belongs to."""

    record: int
    name: str
    body: str
    body_type: str
    attributes: dict[str, tuple[int, Any]] = field(default_factory=dict)
    """Key -> position among the attributes of the batch, and value; what is structured is JSON text."""
    taken: list[int] = field(default_factory=list)

    def text(self, key: str) -> str:
        """Take an attribute out of the record; ``""`` if there is none. A number is its JSON text."""
        if key not in self.attributes:
            return ""
        position, value = self.attributes[key]
        self.taken.append(position)
        return value if isinstance(value, str) else render(value).decode()

    def number(self, key: str) -> float | None:
        """Take a finite number, or the text of one, out of the record; anything else stays where it is."""
        position, value = self.attributes.get(key, (-1, None))
        try:
            number = math.nan if isinstance(value, bool) else float(value)
        except (TypeError, ValueError):
            return None
        if not math.isfinite(number):
            return None
        self.taken.append(position)
        return number


def enrich_logs(batch: LogBatch) -> LogBatch:
    """Return the batch with every column that the table `logs` has, and with the rows for the tables of spans."""
    sent, named = batch.column("event_name"), pick(batch, "event.name", "string")
    columns = {
        "event_name": pc.if_else(pc.equal(sent, ""), pc.fill_null(named, ""), sent),
        "response_id": pc.fill_null(pick(batch, "gen_ai.response.id", "string"), ""),
    }
    batch = batch.with_columns(columns)
    found: dict[str, list[tuple[_Event, Row]]] = {"span_content": [], "evaluations": []}
    for event in _events(batch):
        table, read = _READERS[event.name]
        if (row := read(event)) is not None:
            found[table].append((event, row))
    moved = [(event, table) for table, rows in found.items() for event, _ in rows if event.name != EXCEPTION]
    return replace(
        _without(batch, moved),
        content=_table(batch, CONTENT, found["span_content"]),
        evaluations=_table(batch, EVALUATIONS, found["evaluations"]),
    )


def _events(batch: LogBatch) -> Iterator[_Event]:
    """The records of the batch that are known events and can be joined to a span."""
    has_ids = pc.and_(pc.not_equal(batch.column("trace_id"), ""), pc.not_equal(batch.column("span_id"), ""))
    can_join = pc.or_(has_ids, pc.not_equal(batch.column("response_id"), ""))
    is_known = pc.is_in(batch.column("event_name"), value_set=pa.array([*_READERS]))
    rows = np.flatnonzero(pc.and_(can_join, is_known).to_numpy(zero_copy_only=False))
    columns = [batch.column(name).take(pa.array(rows)).to_pylist() for name in ("event_name", "body", "body_type")]
    events = {row: _Event(row, *said) for row, *said in zip(rows.tolist(), *columns, strict=True)}
    flat = batch.attributes
    for key in flat.keys & _KEYS if events else ():
        positions = flat.positions(key)
        positions = positions[np.isin(flat.row[positions], rows)]
        values = [getattr(flat, name).take(pa.array(positions)).to_pylist() for name in VALUE_COLUMNS]
        for position, row, *value in zip(positions.tolist(), flat.row[positions].tolist(), *values, strict=True):
            present = next((each for each in value if each is not None), None)
            if value[-1] != "null":  # an empty AnyValue, as JSON
                events[row].attributes[key] = (position, present)
    yield from events.values()


def _without(batch: LogBatch, moved: list[tuple[_Event, str]]) -> LogBatch:
    """The batch without what was moved, and with the column that says where to."""
    moved_to = np.full(len(batch), "", object)
    body_moved = np.zeros(len(batch), bool)
    for event, table in moved:
        moved_to[event.record] = table
        body_moved[event.record] = event.name in MESSAGES
    columns = {"moved_to": pa.array(moved_to, pa.string()).dictionary_encode()}
    if body_moved.any():
        for name in ("body", "body_type"):
            columns[name] = pc.if_else(pa.array(body_moved), "", batch.column(name).cast(pa.string()))
        columns["body_type"] = columns["body_type"].dictionary_encode()
    taken = np.array([position for event, _ in moved for position in event.taken], np.int64)
    return batch.with_columns(columns, attributes=batch.attributes.without(taken) if len(taken) else None)


def _table(batch: LogBatch, schema: pa.Schema, found: list[tuple[_Event, Row]]) -> pa.Table:
    records = pa.array([event.record for event, _ in found], pa.int64())
    columns = {name: batch.column(name).take(records) for name in _FROM_RECORD}
    # Half an identity is none: such a row is found by its response id.
    has_ids = pc.and_(pc.not_equal(columns["trace_id"], ""), pc.not_equal(columns["span_id"], ""))
    for name in ("trace_id", "span_id"):
        columns[name] = pc.if_else(has_ids, columns[name], "")
    rows = pa.Table.from_pylist([row for _, row in found], schema=schema)
    return pa.table({**columns, **dict(zip(rows.column_names, rows.columns, strict=True))})


# --- one reader for each kind of event --------------------------------------------------------------------------------


def _content(event: _Event, *, complete: bool, **columns: str) -> Row | None:
    if not any(columns.values()):
        return None
    return {**_NO_CONTENT, **columns, "event_name": event.name, "complete": complete}


def _details(event: _Event) -> Row | None:
    """All of a model call; messages as JSON text or, as the conventions now say, structured."""
    columns = {}
    for name, (key, canonical) in DETAILS_FIELDS.items():
        text = event.text(key)
        value = canonical(json_value(text)) if text else None
        columns[name] = render(value).decode() if value else text
    return _content(event, complete=True, **columns)


def _message(event: _Event) -> Row | None:
    """One message: the body, or where Azure's packages put it. Without its content, it is left as it is."""
    body = json_value(event.body) if event.body_type == "json" else event.body
    if not body:
        body = json_value(event.text("gen_ai.event.content"))
    found = choice(body) if event.name == CHOICE else message(body, ROLES[event.name])
    said = [each for each in found if each["parts"]]
    column = "output" if event.name == CHOICE else "input"
    return _content(event, complete=False, **{column: render(said).decode()}) if said else None


def _evaluation(event: _Event) -> Row | None:
    row = {
        "name": event.text("gen_ai.evaluation.name"),
        "score": event.number("gen_ai.evaluation.score.value"),
        "label": event.text("gen_ai.evaluation.score.label"),
        "explanation": event.text("gen_ai.evaluation.explanation"),
    }
    if all(value in ("", None) for value in row.values()):
        return None
    return {**row, "user_id": event.text("user.id") or event.text("enduser.id")}


def _exception(event: _Event) -> Row | None:
    """The text of the error; it also stays in the log record, with its stack."""
    columns = {"error": event.text("exception.message"), "error_type": event.text("exception.type")}
    return _content(event, complete=True, **columns)


_READERS: dict[str, tuple[str, Callable[[_Event], Row | None]]] = {
    DETAILS: ("span_content", _details),
    **dict.fromkeys(MESSAGES, ("span_content", _message)),
    EXCEPTION: ("span_content", _exception),
    EVALUATION: ("evaluations", _evaluation),
}

_KEYS = frozenset(
    {
        *(key for key, _ in DETAILS_FIELDS.values()),
        *("gen_ai.evaluation.name", "gen_ai.evaluation.score.value", "gen_ai.evaluation.score.label"),
        *("gen_ai.evaluation.explanation", "user.id", "enduser.id"),
        *("gen_ai.event.content", "exception.message", "exception.type"),
    }
)
"""The attributes that the readers ask for."""
