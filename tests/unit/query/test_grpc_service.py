"""The calls of the gRPC read API on a real server, over a store in memory."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest

from collector.auth import Keys, Scope
from collector.errors import Permanent, Retryable, TooLarge, Unauthorized
from collector.query.grpc import service as served
from collector.query.grpc import traces_pb2 as pb
from collector.query.grpc.service import SERVICE, TraceStoreService
from collector.query.reader import TraceFilters
from tests.unit.query.grpc_rows import bare_span_row, model_call_row, trace_row
from tests.unit.query.rows import START, TRACE_ID, TRACE_UUID, OneProject, StoredTraces

KINDS = {"GetTrace": pb.GetTraceResponse, "ListTraces": pb.ListTracesResponse, "DeleteTrace": pb.DeleteTraceResponse}


class ManyTraces:
    """Traces that start one after the other, newest first, as the store lists them."""

    def __init__(self, count: int, **changes: Any) -> None:
        self.rows = [trace_row(trace_id=f"{n:032x}", start_time=START - n, **changes) for n in range(count)]
        self.asked: list[TraceFilters] = []

    def traces(self, _: str, filters: TraceFilters) -> tuple[Sequence[Any], int]:
        self.asked.append(filters)
        before = filters.started_before_ns
        found = [row for row in self.rows if before is None or row["start_time"] < before]
        return found[filters.offset : filters.offset + filters.limit], 0


class Deleting:
    """An editor that has one trace."""

    def __init__(self, trace_id: str = TRACE_ID) -> None:
        self.left = {trace_id}
        self.asked: list[tuple[str, list[str]]] = []

    def delete_traces(self, project: str, trace_ids: Sequence[str]) -> int:
        self.asked.append((project, list(trace_ids)))
        found = self.left & set(trace_ids)
        self.left -= found
        return len(found)


class Client:
    """Calls the service with messages."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._channel = channel

    async def call(self, method: str, request: Any, **options: Any) -> Any:
        return await self._method("unary_unary", method)(request, **options)

    def stream(self, request: Any, **options: Any) -> Any:
        return self._method("unary_stream", "ListTraces")(request, **options)

    async def listed(self, **fields: Any) -> list[list[str]]:
        """The trace ids of each part of a list."""
        parts = self.stream(pb.ListTracesRequest(**fields))
        return [[trace.trace_id for trace in part.traces] async for part in parts]

    async def refusal(self, method: str, request: Any, **options: Any) -> tuple[grpc.StatusCode, str]:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await self.call(method, request, **options)
        return refused.value.code(), refused.value.details() or ""

    def _method(self, kind: str, method: str) -> Any:
        return getattr(self._channel, kind)(
            f"/{SERVICE}/{method}",
            request_serializer=lambda request: request if isinstance(request, bytes) else request.SerializeToString(),
            response_deserializer=KINDS[method].FromString,
        )


@asynccontextmanager
async def serving(
    store: Any = None, editor: Any = None, keys: Keys | None = None, threads: int = 2
) -> AsyncIterator[Client]:
    with ThreadPoolExecutor(threads) as executor:
        server = grpc.aio.server()
        service = TraceStoreService(store, editor, keys or OneProject("shop"), executor)
        server.add_generic_rpc_handlers((service,))
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        try:
            async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
                yield Client(channel)
        finally:
            await server.stop(None)


@pytest.fixture
def stored() -> StoredTraces:
    return StoredTraces(answer=(trace_row(), [bare_span_row(), model_call_row()]))


def test_a_trace_is_read_in_the_project_of_the_key(stored: StoredTraces) -> None:
    async def ask() -> None:
        async with serving(stored) as client:
            answer = await client.call("GetTrace", pb.GetTraceRequest(trace_id=TRACE_UUID))
            assert (answer.trace.summary.trace_id, len(answer.trace.spans)) == (TRACE_ID, 2)
            assert answer.trace.spans[1].input
            basic = await client.call(
                "GetTrace", pb.GetTraceRequest(trace_id=TRACE_ID.upper(), view=pb.TRACE_VIEW_BASIC)
            )
            assert (len(basic.trace.spans), basic.trace.spans[1].input) == (2, "")

    asyncio.run(ask())
    assert stored.asked == [("shop", TRACE_ID)] * 2


def test_a_trace_that_is_not_there_is_not_found() -> None:
    async def ask() -> None:
        async with serving(StoredTraces(), Deleting("0" * 32)) as client:
            for method, kind in (("GetTrace", pb.GetTraceRequest), ("DeleteTrace", pb.DeleteTraceRequest)):
                refusal = await client.refusal(method, kind(trace_id=TRACE_UUID))
                assert refusal == (grpc.StatusCode.NOT_FOUND, f"Trace {TRACE_ID} not found.")

    asyncio.run(ask())


