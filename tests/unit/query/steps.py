"""A store in memory that answers as the protocols of the read API say: spans by filters, feedback by trace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from fastapi.testclient import TestClient

from collector.query.editor import Feedback
from collector.query.reader import SpanFilters
from collector.settings_attributes import Attributes, LettaAttributes
from exporters.clickhouse.span_rows import span_uuid
from tests.unit.query.rows import START, Row, application, model_call_row

SECOND = 1_000_000_000
NAMES: LettaAttributes = Attributes().letta
REFERENCES = {"letta.step": NAMES.step, "letta.agent": NAMES.agent}


def call_row(number: int = 1, *, trace: int = 1, **changes: Any) -> Row:
    """A model call, the number-th second after `START`; its ids are made of the numbers."""
    trace_id, span_id = f"{trace:032x}"[::-1], f"{number:016x}"
    start = START + number * SECOND
    row = model_call_row(
        trace_id=trace_id,
        span_id=span_id,
        span_uuid=span_uuid(trace_id, span_id),
        start_time=start,
        end_time=start + 800_000_000,
        tags=[],
        response_id=f"chatcmpl-{number}",
    )
    return row | changes


class StoredSteps:
    """Holds spans and feedback of one project, and changes the feedback."""

    def __init__(self, *rows: Row, project: str = "default") -> None:
        self.rows = list(rows)
        self.given: dict[str, Row] = {}
        self.asked: list[SpanFilters] = []
        self._project = project

    def spans(self, project: str, filters: SpanFilters) -> Sequence[Mapping[str, Any]]:
        self.asked.append(filters)
        rows = [row for row in self.rows if project == self._project and self._passes(row, filters)]
        rows.sort(key=_place, reverse=filters.descending)
        after, before = filters.after, filters.before
        if after is not None:
            rows = [row for row in rows if (_place(row) < after if filters.descending else _place(row) > after)]
        if before is not None:
            rows = [row for row in rows if (_place(row) > before if filters.descending else _place(row) < before)]
        if before is not None and after is None:
            return rows[max(len(rows) - filters.limit, 0) :]
        return rows[filters.offset :][: filters.limit]

    def feedback(self, project: str, trace_ids: Sequence[str]) -> Sequence[Mapping[str, Any]]:
        found = [given for given in self.given.values() if given["trace_id"] in trace_ids]
        return sorted(found, key=lambda given: int(given["created_at"]))

    def add_feedback(self, project: str, feedback: Sequence[Feedback]) -> None:
        self.given |= {given.feedback_id: asdict(given) for given in feedback}

    def remove_feedback(self, project: str, trace_id: str, feedback_id: str) -> bool:
        return self.given.pop(feedback_id, None) is not None

    def _passes(self, row: Row, filters: SpanFilters) -> bool:
        on_span = [given for given in self.given.values() if given["span_id"] == row["span_id"]]
        labels = {given["label"] for given in on_span} - {""}
        tags = {*row["tags"], *(tag for given in on_span for tag in given["tags"])}
        models, start = (row["request_model"], row["response_model"]), row["start_time"]
        since, until = filters.started_after_ns, filters.started_before_ns
        return all((
            not filters.trace_ids or row["trace_id"] in filters.trace_ids,
            not filters.span_uuids or row["span_uuid"] in filters.span_uuids,
            not filters.kinds or row["kind"] in filters.kinds,
            not filters.references or any(_refers(row, each) for each in filters.references),
            filters.model is None or filters.model in models,
            filters.label is None or filters.label in labels,
            filters.has_feedback is None or filters.has_feedback == bool(labels),
            not filters.tags or not tags.isdisjoint(filters.tags),
            filters.repeats or row["counts"] or row["input_tokens"] is None,
            since is None or start >= since,
            until is None or start < until,
        ))  # fmt: skip


def _place(row: Row) -> tuple[int, str, str]:
    return row["start_time"], row["trace_id"], row["span_id"]


def _refers(row: Row, reference: Any) -> bool:
    named = [row["attributes"][name] for name in REFERENCES[reference.kind] if name in row["attributes"]]
    return named[:1] == [reference.value]


def client_of(store: StoredSteps, project: str = "default") -> TestClient:
    return TestClient(application(store, editor=store, project=project), raise_server_exceptions=False)


def named(step_id: str, number: int, **changes: Any) -> Row:
    """A model call that names its step."""
    return call_row(number, attributes={"letta.step_id": step_id}, **changes)


def shown(row: Row) -> str:
    """The id that a call is shown under that names none."""
    return f"step-{row['span_uuid']}"


def listed(store: StoredSteps, query: str = "") -> list[str]:
    response = client_of(store).get(f"/letta/v1/steps/?{query}")
    assert response.status_code == 200, response.text
    return [step["id"] for step in response.json()]


def step_of(row: Row) -> dict[str, Any]:
    response = client_of(StoredSteps(row)).get(f"/letta/v1/steps/{shown(row)}")
    assert response.status_code == 200, response.text
    document: dict[str, Any] = response.json()
    return document
