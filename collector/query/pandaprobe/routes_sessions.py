"""The PandaProbe endpoints of sessions: traces that name one conversation, together."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Response

from collector.query.access import Access
from collector.query.api import Backend
from collector.query.errors import Refused
from collector.query.pandaprobe.filters import SessionListParameters, SessionParameters
from collector.query.pandaprobe.responses import NO_SESSION, PROBLEMS, json_response, page_response
from collector.query.pandaprobe.schema import SessionDeleted, SessionDetail, SessionList
from collector.query.pandaprobe.view_sessions import session_document, session_summary

SessionId = Annotated[str, Path(min_length=1, max_length=1024)]

# An application may put a slash into the id of a session, which no encoding hides from the router.
_ONE = "/{session_id:path}"


def sessions_router(backend: Backend, access: Access) -> APIRouter:
    """Return the routes, to be put under ``/sessions``."""
    router, store, editor = APIRouter(), backend.store, backend.editor

    @router.get("", response_model=SessionList, responses=PROBLEMS)
    def list_sessions(
        parameters: Annotated[SessionListParameters, Query()], project: str = Depends(access.read)
    ) -> Response:
        """Return one page of sessions, filtered and sorted."""
        sessions, total = store.sessions(project, parameters.filters())
        return page_response(
            [session_summary(session) for session in sessions], total, parameters.limit, parameters.offset
        )

    @router.get(_ONE, response_model=SessionDetail, responses={**NO_SESSION, **PROBLEMS})
    def get_session(
        session_id: SessionId,
        parameters: Annotated[SessionParameters, Query()],
        project: str = Depends(access.read),
    ) -> Response:
        """Return a session, summed up over all its traces, with one page of these in order of time."""
        found = store.session(project, session_id, parameters.limit, parameters.offset)
        if found is None:
            raise Refused(404, f"Session '{session_id}' not found.")
        return json_response(session_document(project, *found))

    @router.delete(_ONE, response_model=SessionDeleted, responses={**NO_SESSION, **PROBLEMS})
    def delete_session(session_id: SessionId, project: str = Depends(access.delete)) -> Response:
        """Delete the traces of a session that have begun so far, and whatever arrives of them later."""
        deleted = editor.delete_session(project, session_id)
        if not deleted:
            raise Refused(404, f"Session '{session_id}' not found.")
        return json_response({"deleted": deleted})

    return router
