"""kill -9 under load: what was acknowledged is stored, once, after the restart."""

from __future__ import annotations

import asyncio
import random
import time
from pathlib import Path

import grpc
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.bench.workload import make_workload
from tests.support.collector_process import CollectorProcess
from tests.support.command import spanledger
from tests.support.otlp import request, span
from tests.support.otlp_signals import gauge, log_record, logs, metrics, number
from tests.support.stored import stored

EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"


def span_ids(request: bytes) -> set[str]:
    message = ExportTraceServiceRequest.FromString(request)
    spans = [s for r in message.resource_spans for scope in r.scope_spans for s in scope.spans]
    return {s.trace_id.hex() + s.span_id.hex() for s in spans}


async def send_until_it_dies(address: str, requests: list[bytes], acknowledged: list[bytes]) -> None:
    """Send, four at a time; what is answered goes to `acknowledged`. Ends when the server is gone."""
    waiting = list(requests)
    async with grpc.aio.insecure_channel(address) as channel:
        export = channel.unary_unary(EXPORT)

        async def sender() -> None:
            while waiting:
                request = waiting.pop()
                try:
                    await export(request, timeout=20)
                except grpc.aio.AioRpcError:
                    return
                acknowledged.append(request)

        await asyncio.gather(*(sender() for _ in range(4)))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_acknowledged_span_is_stored_once_after_a_kill(tmp_path: Path, seed: int) -> None:
    requests = make_workload(60, seed=seed, start_ns=time.time_ns() - 60 * 10**9).requests
    collector = CollectorProcess(tmp_path, "deliver.batch_rows=2048", "deliver.batch_age=50ms").start()
    acknowledged: list[bytes] = []

    async def load_and_kill() -> None:
        load = asyncio.create_task(send_until_it_dies(collector.grpc_address, requests, acknowledged))
        # At a random moment of the load, not of the clock: the machine may be slow.
        kill_after = random.Random(seed).randrange(5, 40)
        while len(acknowledged) < kill_after and not load.done():  # noqa: ASYNC110 - a list has no event
            await asyncio.sleep(0.001)
        collector.kill()
        await load

    asyncio.run(load_and_kill())
    expected = set[str]().union(*map(span_ids, acknowledged))
    assert expected

    collector.start()
    assert collector.terminate() == 0
    rows = stored(tmp_path, "SELECT concat(trace_id, span_id), count() FROM spans GROUP BY 1")
    counts = {str(key): count for key, count in rows}
    issued = set[str]().union(*map(span_ids, requests))
    assert expected <= counts.keys()
    assert counts.keys() <= issued
    assert set(counts.values()) == {1}, "a batch that was sent again must not be stored again"
    totals = stored(
        tmp_path,
        "SELECT (SELECT toString(sum(cost_total)) FROM spans FINAL), (SELECT toString(sum(cost_total)) FROM traces FINAL),"
        " (SELECT count() FROM spans FINAL), (SELECT sum(span_count) FROM traces FINAL)",
    )[0]
    assert totals[0] == totals[1]
    assert int(totals[2]) == int(totals[3]) == len(counts)
    audited = spanledger(tmp_path, "audit")
    assert audited.returncode == 0, audited.stdout


SERVICES = {"spans": "trace.v1.TraceService", "logs": "logs.v1.LogsService", "metrics": "metrics.v1.MetricsService"}


def mixed_requests(count: int) -> list[tuple[str, str, bytes]]:
    """Table, name and payload of requests of all signals; every name comes once, but for the message events'."""
    now = time.time_ns()
    requests = []
    for i in range(count):
        trace_id = (i + 1).to_bytes(16, "big")
        call = span(
            name=f"span {i}", trace_id=trace_id, span_id=b"\x01" * 8, attributes={"gen_ai.operation.name": "chat"}
        )
        event = {"trace_id": trace_id, "span_id": b"\x01" * 8, "event": "gen_ai.user.message"}
        records = [log_record(body=f"log {i}"), log_record(**event, body={"content": f"said {i}"})]
        points = metrics(gauge(f"gen_ai.{i}", number(i, at=now)))
        requests.append(("spans", f"span {i}", request(call).SerializeToString()))
        requests.append(("logs", f"log {i}", logs(*records).SerializeToString()))
        requests.append(("metrics", f"gen_ai.{i}", points.SerializeToString()))
    return requests


