"""Reading rows: the spans whose dialect writes what no table of keys can describe, one at a time.

Only they pay for it. What their readers return is put into columns over what the tables found.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from collector.batch import SpanBatch
from collector.enrich.detection import Detected
from collector.enrich.dialects.dialect import Reader
from collector.enrich.event_content import read_content_events, rows_with_content_events
from collector.enrich.fields import MOST_USD
from collector.enrich.kinds import KINDS
from collector.enrich.latency import DAY_NS
from collector.enrich.row_views import Views
from collector.enrich.span_view import SpanView
from collector.json_text import render, without_lone_surrogates

_log = logging.getLogger(__name__)

TEXTS = (
    "operation", "provider", "request_model", "response_model", "response_id", "session_id", "user_id", "agent_name",
    "tool_name", "tool_call_id", "error_type", "prompt_name", "prompt_version", "service_tier", "environment", "release",
)  # fmt: skip
CONTENTS = ("input", "output", "system_instructions", "tool_definitions")
OBJECTS = ("metadata", "model_parameters")
LISTS = ("finish_reasons", "tags")
TOKENS = (
    "input_tokens", "output_tokens", "total_tokens", "cache_read_tokens", "cache_write_tokens", "cache_write_1h_tokens",
    "reasoning_tokens", "input_audio_tokens", "output_audio_tokens", "cache_read_audio_tokens", "input_image_tokens",
    "cache_read_image_tokens", "output_image_tokens",
)  # fmt: skip

EVALUATIONS = pa.list_(
    pa.struct([("name", pa.string()), ("score", pa.float64()), ("label", pa.string()), ("explanation", pa.string())])
)

FIELDS: Mapping[str, str] = {
    **dict.fromkeys(TEXTS, "str"),
    **dict.fromkeys(CONTENTS, "str, or any JSON value: canonical messages, parts, or what is none"),
    **dict.fromkeys(OBJECTS, "dict[str, JSON value]"),
    **dict.fromkeys(LISTS, "list[str]"),
    **dict.fromkeys(TOKENS, "int; anything else is no number, and not priced"),
    "kind": "str: one of `kinds.KINDS`",
    "cost_reported": "float, USD",
    "time_to_first_token_ns": "int, from the start of the span",
    "streaming": "bool",
    "inclusive": "bool: whether input_tokens includes cached tokens",
    "without_usage": "True where the span's token counts are none, or less than its parent reports: they are not stored",
    "running_total": "True where the token counts are those of this call and the ones before: they are not stored",
    "evaluations": "list of {name: str, score: float | None, label: str, explanation: str}",
}
"""What a reader may return, and as what. None stands for absent, as does a field that is not returned."""


def _texts(value: Any) -> list[str] | None:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else None


def _evaluations(value: Any) -> list[dict[str, Any]] | None:
    return [_evaluation(each) for each in value if isinstance(each, dict)] if isinstance(value, list) else None


def _evaluation(value: Mapping[str, Any]) -> dict[str, Any]:
    score, texts = value.get("score"), {name: value.get(name) for name in ("name", "label", "explanation")}
    return {
        **{name: text if isinstance(text, str) else "" for name, text in texts.items()},
        "score": float(score) if isinstance(score, int | float) and not isinstance(score, bool) else None,
    }


def _duration(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= DAY_NS else None


def _amount(value: Any) -> float | None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if number and 0 <= value < MOST_USD else None


def _of_type(*types: type) -> Callable[[Any], Any]:
    return lambda value: value if isinstance(value, types) else None


_ACCEPT: Mapping[str, Callable[[Any], Any]] = {
    **dict.fromkeys(TEXTS, _of_type(str)),
    **dict.fromkeys(OBJECTS, _of_type(dict)),
    **dict.fromkeys(LISTS, _texts),
    **dict.fromkeys((*CONTENTS, *TOKENS), lambda value: value),
    "kind": lambda value: value if value in KINDS else None,
    "cost_reported": _amount,
    "time_to_first_token_ns": _duration,
    **dict.fromkeys(("streaming", "inclusive", "without_usage", "running_total"), _of_type(bool)),
    "evaluations": _evaluations,
}
"""What is taken of a reader's values; None for those that no column holds. A reader may hand on what a sender got wrong."""


