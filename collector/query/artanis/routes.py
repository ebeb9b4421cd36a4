"""The Artanis endpoints.

Responses are rendered straight to bytes; the declared models serve the OpenAPI document.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Query, Request, Response
from fastapi.exceptions import RequestValidationError

from collector.auth import Scope
from collector.errors import Permanent
from collector.json_text import JSON_MEDIA_TYPE, render
from collector.project import project_uuid
from collector.query.access import Access, bearer_or_api_key
from collector.query.api import Backend, documented_api
from collector.query.artanis.schema import Nothing, Problem, Trace, Traces
from collector.query.artanis.view import trace_document, trace_item
from collector.query.errors import ErrorBody, Failure, Refused, field_errors, request_id, respond
from collector.query.reader import TraceFilters
from collector.query.span_ids import trace_id_of

# The document has no pages and promises every trace: a client that knows no other parameters gets as many as may be.
MAX_TRACES = 1000
MAX_OFFSET = 1_000_000

_STATUS_WORDS = {401: "Not authenticated", 403: "Forbidden", 404: "Not found"}
_NEEDS_PROJECT = "projectSlug or projectId is required"

_PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem, "description": description}
    for status, description in {
        401: "The request shows no API key, or one that is not known",
        403: "The key does not allow this",
        404: "This project has no such trace, or the key belongs to another project",
        503: "The store does not answer now; see Retry-After",
    }.items()
}
_BAD_REQUEST: dict[int | str, dict[str, Any]] = {
    400: {"model": Problem, "description": "A parameter is missing or wrong"}
}


def error_body(failure: Failure) -> dict[str, str]:
    """``{"error": sentence}``; the documented words where the status has some."""
    wrong = "; ".join(f"{each['field']}: {each['message']}" for each in failure.fields)
    return {"error": _STATUS_WORDS.get(failure.status, wrong or failure.message)}


def artanis_api(backend: Backend, version: str) -> tuple[FastAPI, ErrorBody]:
    """Return the API as an application, and how it tells of errors."""
    app = documented_api("Artanis", _router(backend), error_body, version=version)

    @app.exception_handler(RequestValidationError)
    async def refuse(request: Request, error: RequestValidationError) -> Response:
        # The document has 400 for a wrong parameter.
        fields = field_errors(error.errors())
        return respond(Failure(400, "A parameter is not valid", fields, request_id(request)), error_body)

    return app, error_body


def _router(backend: Backend) -> APIRouter:
    """Return the routes. Store and editor block, so they run in the thread pool."""
    router = APIRouter(tags=["traces"])
    store, access = backend.store, Access(backend.keys, bearer_or_api_key)

    @router.get("/api/traces", response_model=Traces, responses={**_BAD_REQUEST, **_PROBLEMS})
    def list_traces(
        request: Request,
        projectSlug: Annotated[str, Query(description="Name of the project.")] = "",  # noqa: N803 - as documented
        projectId: Annotated[str, Query(description="UUID of the project; one of both is required.")] = "",  # noqa: N803
        limit: Annotated[int, Query(ge=1, le=MAX_TRACES, description="Not documented by Artanis.")] = MAX_TRACES,
        offset: Annotated[int, Query(ge=0, le=MAX_OFFSET, description="Not documented by Artanis.")] = 0,
        _: str = Depends(access.read),
    ) -> Response:
        """Return the traces of a project, newest first; the header X-Total-Count says how many there are."""
        project = _named_project(backend, request, projectSlug, projectId)
        traces, total = store.traces(project, _newest(limit, offset))
        body = render({"traces": [trace_item(trace) for trace in traces]})
        return Response(body, headers={"X-Total-Count": str(total)}, media_type=JSON_MEDIA_TYPE)

    @router.get("/api/traces/{traceId}", response_model=Trace, responses=_PROBLEMS)
    def get_trace(traceId: str, project: str = Depends(access.read)) -> Response:  # noqa: N803
        """Return a trace with its spans, their approved outputs, and the feedback on it."""
        trace_id = _trace_id(traceId)
        found = store.trace(project, trace_id)
        if found is None:
            raise Refused(404, "Not found")
        reviews = store.feedback(project, [trace_id]), store.approvals(project, [trace_id])
        return Response(render(trace_document(*found, *reviews, backend.attributes)), media_type=JSON_MEDIA_TYPE)

    @router.delete("/api/traces/{traceId}", response_model=Nothing, responses=_PROBLEMS)
    def delete_trace(traceId: str, project: str = Depends(access.delete)) -> Response:  # noqa: N803
        """Remove a trace, its spans and its feedback."""
        if not backend.editor.delete_traces(project, [_trace_id(traceId)]):
            raise Refused(404, "Not found")
        # The document is silent. A client that reads the body of a success reads this one; 204 would have none.
        return Response(b"{}", media_type=JSON_MEDIA_TYPE)

    return router


def _named_project(backend: Backend, request: Request, slug: str, project_id: str) -> str:
    """Return the project that both parameters name, if the owner of the key may read it."""
    if not slug and not project_id:
        raise Refused(400, _NEEDS_PROJECT)
    key, named = bearer_or_api_key(request)
    try:
        project = backend.keys.project(key, Scope.READ, named=slug or project_id or named)
    except Permanent:
        raise Refused(404, "Not found") from None
    if backend.keys.one_project:
        return project
    if (slug and slug != project) or (project_id and project_id.lower() != project_uuid(project)):
        raise Refused(404, "Not found")
    return project


def _newest(limit: int, offset: int) -> TraceFilters:
    return TraceFilters(
        limit=limit,
        offset=offset,
        session_id=None,
        status=None,
        user_id=None,
        tags=(),
        name=None,
        started_after_ns=None,
        started_before_ns=None,
        sort_by="started_at",
        descending=True,
    )


def _trace_id(text: str) -> str:
    trace_id = trace_id_of(text)
    if trace_id is None:
        raise Refused(404, "Not found")
    return trace_id
