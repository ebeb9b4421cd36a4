"""The service `spanledger.v1.TraceStoreService` for grpcio's asyncio server.

The store blocks, and rows become messages in Python: both happens in threads, a few at a time, so that the event loop is
left to those who send.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import Executor
from dataclasses import replace
from functools import partial
from typing import Any, NoReturn, TypeVar

import grpc

from collector.auth import Keys, Scope, shown_key
from collector.errors import Outcome, Retryable, TooLarge
from collector.grpc_outcomes import grpc_code, grpc_trailers
from collector.query.editor import Editor
from collector.query.grpc import traces_pb2 as pb
from collector.query.grpc.requests import first_page, next_page, parsed, shows_everything, trace_id
from collector.query.grpc.view import list_parts, trace_message
from collector.query.reader import TraceFilters, TraceReader

SERVICE: str = pb.DESCRIPTOR.services_by_name["TraceStoreService"].full_name
"""Its name on the wire, in reflection and in health checks."""

MAX_RESPONSE = 256 << 20
"""Bytes of one response; a trace that has more can be read without its content."""
PART_BYTES = 1 << 20
"""Bytes at which a part of a list is sent: clients receive 4 MiB unless told otherwise."""
MAX_WAITING = 64
"""Calls that may wait for the store; one more is told to come again."""

_Context = Any  # grpc.aio.ServicerContext, for which grpcio has no types
_Result = TypeVar("_Result")
_log = logging.getLogger(__name__)


class _NotFoundError(Exception):
    """There is no such trace."""


class TraceStoreService(grpc.GenericRpcHandler):  # type: ignore[misc]
    """Reads and deletes traces. Requests and responses are bytes here, because the threads do all of the work."""

    def __init__(self, store: TraceReader, editor: Editor, keys: Keys, executor: Executor) -> None:
        """`executor` has as many threads as calls may use the store at once."""
        self._store = store
        self._editor = editor
        self._keys = keys
        self._executor = executor
        self._waiting = 0
        unary, stream = grpc.unary_unary_rpc_method_handler, grpc.unary_stream_rpc_method_handler
        self._methods: Mapping[str, tuple[Scope, Callable[..., Any], Any]] = {
            f"/{SERVICE}/GetTrace": (Scope.READ, unary, self._get_trace),
            f"/{SERVICE}/ListTraces": (Scope.READ, stream, self._list_traces),
            f"/{SERVICE}/DeleteTrace": (Scope.DELETE, unary, self._delete_trace),
        }

    def service(self, handler_call_details: Any) -> Any:
        """Return the handler of a call, or None when it is for another service. A stranger's request is not read."""
        found = self._methods.get(handler_call_details.method)
        if found is None:
            return None
        scope, handler, method = found
        sent = dict(handler_call_details.invocation_metadata or ())
        try:
            project = self._keys.project(shown_key(sent.get), scope, named=sent.get("x-project-name"))
        except Outcome as outcome:
            # As a stream, of which the first message is read when it is asked for: never.
            return grpc.stream_unary_rpc_method_handler(partial(_refuse_unread, outcome))
        return handler(partial(method, project))

    async def _get_trace(self, project: str, payload: bytes, context: _Context) -> bytes:
        return await self._in_thread(context, _read_trace, self._store, project, payload)

    async def _delete_trace(self, project: str, payload: bytes, context: _Context) -> bytes:
        return await self._in_thread(context, _delete_trace, self._editor, project, payload)

    async def _list_traces(self, project: str, payload: bytes, context: _Context) -> AsyncIterator[bytes]:
        filters, left = await self._in_thread(context, _read_list_request, payload)
        while left:
            page = replace(filters, limit=min(filters.limit, left))
            parts, following = await self._in_thread(context, _read_page, self._store, project, page)
            for part in parts:
                yield part
            if following is None:
                return
            filters, left = following, left - page.limit

    async def _in_thread(self, context: _Context, work: Callable[..., _Result], *arguments: Any) -> _Result:
        """Return what the work returns; what it raises ends the call with its code."""
        if self._waiting >= MAX_WAITING:
            await _refuse(context, Retryable(f"{MAX_WAITING} calls wait for the store: come again later"))
        self._waiting += 1
        try:
            # A call that is cancelled leaves the queue; work that has begun is completed.
            return await asyncio.get_running_loop().run_in_executor(self._executor, work, *arguments)
        except Outcome as outcome:
            await _refuse(context, outcome)
        except _NotFoundError as error:
            await _abort(context, grpc.StatusCode.NOT_FOUND, str(error))
        except Exception:
            _log.exception("a call of the gRPC read API failed in %s", work.__name__)
            await _abort(context, grpc.StatusCode.INTERNAL, "internal error: see the log of the collector")
        finally:
            self._waiting -= 1


async def _abort(context: _Context, code: grpc.StatusCode, message: str, trailers: Any = ()) -> NoReturn:
    await context.abort(code, message, trailers)
    raise AssertionError("abort raises")


async def _refuse(context: _Context, outcome: Outcome) -> NoReturn:
    await _abort(context, grpc_code(outcome), str(outcome), grpc_trailers(outcome))


async def _refuse_unread(outcome: Outcome, _: object, context: _Context) -> NoReturn:
    await _refuse(context, outcome)


def _read_trace(store: TraceReader, project: str, payload: bytes) -> bytes:
    request = parsed(pb.GetTraceRequest, payload)
    full, wanted = shows_everything(request.view), trace_id(request.trace_id)
    found = store.trace(project, wanted)
    if found is None:
        raise _NotFoundError(f"Trace {wanted} not found.")
    response = pb.GetTraceResponse(trace=trace_message(*found, full=full))
    size = response.ByteSize()
    if size > MAX_RESPONSE:
        raise TooLarge(f"the trace has {size} bytes, more than {MAX_RESPONSE}: ask for it with TRACE_VIEW_BASIC")
    return response.SerializeToString()


def _delete_trace(editor: Editor, project: str, payload: bytes) -> bytes:
    wanted = trace_id(parsed(pb.DeleteTraceRequest, payload).trace_id)
    if not editor.delete_traces(project, [wanted]):
        raise _NotFoundError(f"Trace {wanted} not found.")
    return pb.DeleteTraceResponse().SerializeToString()


def _read_list_request(payload: bytes) -> tuple[TraceFilters, int]:
    return first_page(parsed(pb.ListTracesRequest, payload))


def _read_page(store: TraceReader, project: str, filters: TraceFilters) -> tuple[list[bytes], TraceFilters | None]:
    """Return a page, serialized in parts, and the filters of the next one, unless this is the last."""
    rows, _ = store.traces(project, filters)
    parts = [part.SerializeToString() for part in list_parts(rows, PART_BYTES)]
    return parts, next_page(filters, rows) if len(rows) == filters.limit else None
