"""The SQL that finds spans, as reviewed: one file in tests/snapshots for each filter, each order, and some of them together.

After a change that is meant, rewrite the files and review the difference:

    SPANLEDGER_REWRITE_SNAPSHOTS=1 python -m pytest tests/unit/exporters/test_span_sql_snapshots.py
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest

from collector.query.reader import Reference, SpanFilters
from exporters.clickhouse.find_spans import find_statement, times_of
from exporters.clickhouse.span_rows import span_statement

SNAPSHOTS = Path(__file__).parents[2] / "snapshots"
REWRITE = bool(os.environ.get("SPANLEDGER_REWRITE_SNAPSHOTS"))

TIME = 1_767_225_600_000_000_000
TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
SPAN_ID = "b7ad6b7169203331"

EACH_FILTER: dict[str, Any] = {
    "trace_ids": (TRACE_ID,),
    "span_uuids": ("0af76519-16cd-443b-87ad-6b7169203331", "0af76519-16cd-443b-87ad-6b7169203332", "nothing"),
    "span_ids": (SPAN_ID,),
    "references": (
        Reference("letta.step", "step-1"),
        Reference("trace", TRACE_ID),
        Reference("letta.step", "step-2"),
        Reference.of("lasso.row", "table", "row"),
    ),
    "session_ids": ("session-1",),
    "kinds": ("LLM",),
    "names": ("chat",),
    "model": "gpt-4o",
    "label": "positive",
    "has_feedback": True,
    "tags": ("paid", "beta"),
    "repeats": False,
    "started_after_ns": TIME,
    "started_before_ns": TIME + 1,
    "after": (TIME, TRACE_ID, SPAN_ID),
    "before": (TIME, TRACE_ID, SPAN_ID),
}

HOSTILE = "'); DROP TABLE spans; -- {project:String} \\"

CASES: dict[str, dict[str, Any]] = {
    "no_filter": {},
    **{f"filter_{name}": {name: value} for name, value in EACH_FILTER.items()},
    "filter_without_feedback": {"has_feedback": False},
    **{
        f"sort_{field}_{'descending' if descending else 'ascending'}": {"sort_by": field, "descending": descending}
        for field in ("start_time", "end_time", "received_at", "latency", "name")
        for descending in (True, False)
    },
    **{
        f"ascending_{name}": {name: EACH_FILTER[name], "descending": False}
        for name in ("after", "before")
    },
    "every_filter": EACH_FILTER,
    "model_calls_of_a_trace": {"trace_ids": (TRACE_ID,), "kinds": ("LLM",), "limit": 20, "offset": 20},
}  # fmt: skip


def generated(changes: dict[str, Any]) -> str:
    """The statement and its values, as they are kept."""
    filters = SpanFilters(**{"limit": 50, **changes})
    sql, values = find_statement("default", filters, times_of(filters))
    bound = "".join(f"--   {name} = {value!r}\n" for name, value in sorted(values.items()))
    return f"-- with these values bound:\n{bound}{sql.strip()}\n"


@pytest.mark.parametrize("name", CASES)
def test_the_sql_that_finds_spans_is_as_reviewed(name: str) -> None:
    file = SNAPSHOTS / f"spans_{name}.sql"
    found = generated(CASES[name])
    if REWRITE:
        assert "CI" not in os.environ, "snapshots are not rewritten in CI"
        file.write_text(found, encoding="utf-8")
    assert found == file.read_text(encoding="utf-8"), f"see the docstring of {Path(__file__).name}"


def test_every_snapshot_belongs_to_a_case() -> None:
    assert {file.name for file in SNAPSHOTS.glob("spans_*.sql")} == {f"spans_{name}.sql" for name in CASES}


def test_no_payload_column_is_touched_before_the_ids_are_found() -> None:
    payload = r"\b(input|output|system_instructions|tool_definitions|attributes_\w+|events|links|metadata|resource)\b"
    for changes in CASES.values():
        assert not re.search(payload, generated(changes))
    assert re.search(payload, span_statement("spans_by_id.sql"))


def test_texts_of_a_client_are_bound_and_never_a_part_of_the_sql() -> None:
    def filters(text: str) -> SpanFilters:
        texts = dict.fromkeys(("trace_ids", "span_ids", "session_ids", "kinds", "names", "tags"), (text,))
        after = (TIME, text, text)
        references = (Reference(text, text), Reference("trace", text))
        return SpanFilters(limit=1, **texts, model=text, label=text, references=references, after=after)  # type: ignore[arg-type]

    hostile, values = find_statement(HOSTILE, filters(HOSTILE), (None, None))
    assert hostile == find_statement("default", filters("a"), (None, None))[0]
    for name in ("project", "model", "label", "after_trace", "after_span", "kind_0"):
        assert values[name] == HOSTILE
    for name in ("trace_ids", "span_ids", "session_ids", "kinds", "names", "tags", "referred_0", "own_traces"):
        assert values[name] == [HOSTILE]


def test_an_order_that_is_not_in_the_table_is_refused() -> None:
    with pytest.raises(KeyError):
        find_statement("default", SpanFilters(limit=1, sort_by="name; DROP TABLE spans"), (None, None))  # type: ignore[arg-type]
