"""The read API as one ASGI application: documented traces, health, metrics and their own documentation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI, Response
from fastapi.responses import HTMLResponse
from prometheus_client import generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from collector.json_text import JSON_MEDIA_TYPE, render
from collector.query.boundary import Boundary
from collector.query.documentation import CONTENT_SECURITY_POLICY, documentation_page
from collector.query.errors import add_error_handlers
from collector.query.pandaprobe_routes import pandaprobe_router
from collector.query.reader import TraceReader

_NOT_READY: dict[int | str, dict[str, Any]] = {503: {"description": "Not ready; `reason` says why"}}


def create_app(
    reader: TraceReader, *, project: str = "default", version: str, ready: Callable[[], str | None]
) -> FastAPI:
    """Return the application that answers from `reader` for one project.

    `ready` returns None, or the reason why the service should get no traffic now; it may block.
    """
    app = FastAPI(
        title="spanledger",
        version=version,
        description="Traces of LLM applications, with tokens, cost and latency.",
        docs_url=None,
        redoc_url=None,
    )
    app.add_middleware(Boundary)
    add_error_handlers(app)
    app.include_router(pandaprobe_router(reader, project))
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

    @app.get("/docs", include_in_schema=False)
    async def get_documentation() -> HTMLResponse:
        return HTMLResponse(
            documentation_page(app.openapi()), headers={"Content-Security-Policy": CONTENT_SECURITY_POLICY}
        )
