"""The PandaProbe endpoints, as a router that can be mounted under any path.

Responses are rendered straight to bytes. The declared models serve the OpenAPI document: FastAPI does not validate a
`Response`, which would cost more than all the rest.
"""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, FastAPI, Path, Query, Response

from collector.json_text import JSON_MEDIA_TYPE, render
from collector.query.access import Access, bearer_or_api_key
from collector.query.api import Backend, documented_api
from collector.query.errors import ErrorBody, Problem, Refused, ValidationProblem, detail_body
from collector.query.pandaprobe.filters import TraceListParameters
from collector.query.pandaprobe.schema import TraceList, TraceResponse
from collector.query.pandaprobe.view import trace_document, trace_list_item

_PROBLEMS: dict[int | str, dict[str, Any]] = {
    401: {"model": Problem, "description": "The request shows no API key, or one that is not known"},
    403: {"model": Problem, "description": "The key does not allow this, or belongs to another project"},
    422: {"model": ValidationProblem, "description": "The request is not valid, or costs too much"},
    503: {"model": Problem, "description": "The store does not answer now; see Retry-After"},
}
_NOT_FOUND: dict[int | str, dict[str, Any]] = {404: {"model": Problem, "description": "There is no such trace"}}


def pandaprobe_api(backend: Backend, version: str) -> tuple[FastAPI, ErrorBody]:
    """Return the API as an application, and how it tells of errors."""
    return documented_api("PandaProbe", pandaprobe_router(backend), detail_body, version=version), detail_body


def pandaprobe_router(backend: Backend) -> APIRouter:
    """Return the routes. The store blocks, so they run in the thread pool."""
    router = APIRouter(tags=["traces"])
    store, access = backend.store, Access(backend.keys, bearer_or_api_key)

    @router.get("/traces/{trace_id}", response_model=TraceResponse, responses={**_NOT_FOUND, **_PROBLEMS})
    def get_trace(
        trace_id: Annotated[UUID, Path(description="With or without dashes: OpenTelemetry's 32 hex digits will do.")],
        project: str = Depends(access.read),
    ) -> Response:
        """Return a trace with all its spans."""
        found = store.trace(project, trace_id.hex)
        if found is None:
            raise Refused(404, f"Trace {trace_id} not found.")
        return Response(render(trace_document(project, *found)), media_type=JSON_MEDIA_TYPE)

    @router.get("/traces", response_model=TraceList, responses=_PROBLEMS)
    def list_traces(
        parameters: Annotated[TraceListParameters, Query()], project: str = Depends(access.read)
    ) -> Response:
        """Return one page of traces, filtered and sorted."""
        traces, total = store.traces(project, parameters.filters())
        page = {
            "items": [trace_list_item(trace) for trace in traces],
            "total": total,
            "limit": parameters.limit,
            "offset": parameters.offset,
        }
        return Response(render(page), media_type=JSON_MEDIA_TYPE)

    return router
