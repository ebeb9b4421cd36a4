"""Spans that the real engine refuses for good: a constraint on the table says which."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import grpc

from tests.support.collector_process import CollectorProcess
from tests.support.command import spanledger
from tests.support.otlp import NOW, request, span

EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
REFUSE = "ALTER TABLE spans ADD CONSTRAINT no_poison CHECK name NOT LIKE 'poison%'"
ALLOW = "ALTER TABLE spans DROP CONSTRAINT no_poison"


def refuse_poison(directory: Path) -> None:
    """Make a database whose table refuses spans with a name that begins with poison."""
    with CollectorProcess(directory) as collector:
        assert collector.terminate() == 0
    change(directory, REFUSE)


def change(directory: Path, statement: str) -> None:
    """Run a statement on the database of a stopped collector."""
    done = spanledger(directory, "check", after=[statement])
    assert done.returncode == 0, done.stderr


def spans_request(count: int, poisoned: Sequence[int], first: int = 0) -> bytes:
    """A request of so many spans, ten to a trace, some of which are poison; `first` is the number of the first one."""
    return request(
        *(
            span(
                name=f"{'poison' if i - first in poisoned else 'span'} {i}",
                trace_id=(i // 10 + 1).to_bytes(16, "big"),
                span_id=(i + 1).to_bytes(8, "big"),
                start=NOW - 60 * 10**9 + i,
                attributes={"number": i, "gen_ai.operation.name": "chat", "gen_ai.input.messages": f'"said {i}"'},
            )
            for i in range(first, first + count)
        )
    ).SerializeToString()


def send(address: str, *payloads: bytes) -> None:
    """Send requests of spans; each must be acknowledged."""

    async def export() -> None:
        async with grpc.aio.insecure_channel(address) as channel:
            for payload in payloads:
                await channel.unary_unary(EXPORT)(payload, timeout=30)

    asyncio.run(export())
