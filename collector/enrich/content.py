"""What is read out of content: the tool calls that a model asked for."""

from __future__ import annotations

from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

TOOL_CALLS = pa.list_(pa.struct([("id", pa.string()), ("name", pa.string()), ("arguments", pa.string())]))


def tool_calls(output: pa.StringArray) -> pa.ListArray:
    """Return the `tool_call` parts of output messages, in order, as lists of (id, name, arguments as JSON text).

    Only rows whose output mentions such a part are parsed; output that is not messages in JSON has none.
    """
    rows = np.flatnonzero(pc.match_substring(output, '"tool_call"').to_numpy(zero_copy_only=False))
    calls = [_calls(text) for text in output.take(pa.array(rows)).to_pylist()]
    counts = np.zeros(len(output) + 1, np.int32)
    counts[rows + 1] = [len(found) for found in calls]
    values = pa.array([call for found in calls for call in found], TOOL_CALLS.value_type)
    return pa.ListArray.from_arrays(pa.array(np.cumsum(counts, dtype=np.int32)), values)


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
                found.append({name: _text(part.get(name)) for name in ("id", "name", "arguments")})
    return found


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else orjson.dumps(value).decode()
