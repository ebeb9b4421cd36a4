"""What the routes of PandaProbe's API have in common: rendering, and the failures that they declare."""

from __future__ import annotations

from typing import Any

from fastapi import Response

from collector.json_text import JSON_MEDIA_TYPE, render
from collector.query.errors import Problem, ValidationProblem

PROBLEMS: dict[int | str, dict[str, Any]] = {
    401: {"model": Problem, "description": "The request shows no API key, or one that is not known"},
    403: {"model": Problem, "description": "The key does not allow this, or belongs to another project"},
    422: {"model": ValidationProblem, "description": "The request is not valid, or costs too much"},
    503: {"model": Problem, "description": "The store does not answer now; see Retry-After"},
}
NO_TRACE: dict[int | str, dict[str, Any]] = {404: {"model": Problem, "description": "There is no such trace"}}
NO_SESSION: dict[int | str, dict[str, Any]] = {404: {"model": Problem, "description": "There is no such session"}}


def json_response(document: Any) -> Response:
    """Return a document as the response."""
    return Response(render(document), media_type=JSON_MEDIA_TYPE)


def page_response(items: list[dict[str, Any]], total: int, limit: int, offset: int) -> Response:
    """Return one page of a list as the response."""
    return json_response({"items": items, "total": total, "limit": limit, "offset": offset})
