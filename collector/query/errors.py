"""Errors of the read API: the one table from outcome to HTTP status, and the bodies that the documented APIs give them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from collector.errors import Forbidden, Permanent, Retryable, Unauthorized
from collector.json_text import JSON_MEDIA_TYPE, render
from collector.retry_delay import whole_seconds

# A request can be wrong in as many places as it has values; nobody reads more than these.
MAX_ERRORS = 20


@dataclass(frozen=True)
class Failure:
    """Why there is no answer."""

    status: int
    """HTTP status."""
    message: str
    """One sentence."""
    fields: Sequence[Mapping[str, str]] = ()
    """What is wrong with which parameter: `field` (``query -> limit``) and `message`."""
    request_id: str = ""
    """As in the header X-Request-ID of the response."""


ErrorBody = Callable[[Failure], Any]
"""From a failure to the JSON body that one API documents for it."""


class Refused(Exception):
    """Raised by a route that has no answer."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


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


def detail_body(failure: Failure) -> dict[str, Any]:
    """``{"detail": sentence}``, with ``errors`` beside it where parameters are wrong: PandaProbe's, and our own."""
    body: dict[str, Any] = {"detail": failure.message}
    if failure.fields:
        body["errors"] = failure.fields
    return body


def respond(failure: Failure, body: ErrorBody, headers: Mapping[str, str] | None = None) -> Response:
    """Return the response that tells of a failure."""
    return Response(render(body(failure)), failure.status, dict(headers or {}), JSON_MEDIA_TYPE)


def add_error_handlers(app: FastAPI, body: ErrorBody) -> None:
    """Translate what routes raise, in the bodies of one API. What is not expected is logged by `collector.query.boundary`."""

    def add(kind: type[Exception], answer: Callable[[Any], tuple[int, str, Sequence[Mapping[str, str]]]]) -> None:
        @app.exception_handler(kind)
        async def handle(request: Request, error: Exception) -> Response:
            status, message, fields = answer(error)
            headers = dict(getattr(error, "headers", None) or {})
            if isinstance(error, Retryable):
                headers["Retry-After"] = str(whole_seconds(error.after))
            if isinstance(error, Unauthorized):
                headers["WWW-Authenticate"] = "Bearer"
            return respond(Failure(status, message, fields, request_id(request)), body, headers)

    add(RequestValidationError, lambda error: (422, "Validation error", field_errors(error.errors())))
    add(Refused, lambda error: (error.status, str(error), ()))
    add(HTTPException, lambda error: (error.status_code, str(error.detail), ()))
    add(Retryable, lambda error: (503, str(error), ()))
    add(Unauthorized, lambda error: (401, str(error), ()))
    add(Forbidden, lambda error: (403, str(error), ()))
    add(Permanent, lambda error: (422, str(error), ()))
    add(Exception, lambda error: (500, "Internal error", ()))


def request_id(request: Request) -> str:
    """Return the id that the response carries in its header."""
    return str(getattr(request.state, "request_id", ""))


def field_errors(errors: Sequence[Any]) -> list[dict[str, str]]:
    """Return what is wrong with each parameter, from the errors of a `RequestValidationError`."""
    return [
        {
            "field": " -> ".join(str(step) for step in error["loc"]),
            "message": str(error["msg"]).removeprefix("Value error, "),
        }
        for error in errors[:MAX_ERRORS]
    ]