@dataclass
class RowValues:
    """What the readers found: per field, rows and their values."""

    values: dict[str, dict[int, Any]] = field(default_factory=dict)
    moved: list[int] = field(default_factory=list)
    """Positions of attributes that went into content."""

    def put(self, row: int, found: Mapping[str, Any]) -> None:
        """Add the values of one row, those that are what `FIELDS` says; earlier ones stay."""
        for name, value in found.items():
            if value is not None and (accepted := _ACCEPT[name](value)) is not None:
                self.values.setdefault(name, {}).setdefault(row, accepted)

    def rows(self, name: str) -> list[int]:
        """Return the rows that have a value of this field, ascending."""
        return sorted(self.values.get(name, ()))

    def over(self, name: str, column: pa.Array, convert: Callable[[Any], Any] | None = None) -> pa.Array:
        """Return the column with the found values in their rows."""
        rows = self.rows(name)
        if not rows:
            return column
        found = self.values[name]
        return _replaced(column, rows, [(convert or _storable)(found[row]) for row in rows])

    def counts_over(self, name: str, column: pa.Int64Array) -> tuple[pa.Int64Array, npt.NDArray[np.bool_]]:
        """Return a token column with the found counts in their rows, and the rows where what was found is no count."""
        counts = {row: _count(value) for row, value in self.values.get(name, {}).items()}
        odd = np.zeros(len(column), bool)
        odd[[row for row, count in counts.items() if count is None]] = True
        rows = sorted(counts)
        return (_replaced(column, rows, [counts[row] for row in rows]) if rows else column), odd

    def evaluations(self, length: int) -> pa.ListArray:
        """Return the evaluations of each span."""
        found = self.values.get("evaluations", {})
        if not found:
            return pa.ListArray.from_arrays(
                pa.array(np.zeros(length + 1, np.int32)), pa.array([], EVALUATIONS.value_type)
            )
        return pa.array([_storable(found.get(row, [])) for row in range(length)], EVALUATIONS)


def read_rows(batch: SpanBatch, detected: Detected) -> RowValues:
    """Call the readers for the rows that have one, and read the span events of the rows that carry content in them."""
    found = RowValues()
    readers = [dialect.read for dialect in detected.dialects]
    has_reader = np.array([reader is not None for reader in readers])[detected.codes]
    in_events = rows_with_content_events(batch)
    rows = np.union1d(np.flatnonzero(has_reader), in_events)
    if not len(rows):
        return found
    views = Views(batch, rows)
    event_rows = set(in_events.tolist())
    for row, view, first in views:
        reader = readers[detected.codes[row]]
        if reader is not None:
            found.put(row, _read(reader, view))
        if row in event_rows:
            found.put(row, _read(read_content_events, view))
        if view.moved:
            found.moved += [first + place for place, key in enumerate(view.keys) if key in view.moved]
    return found


def _read(reader: Reader, view: SpanView) -> Mapping[str, Any]:
    """Call a reader; what it cannot cope with costs this span its fields, never the batch."""
    try:
        return reader(view)
    except Exception:
        _log.exception("a span of scope %.80r could not be read by %s", view.scope, reader.__module__)
        view.moved.clear()
        return {}


def _replaced(column: pa.Array, rows: list[int], values: list[Any]) -> pa.Array:
    found = pa.array(values, column.type)
    if pa.types.is_list(column.type):  # for which replace_with_mask is not made
        place = np.arange(len(column))
        place[rows] = len(column) + np.arange(len(rows))
        return pa.concat_arrays([column, found]).take(pa.array(place))
    mask = np.zeros(len(column), bool)
    mask[rows] = True
    return pc.replace_with_mask(column, pa.array(mask), found)


def _storable(value: Any) -> Any:
    """The value with texts that UTF-8 has a form for: JSON texts may hold halves of surrogate pairs, which parsers keep."""
    if isinstance(value, str):
        return without_lone_surrogates(value)
    if isinstance(value, list):
        return [_storable(each) for each in value]
    return {name: _storable(each) for name, each in value.items()} if isinstance(value, dict) else value


def _count(value: Any) -> int | None:
    """A count as int64; None for what is no whole number, or beyond 64 bits."""
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value[:19])
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    whole = isinstance(value, int) and not isinstance(value, bool)
    return value if whole and -(2**63) <= value < 2**63 else None


def as_content(value: Any) -> str:
    """Return a reader's content as it is stored: a text as it is, anything else as JSON."""
    return without_lone_surrogates(value) if isinstance(value, str) else render(value).decode()


def as_json_object(value: Mapping[str, Any]) -> str:
    """Return a reader's object as JSON, ``""`` for an empty one."""
    return render(value).decode() if value else ""
