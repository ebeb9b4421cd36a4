"""The batches that flow from decode to the exporters: `SpanBatch`, and beside it `LogBatch` and `MetricBatch`.

A batch is columns, never objects: one Arrow record batch with a row per record (span, log record, data point), and one flat
set of attribute columns with a row per attribute of a record. Stages do not change a batch; they make a new one with more
(or other) columns.

Columns of every batch after decode, one row per record:

====================================  =======================  =====================================================
column                                Arrow type               meaning
====================================  =======================  =====================================================
project                               dictionary<string>       the project of the sender, or of the resource
received_at                           timestamp[ms, UTC]       arrival of the request at this collector
resource, scope_attributes            dictionary<string>       JSON object of the attributes
service_name                          dictionary<string>       resource attribute ``service.name``, or ``""``
scope_name, scope_version             dictionary<string>       instrumentation scope
resource_schema_url, scope_schema_url dictionary<string>       schema URLs as sent
cut_{attributes,values}               uint32                   cut by our limits: see `collector.decode.limits`
====================================  =======================  =====================================================

Of spans besides:

====================================  =======================  =====================================================
trace_id, span_id, parent_span_id     string                   lowercase hex, 32/16/16 digits; no parent: ``""``
trace_state, name, status_message     string                   as sent
flags                                 uint32                   W3C trace flags and the OTLP remote bits
span_kind                             dictionary<string>       INTERNAL, SERVER, CLIENT, PRODUCER, CONSUMER, UNSPECIFIED
start_time, end_time                  timestamp[ns, UTC]       end_time is null while it was sent as 0
status_code                           dictionary<string>       UNSET, OK, ERROR
dropped_{attributes,events,links}_count  uint32                dropped by the sender, as the sender counted them
cut_{events,links}                    uint32                   cut by our limits
events                                list<struct>             time, name, attributes (JSON object), dropped count
links                                 list<struct>             ids, trace_state, flags, attributes, dropped count
====================================  =======================  =====================================================

The columns of log records and of data points are listed in `collector.decode.logs` and `collector.decode.metrics`.
Enrichment adds its own columns (`collector.enrich`), under the names that the tables have for them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar, Self, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from collector.signals import Signal

Int32s = npt.NDArray[np.int32]

BUILDERS_BYTES = 288 << 10
"""What a decoded batch holds beside its columns: the decoder's builders make room for a thousand rows of each. Measured."""

VALUE_COLUMNS = ("string", "integer", "double", "boolean", "json")


@dataclass(frozen=True)
class Attributes:
    """The attributes of all records of a batch, flat: element i of every column belongs to attribute i.

    At most one of the five value columns is non-null at each position (none: the value was moved elsewhere), and it is
    the type: `string`, `integer` (int64), `double` (float64), `boolean`, or `json` for everything else an OTLP AnyValue
    can hold. There, arrays and key-value lists are JSON, bytes are ``{"bytesValue": "<base64>"}``, and an empty value is
    ``null``.
    """

    row: Int32s
    """Row of the record in the batch; never decreases."""
    key: pa.StringArray
    string: pa.StringArray
    integer: pa.Int64Array
    double: pa.DoubleArray
    boolean: pa.BooleanArray
    json: pa.StringArray

    def __len__(self) -> int:
        return len(self.row)

    def without(self, positions: npt.NDArray[Any]) -> Attributes:
        """Return the attributes with no value at these positions: every value column is null there.

        Only validity bitmaps are made anew; keys, rows and the bytes of the values are shared.
        """
        keep = np.ones(len(self), bool)
        keep[positions] = False
        values = {name: _masked(getattr(self, name), keep) for name in VALUE_COLUMNS}
        return replace(self, **values)

    @cached_property
    def encoded_keys(self) -> tuple[list[str], Int32s]:
        """The distinct keys in this batch, and for each attribute the place of its key among them."""
        encoded = self.key.dictionary_encode()
        return encoded.dictionary.to_pylist(), encoded.indices.to_numpy()

    @cached_property
    def _positions_by_key(self) -> dict[str, Int32s]:
        keys, codes = self.encoded_keys
        # Stable sorting of 16-bit integers is a radix sort: a tenth of the time.
        narrow = codes.astype(np.int16) if len(keys) < 32_000 else codes
        order: Int32s = np.argsort(narrow, kind="stable").astype(np.int32)
        bounds = np.searchsorted(codes[order], np.arange(len(keys) + 1))
        return {key: order[bounds[i] : bounds[i + 1]] for i, key in enumerate(keys)}

    @property
    def keys(self) -> frozenset[str]:
        """The distinct keys in this batch."""
        return frozenset(self._positions_by_key)

    def positions(self, key: str) -> Int32s:
        """Positions of all attributes with this key, ascending by row; empty when no record has it."""
        found = self._positions_by_key.get(key)
        return np.empty(0, np.int32) if found is None else found


NO_ATTRIBUTES = Attributes(
    row=np.empty(0, np.int32),
    key=pa.array([], pa.string()),
    string=pa.array([], pa.string()),
    integer=pa.array([], pa.int64()),
    double=pa.array([], pa.float64()),
    boolean=pa.array([], pa.bool_()),
    json=pa.array([], pa.string()),
)
"""Those of a batch whose records have none."""


