"""The Galtea endpoints."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Path, Query, Response

from collector.json_text import JSON_MEDIA_TYPE, render
from collector.query.access import Access, bearer_or_api_key
from collector.query.api import Backend, documented_api
from collector.query.errors import ErrorBody, Failure, Refused
from collector.query.galtea.ids import asked, is_called, shown_id
from collector.query.galtea.parameters import LIMIT, TraceListParameters
from collector.query.galtea.schema import Deleted, Problem, SdkVersions, Trace
from collector.query.galtea.view import span_document
from collector.query.reader import Row, SpanFilters, Store

_ABOUT = "Galtea's traces: every span is one."

_PROBLEMS: dict[int | str, dict[str, Any]] = {
    401: {"model": Problem, "description": "No key, or one that does not hold here"},
    422: {"model": Problem, "description": "The request is not valid, or costs too much"},
    503: {"model": Problem, "description": "The store does not answer now; see Retry-After"},
}
_NOT_FOUND: dict[int | str, dict[str, Any]] = {404: {"model": Problem, "description": "There is no such trace"}}
_CONFLICT: dict[int | str, dict[str, Any]] = {409: {"model": Problem, "description": "Not without other spans"}}

TraceId = Annotated[str, Path(max_length=256, description="As shown; a bare span id or the UUID of the span will do.")]


def error_body(failure: Failure) -> dict[str, Any]:
    """Return Galtea's ``{"error", "message"}``; what is wrong with parameters is said in the message."""
    wrong = [f"{each['field'].removeprefix('query -> ')}: {each['message']}" for each in failure.fields]
    message = "; ".join([failure.message, *wrong])
    return {"error": HTTPStatus(failure.status).phrase, "message": message}


def galtea_api(backend: Backend, version: str) -> tuple[FastAPI, ErrorBody]:
    """Return the API as an application, and how it tells of errors."""
    router = _router(backend)
    return documented_api("Galtea", router, error_body, version=version, description=_ABOUT), error_body


def _router(backend: Backend) -> APIRouter:
    """Return the routes. The store blocks, so they run in the thread pool."""
    router = APIRouter(tags=["traces"])
    store, names, access = backend.store, backend.attributes.galtea, Access(backend.keys, bearer_or_api_key)

    @router.get("/traces/{trace_id}", response_model=Trace, responses={**_NOT_FOUND, **_PROBLEMS})
    def get_trace(trace_id: TraceId, project: str = Depends(access.read)) -> Response:
        """Return one span; of several with the same span id, the one that started last."""
        return _json(span_document(_called(store, project, trace_id)[0], names))

    @router.get("/traces", response_model=list[Trace], responses={**_NOT_FOUND, **_PROBLEMS})
    def list_traces(
        parameters: Annotated[TraceListParameters, Query()], project: str = Depends(access.read)
    ) -> Response:
        """Return one page of spans, filtered and sorted."""
        found_by = _asked_together(parameters.ids) if parameters.ids else {}
        spans = [] if parameters.find_nothing else store.spans(project, parameters.filters(found_by))
        _require(store, project, parameters.ids, spans)
        return _json([span_document(span, names) for span in spans])

    @router.delete("/traces/{trace_id}", response_model=Deleted, responses={**_NOT_FOUND, **_CONFLICT, **_PROBLEMS})
    def delete_trace(trace_id: TraceId, project: str = Depends(access.delete)) -> Response:
        """Delete a span that begins a trace of OpenTelemetry, and with it all spans of that.

        A span in the middle of a trace is refused: the numbers of a trace are those of all its spans.
        """
        try:
            found = _called(store, project, trace_id)
        except Refused:
            if asked([trace_id]) is None:
                raise
            backend.editor.wait_until_stored()  # it may be on its way to the store
            found = _called(store, project, trace_id)
        if len(found) > 1:
            raise Refused(409, f"{_short(trace_id)} is the id of several spans: use trace_ and the UUID of the span.")
        _delete(backend, project, found[0])
        return _json({"message": "Trace deleted successfully"})

    @router.get("/minimum-sdk-version", response_model=SdkVersions)
    async def get_sdk_versions() -> Response:
        """Say that every release of the SDK will do; it asks when it starts."""
        return _json({"latestSdkVersionPublished": None, "minimumSdkVersionSupported": None})

    return router


def _called(store: Store, project: str, trace_id: str) -> Sequence[Row]:
    """Return the spans with this id, at most two, the one that started last first. Raises `Refused`."""
    found_by = asked([trace_id])
    found = store.spans(project, SpanFilters(limit=2, **found_by)) if found_by else []
    if not found:
        raise _no_trace(trace_id)
    return found


def _require(store: Store, project: str, ids: Sequence[str], spans: Sequence[Row]) -> None:
    """Raise `Refused` if there is no span for one of the ids: neither on the page nor beyond it or its filters."""
    missing = [each for each in ids if not any(is_called(span, each) for span in spans)]
    if missing and (found_by := asked(missing)):
        others = store.spans(project, SpanFilters(limit=LIMIT, **found_by))
        for each in missing:
            if not any(is_called(span, each) for span in others):
                raise _no_trace(each)


def _delete(backend: Backend, project: str, span: Row) -> None:
    """Delete the trace that the span begins. Raises `Refused` if it begins none."""
    trace = backend.store.trace(project, span["trace_id"])
    if trace is None:
        raise _no_trace(span["span_id"])
    row, spans = trace
    first = row["root_span_id"] or spans[0]["span_id"]
    if span["span_id"] != first:
        raise Refused(
            409,
            f"{shown_id(span['span_id'])} is one of {len(spans)} spans that are kept or deleted together: delete"
            f" {shown_id(first)}, with which they begin.",
        )
    backend.editor.delete_traces(project, [span["trace_id"]])


def _asked_together(ids: Sequence[str]) -> dict[str, Any]:
    for each in ids:
        if asked([each]) is None:
            raise _no_trace(each)
    found_by = asked(ids)
    if found_by is None:
        raise Refused(422, "ids[]: allowed are span ids, or UUIDs of spans, but not both in one request")
    return found_by


def _no_trace(trace_id: str) -> Refused:
    return Refused(404, f"Trace {_short(trace_id)} not found")


def _short(trace_id: str) -> str:
    return trace_id if len(trace_id) <= 64 else f"{trace_id[:64]}..."


def _json(document: Any) -> Response:
    return Response(render(document), media_type=JSON_MEDIA_TYPE)