def test_a_trace_is_deleted_once() -> None:
    editor = Deleting()

    async def ask() -> None:
        async with serving(StoredTraces(), editor) as client:
            request = pb.DeleteTraceRequest(trace_id=TRACE_UUID)
            assert await client.call("DeleteTrace", request) == pb.DeleteTraceResponse()
            assert (await client.refusal("DeleteTrace", request))[0] is grpc.StatusCode.NOT_FOUND

    asyncio.run(ask())
    assert editor.asked == [("shop", [TRACE_ID])] * 2


@pytest.mark.parametrize("limit", [1, 9, 10, 11, 25, 30])
def test_a_list_is_read_page_by_page_up_to_its_limit(limit: int) -> None:
    store = ManyTraces(25)

    async def ask() -> list[list[str]]:
        async with serving(store) as client:
            return await client.listed(page_size=10, limit=limit)

    parts = asyncio.run(ask())
    assert [trace for part in parts for trace in part] == [row["trace_id"] for row in store.rows[:limit]]
    assert max(map(len, parts)) <= 10
    assert sum(filters.limit for filters in store.asked) <= max(limit, 25 + 5)
    assert not any(filters.counted for filters in store.asked)


def test_a_list_of_nothing_has_no_parts() -> None:
    async def ask() -> list[list[str]]:
        async with serving(ManyTraces(0)) as client:
            return await client.listed()

    assert asyncio.run(ask()) == []


def test_no_part_of_a_list_exceeds_what_clients_receive() -> None:
    async def ask() -> list[list[str]]:
        async with serving(ManyTraces(40, name="n" * (300 << 10))) as client:
            return await client.listed()

    parts = asyncio.run(ask())
    assert sum(map(len, parts)) == 40
    assert max(map(len, parts)) == 4


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Retryable("the store is busy"), grpc.StatusCode.UNAVAILABLE),
        (Permanent("the query costs too much"), grpc.StatusCode.INVALID_ARGUMENT),
        (TooLarge("the trace is too large"), grpc.StatusCode.RESOURCE_EXHAUSTED),
    ],
)
def test_an_outcome_of_the_store_has_the_code_of_the_one_table(error: Exception, code: grpc.StatusCode) -> None:
    async def ask() -> None:
        async with serving(StoredTraces(error=error)) as client:
            assert await client.refusal("GetTrace", pb.GetTraceRequest(trace_id=TRACE_ID)) == (code, str(error))
            parts = client.stream(pb.ListTracesRequest())
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await parts.read()
            assert (refused.value.code(), refused.value.details()) == (code, str(error))
            trailers = dict(refused.value.trailing_metadata() or ())
            assert ("grpc-status-details-bin" in trailers) is isinstance(error, Retryable)

    asyncio.run(ask())


def test_a_fault_is_told_without_its_details_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def ask() -> tuple[grpc.StatusCode, str]:
        async with serving(StoredTraces(error=RuntimeError("/secret/path"))) as client:
            return await client.refusal("GetTrace", pb.GetTraceRequest(trace_id=TRACE_ID))

    assert asyncio.run(ask()) == (grpc.StatusCode.INTERNAL, "internal error: see the log of the collector")
    assert "/secret/path" in caplog.text


@pytest.mark.parametrize("method", KINDS)
@pytest.mark.parametrize("payload", [b"\xff\xff", b"\x00" * 100, bytes(300 << 10)])
def test_bytes_that_are_no_request_are_an_invalid_argument(method: str, payload: bytes) -> None:
    async def ask() -> grpc.StatusCode:
        async with serving() as client:
            if method != "ListTraces":
                return (await client.refusal(method, payload))[0]
            return await client.stream(payload).code()  # type: ignore[no-any-return]

    assert asyncio.run(ask()) is grpc.StatusCode.INVALID_ARGUMENT


