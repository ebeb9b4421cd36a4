"""One documented API as an application of its own, to be mounted under its base path."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter, FastAPI
from fastapi.responses import HTMLResponse
from starlette.convertors import PathConvertor, register_url_convertor

from collector.auth import Keys
from collector.query.documentation import CONTENT_SECURITY_POLICY, documentation_page
from collector.query.editor import Editor
from collector.query.errors import ErrorBody, add_error_handlers
from collector.query.reader import Store
from collector.settings_attributes import Attributes


class _AnyPath(PathConvertor):
    """A rest of a path, in which a line break is a character like others: an id may have one."""

    regex = r"[\s\S]*"


# Starlette's own stops at a line break, so that no mounted application ever sees such a path.
register_url_convertor("path", _AnyPath())


@dataclass(frozen=True)
class Backend:
    """What the routes of every API work with."""

    store: Store
    editor: Editor
    keys: Keys
    attributes: Attributes


def documented_api(title: str, router: APIRouter, body: ErrorBody, *, version: str, description: str = "") -> FastAPI:
    """Return an application with these routes, its OpenAPI document at /openapi.json and a page of it at /docs.

    `body` is how this API tells of errors, also of those that no route of its has raised.
    """
    app = FastAPI(
        title=title, version=version, description=description, docs_url=None, redoc_url=None, redirect_slashes=False
    )
    add_error_handlers(app, body)
    app.include_router(router)

    @app.get("/docs", include_in_schema=False)
    async def get_documentation() -> HTMLResponse:
        return HTMLResponse(
            documentation_page(app.openapi()), headers={"Content-Security-Policy": CONTENT_SECURITY_POLICY}
        )

    return app
