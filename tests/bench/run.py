"""`make bench`: two workloads, each through a collector in a child process, checked to the last span and the last digit.

The standard one, and the same traces in the dialect that costs most to read (`--workload` picks one). Prints spans/s
acknowledged and queryable, processor time per span of the collector (which holds the embedded ClickHouse), peak memory,
acknowledgement latency and bytes on disk per span. `--profile FILE` records the collector with py-spy.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import subprocess
import sys
import tempfile
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import clickhouse_connect
import grpc
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from tests.bench.workload import SPANS_PER_REQUEST, Maker, Workload, make_workload  # noqa: E402
from tests.bench.workload_openinference import OpenInferenceMaker  # noqa: E402
from tests.support.collector_process import CollectorProcess  # noqa: E402

EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
WARM_UP = 24
"""Requests before the clock starts: imports, first prices, first parts."""
WORKLOADS: dict[str, type[Maker]] = {"standard": Maker, "openinference": OpenInferenceMaker}

console = Console()


async def send(address: str, requests: list[bytes], in_flight: int) -> list[float]:
    """Send all requests, `in_flight` at a time; returns the seconds until each was acknowledged."""
    waiting = list(reversed(requests))
    latencies: list[float] = []
    async with grpc.aio.insecure_channel(address) as channel:
        export = channel.unary_unary(EXPORT)

        async def sender() -> None:
            while waiting:
                began = time.perf_counter()
                response = await export(waiting.pop())
                assert response == b"", "every span is valid: nothing may be rejected"
                latencies.append(time.perf_counter() - began)

        await asyncio.gather(*(sender() for _ in range(in_flight)))
    return latencies


def wait_until_stored(collector: CollectorProcess, spans: int) -> None:
    """Wait until the store has accepted this many spans since the start."""
    until = time.monotonic() + 300
    while (stored := collector.metric("spanledger_stored_spans_total")) < spans:
        assert time.monotonic() < until, f"{stored:.0f} of {spans} spans were stored within 300 s"
        time.sleep(0.1)  # not more often: the collector answers this too


def check(directory: Path, sent: list[Workload]) -> dict[str, float]:
    """Open the database that the collector left, and compare count, tokens and money. Returns what it measured there."""
    client = clickhouse_connect.get_client(interface="chdb", path=str(directory / "clickhouse"))
    expected = (
        sum(w.spans for w in sent),
        sum((w.cost for w in sent), Decimal(0)),
        sum(w.input_tokens for w in sent),
        sum(w.output_tokens for w in sent),
    )
    spans = client.query(
        "SELECT count(), sum(cost_total), sum(input_tokens), sum(output_tokens) FROM spans FINAL"
    ).first_row
    traces = client.query(
        "SELECT sum(span_count), sum(cost_total), sum(input_tokens), sum(output_tokens) FROM traces FINAL"
    ).first_row
    rows = client.query("SELECT count(), count(DISTINCT trace_id, span_id) FROM spans").first_row
    assert tuple(spans) == expected, f"spans: {spans}, expected {expected}"
    assert tuple(traces) == expected, f"traces: {traces}, expected {expected}"
    assert rows[0] == rows[1], f"{rows[0]} rows for {rows[1]} spans"
    size = client.query(
        "SELECT sum(bytes_on_disk) / sum(rows), count() FROM system.parts WHERE active AND table = 'spans'"
    ).first_row
    client.close()
    return {"bytes": float(size[0]), "parts": float(size[1])}


def measure(maker: type[Maker], requests: int, in_flight: int, seed: int, profile: str | None) -> dict[str, Any]:
    """Run the benchmark once."""
    now = time.time_ns()
    console.print(f"making {requests} requests of {SPANS_PER_REQUEST} spans (seed {seed}) ...")
    warm_up = make_workload(WARM_UP, seed=seed + 1, start_ns=now - 600 * 10**9, maker=maker)
    load = make_workload(requests, seed=seed, start_ns=now - 300 * 10**9, maker=maker)
    with tempfile.TemporaryDirectory(prefix="spanledger-bench-") as name:
        directory = Path(name)
        collector = CollectorProcess(directory)
        with collector:
            asyncio.run(send(collector.grpc_address, warm_up.requests, in_flight))
            wait_until_stored(collector, warm_up.spans)
            time.sleep(1.0)
            recorder = _record(collector.pid, profile)
            cpu, began = collector.cpu_seconds(), time.perf_counter()
            latencies = sorted(asyncio.run(send(collector.grpc_address, load.requests, in_flight)))
            acknowledged = time.perf_counter() - began
            wait_until_stored(collector, warm_up.spans + load.spans)
            queryable = time.perf_counter() - began
            used = collector.cpu_seconds() - cpu
            if recorder is not None:
                recorder.wait()
            time.sleep(10.0)  # what the engine merges in the background afterwards
            settled = collector.cpu_seconds() - cpu
            peak = collector.peak_memory()
            code = collector.terminate()
            assert code == 0, "".join(collector.output)
        found = check(directory, [warm_up, load])
    return {
        "spans": load.spans,
        "bytes per span sent": sum(map(len, load.requests)) / load.spans,
        "spans/s acknowledged": load.spans / acknowledged,
        "spans/s queryable": load.spans / queryable,
        "CPU us/span until queryable": used / load.spans * 1e6,
        "CPU us/span with later merges": settled / load.spans * 1e6,
        "spans/s per core": load.spans / used,
        "peak memory MiB": peak / 2**20,
        "ack p50 ms": latencies[len(latencies) // 2] * 1e3,
        "ack p99 ms": latencies[int(len(latencies) * 0.99)] * 1e3,
        "bytes on disk per span": found["bytes"],
        "parts": found["parts"],
        "total cost USD": load.cost,
    }


def _record(pid: int, profile: str | None) -> subprocess.Popen[bytes] | None:
    if profile is None:
        return None
    command = ["py-spy", "record", "--pid", str(pid), "--native", "--threads", "--format", "raw", "--output", profile]
    return subprocess.Popen([*command, "--duration", "8", "--rate", "200", "--nonblocking"])


def machine() -> str:
    """One line on the machine."""
    model = "unknown processor"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    return f"{os.cpu_count()} cores, {model}, Linux {platform.release()}, Python {platform.python_version()}"


def main() -> None:
    """Parse the command line, run, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=600, help="requests of 512 spans")
    parser.add_argument("--in-flight", type=int, default=8, help="requests under way at once")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--workload", choices=WORKLOADS, action="append", help="one of them; may be repeated")
    parser.add_argument("--profile", help="record the collector with py-spy into this file (folded stacks)")
    arguments = parser.parse_args()
    names = arguments.workload or list(WORKLOADS)
    results = [
        measure(WORKLOADS[name], arguments.requests, arguments.in_flight, arguments.seed, arguments.profile)
        for name in names
    ]
    table = Table(title="gRPC in to queryable in the embedded ClickHouse, by workload", title_justify="left")
    table.add_column("figure")
    for name in names:
        table.add_column(name, justify="right")
    for figure in results[0]:
        values = (result[figure] for result in results)
        table.add_row(figure, *(f"{value:,.1f}" if isinstance(value, float) else f"{value:,}" for value in values))
    console.print(table)
    console.print(f"count, tokens and total cost are exactly right; machine: {machine()}")


if __name__ == "__main__":
    main()
