"""What one release of Galtea's package gets from a collector, as JSON lines: run by test_galtea_clients.py in its own venv.

python galtea_client.py BASE_URL IDS       IDS is JSON: tool, inference_result, session, deleted, deleted_step, trace
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

from galtea import Galtea

IDS = json.loads(sys.argv[1])
NEW = version("galtea").startswith("5.")


def told(name: str, call: Callable[[], Any]) -> None:
    """Print what a call returns, or what it raises."""
    try:
        value = call()
    except Exception as error:
        status = getattr(getattr(error, "response", None), "status_code", None)
        kinds = [kind.__name__ for kind in type(error).__mro__]
        print(json.dumps({"call": name, "raises": kinds, "status": status, "text": str(error)}), flush=True)
        return
    shown = [
        each.model_dump(by_alias=True, mode="json") for each in (value if isinstance(value, list) else [value]) if each
    ]
    print(json.dumps({"call": name, "returns": shown}), flush=True)


galtea = Galtea("a key", suppress_updatable_version_message=True)
print(json.dumps({"call": "version", "returns": [version("galtea")]}), flush=True)
spans = galtea.spans if NEW else galtea.traces
of_result = "trace_id" if NEW else "inference_result_id"

told("get", lambda: spans.get(IDS["tool"]))
told("get missing", lambda: spans.get("trace_ffffffffffffffff"))
told("list by inference result", lambda: spans.list(**{of_result: IDS["inference_result"]}))
told("list by trace id", lambda: spans.list(**{of_result: IDS["trace"]}))
told("list by session", lambda: spans.list(session_id=IDS["session"]))
told("list by another session", lambda: spans.list(session_id="another"))
told(
    "list by everything",
    lambda: spans.list(
        **{of_result: [IDS["inference_result"], "x y"]},
        session_id=[IDS["session"]],
        types=["tool", "GENERATION"],
        names=["fetch_user_data", "c&d"],
        from_start_time=1704067200,
        to_start_time="2100-01-01T00:00:00Z",
        sort_by_start_time="DESC",
        offset=0,
        limit=5,
    ),
)
told("list the second", lambda: spans.list(session_id=IDS["session"], sort_by_start_time="asc", offset=1, limit=1))
if NEW:
    told("list by id", lambda: spans.list(id=[IDS["tool"]]))
    told("list by missing id", lambda: spans.list(id=[IDS["tool"], "trace_ffffffffffffffff"]))
told("list too much", lambda: spans.list(session_id=IDS["session"], limit=100000))
told("delete a step", lambda: spans.delete(IDS["deleted_step"]))
told("delete", lambda: spans.delete(IDS["deleted"]))
told("get deleted", lambda: spans.get(IDS["deleted"]))
told("get deleted step", lambda: spans.get(IDS["deleted_step"]))
told("delete missing", lambda: spans.delete(IDS["deleted"]))
galtea.shutdown()