@dataclass(frozen=True)
class SignalBatch:
    """What the batches of all signals share: `columns` has one row per record, `attributes` one element per attribute."""

    signal: ClassVar[Signal]

    columns: pa.RecordBatch
    attributes: Attributes

    def __len__(self) -> int:
        return int(self.columns.num_rows)

    @cached_property
    def nbytes(self) -> int:
        """Bytes that the columns occupy in memory."""
        flat = (self.attributes.key, *(getattr(self.attributes, name) for name in VALUE_COLUMNS))
        return int(self.columns.nbytes + self.attributes.row.nbytes + sum(array.nbytes for array in flat))

    @property
    def occupied_bytes(self) -> int:
        """Bytes of memory that it holds as it was decoded, however few rows it has."""
        return self.nbytes + BUILDERS_BYTES

    def column(self, name: str) -> pa.Array:
        """Return the column of this name; KeyError if the batch has none."""
        return self.columns.column(name)

    def take(self, rows: Sequence[int]) -> Self:
        """Return a batch of these rows, which ascend, in arrays of its own."""
        place = np.full(len(self), -1, np.int32)
        place[np.asarray(rows, np.int64)] = np.arange(len(rows), dtype=np.int32)
        row = place[self.attributes.row]
        mine = pa.array(np.flatnonzero(row >= 0))
        values = {name: getattr(self.attributes, name).take(mine) for name in ("key", *VALUE_COLUMNS)}
        attributes = Attributes(row=row[row >= 0], **values)
        return replace(self, columns=self.columns.take(pa.array(rows, pa.int64())), attributes=attributes)

    def with_columns(self, columns: Mapping[str, pa.Array], attributes: Attributes | None = None) -> Self:
        """Return a batch that has these columns as well; a column of the same name is replaced."""
        merged = dict(zip(self.columns.schema.names, self.columns.columns, strict=True)) | dict(columns)
        record_batch = pa.RecordBatch.from_arrays(list(merged.values()), names=list(merged))
        return replace(self, columns=record_batch, attributes=self.attributes if attributes is None else attributes)


@dataclass(frozen=True)
class SpanBatch(SignalBatch):
    """Spans as columns."""

    signal = Signal.TRACES


@dataclass(frozen=True)
class LogBatch(SignalBatch):
    """Log records as columns; what enrichment found in them for spans stands apart, under the names of its tables."""

    signal = Signal.LOGS

    content: pa.Table | None = None
    """Rows for the table `span_content`."""
    evaluations: pa.Table | None = None
    """Rows for the table `evaluations`."""


@dataclass(frozen=True)
class MetricBatch(SignalBatch):
    """Data points of metrics as columns."""

    signal = Signal.METRICS


Batch = TypeVar("Batch", bound=SignalBatch)


def _masked(values: pa.Array, keep: npt.NDArray[np.bool_]) -> pa.Array:
    """The array with null where `keep` is false; shares all buffers but the validity."""
    valid = keep & values.is_valid().to_numpy(zero_copy_only=False)
    if values.offset or not len(values):
        return pc.if_else(pa.array(valid), values, pa.scalar(None, values.type))
    buffers = [pa.py_buffer(np.packbits(valid, bitorder="little")), *values.buffers()[1:]]
    return pa.Array.from_buffers(values.type, len(values), buffers)


def total_bytes(values: pa.Array) -> int:
    """Return the bytes of all strings or binary values together: no single one is longer."""
    offsets = np.frombuffer(values.buffers()[1], np.int32, count=values.offset + len(values) + 1)
    return int(offsets[-1] - offsets[values.offset])


def byte_lengths(values: pa.Array) -> npt.NDArray[np.int64]:
    """Return the lengths in bytes of strings or binary values, 0 for null; read off the offsets, without a kernel call."""
    offsets = np.frombuffer(values.buffers()[1], np.int32, count=values.offset + len(values) + 1)[values.offset :]
    lengths = np.diff(offsets).astype(np.int64)
    if values.null_count:
        lengths[values.is_null().to_numpy(zero_copy_only=False)] = 0
    return lengths


def concat(batches: Sequence[Batch]) -> Batch:
    """Join batches of one signal, with the same columns, into one, in this order.

    Raises pa.ArrowInvalid when a text column would exceed 2 GiB; the halves may fit.
    """
    if len(batches) == 1:
        return batches[0]
    columns = pa.concat_batches([batch.columns for batch in batches])
    starts = np.cumsum([0, *(len(batch) for batch in batches)])
    attributes = [batch.attributes for batch in batches]
    joined = {name: pa.concat_arrays([getattr(a, name) for a in attributes]) for name in ("key", *VALUE_COLUMNS)}
    row = np.concatenate([a.row + np.int32(start) for a, start in zip(attributes, starts, strict=False)])
    return replace(batches[0], columns=columns, attributes=Attributes(row=row, **joined))


def pick(batch: SignalBatch, key: str, value: str) -> pa.Array:
    """Return the values of one attribute key for all rows: null where the record lacks it or it has another type.

    `value` names the value column: string, integer, double, boolean or json. If a record repeats the key, the last wins.
    """
    positions = batch.attributes.positions(key)
    values: pa.Array = getattr(batch.attributes, value)
    indices = np.full(len(batch), -1, np.int64)
    indices[batch.attributes.row[positions]] = positions
    return pc.take(values, pa.array(indices, mask=indices < 0))
