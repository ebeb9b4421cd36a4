"""Reading the fields of the dialects' tables off the attribute columns, whole columns at a time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from collector.batch import Int32s, SpanBatch, pick
from collector.enrich.dialects import DIALECTS

_NO_STRINGS = pa.scalar(None, pa.string())


def _keys(table: str, field: str) -> list[str]:
    return [key for dialect in DIALECTS for key in getattr(dialect, table).get(field, ())]


def _fields(table: str) -> list[str]:
    return list(dict.fromkeys(field for dialect in DIALECTS for field in getattr(dialect, table)))


def _present(batch: SpanBatch, table: str, field: str) -> list[str]:
    return [key for key in _keys(table, field) if len(batch.attributes.positions(key))]


def _first(candidates: Iterable[pa.Array], rows: int, kind: pa.DataType) -> pa.Array:
    arrays = list(candidates)
    return pc.coalesce(*arrays) if arrays else pa.nulls(rows, kind)


def text_fields(batch: SpanBatch) -> dict[str, pa.StringArray]:
    """Return every text field, null where no key of it is present. An empty string counts as absent."""
    columns = {}
    for field in _fields("text"):
        candidates = (pick(batch, key, "string") for key in _present(batch, "text", field))
        found = [pc.if_else(pc.equal(column, ""), _NO_STRINGS, column) for column in candidates]
        columns[field] = _first(found, len(batch), pa.string())
    return columns


def token_fields(batch: SpanBatch) -> dict[str, pa.Int64Array]:
    """Return every token field as sent, null where not reported. Digits in a string count as a number."""
    columns = {}
    for field in _fields("tokens"):
        candidates = []
        for key in _present(batch, "tokens", field):
            candidates.append(pick(batch, key, "integer"))
            texts = pick(batch, key, "string")
            if texts.null_count < len(texts):
                digits = pc.fill_null(pc.match_substring_regex(texts, r"^[0-9]{1,18}$"), False)
                candidates.append(pc.if_else(digits, texts, _NO_STRINGS).cast(pa.int64()))
        columns[field] = _first(candidates, len(batch), pa.int64())
    return columns


def duration_fields(batch: SpanBatch) -> dict[str, pa.Int64Array]:
    """Return every duration field in ns, null where absent, negative, or longer than a day."""
    columns = {}
    for field in _fields("seconds"):
        candidates = []
        for key in _present(batch, "seconds", field):
            candidates += [pick(batch, key, "double"), pick(batch, key, "integer").cast(pa.float64(), safe=False)]
        seconds = _first(candidates, len(batch), pa.float64())
        plausible = pc.and_(pc.greater_equal(seconds, 0.0), pc.less_equal(seconds, 86_400.0))
        seconds = pc.if_else(pc.fill_null(plausible, False), seconds, pa.scalar(None, pa.float64()))
        columns[field] = pc.round(pc.multiply(seconds, 1e9)).cast(pa.int64())
    return columns


def list_fields(batch: SpanBatch) -> dict[str, pa.ListArray]:
    """Return every field that is a list of strings; empty where absent. Each distinct list is parsed once."""
    columns = {}
    for field in _fields("lists"):
        candidates = []
        for key in _present(batch, "lists", field):
            candidates += [pick(batch, key, "json"), pick(batch, key, "string")]
        encoded = _first(candidates, len(batch), pa.string()).fill_null("[]").dictionary_encode()
        lists = pa.array([_strings(text) for text in encoded.dictionary.to_pylist()], pa.list_(pa.string()))
        columns[field] = lists.take(encoded.indices)
    return columns


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


def content_fields(batch: SpanBatch) -> tuple[dict[str, pa.StringArray], Int32s]:
    """Return every content field (``""`` where absent), and the positions of the attributes that went into them.

    Those attributes are to be taken out: content is stored once. An empty string or an empty value counts as absent.
    """
    attributes = batch.attributes
    text = pc.greater(pc.binary_length(attributes.string), 0).fill_null(False)
    structured = pc.not_equal(attributes.json, "null").fill_null(False)
    has_content = pc.or_(text, structured).to_numpy(zero_copy_only=False)
    columns: dict[str, pa.StringArray] = {}
    moved = []
    for field in _fields("content"):
        chosen = np.full(len(batch), -1, np.int64)
        for key in reversed(_keys("content", field)):  # the first key is written last, and so wins
            positions = attributes.positions(key)
            positions = positions[has_content[positions]]
            chosen[attributes.row[positions]] = positions
        found = chosen[chosen >= 0]
        indices = pa.array(chosen, mask=chosen < 0)
        texts = attributes.string.take(indices)
        if attributes.json.take(pa.array(found)).null_count < len(found):
            texts = pc.coalesce(texts, attributes.json.take(indices))
        columns[field] = texts.fill_null("")
        moved.append(found)
    return columns, np.concatenate(moved).astype(np.int32)


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