@pytest.mark.parametrize("seed", [1, 2])
def test_every_acknowledged_record_of_every_signal_is_stored_once_after_a_kill(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    waiting = mixed_requests(150)
    rng.shuffle(waiting)
    kill_after = rng.randrange(30, 300)
    acknowledged: set[tuple[str, str]] = set()
    collector = CollectorProcess(tmp_path, "deliver.batch_rows=16", "deliver.batch_age=20ms").start()

    async def sender(channel: grpc.aio.Channel) -> None:
        while waiting:
            table, name, payload = waiting.pop()
            export = channel.unary_unary(f"/opentelemetry.proto.collector.{SERVICES[table]}/Export")
            try:
                await export(payload, timeout=20)
            except grpc.aio.AioRpcError:
                return
            acknowledged.add((table, name))

    async def load_and_kill() -> None:
        async with grpc.aio.insecure_channel(collector.grpc_address) as channel:
            load = asyncio.gather(*(sender(channel) for _ in range(6)))
            while len(acknowledged) < kill_after and not load.done():  # noqa: ASYNC110 - a set has no event
                await asyncio.sleep(0.001)
            collector.kill()
            await load

    asyncio.run(load_and_kill())
    assert {table for table, _ in acknowledged} == set(SERVICES)
    collector.start()
    assert collector.terminate() == 0
    assert "the journal is empty" in "".join(collector.output)

    for table, names in {"spans": "name", "logs": "body", "metrics": "metric"}.items():
        sql = f"SELECT {names}, count() FROM {table} WHERE {names} != '' GROUP BY 1"
        counts = {str(name): count for name, count in stored(tmp_path, sql)}
        assert {name for kept, name in acknowledged if kept == table} <= counts.keys()
        assert set(counts.values()) == {1}, "a batch that was sent again must not be stored again"
    moved = stored(
        tmp_path, "SELECT (SELECT count() FROM logs WHERE moved_to != ''), (SELECT count() FROM span_content)"
    )
    assert moved[0][0] == moved[0][1] >= len([name for table, name in acknowledged if table == "logs"])


def test_a_stop_under_load_loses_nothing_acknowledged_and_ends_with_zero(tmp_path: Path) -> None:
    requests = make_workload(30, seed=9, start_ns=time.time_ns() - 60 * 10**9).requests
    collector = CollectorProcess(tmp_path).start()
    acknowledged: list[bytes] = []

    async def load_and_stop() -> int:
        load = asyncio.create_task(send_until_it_dies(collector.grpc_address, requests, acknowledged))
        while len(acknowledged) < 5:  # noqa: ASYNC110 - a list has no event
            await asyncio.sleep(0.001)
        code = await asyncio.to_thread(collector.terminate)
        await load
        return code

    assert asyncio.run(load_and_stop()) == 0
    assert "the journal is empty" in "".join(collector.output)
    rows = stored(tmp_path, "SELECT concat(trace_id, span_id) FROM spans")
    assert set[str]().union(*map(span_ids, acknowledged)) <= {str(row[0]) for row in rows}


def test_a_request_that_is_sent_again_is_counted_once(tmp_path: Path) -> None:
    load = make_workload(2, seed=4, start_ns=time.time_ns() - 60 * 10**9)
    with CollectorProcess(tmp_path) as collector:
        for _ in range(3):
            asyncio.run(send_until_it_dies(collector.grpc_address, load.requests, []))
        assert collector.terminate() == 0
    rows = stored(tmp_path, "SELECT count(), toString(sum(cost_total)) FROM spans FINAL")
    assert rows[0][0] == load.spans
    traces = stored(tmp_path, "SELECT sum(span_count), toString(sum(cost_total)) FROM traces FINAL")
    assert [traces[0][0], traces[0][1]] == rows[0]


def test_a_second_collector_on_the_same_data_is_told_so_and_the_first_goes_on(tmp_path: Path) -> None:
    with CollectorProcess(tmp_path) as first:
        second = CollectorProcess(tmp_path)
        with pytest.raises(AssertionError, match="journal"):
            second.start()
        assert len(second.output) == 1, second.output
        assert second._process is not None
        assert second._process.returncode == 2
        assert '"ready"' in first.get("/readyz")
