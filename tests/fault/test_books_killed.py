"""kill -9 between two steps that belong together: the books balance after the next run."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import grpc
import pytest

from tests.bench.workload import make_workload
from tests.support.collector_process import ROOT, CollectorProcess
from tests.support.command import spanledger
from tests.support.dying import KILLED_AT, DyingCollector
from tests.support.stored import stored

EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"


async def send(address: str, requests: list[bytes]) -> None:
    """Send until it dies; what is not acknowledged is sent again by nobody."""
    async with grpc.aio.insecure_channel(address) as channel:
        for request in requests:
            try:
                await channel.unary_unary(EXPORT)(request, timeout=20)
            except grpc.aio.AioRpcError:
                return


@pytest.mark.parametrize(
    ("function", "number"),
    [("insert", 3), ("insert", 4), ("correct_counts", 2), ("insert_traces", 2)],
    ids=["before the spans", "before the traces", "before the decisions", "before the trace rows"],
)
def test_a_batch_that_is_delivered_again_is_entered_in_the_books_once(
    tmp_path: Path, function: str, number: int
) -> None:
    """The first batch goes in; the process dies in the second, when the ledger has it already."""
    requests = make_workload(8, seed=3, start_ns=time.time_ns() - 60 * 10**9).requests
    settings = ("deliver.batch_rows=1024", "deliver.batch_age=100ms")
    collector = DyingCollector(tmp_path, "exporters.clickhouse.write", function, number, *settings).start()
    asyncio.run(send(collector.grpc_address, [*requests, *requests[:1]]))
    assert collector.wait() == -signal.SIGKILL
    half = spanledger(tmp_path, "audit")
    assert "a delivery was interrupted" in half.stdout, half.stdout
    balances = re.search(r"^ every accepted span .* (\d+) *$", half.stdout, re.MULTILINE)
    assert balances
    assert balances[1] == "0", "what is not stored yet is in the journal"

    with CollectorProcess(tmp_path, *settings) as restarted:
        assert restarted.terminate() == 0
    done = spanledger(tmp_path, "audit")
    assert done.returncode == 0, done.stdout
    ((rows, spans, entered),) = stored(
        tmp_path,
        "SELECT (SELECT count() FROM spans FINAL), (SELECT sum(span_count) FROM traces FINAL),"
        " (SELECT sum(accepted) - sum(duplicates) FROM ledger FINAL)",
    )
    assert rows > 0
    assert int(rows) == int(spans) == int(entered)


PRICES = """
enrich:
  prices:
    overrides:
      - {model: gpt-4o, provider: openai, rates: {input: 5, output: 20}}
      - {model: gpt-4o-mini, provider: openai, rates: {input: 5, output: 20}}
"""

SMALL_PORTIONS = "import exporters.clickhouse.portions as p; p.MOST_SPANS = 500\n"


@pytest.mark.parametrize("function", ["_update", "correct_counts", "insert_traces"])
def test_a_repricing_that_was_killed_in_the_middle_is_completed_by_running_it_again(
    tmp_path: Path, function: str
) -> None:
    workload = make_workload(6, seed=5, start_ns=time.time_ns() - 3600 * 10**9)
    with CollectorProcess(tmp_path) as collector:
        asyncio.run(send(collector.grpc_address, workload.requests))
        assert collector.terminate() == 0
    (tmp_path / "prices.yaml").write_text(PRICES)
    command = ("reprice", "--from", "2020-01-01", "--to", "2100-01-01", "--config", tmp_path / "prices.yaml")

    words = ["--set", f"journal.directory={tmp_path}/journal", "--set", f"clickhouse.url=chdb:{tmp_path}/clickhouse"]
    killed = subprocess.run(
        [
            sys.executable,
            "-c",
            SMALL_PORTIONS + KILLED_AT,
            "exporters.clickhouse.reprice",
            function,
            "3",
            *map(str, command),
            *words,
        ],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr

    done = spanledger(tmp_path, *command)
    assert done.returncode == 0, done.stderr
    changed = re.search(r"^Spans that changed: ([\d,]+)", done.stdout, re.MULTILINE)
    assert changed
    again = spanledger(tmp_path, *command)
    assert again.stdout == "Spans that changed: 0.\n"
    audited = spanledger(tmp_path, "audit", "--config", tmp_path / "prices.yaml")
    assert audited.returncode == 0, audited.stdout
    versions = stored(tmp_path, "SELECT count(), uniq(price_version) FROM spans FINAL WHERE price_model LIKE 'gpt-4o%'")
    assert versions[0][0] > int(changed[1].replace(",", "")), "the killed run had done a part"
    assert versions[0][1] == 1
