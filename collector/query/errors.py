"""Errors of the read API: the documented bodies, and the one table from outcome to HTTP status.

Every body is ``{"detail": "<one sentence>"}``; a request that does not validate gets ``errors`` beside it, with a
field and a message each.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel

from collector.errors import Permanent, Retryable
from collector.json_text import JSON_MEDIA_TYPE, render

# A request can be wrong in as many places as it has values; nobody reads more than these.
MAX_ERRORS = 20


class Problem(BaseModel):
    """Why there is no answer."""

    detail: str


class FieldProblem(BaseModel):
    """What is wrong with one parameter."""

    field: str
    message: str


class ValidationProblem(Problem):
    """The request is not valid, or asks for more than a query may cost (then without `errors`)."""

    errors: list[FieldProblem] = []


def problem(status: int, detail: str, headers: dict[str, str] | None = None) -> Response:
    """Return the error response ``{"detail": detail}``."""
    return Response(render({"detail": detail}), status, headers, JSON_MEDIA_TYPE)


def add_error_handlers(app: FastAPI) -> None:
    """Translate invalid requests and the reader's outcomes. What is left over is `collector.query.boundary`'s."""

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> Response:
        body = {"detail": "Validation error", "errors": _field_errors(error.errors())}
        return Response(render(body), 422, media_type=JSON_MEDIA_TYPE)

    @app.exception_handler(Retryable)
    async def retryable(_: Request, error: Retryable) -> Response:
        return problem(503, str(error), {"Retry-After": str(max(1, math.ceil(error.after)))})

    @app.exception_handler(Permanent)
    async def permanent(_: Request, error: Permanent) -> Response:
        return problem(422, str(error))


def _field_errors(errors: Sequence[Any]) -> list[dict[str, str]]:
    return [
        {
            "field": " -> ".join(str(step) for step in error["loc"]),
            "message": str(error["msg"]).removeprefix("Value error, "),
        }
        for error in errors[:MAX_ERRORS]
    ]
