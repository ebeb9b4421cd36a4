"""The PandaProbe endpoints, as a router that can be mounted under any path.

Responses are rendered straight to bytes. The declared models serve the OpenAPI document: FastAPI does not validate a
`Response`, which would cost more than all the rest. Store and editor block, so the routes run in the thread pool.
"""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, FastAPI, Path, Query, Response

from collector.query.access import Access, bearer_or_api_key
from collector.query.api import Backend, documented_api
from collector.query.errors import ErrorBody, Refused, detail_body
from collector.query.pandaprobe.filters import (
    AnalyticsParameters,
    PageParameters,
    TagChange,
    TraceListParameters,
    TraceSelection,
)
from collector.query.pandaprobe.responses import NO_TRACE, PROBLEMS, json_response, page_response
from collector.query.pandaprobe.routes_sessions import sessions_router
from collector.query.pandaprobe.schema import (
    AnalyticsBucket,
    TagsChanged,
    TokenCostBucket,
    TopModel,
    TraceList,
    TraceResponse,
    TracesDeleted,
    UserList,
)
from collector.query.pandaprobe.view import trace_document, trace_list_item
from collector.query.pandaprobe.view_sessions import analytics_document, user_summary
from collector.query.times import nanoseconds

TraceId = Annotated[UUID, Path(description="With or without dashes: OpenTelemetry's 32 hex digits will do.")]


def pandaprobe_api(backend: Backend, version: str) -> tuple[FastAPI, ErrorBody]:
    """Return the API as an application, and how it tells of errors."""
    return documented_api("PandaProbe", pandaprobe_router(backend), detail_body, version=version), detail_body


def pandaprobe_router(backend: Backend) -> APIRouter:
    """Return all routes."""
    access = Access(backend.keys, bearer_or_api_key)
    router = APIRouter()
    # Before those of one trace, whose id would take their paths.
    router.include_router(_sums_router(backend, access), prefix="/traces", tags=["traces"])
    router.include_router(_batch_router(backend, access), prefix="/traces/batch", tags=["traces"])
    router.include_router(_traces_router(backend, access), prefix="/traces", tags=["traces"])
    router.include_router(sessions_router(backend, access), prefix="/sessions", tags=["sessions"])
    return router


def _sums_router(backend: Backend, access: Access) -> APIRouter:
    router, store = APIRouter(), backend.store

    @router.get(
        "/analytics",
        response_model=list[AnalyticsBucket] | list[TokenCostBucket] | list[TopModel],
        responses=PROBLEMS,
    )
    def get_analytics(
        parameters: Annotated[AnalyticsParameters, Query()], project: str = Depends(access.read)
    ) -> Response:
        """Return traces summed up over time, or the models that were called most; periods without traces are left out."""
        between = nanoseconds(parameters.started_after), nanoseconds(parameters.started_before)
        rows = store.analytics(project, parameters.metric, parameters.granularity, *between)
        return json_response(analytics_document(parameters.metric, rows))

    @router.get("/users", response_model=UserList, responses=PROBLEMS)
    def list_users(parameters: Annotated[PageParameters, Query()], project: str = Depends(access.read)) -> Response:
        """Return one page of users, those first whose latest trace began last."""
        users, total = store.users(project, parameters.limit, parameters.offset)
        return page_response([user_summary(user) for user in users], total, parameters.limit, parameters.offset)

    return router


def _batch_router(backend: Backend, access: Access) -> APIRouter:
    router, editor = APIRouter(), backend.editor

    @router.post("/delete", response_model=TracesDeleted, responses=PROBLEMS)
    def delete_traces(selection: TraceSelection, project: str = Depends(access.delete)) -> Response:
        """Delete traces, and whatever arrives of them later."""
        return json_response({"deleted": editor.delete_traces(project, selection.ids())})

    @router.post("/tags", response_model=TagsChanged, responses=PROBLEMS)
    def change_tags(change: TagChange, project: str = Depends(access.write)) -> Response:
        """Add tags to traces and remove others, for good: also from spans that arrive later."""
        updated = editor.edit_tags(project, change.ids(), change.add_tags, change.remove_tags)
        return json_response({"updated": updated})

    return router


def _traces_router(backend: Backend, access: Access) -> APIRouter:
    router, store, editor = APIRouter(), backend.store, backend.editor

    @router.get("/{trace_id}", response_model=TraceResponse, responses={**NO_TRACE, **PROBLEMS})
    def get_trace(trace_id: TraceId, project: str = Depends(access.read)) -> Response:
        """Return a trace with all its spans."""
        found = store.trace(project, trace_id.hex)
        if found is None:
            raise Refused(404, f"Trace {trace_id} not found.")
        return json_response(trace_document(project, *found))

    @router.delete("/{trace_id}", status_code=204, responses={**NO_TRACE, **PROBLEMS})
    def delete_trace(trace_id: TraceId, project: str = Depends(access.delete)) -> Response:
        """Delete a trace with all its spans, and whatever arrives of it later."""
        if not editor.delete_traces(project, [trace_id.hex]):
            raise Refused(404, f"Trace {trace_id} not found.")
        return Response(status_code=204)

    @router.get("", response_model=TraceList, responses=PROBLEMS)
    def list_traces(
        parameters: Annotated[TraceListParameters, Query()], project: str = Depends(access.read)
    ) -> Response:
        """Return one page of traces, filtered and sorted."""
        traces, total = store.traces(project, parameters.filters())
        return page_response([trace_list_item(trace) for trace in traces], total, parameters.limit, parameters.offset)

    return router
