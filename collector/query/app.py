"""The read API as one ASGI application: documented traces, health, metrics and their own documentation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from fastapi import APIRouter, FastAPI, Response
from prometheus_client import generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from collector.json_text import JSON_MEDIA_TYPE, render
from collector.query.api import Backend, documented_api
from collector.query.artanis.routes import artanis_api
from collector.query.boundary import Boundary
from collector.query.errors import ErrorBody, detail_body
from collector.query.galtea.routes import galtea_api
from collector.query.lasso.routes import lasso_api
from collector.query.letta.routes import letta_api
from collector.query.native.deletion_routes import deletion_router
from collector.query.native.review_routes import review_router
from collector.query.pandaprobe.routes import pandaprobe_api, pandaprobe_router

_ABOUT = "Traces of LLM applications, with tokens, cost and latency."

APIS: Mapping[str, Callable[[Backend, str], tuple[FastAPI, ErrorBody]]] = {
    "/artanis": artanis_api,
    "/letta": letta_api,
    "/pandaprobe": pandaprobe_api,
    "/galtea": galtea_api,
    "/lasso/api/v1": lasso_api,
}
"""The documented APIs by base path: each makes its application and says how it tells of errors."""

_NOT_READY: dict[int | str, dict[str, Any]] = {503: {"description": "Not ready; `reason` says why"}}


def create_app(backend: Backend, *, version: str, ready: Callable[[], str | None]) -> FastAPI:
    """Return the application that answers from a backend.

    `ready` returns None, or the reason why the service should get no traffic now; it may block.
    """
    app = documented_api("spanledger", APIRouter(), detail_body, version=version, description=_ABOUT)
    bodies: dict[str, ErrorBody] = {}
    for base, make in APIS.items():
        api, bodies[base] = make(backend, version)
        app.mount(base, api)
    app.add_middleware(Boundary, bodies={**bodies, "": detail_body})
    app.include_router(pandaprobe_router(backend))
    app.include_router(review_router(backend))
    app.include_router(deletion_router(backend))
    _add_operations(app, ready)
    return app


def _add_operations(app: FastAPI, ready: Callable[[], str | None]) -> None:
    """Add what operators and their machines ask for."""

    # async: it has to answer while every thread of the pool waits for the store.
    @app.get("/healthz", tags=["operations"])
    async def get_health() -> dict[str, str]:
        """Say that the process lives."""
        return {"status": "ok"}

    @app.get("/readyz", tags=["operations"], responses=_NOT_READY)
    def get_readiness() -> Response:
        """Say whether the service can do its work."""
        reason = ready()
        if reason is None:
            return Response(render({"status": "ready"}), media_type=JSON_MEDIA_TYPE)
        return Response(render({"status": "not ready", "reason": reason}), 503, media_type=JSON_MEDIA_TYPE)

    @app.get("/metrics", tags=["operations"], response_class=Response)
    def get_metrics() -> Response:
        """Return the service's own metrics in the Prometheus text format."""
        return Response(generate_latest(), media_type=CONTENT_TYPE_PLAIN_0_0_4)
