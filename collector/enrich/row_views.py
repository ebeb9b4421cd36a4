"""Views of the rows that have a reader. Their attributes become Python values together: one by one takes ten times as long."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from collector.batch import VALUE_COLUMNS, Attributes, SpanBatch
from collector.enrich.span_view import Event, SpanView, arrays_of
from collector.json_text import json_value


class Views:
    """Views of some rows of a batch."""

    def __init__(self, batch: SpanBatch, rows: npt.NDArray[np.int64]) -> None:
        """`rows` are ascending. Attributes are sorted by row, so that those of one lie side by side."""
        self._batch = batch
        self._rows: list[int] = rows.tolist()
        bounds = np.searchsorted(batch.attributes.row, np.arange(len(batch) + 1))
        self._first, lengths = bounds[rows], np.diff(bounds)[rows]
        self._ends = np.cumsum(lengths)
        taken = np.arange(self._ends[-1]) + np.repeat(self._first - (self._ends - lengths), lengths)
        names, codes = batch.attributes.encoded_keys
        self._keys: list[str] = np.array(names, object)[codes[taken]].tolist()
        self._array_of = arrays_of(names)
        self._values = _values(batch.attributes, taken)
        self._name = batch.column("name").take(pa.array(rows)).to_pylist()
        self._scope = batch.column("scope_name").take(pa.array(rows)).to_pylist()
        self._scope_version = batch.column("scope_version").take(pa.array(rows)).to_pylist()
        self._start = batch.column("start_time").cast(pa.int64()).to_numpy()[rows].tolist()

    def __iter__(self) -> Iterator[tuple[int, SpanView, int]]:
        """Yield each row, its view, and the position of its first attribute in the batch."""
        begin = 0
        for place, (row, first, end) in enumerate(
            zip(self._rows, self._first.tolist(), self._ends.tolist(), strict=True)
        ):
            keys = self._keys[begin:end]
            view = SpanView(
                name=self._name[place],
                scope=self._scope[place],
                scope_version=self._scope_version[place],
                start_time=self._start[place],
                attributes=dict(zip(keys, self._values[begin:end], strict=True)),
                keys=keys,
                array_of=self._array_of,
                load_events=lambda row=row: self._events(row),  # type: ignore[misc]
            )
            begin = end
            yield row, view, first

    def _events(self, row: int) -> Sequence[Event]:
        events = self._batch.column("events").slice(row, 1).flatten()
        time = events.field("time").cast(pa.int64()).to_pylist()
        attributes = map(json_value, events.field("attributes").to_pylist())
        return list(zip(events.field("name").to_pylist(), time, attributes, strict=True))


def _values(attributes: Attributes, positions: npt.NDArray[np.int64]) -> list[Any]:
    """The values at these positions, each of the one type that it has; None for an empty one."""
    string, *others = (getattr(attributes, name).take(pa.array(positions)) for name in VALUE_COLUMNS)
    values: list[Any] = string.to_pylist()
    for name, column in zip(VALUE_COLUMNS[1:], others, strict=True):
        present = np.flatnonzero(column.is_valid().to_numpy(zero_copy_only=False))
        found = column.drop_null().to_pylist()
        for place, value in zip(present.tolist(), found, strict=True):
            values[place] = json_value(value) if name == "json" else value
    return values
