"""Reading the message of a call from senders that are slow: on a real server and real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import grpc
import pytest

from collector.errors import Outcome
from collector.grpc_outcomes import grpc_code, grpc_trailers
from collector.receive.reading import Reading

METHOD = "/a.Service/Method"


class Echo(grpc.GenericRpcHandler):  # type: ignore[misc]
    """Answers with what it read."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    def service(self, _: Any) -> Any:
        return grpc.stream_unary_rpc_method_handler(self._echo)

    async def _echo(self, _: object, context: Any) -> bytes:
        try:
            return await self._reading.message(context)
        except Outcome as outcome:
            await context.abort(grpc_code(outcome), str(outcome), grpc_trailers(outcome))
            raise AssertionError from outcome


def on_a_server(reading: Reading, scenario: Callable[[grpc.aio.Channel], Awaitable[None]]) -> None:
    async def run() -> None:
        server = grpc.aio.server()
        server.add_generic_rpc_handlers((Echo(reading),))
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            await scenario(channel)
        await server.stop(None)

    asyncio.run(run())


def stalled(channel: grpc.aio.Channel) -> Any:
    """A call whose message never comes."""

    async def nothing() -> AsyncIterator[bytes]:
        await asyncio.Event().wait()
        yield b""

    return channel.stream_unary(METHOD)(nothing())


def test_a_request_that_does_not_come_in_time_is_told_to_come_again() -> None:
    async def scenario(channel: grpc.aio.Channel) -> None:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await stalled(channel)
        assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
        assert await channel.unary_unary(METHOD)(b"hello") == b"hello"

    on_a_server(Reading(timeout=0.05), scenario)


def test_when_too_many_are_slow_the_slowest_makes_room_for_the_next() -> None:
    async def scenario(channel: grpc.aio.Channel) -> None:
        slow = [stalled(channel) for _ in range(20)]
        for number in range(50):
            assert await channel.unary_unary(METHOD)(b"%d" % number) == b"%d" % number
        while sum(call.done() for call in slow) < 17:
            assert await channel.unary_unary(METHOD)(b"hello") == b"hello"
            await asyncio.sleep(0.001)
        for call in slow:
            call.cancel()

    on_a_server(Reading(timeout=60.0, most=4), scenario)


def test_a_call_without_a_message_is_refused_for_good() -> None:
    async def scenario(channel: grpc.aio.Channel) -> None:
        async def nothing() -> AsyncIterator[bytes]:
            for message in ():
                yield message

        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await channel.stream_unary(METHOD)(nothing())
        assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT

    on_a_server(Reading(), scenario)


def test_a_message_may_be_empty() -> None:
    async def scenario(channel: grpc.aio.Channel) -> None:
        assert await channel.unary_unary(METHOD)(b"") == b""

    on_a_server(Reading(), scenario)
