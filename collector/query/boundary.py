"""The outermost layer of the read API: headers on every response, and no internals in any.

A plain ASGI layer, because it has to see the responses to unexpected exceptions as well.
"""

from __future__ import annotations

import logging
import re
import uuid
from collections.abc import Mapping

from fastapi import HTTPException
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from collector.query.errors import ErrorBody, Failure, respond
from collector.query.turns import Turns

logger = logging.getLogger(__name__)

MAX_REQUEST_ID = 128
MAX_BODY = 8 << 20
"""Bytes of the largest body that is read: twice the longest text that a span keeps by default."""
_NOT_IN_REQUEST_ID = re.compile(r"[^A-Za-z0-9._-]")


class Boundary:
    """Adds `X-Request-ID` and `X-Content-Type-Options`, reads no more than `MAX_BODY` bytes of a body, and answers 500
    when something unexpected is raised.

    A caller's request id is echoed, cut to letters, digits and ``._-`` and to `MAX_REQUEST_ID` of them, so that it can
    go into logs; without one, one is made.
    """

    def __init__(self, app: ASGIApp, bodies: Mapping[str, ErrorBody]) -> None:
        """Wrap `app`; `bodies` says how errors are told below each base path, the first one that fits."""
        self._app = app
        self._bodies = bodies
        self._turns = Turns()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        with self._turns.answering():
            await self._answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        request_id = _request_id(Headers(scope=scope).get("x-request-id", ""))
        scope.setdefault("state", {})["request_id"] = request_id
        path = str(scope["path"])
        started = finished = False
        taken = 0

        async def receive_up_to_limit() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > MAX_BODY:
                # Raised where a route reads its body: its API tells of it.
                raise HTTPException(413, f"The body is larger than {MAX_BODY} bytes")
            return message

        async def send_with_headers(message: Message) -> None:
            nonlocal started, finished
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = request_id
                headers["X-Content-Type-Options"] = "nosniff"
            elif message["type"] == "http.response.body":
                finished = not message.get("more_body", False)
            await send(message)

        try:
            await self._app(scope, receive_up_to_limit, send_with_headers)
        except Exception:
            # %r, because a path holds whatever the caller sent, line breaks included.
            logger.exception("Request %s failed: %s %.200r", request_id, scope["method"], path)
            if finished:  # an application that is mounted has told of it already
                return
            if started:
                raise
            body = next(body for base, body in self._bodies.items() if f"{path}/".startswith(f"{base}/"))
            failure = Failure(500, "Internal error", request_id=request_id)
            await respond(failure, body)(scope, receive, send_with_headers)


def _request_id(sent: str) -> str:
    return _NOT_IN_REQUEST_ID.sub("", sent[: 4 * MAX_REQUEST_ID])[:MAX_REQUEST_ID] or uuid.uuid4().hex
