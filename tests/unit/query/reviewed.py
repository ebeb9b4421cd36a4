"""A store and an editor of reviews in memory, as the database keeps them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from fastapi.testclient import TestClient

from collector.query.editor import Approval, Feedback
from tests.unit.query.rows import Row, StoredTraces, application

GIVEN = 1_767_229_200_000_000_000
"""2026-01-01T01:00:00Z: when the first review is given; each further one is given a second later."""


class ReviewedTraces(StoredTraces):
    """One trace, what people think of it, and the changes that are made to both."""

    def __init__(self, trace: Row, spans: Sequence[Row], project: str = "default") -> None:
        super().__init__(answer=(trace, spans))
        self.given: dict[str, Feedback] = {}
        self.approved: dict[str, Approval] = {}
        self.project = project
        self.deleted: list[str] = []
        self._time = GIVEN

    def client(self) -> TestClient:
        """The read API over it, which raises nothing itself."""
        app = application(self, editor=self, project=self.project)
        return TestClient(app, raise_server_exceptions=False)

    def has_span(self, project: str, trace_id: str, span_id: str = "") -> bool:
        found = self.trace(project, trace_id)
        return found is not None and (not span_id or any(span["span_id"] == span_id for span in found[1]))

    def feedback(self, project: str, trace_ids: Sequence[str], limit: int = 1000) -> list[Row]:
        return [vars(each) for each in self.given.values() if each.trace_id in trace_ids][:limit]

    def approvals(self, project: str, trace_ids: Sequence[str]) -> list[Row]:
        return [vars(each) for each in self.approved.values() if each.trace_id in trace_ids]

    def add_feedback(self, project: str, feedback: Sequence[Feedback]) -> list[Feedback]:
        kept = []
        for each in feedback:
            before = self.given.get(each.feedback_id)
            kept.append(replace(each, created_at=before.created_at if before else self._now()))
            self.given[each.feedback_id] = kept[-1]
        return kept

    def remove_feedback(self, project: str, trace_id: str, feedback_id: str) -> bool:
        return self.given.pop(feedback_id, None) is not None

    def set_approval(self, project: str, approval: Approval) -> Approval:
        self.approved[approval.span_id] = replace(approval, created_at=self._now())
        return self.approved[approval.span_id]

    def delete_traces(self, project: str, trace_ids: Sequence[str]) -> int:
        self.deleted.extend(trace_ids)
        found = self.answer is not None and self.answer[0]["trace_id"] in trace_ids
        self.answer = None if found else self.answer
        return int(found)

    def _now(self) -> int:
        self._time += 1_000_000_000
        return self._time - 1_000_000_000


def evaluation(name: str = "feedback", **said: Any) -> Row:
    """An evaluation as a span carries it, or, with `time` and `user_id`, as an event tells it."""
    return {"name": name, "score": None, "label": "", "explanation": "", **said}
