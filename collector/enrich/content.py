"""What is read out of content: the tool calls that a model asked for."""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa

from collector.enrich.fields import as_text

TOOL_CALLS = pa.list_(pa.struct([("id", pa.string()), ("name", pa.string()), ("arguments", pa.string())]))


def tool_calls(output: pa.StringArray) -> pa.ListArray:
    """Return the `tool_call` parts of output messages, in order, as lists of (id, name, arguments as JSON text).

    Only rows whose output mentions such a part are parsed; output that is not messages in JSON has none.
    """
    rows = _mentioning(output)
    calls = [_calls(text) for text in output.take(pa.array(rows)).to_pylist()]
    counts = np.zeros(len(output) + 1, np.int32)
    counts[rows + 1] = [len(found) for found in calls]
    values = pa.array([call for found in calls for call in found], TOOL_CALLS.value_type)
    return pa.ListArray.from_arrays(pa.array(np.cumsum(counts, dtype=np.int32)), values)


def _mentioning(output: pa.StringArray) -> npt.NDArray[np.int64]:
    """Rows that contain ``"tool_call"``: one search over all bytes, many times faster than a search per row."""
    data = output.buffers()[2]
    found = [match.start() for match in re.finditer(rb'"tool_call"', data)] if data is not None else []
    offsets = np.frombuffer(output.buffers()[1], np.int32)[output.offset : output.offset + len(output) + 1]
    rows = np.unique(np.searchsorted(offsets, np.array(found, np.int64), side="right") - 1)
    return rows[(rows >= 0) & (rows < len(output))]


def _calls(text: str) -> list[dict[str, str]]:
    try:
        messages = orjson.loads(text)
    except orjson.JSONDecodeError:
        return []
    found = []
    for message in messages if isinstance(messages, list) else []:
        parts = message.get("parts") if isinstance(message, dict) else None
        for part in parts if isinstance(parts, list) else []:
            if isinstance(part, dict) and part.get("type") == "tool_call":
                found.append({name: as_text(part.get(name)) for name in ("id", "name", "arguments")})
    return found
