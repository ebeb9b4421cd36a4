"""Deleting all that is stored of a user."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Response
from pydantic import BaseModel, Field

from collector.json_text import JSON_MEDIA_TYPE, render
from collector.query.access import Access, bearer_or_api_key
from collector.query.api import Backend
from collector.query.errors import Problem, ValidationProblem

_PROBLEMS: dict[int | str, dict[str, Any]] = {
    422: {"model": ValidationProblem, "description": "The request is not valid"},
    503: {"model": Problem, "description": "It cannot be done now, or not yet; see Retry-After"},
}


class Deleted(BaseModel):
    """What was deleted."""

    deleted: int = Field(description="How many traces there were.")


def deletion_router(backend: Backend) -> APIRouter:
    """Return the routes. The editor blocks, so they run in the thread pool."""
    router = APIRouter(tags=["deletion"])
    editor, access = backend.editor, Access(backend.keys, bearer_or_api_key)

    # path: a user id may have slashes, which arrive as such even if they were sent as %2F.
    @router.delete("/users/{user_id:path}", response_model=Deleted, responses=_PROBLEMS)
    def delete_user(
        user_id: Annotated[str, Path(min_length=1, description="As in the trace's `user_id`.")],
        project: str = Depends(access.delete),
    ) -> Response:
        """Delete the user's traces that have begun before now, for good: also those that are on their way."""
        deleted = {"deleted": editor.delete_user(project, user_id)}
        return Response(render(deleted), media_type=JSON_MEDIA_TYPE)

    return router