def test_a_method_that_does_not_exist_is_unimplemented(stored: StoredTraces, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(KINDS, "DropEverything", pb.DeleteTraceResponse)

    async def ask() -> grpc.StatusCode:
        async with serving(stored) as client:
            return (await client.refusal("DropEverything", b""))[0]

    assert asyncio.run(ask()) is grpc.StatusCode.UNIMPLEMENTED


def test_a_trace_beyond_the_limit_of_a_response_is_refused_with_what_to_do(
    stored: StoredTraces, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(served, "MAX_RESPONSE", 1000)

    async def ask() -> tuple[grpc.StatusCode, str]:
        async with serving(stored) as client:
            return await client.refusal("GetTrace", pb.GetTraceRequest(trace_id=TRACE_ID))

    code, sentence = asyncio.run(ask())
    assert code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert sentence.endswith("more than 1000: ask for it with TRACE_VIEW_BASIC")


class Watchful(Keys):
    """Remembers what it was asked, and knows one key."""

    def __init__(self) -> None:
        self.asked: list[tuple[str | None, Scope, str | None]] = []

    def project(self, key: str | None, scope: Scope, *, named: str | None = None) -> str:
        self.asked.append((key, scope, named))
        if key != "right":
            raise Unauthorized("the API key is not known: ask the operator for one")
        return "shop"


def test_the_key_is_asked_for_with_the_scope_of_the_method(stored: StoredTraces) -> None:
    keys = Watchful()

    async def ask() -> None:
        async with serving(stored, Deleting(), keys) as client:
            get, delete = pb.GetTraceRequest(trace_id=TRACE_ID), pb.DeleteTraceRequest(trace_id=TRACE_ID)
            await client.call("GetTrace", get, metadata=(("authorization", "Bearer right"),))
            await client.call("GetTrace", get, metadata=(("x-api-key", "right"), ("authorization", "Bearer wrong")))
            await client.call(
                "DeleteTrace", delete, metadata=(("authorization", "bearer  right "), ("x-project-name", "shop"))
            )
            parts = client.stream(pb.ListTracesRequest(), metadata=(("x-api-key", "right"),))
            assert [part async for part in parts]

    asyncio.run(ask())
    assert keys.asked == [
        ("right", Scope.READ, None),
        ("right", Scope.READ, None),
        ("right", Scope.DELETE, "shop"),
        ("right", Scope.READ, None),
    ]


@pytest.mark.parametrize("metadata", [(), (("authorization", "Basic right"),), (("x-api-key", "wrong"),)])
@pytest.mark.parametrize("method", KINDS)
def test_a_stranger_is_unauthenticated_whatever_he_sends(
    stored: StoredTraces, method: str, metadata: tuple[tuple[str, str], ...]
) -> None:
    async def ask() -> grpc.StatusCode:
        async with serving(stored, Deleting(), Watchful()) as client:
            if method != "ListTraces":
                return (await client.refusal(method, bytes(3 << 20), metadata=metadata))[0]
            return await client.stream(bytes(3 << 20), metadata=metadata).code()  # type: ignore[no-any-return]

    assert asyncio.run(ask()) is grpc.StatusCode.UNAUTHENTICATED
    assert stored.asked == []


class Gate(StoredTraces):
    """A store that answers when it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.open = threading.Event()
        self.begun = threading.Semaphore(0)

    def trace(self, project: str, trace_id: str) -> Any:
        self.begun.release()
        assert self.open.wait(30)
        return super().trace(project, trace_id)

    def traces(self, project: str, filters: TraceFilters) -> Any:
        self.trace(project, "list")
        return super().traces(project, filters)


@pytest.fixture
def gate() -> Iterator[Gate]:
    made = Gate()
    yield made
    made.open.set()


def test_a_call_beyond_those_that_may_wait_is_told_to_come_again(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(served, "MAX_WAITING", 1)
    request = pb.GetTraceRequest(trace_id=TRACE_ID)

    async def ask() -> None:
        async with serving(gate) as client:
            held = asyncio.create_task(client.refusal("GetTrace", request))
            await asyncio.to_thread(gate.begun.acquire)
            sentence = "1 calls wait for the store: come again later"
            assert await client.refusal("GetTrace", request) == (grpc.StatusCode.UNAVAILABLE, sentence)
            gate.open.set()
            assert (await held)[0] is grpc.StatusCode.NOT_FOUND
            assert (await client.refusal("GetTrace", request))[0] is grpc.StatusCode.NOT_FOUND

    asyncio.run(ask())


def test_the_event_loop_is_free_while_the_store_answers_and_a_deadline_ends_the_wait(gate: Gate) -> None:
    async def ask() -> None:
        async with serving(gate, threads=1) as client:
            # The server runs on this event loop: were it blocked, nothing here would come to an end.
            for _ in range(2):  # the first has begun and the second waits for its thread
                code, _ = await client.refusal("GetTrace", pb.GetTraceRequest(trace_id=TRACE_ID), timeout=0.3)
                assert code is grpc.StatusCode.DEADLINE_EXCEEDED
            gate.open.set()

    asyncio.run(ask())


class SecondPage(ManyTraces):
    """Traces of which the second page is read when it is let."""

    def __init__(self, count: int) -> None:
        super().__init__(count)
        self.open = threading.Event()
        self.begun = threading.Semaphore(0)

    def traces(self, project: str, filters: TraceFilters) -> tuple[Sequence[Any], int]:
        found = super().traces(project, filters)
        if len(self.asked) == 2:
            self.begun.release()
            assert self.open.wait(30)
        return found


def test_a_list_that_is_cancelled_reads_no_more_pages() -> None:
    store = SecondPage(3000)

    async def ask() -> None:
        async with serving(store) as client:
            parts = client.stream(pb.ListTracesRequest(page_size=10, limit=3000))
            await parts.read()
            await asyncio.to_thread(store.begun.acquire)
            parts.cancel()
            await client.listed(limit=1)  # on the same connection: the server has seen the end of the other call
            store.open.set()
            for _ in range(5):
                await client.listed(limit=1)

    asyncio.run(ask())
    assert [filters.limit for filters in store.asked] == [10, 10, 1, 1, 1, 1, 1, 1]
