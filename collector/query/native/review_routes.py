"""Feedback on traces, and approved outputs of their spans: how they get in over HTTP, and back."""

from __future__ import annotations

import uuid
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Response

from collector.json_text import JSON_MEDIA_TYPE, render
from collector.query.access import Access, bearer_or_api_key
from collector.query.api import Backend
from collector.query.editor import Approval, Feedback
from collector.query.errors import Problem, Refused, ValidationProblem
from collector.query.native.review_schema import (
    MAX_OFFSET,
    ApprovalBody,
    ApprovalResponse,
    FeedbackBody,
    FeedbackList,
    FeedbackResponse,
)
from collector.query.native.review_view import approval_document, feedback_document
from collector.query.reader import Row
from collector.query.reviews import shown_output, trace_approvals, trace_feedback
from collector.query.span_ids import span_id_of

SOURCE = "native"
LONGEST_OUTPUT = 4 << 20
"""Bytes of an approved output, which is what a span keeps of its own by default."""

_PROBLEMS: dict[int | str, dict[str, Any]] = {
    404: {"model": Problem, "description": "There is no such trace, span or review"},
    422: {"model": ValidationProblem, "description": "The request is not valid"},
    503: {"model": Problem, "description": "The store does not answer now; see Retry-After"},
}
_TRACE_ID = Path(description="With or without dashes: OpenTelemetry's 32 hex digits will do.")
_SPAN_ID = Path(description="OpenTelemetry's 16 hex digits, or the span's UUID.")
_SPAN_PATH = "/traces/{trace_id}/spans/{span_id}/approval"


def review_router(backend: Backend) -> APIRouter:
    """Return the routes. Store and editor block, so they run in the thread pool."""
    router = APIRouter(tags=["reviews"])
    _add_feedback_routes(router, backend)
    _add_approval_routes(router, backend)
    return router


def _add_feedback_routes(router: APIRouter, backend: Backend) -> None:
    store, editor, access = backend.store, backend.editor, Access(backend.keys, bearer_or_api_key)

    @router.post("/traces/{trace_id}/feedback", status_code=201, response_model=FeedbackResponse, responses=_PROBLEMS)
    def add_feedback(
        trace_id: Annotated[UUID, _TRACE_ID], body: FeedbackBody, project: str = Depends(access.write)
    ) -> Response:
        """Store feedback on a trace, or on one span of it. Feedback with the same `feedback_id` is replaced."""
        span_id = _span_id(trace_id, body.span_id) if body.span_id else ""
        if not store.has_span(project, trace_id.hex, span_id):
            raise Refused(404, f"Span {body.span_id:.64} not found." if span_id else f"Trace {trace_id} not found.")
        said = Feedback(
            feedback_id=str(body.feedback_id or uuid.uuid4()),
            trace_id=trace_id.hex,
            span_id=span_id,
            user_id=body.user_id,
            label=body.label or "",
            score=body.score,
            content=body.content,
            tags=tuple(body.tags),
            source=SOURCE,
        )
        (stored,) = editor.add_feedback(project, [said])
        return _json(feedback_document(vars(stored)), 201)

    @router.get("/traces/{trace_id}/feedback", response_model=FeedbackList, responses=_PROBLEMS)
    def list_feedback(
        trace_id: Annotated[UUID, _TRACE_ID],
        limit: Annotated[int, Query(ge=1, le=200, description="Length of the page.")] = 50,
        offset: Annotated[int, Query(ge=0, le=MAX_OFFSET, description="How much comes before the page.")] = 0,
        project: str = Depends(access.read),
    ) -> Response:
        """Return one page of the feedback on a trace and its spans, oldest first, whichever way it came."""
        spans = _spans(backend, project, trace_id)
        stored = store.feedback(project, [trace_id.hex], offset + limit)
        found = trace_feedback(trace_id.hex, spans, stored, backend.attributes)[offset : offset + limit]
        return _json({"items": [feedback_document(row) for row in found], "limit": limit, "offset": offset})

    @router.delete("/traces/{trace_id}/feedback/{feedback_id}", status_code=204, responses=_PROBLEMS)
    def remove_feedback(
        trace_id: Annotated[UUID, _TRACE_ID], feedback_id: UUID, project: str = Depends(access.write)
    ) -> Response:
        """Take feedback back. What came with a span is a part of it, and is not found here."""
        if not editor.remove_feedback(project, trace_id.hex, str(feedback_id)):
            raise Refused(404, f"Feedback {feedback_id} not found.")
        return Response(status_code=204)


def _add_approval_routes(router: APIRouter, backend: Backend) -> None:
    store, editor, access = backend.store, backend.editor, Access(backend.keys, bearer_or_api_key)

    @router.put(_SPAN_PATH, response_model=ApprovalResponse, responses=_PROBLEMS)
    def set_approval(
        trace_id: Annotated[UUID, _TRACE_ID],
        span_id: Annotated[str, _SPAN_ID],
        body: ApprovalBody,
        project: str = Depends(access.write),
    ) -> Response:
        """Store the output that a reviewer wants of a span, or that its own is right. The latest stands."""
        span = _span(backend, project, trace_id, span_id)
        own = shown_output(span, backend.attributes)
        if body.accept and own is None:
            raise Refused(409, f"Span {span['span_uuid']} has no output that could be accepted: give an output.")
        output = render(own if body.accept else body.output)
        if len(output) > LONGEST_OUTPUT:
            raise Refused(413, f"The output is larger than {LONGEST_OUTPUT} bytes.")
        approval = Approval(trace_id.hex, span["span_id"], output.decode(), body.user_id)
        stored = vars(editor.set_approval(project, approval))
        (found,) = trace_approvals([], [stored], backend.attributes).values()
        return _json(approval_document(trace_id.hex, found, own))

    @router.get(_SPAN_PATH, response_model=ApprovalResponse, responses=_PROBLEMS)
    def get_approval(
        trace_id: Annotated[UUID, _TRACE_ID],
        span_id: Annotated[str, _SPAN_ID],
        project: str = Depends(access.read),
    ) -> Response:
        """Return the output that a reviewer approves of; 404 where the span is not reviewed."""
        span = _span(backend, project, trace_id, span_id)
        stored = [row for row in store.approvals(project, [trace_id.hex]) if row["span_id"] == span["span_id"]]
        found = trace_approvals([span], stored, backend.attributes)
        if not found:
            raise Refused(404, f"Span {span['span_uuid']} is not reviewed.")
        own = shown_output(span, backend.attributes)
        return _json(approval_document(trace_id.hex, found[span["span_id"]], own))


def _spans(backend: Backend, project: str, trace_id: UUID) -> list[Row]:
    found = backend.store.trace(project, trace_id.hex)
    if found is None:
        raise Refused(404, f"Trace {trace_id} not found.")
    return list(found[1])


def _span(backend: Backend, project: str, trace_id: UUID, text: str) -> Row:
    span_id = _span_id(trace_id, text)
    for span in _spans(backend, project, trace_id):
        if span["span_id"] == span_id:
            return span
    raise Refused(404, f"Span {text:.64} not found.")


def _span_id(trace_id: UUID, text: str) -> str:
    span_id = span_id_of(trace_id.hex, text)
    if span_id is None:
        raise Refused(404, f"Span {text:.64} not found.")
    return span_id


def _json(document: Any, status: int = 200) -> Response:
    return Response(render(document), status, media_type=JSON_MEDIA_TYPE)
