"""The Lasso endpoint."""

from __future__ import annotations

import uuid
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Path, Query, Response

from collector.json_text import JSON_MEDIA_TYPE, render
from collector.query.access import Access, bearer_or_api_key
from collector.query.api import Backend, documented_api
from collector.query.errors import ErrorBody, Failure, Refused
from collector.query.lasso.runs import runs_of
from collector.query.lasso.schema import ErrorType, Problem, RowTraces
from collector.query.lasso.view import column_trace
from collector.query.reader import Reference, SpanFilters

_ABOUT = "Lasso's row traces: the model calls behind each column of one row of a table."

# The list has no pages: it holds the columns that were filled last. Spans that name the row, their traces and the spans of
# these are read, the newest first, up to so many.
MAX_REFERRING = 500
MAX_TRACES = 100
MAX_SPANS = 2000

_ERROR_TYPES: dict[int, ErrorType] = {
    401: "unauthenticated",
    402: "insufficient_credits",
    403: "forbidden",
    404: "not_found",
    409: "conflict",
    422: "validation_error",
    429: "rate_limited",
}

_PROBLEMS: dict[int | str, dict[str, Any]] = {
    401: {"model": Problem, "description": "No key, or one that does not hold here"},
    404: {"model": Problem, "description": "No span names this row"},
    422: {"model": Problem, "description": "The request is not valid, or costs too much"},
    503: {"model": Problem, "description": "The store does not answer now; see Retry-After"},
}

_Id = Annotated[str, Path(max_length=512)]


def error_body(failure: Failure) -> dict[str, Any]:
    """Return Lasso's error object; what is wrong with parameters is said in the message."""
    wrong = [f"{each['field']}: {each['message']}" for each in failure.fields]
    otherwise: ErrorType = "internal_error" if failure.status >= 500 else "invalid_request"
    return {
        "status_code": failure.status,
        "error_type": _ERROR_TYPES.get(failure.status, otherwise),
        "message": "; ".join([failure.message, *wrong]),
        "request_id": _dashed(failure.request_id),
    }


def lasso_api(backend: Backend, version: str) -> tuple[FastAPI, ErrorBody]:
    """Return the API as an application, and how it tells of errors."""
    return documented_api("Lasso", _router(backend), error_body, version=version, description=_ABOUT), error_body


def _router(backend: Backend) -> APIRouter:
    """Return the route. The store blocks, so it runs in the thread pool."""
    router = APIRouter(tags=["traces"])
    store, names, access = backend.store, backend.attributes.lasso, Access(backend.keys, bearer_or_api_key)

    @router.get("/tables/{table_id}/rows/{row_id}/traces", response_model=RowTraces, responses=_PROBLEMS)
    def get_row_traces(
        table_id: _Id,
        row_id: _Id,
        column_key: Annotated[str | None, Query(max_length=1024, description="Only this column.")] = None,
        project: str = Depends(access.read),
    ) -> Response:
        """Return the latest run of each column of a row, or of one column."""
        reference = Reference.of("lasso.row", table_id, row_id)
        referring = store.spans(project, SpanFilters(limit=MAX_REFERRING, references=(reference,)))
        if not referring:
            raise Refused(404, "Row not found: no span names this table and this row.")
        trace_ids = tuple(dict.fromkeys(span["trace_id"] for span in referring))[:MAX_TRACES]
        spans = store.spans(project, SpanFilters(limit=MAX_SPANS, trace_ids=trace_ids))
        runs = runs_of(table_id, row_id, spans, names)
        shown = [column_trace(run, names) for run in runs if not column_key or run.column == column_key]
        return Response(render({"data": shown}), media_type=JSON_MEDIA_TYPE)

    return router


def _dashed(request_id: str) -> str:
    """Return the id of a request as a UUID with dashes, if it is one."""
    try:
        return str(uuid.UUID(request_id))
    except ValueError:
        return request_id
