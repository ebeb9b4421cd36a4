"""The HTTP interface as an ASGI application: statements in threads, a few at a time, the others in a queue that ends."""

from __future__ import annotations

import asyncio
import logging
import re
import uuid
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from functools import partial

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from collector.auth import Keys, Scope
from collector.errors import Forbidden, Permanent, StatementError, Unauthorized
from collector.query.sql.engine import Answer, Statements
from collector.query.sql.request import LONGEST_BODY, Asked, key_of, read, too_long
from collector.query.sql.responses import answered, ok, refused
from collector.telemetry import STATEMENTS

AT_ONCE = 2
"""Statements that run at a time; each has threads of its own in the engine."""
MOST_WAITING = 32
LONGEST_WAIT = 10.0
"""Seconds that a statement waits for its turn."""
_CANCEL_AGAIN = 0.1

_QUERY_ID = re.compile(r"[A-Za-z0-9_.:-]{1,128}")

logger = logging.getLogger(__name__)


def sql_app(statements: Statements, keys: Keys) -> Starlette:
    """Return the application; where there are keys, each sees the rows of its project."""
    interface = _Interface(statements, keys)
    return Starlette(
        routes=[
            Route("/ping", _say_ok, methods=["GET", "POST"]),
            Route("/replicas_status", _say_ok, methods=["GET"]),
            Route("/", interface.answer, methods=["GET", "POST"]),
            Route("/query", interface.answer, methods=["GET", "POST"]),
        ]
    )


async def _say_ok(_: Request) -> Response:
    return ok("Ok.\n")


class _Turns:
    """Lets `AT_ONCE` run, and up to `MOST_WAITING` wait for up to `LONGEST_WAIT`."""

    def __init__(self) -> None:
        self._running = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        if self._waiting >= MOST_WAITING:
            raise self._too_many()
        self._waiting += 1
        try:
            await asyncio.wait_for(self._running.acquire(), LONGEST_WAIT)
        except TimeoutError:
            raise self._too_many() from None
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._running.release()

    @staticmethod
    def _too_many() -> StatementError:
        return StatementError(
            202, "TOO_MANY_SIMULTANEOUS_QUERIES", f"Too many simultaneous queries. Maximum: {AT_ONCE}; try again soon"
        )


class _Interface:
    def __init__(self, statements: Statements, keys: Keys) -> None:
        self._statements = statements
        self._keys = keys
        self._executor = ThreadPoolExecutor(max_workers=AT_ONCE, thread_name_prefix="sql")
        self._turns = _Turns()

    async def answer(self, request: Request) -> Response:
        """Answer one statement."""
        sent = request.query_params.get("query_id", "")
        query_id = sent if _QUERY_ID.fullmatch(sent) else str(uuid.uuid4())
        if request.method == "GET" and not request.query_params:
            return ok("Ok.\n")  # what load balancers ask
        try:
            project = self._project(request)
            asked = read(request.query_params, request.headers, await _body(request))
            async with self._turns.turn():
                found = await self._run(request, asked, project)
        except StatementError as error:
            STATEMENTS.labels("refused" if error.code in (62, 164, 194, 202, 497, 516) else "failed").inc()
            return refused(error, query_id=query_id)
        except ClientDisconnect:
            return Response(status_code=400)
        except Exception:
            logger.exception("a statement failed")
            STATEMENTS.labels("failed").inc()
            return refused(StatementError(1001, "STD_EXCEPTION", "Internal error"), query_id=query_id)
        STATEMENTS.labels("answered").inc()
        encodings = request.headers.get("accept-encoding", "") if asked.compressed else ""
        zone = asked.settings.get("session_timezone") or "UTC"
        return answered(found, query_id=query_id, timezone=zone, encodings=encodings)

    def _project(self, request: Request) -> str | None:
        """Return the project whose rows the request may see; None for all, as without keys."""
        key, named = key_of(request.headers), request.headers.get("x-project-name")
        try:
            project = self._keys.project(key, Scope.READ, named=named)
        except Unauthorized as error:
            code, name = (516, "AUTHENTICATION_FAILED") if key else (194, "REQUIRED_PASSWORD")
            raise StatementError(code, name, f"{error}; ClickHouse clients send it as the password") from error
        except Forbidden as error:
            raise StatementError(497, "ACCESS_DENIED", str(error)) from error
        except Permanent as error:
            raise StatementError(36, "BAD_ARGUMENTS", str(error)) from error
        return project if self._keys.needed or (named and not self._keys.one_project) else None

    async def _run(self, request: Request, asked: Asked, project: str | None) -> Answer:
        """Run a statement, which ends when the client goes away or the server stops."""
        mark = uuid.uuid4().hex
        run = partial(
            self._statements.run,
            asked.statement,
            form=asked.form,
            parameters=asked.parameters,
            project=project,
            settings=asked.settings,
            mark=mark,
        )
        running = asyncio.get_running_loop().run_in_executor(self._executor, run)
        leaving = asyncio.create_task(_client_left(request))
        try:
            await asyncio.wait((running, leaving), return_when=asyncio.FIRST_COMPLETED)
            while not running.done():  # it may still be looked at, and is not known by its mark until it runs
                await asyncio.to_thread(self._statements.cancel, mark)
                await asyncio.wait((running,), timeout=_CANCEL_AGAIN)
            return running.result()
        finally:
            leaving.cancel()
            if not running.done():
                self._statements.cancel(mark)


async def _client_left(request: Request) -> None:
    with suppress(ClientDisconnect):
        while (await request.receive())["type"] != "http.disconnect":
            pass


async def _body(request: Request) -> bytes:
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > LONGEST_BODY:
            raise too_long()
        parts.append(part)
    return b"".join(parts)
