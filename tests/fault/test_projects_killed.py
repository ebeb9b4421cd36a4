"""Requests whose resources belong to several projects: the books of each balance, whatever happens in between."""

from __future__ import annotations

import asyncio
import random
import re
from collections import Counter
from pathlib import Path

import grpc
import pytest

from collector.auth import hash_of
from tests.support.collector_process import CollectorProcess
from tests.support.command import spanledger
from tests.support.otlp import NOW, request, span
from tests.support.otlp_signals import gauge, log_record, logs, metrics, number
from tests.support.spans import span_id, trace_id
from tests.support.stored import stored

SERVICES = {"spans": "trace.v1.TraceService", "logs": "logs.v1.LogsService", "metrics": "metrics.v1.MetricsService"}
BY_TENANT = "auth.project_attribute=tenant.id"
TENANTS = ("shop", "forum", "", "not\na name")
PROJECTS = {"shop", "forum", "default"}
CALL = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o"}
USAGE = {"gen_ai.usage.input_tokens": 1000, "gen_ai.usage.output_tokens": 100}


def resource(tenant: str) -> dict[str, str]:
    return {"service.name": "s", "tenant.id": tenant} if tenant else {"service.name": "s"}


def requests(number_of: int) -> dict[str, bytes]:
    """A request of every signal, each with a resource of every tenant; by table. The trace is the same in all projects."""
    now = NOW - 60 * 10**9
    call = span(trace_id=trace_id(number_of), span_id=span_id(1), start=now, attributes=CALL | USAGE)
    rejected = span(span_id=b"")
    sent = {
        "spans": [request(call, rejected, resource=resource(tenant)) for tenant in TENANTS],
        "logs": [logs(log_record(body=f"log {number_of}"), resource=resource(tenant)) for tenant in TENANTS],
        "metrics": [metrics(gauge(f"gen_ai.{number_of}", number(1)), resource=resource(tenant)) for tenant in TENANTS],
    }
    return {table: b"".join(one.SerializeToString() for one in parts) for table, parts in sent.items()}


async def send(address: str, payload: bytes, table: str = "spans") -> None:
    async with grpc.aio.insecure_channel(address) as channel:
        await channel.unary_unary(f"/opentelemetry.proto.collector.{SERVICES[table]}/Export")(payload, timeout=30)


def balance(directory: Path, *options: object) -> dict[str, list[int]]:
    """The lines of an audit that finds the books in order, by project."""
    audited = spanledger(directory, "audit", *options)
    assert audited.returncode == 0, audited.stdout + audited.stderr
    lines = re.findall(r"^ (\w+) +((?:[\d,]+ +){8}[\d,]+) *$", audited.stdout, re.MULTILINE)
    return {project: [int(number.replace(",", "")) for number in numbers.split()] for project, numbers in lines}


def keys_only(directory: Path) -> Path:
    path = directory / "keys.yaml"
    entry = f"{{name: a, project: other, scopes: [write], hash: '{hash_of('a key')}'}}"
    path.write_text(f"auth: {{keys: [{entry}]}}")
    return path


@pytest.mark.parametrize("later", ["as before", "without the attribute", "with keys instead"])
def test_what_waits_in_the_journal_keeps_its_projects_whatever_the_next_start_is_configured_for(
    tmp_path: Path, later: str
) -> None:
    with CollectorProcess(tmp_path, BY_TENANT, "deliver.batch_age=600s") as collector:
        for table, payload in requests(1).items():
            asyncio.run(send(collector.grpc_address, payload, table))
        assert collector.metric("spanledger_misnamed_projects_total") == 3
        collector.kill()
    waiting = balance(tmp_path)
    assert waiting == {
        "shop": [1, 0, 1, 0, 0, 0, 0, 1, 0],
        "forum": [1, 0, 1, 0, 0, 0, 0, 1, 0],
        "default": [2, 0, 2, 0, 0, 0, 0, 2, 0],
    }, "rejected spans wait in memory for the next batch, and die with it"

    settings = {"as before": [BY_TENANT]}.get(later, [])
    config = keys_only(tmp_path) if later == "with keys instead" else None
    with CollectorProcess(tmp_path, *settings, config=config) as collector:
        assert collector.terminate() == 0
        assert "the journal is empty" in "".join(collector.output)
    assert balance(tmp_path) == {
        "shop": [1, 0, 1, 1, 0, 0, 0, 0, 0],
        "forum": [1, 0, 1, 1, 0, 0, 0, 0, 0],
        "default": [2, 0, 2, 1, 1, 0, 0, 0, 0],
    }, "of the default project one span came twice"
    for table, rows in (("spans FINAL", 1), ("logs", 2), ("metrics", 2), ("traces FINAL", 1)):
        found = stored(tmp_path, f"SELECT project, count() FROM {table} GROUP BY 1 ORDER BY 1")
        assert found == [["default", rows], ["forum", 1], ["shop", 1]]


def test_rejected_spans_are_entered_for_the_project_of_their_resource(tmp_path: Path) -> None:
    with CollectorProcess(tmp_path, BY_TENANT) as collector:
        asyncio.run(send(collector.grpc_address, requests(1)["spans"]))
        assert collector.terminate() == 0
    lines = balance(tmp_path)
    assert {project: line[:3] for project, line in lines.items()} == {
        "shop": [2, 1, 1],
        "forum": [2, 1, 1],
        "default": [4, 2, 2],
    }


@pytest.mark.parametrize("seed", [1, 2])
def test_every_acknowledged_span_is_stored_once_in_its_project_after_a_kill(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    sent = {number_of: requests(number_of)["spans"] for number_of in range(1, 101)}
    waiting, acknowledged = list(sent), set[int]()
    kill_after = rng.randrange(20, 80)
    collector = CollectorProcess(tmp_path, BY_TENANT, "deliver.batch_rows=16", "deliver.batch_age=20ms").start()

    async def sender(channel: grpc.aio.Channel) -> None:
        export = channel.unary_unary(f"/opentelemetry.proto.collector.{SERVICES['spans']}/Export")
        while waiting:
            number_of = waiting.pop()
            try:
                await export(sent[number_of], timeout=20)
            except grpc.aio.AioRpcError:
                return
            acknowledged.add(number_of)

    async def load_and_kill() -> None:
        async with grpc.aio.insecure_channel(collector.grpc_address) as channel:
            load = asyncio.gather(*(sender(channel) for _ in range(4)))
            while len(acknowledged) < kill_after and not load.done():  # noqa: ASYNC110 - a set has no event
                await asyncio.sleep(0.001)
            collector.kill()
            await load

    asyncio.run(load_and_kill())
    collector.start()
    assert collector.terminate() == 0
    rows = stored(tmp_path, "SELECT project, trace_id, count() FROM spans FINAL GROUP BY 1, 2")
    assert {count for *_, count in rows} == {1}
    found = Counter(int(trace, 16) for _, trace, _ in rows)
    assert {found[number_of] for number_of in acknowledged} == {len(PROJECTS)}
    assert {project for project, *_ in rows} == PROJECTS
    balance(tmp_path)
