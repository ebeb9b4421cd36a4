"""Deletion as a client meets it: a real collector, spans in its journal, its files, and the audit."""

from __future__ import annotations

import asyncio
import json
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import grpc

from tests.integration.test_audit import numbers
from tests.support.collector_process import CollectorProcess
from tests.support.command import spanledger
from tests.support.otlp import NOW, request, span
from tests.support.spans import trace_id
from tests.support.stored import stored

EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"


def spans(trace: int, user: str, count: int = 3) -> bytes:
    """A trace of a user, told by its root alone."""
    root = span(trace_id=trace_id(trace), start=NOW - 10**10, attributes={"user.id": user} if user else {})
    children = [span(trace_id=trace_id(trace), parent=root.span_id, start=NOW - 10**10) for _ in range(count - 1)]
    return request(root, *children).SerializeToString()


async def send(address: str, payloads: Sequence[bytes]) -> None:
    async with grpc.aio.insecure_channel(address) as channel:
        for payload in payloads:
            await channel.unary_unary(EXPORT)(payload, timeout=30)


def delete(collector: CollectorProcess, path: str) -> Any:
    asked = urllib.request.Request(collector.url + path, method="DELETE")
    with urllib.request.urlopen(asked, timeout=60) as response:
        return json.loads(response.read())


def delete_quietly(collector: CollectorProcess, path: str) -> None:
    """Delete where the answer may have no body."""
    with urllib.request.urlopen(urllib.request.Request(collector.url + path, method="DELETE"), timeout=60) as response:
        assert response.status in (200, 204)


def rows(directory: Path, trace: int) -> dict[str, int]:
    """Rows of a trace in the files of a stopped collector, also those that no query shows."""
    sql = "SELECT count() FROM {} WHERE trace_id = '{:032x}' SETTINGS apply_deleted_mask = 0"
    return {table: stored(directory, sql.format(table, trace))[0][0] for table in ("spans", "traces")}


def test_a_user_is_deleted_while_the_spans_wait_in_the_journal_and_what_comes_later_is_not_stored(
    tmp_path: Path,
) -> None:
    with CollectorProcess(tmp_path, "deliver.batch_age=600s") as collector:
        asyncio.run(send(collector.grpc_address, [spans(1, "anna"), spans(2, "ben")]))
        assert delete(collector, "/users/anna") == {"deleted": 1}
        assert delete(collector, "/users/anna") == {"deleted": 0}
        listed = json.loads(collector.get("/traces"))
        assert [trace["user_id"] for trace in listed["items"]] == ["ben"]
        assert listed["total"] == 1
        asyncio.run(send(collector.grpc_address, [spans(1, ""), spans(3, "anna"), spans(4, "ben")]))
        assert collector.terminate() == 0
    done = spanledger(tmp_path, "audit")
    assert done.returncode == 0, done.stdout + done.stderr
    accepted, *parts = numbers(done.stdout, "default")[2:]
    assert (accepted, parts) == (15, [6, 0, 9, 0, 0, 0])
    assert numbers(done.stdout, "no table holds anything of a deleted trace") == [2, 0]


def test_every_api_deletes_what_waits_in_the_journal_and_whatever_an_id_holds(tmp_path: Path) -> None:
    doors = [
        "/traces/{:032x}",
        "/pandaprobe/traces/{:032x}",
        "/artanis/api/traces/{:032x}",
        "/galtea/traces/trace_{:016x}",
    ]
    payloads = [request(span(trace_id=trace_id(number), start=NOW)) for number, _ in enumerate(doors, start=1)]
    ids = [int.from_bytes(one.resource_spans[0].scope_spans[0].spans[0].span_id, "big") for one in payloads]
    with CollectorProcess(tmp_path, "deliver.batch_age=600s") as collector:
        for number, door in enumerate(doors, start=1):
            asyncio.run(send(collector.grpc_address, [payloads[number - 1].SerializeToString()]))
            delete_quietly(collector, door.format(ids[number - 1] if "galtea" in door else number))
        asyncio.run(send(collector.grpc_address, [spans(9, "an\nna"), spans(10, "ben")]))
        assert delete(collector, "/users/an%0Ana") == {"deleted": 1}
        assert [trace["user_id"] for trace in json.loads(collector.get("/traces"))["items"]] == ["ben"]


def test_deleted_rows_are_removed_from_the_files_at_the_latest_after_a_restart(tmp_path: Path) -> None:
    with CollectorProcess(tmp_path, "clickhouse.remove_deleted_after=1d") as collector:
        asyncio.run(send(collector.grpc_address, [spans(1, "anna"), spans(2, "ben")]))
        assert delete(collector, "/users/anna") == {"deleted": 1}
        assert collector.terminate() == 0
    assert rows(tmp_path, 1) == {"spans": 3, "traces": 1}, "not removed yet"
    until = time.monotonic() + 120
    while stored(tmp_path, "SELECT DISTINCT step FROM deletions FINAL") != [[2]]:
        assert time.monotonic() < until
        with CollectorProcess(tmp_path, "clickhouse.remove_deleted_after=1s") as collector:
            asyncio.run(asyncio.sleep(1))  # a stop does not wait for it
            assert collector.terminate() == 0
    assert rows(tmp_path, 1) == {"spans": 0, "traces": 0}
    assert rows(tmp_path, 2) == {"spans": 3, "traces": 1}
    done = spanledger(tmp_path, "audit")
    assert done.returncode == 0, done.stdout + done.stderr
    assert numbers(done.stdout, "default")[2:] == [6, 3, 0, 3, 0, 0, 0]
