"""Reading the fields of the dialects' tables off the attribute columns, whole columns at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from collector.batch import Int32s, SpanBatch, pick
from collector.enrich.detection import Detected
from collector.enrich.dialects import DIALECTS, GENAI, Dialect
from collector.enrich.latency import DAY_NS

_NO_STRINGS = pa.scalar(None, pa.string())
_NO_DOUBLES = pa.scalar(None, pa.float64())

_IDENTITIES = frozenset({"session_id", "user_id"})

MOST_USD = 1e6
"""A larger amount does not fit Decimal(18, 12)."""


class Fields:
    """Reads fields of one batch, each row by the keys of its dialect and then by those of the conventions."""

    def __init__(self, batch: SpanBatch, detected: Detected) -> None:
        self._batch = batch
        self._groups = [(dialect, mask) for dialect, mask in detected.present()]
        self._keys = batch.attributes.keys

    def _resolve(
        self,
        tables: str | tuple[str, ...],
        field: str,
        read: Callable[[list[tuple[str, str]]], pa.Array],
        kind: pa.DataType,
    ) -> pa.Array:
        """Return a field's column: read once for each distinct list of keys that the dialects present have for it."""
        names = (tables,) if isinstance(tables, str) else tables
        by_keys: dict[tuple[tuple[str, str], ...], list[npt.NDArray[np.bool_] | None]] = {}
        for dialect, mask in self._groups:
            keys = tuple((table, key) for table, key in _keys(dialect, names, field) if key in self._keys)
            by_keys.setdefault(keys, []).append(mask)
        column = None
        for keys, masks in by_keys.items():
            read_column = read(list(keys)) if keys else pa.nulls(len(self._batch), kind)
            if column is None:
                column = read_column
            else:
                rows = np.logical_or.reduce([mask for mask in masks if mask is not None])
                column = pc.if_else(pa.array(rows), read_column, column)
        return column

    def text(self, field: str) -> pa.StringArray:
        """Return a text field, null where no key of it is present. An empty string counts as absent.

        The identity of a user or session may be an integer.
        """

        def read(keys: list[tuple[str, str]]) -> pa.Array:
            candidates = []
            for _, key in keys:
                column = pick(self._batch, key, "string")
                candidates.append(pc.if_else(pc.equal(column, ""), _NO_STRINGS, column))
                if field in _IDENTITIES and column.null_count > len(column) - len(
                    self._batch.attributes.positions(key)
                ):
                    candidates.append(pick(self._batch, key, "integer").cast(pa.string()))
            return pc.coalesce(*candidates)

        return self._resolve("text", field, read, pa.string())

    def tokens(self, field: str) -> tuple[pa.Int64Array, npt.NDArray[np.bool_]]:
        """Return a token field, null where not reported, and where something is reported that is no number.

        Digits in a string count as a number, and so does a whole double.
        """
        no_numbers: dict[str, Int32s] = {}

        def read(keys: list[tuple[str, str]]) -> pa.Array:
            candidates = []
            for _, key in keys:
                column, no_numbers[key] = _counts(self._batch, key)
                candidates.append(column)
            return pc.coalesce(*candidates)

        column = self._resolve("tokens", field, read, pa.int64())
        odd = np.zeros(len(self._batch), bool)
        for dialect, mask in self._groups:
            for key in no_numbers.keys() & {key for _, key in _keys(dialect, ("tokens",), field)}:
                rows = no_numbers[key]
                odd[rows if mask is None else rows[mask[rows]]] = True
        return column, odd & column.is_null().to_numpy(zero_copy_only=False)

    def duration(self, field: str) -> pa.Int64Array:
        """Return a duration in ns, null where absent, negative, or longer than a day."""

        def read(keys: list[tuple[str, str]]) -> pa.Array:
            candidates = []
            for table, key in keys:
                number = _numbers(self._batch, key)
                candidates.append(pc.multiply(number, 1e9 if table == "seconds" else 1e6))
            return pc.coalesce(*candidates)

        found = self._resolve(("seconds", "milliseconds"), field, read, pa.float64())
        plausible = pc.and_(pc.greater_equal(found, 0.0), pc.less_equal(found, float(DAY_NS)))
        found = pc.if_else(pc.fill_null(plausible, False), found, _NO_DOUBLES)
        return pc.round(found).cast(pa.int64())

    def amount(self, field: str) -> pa.DoubleArray:
        """Return an amount in USD, null where absent, negative, or too large to be one."""
        found = self._resolve(
            "amounts", field, lambda keys: pc.coalesce(*(_numbers(self._batch, key) for _, key in keys)), pa.float64()
        )
        plausible = pc.and_(pc.greater_equal(found, 0.0), pc.less(found, MOST_USD))
        return pc.if_else(pc.fill_null(plausible, False), found, _NO_DOUBLES)

    def flag(self, field: str) -> pa.BooleanArray:
        """Return a boolean field, null where absent."""

        def read(keys: list[tuple[str, str]]) -> pa.Array:
            candidates = []
            for _, key in keys:
                candidates.append(pick(self._batch, key, "boolean"))
                texts = pc.ascii_lower(pick(self._batch, key, "string"))
                known = pc.is_in(texts, value_set=pa.array(["true", "false"]))
                candidates.append(pc.if_else(known, pc.equal(texts, "true"), pa.scalar(None, pa.bool_())))
            return pc.coalesce(*candidates)

        return self._resolve("flags", field, read, pa.bool_())

    def list(self, field: str) -> pa.ListArray:
        """Return a list of strings, empty where absent. Each distinct list is parsed once."""

        def read(keys: list[tuple[str, str]]) -> pa.Array:
            return pc.coalesce(*(pick(self._batch, key, value) for _, key in keys for value in ("json", "string")))

        encoded = self._resolve("lists", field, read, pa.string()).fill_null("[]").dictionary_encode()
        lists = pa.array([_strings(text) for text in encoded.dictionary.to_pylist()], pa.list_(pa.string()))
        return lists.take(encoded.indices)

    def content(self, fields: Iterable[str]) -> tuple[dict[str, pa.StringArray], dict[str, npt.NDArray[np.int64]]]:
        """Return content fields (``""`` where absent), and of each the positions of the attributes that it came from.

        A position is -1 where there is none. An empty string or an empty value counts as absent.
        """
        attributes = self._batch.attributes
        text = pc.greater(pc.binary_length(attributes.string), 0).fill_null(False)
        structured = pc.not_equal(attributes.json, "null").fill_null(False)
        has_content = pc.or_(text, structured).to_numpy(zero_copy_only=False)
        columns, positions = {}, {}
        for field in fields:
            positions[field] = chosen = self._chosen(field, has_content)
            found = chosen[chosen >= 0]
            indices = pa.array(chosen, mask=chosen < 0)
            texts = attributes.string.take(indices)
            if attributes.json.take(pa.array(found)).null_count < len(found):
                texts = pc.coalesce(texts, attributes.json.take(indices))
            columns[field] = texts.fill_null("")
        return columns, positions

    def _chosen(self, field: str, has_content: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
        """Per row the position of the attribute that holds this content, or -1."""
        attributes = self._batch.attributes
        chosen = np.full(len(self._batch), -1, np.int64)
        for dialect, mask in self._groups:
            for _, key in reversed(_keys(dialect, ("content",), field)):  # the first key is written last, and so wins
                positions = attributes.positions(key)
                positions = positions[has_content[positions]]
                rows = attributes.row[positions]
                if mask is not None:
                    positions, rows = positions[mask[rows]], rows[mask[rows]]
                chosen[rows] = positions
        return chosen


def _keys(dialect: Dialect, tables: Sequence[str], field: str) -> list[tuple[str, str]]:
    """The keys of a field and their tables: the dialect's own, then those of the conventions that it does not have."""
    found: dict[str, str] = {}
    for owner in (dialect, GENAI):
        for table in tables:
            for key in getattr(owner, table).get(field, ()):
                found.setdefault(key, table)
    return [(table, key) for key, table in found.items()]


def fields_of(table: str) -> list[str]:
    """Return every field that some dialect has in this table."""
    return list(dict.fromkeys(field for dialect in DIALECTS for field in getattr(dialect, table)))


def _counts(batch: SpanBatch, key: str) -> tuple[pa.Int64Array, Int32s]:
    """Return the counts under a key, and the rows where it holds something else."""
    integers = pick(batch, key, "integer")
    positions = batch.attributes.positions(key)
    if integers.null_count == len(integers) - len(positions):  # all of them integers: nearly always
        return integers, np.empty(0, np.int32)
    texts, doubles = pick(batch, key, "string"), pick(batch, key, "double")
    digits = pc.fill_null(pc.match_substring_regex(texts, r"^[0-9]{1,18}$"), False)
    whole = pc.fill_null(pc.and_(pc.equal(doubles, pc.floor(doubles)), pc.less(pc.abs(doubles), 2.0**53)), False)
    column = pc.coalesce(
        integers,
        pc.if_else(digits, texts, _NO_STRINGS).cast(pa.int64()),
        pc.if_else(whole, doubles, _NO_DOUBLES).cast(pa.int64()),
    )
    absent = pc.or_(
        pc.fill_null(pc.equal(texts, ""), False), pc.fill_null(pc.equal(pick(batch, key, "json"), "null"), False)
    )
    odd = column.is_null().to_numpy(zero_copy_only=False) & ~absent.to_numpy(zero_copy_only=False)
    sent = batch.attributes.row[positions]
    return column, sent[odd[sent]]


def _numbers(batch: SpanBatch, key: str) -> pa.DoubleArray:
    """Return the numbers under a key as doubles: doubles, integers, or decimal numbers in a string."""
    candidates = [pick(batch, key, "double"), pick(batch, key, "integer").cast(pa.float64(), safe=False)]
    texts = pick(batch, key, "string")
    if texts.null_count < len(texts):
        decimal = pc.fill_null(pc.match_substring_regex(texts, r"^[0-9]{1,12}(\.[0-9]{1,15})?$"), False)
        candidates.append(pc.if_else(decimal, texts, _NO_STRINGS).cast(pa.float64()))
    return pc.coalesce(*candidates)


def _strings(text: str) -> list[str]:
    """The elements of a JSON array as texts, but for nulls; nothing for no value; any other text is a list of itself."""
    if text in ("", "null"):
        return []
    try:
        parsed: Any = orjson.loads(text)
    except orjson.JSONDecodeError:
        return [text]
    return [as_text(element) for element in parsed if element is not None] if isinstance(parsed, list) else [text]


def as_text(value: Any) -> str:
    """Return a parsed JSON value as text: a string as it is, null as ``""``, anything else as JSON.

    What is nested deeper than orjson writes (254 levels, while it reads 1,024) is ``""`` as well.
    """
    if value is None or isinstance(value, str):
        return value or ""
    try:
        return orjson.dumps(value).decode()
    except orjson.JSONEncodeError:
        return ""


def resource_fields(batch: SpanBatch, fields: Mapping[str, tuple[str, ...]]) -> dict[str, pa.DictionaryArray]:
    """Return columns read from the resource JSON, parsed once per distinct resource; ``""`` where absent."""
    resource = batch.column("resource")
    parsed = [orjson.loads(text) for text in resource.dictionary.to_pylist()]
    columns = {}
    for field, keys in fields.items():
        values = [next((as_text(r[key]) for key in keys if r.get(key) not in (None, "")), "") for r in parsed]
        unified = pa.array(values, pa.string()).dictionary_encode()
        indices = unified.indices.take(resource.indices)
        columns[field] = pa.DictionaryArray.from_arrays(indices, unified.dictionary)
    return columns
