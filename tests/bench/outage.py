"""An outage of the store: what the collector's memory does meanwhile, and what becomes of the backlog.

Sends spans at a steady rate to a collector whose store does not answer (`tests/support/outage.py`: the whole collector, a
file in the place of the store, so that no ClickHouse is in the process), then lets the store answer and goes on sending until
the backlog is written. Prints memory over time, and checks at the end that every acknowledged span was written once.

`anonymous` is the process's own memory. `file` are pages of files that are mapped, of libraries and of the journal: the
kernel counts them as resident, but takes them back whenever somebody needs the room.
"""

from __future__ import annotations

import argparse
import collections
import random
import sys
import tempfile
import threading
import time
from pathlib import Path

import grpc
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from tests.bench.workload import Maker  # noqa: E402
from tests.support.outage import EXPORT, MIB, CollectorWithoutStore, retry_delay  # noqa: E402


class Sender:
    """Sends requests of new spans at a steady rate from a thread of its own; one that is refused is sent again."""

    def __init__(self, address: str, rate: float, spans_per_request: int) -> None:
        self._maker = Maker(random.Random(1), time.time_ns())
        self._maker.spans_per_request = spans_per_request
        self._channel = grpc.insecure_channel(address)
        self._export = self._channel.unary_unary(EXPORT)
        self._pause = spans_per_request / rate
        self._stopping = threading.Event()
        self.acknowledged: list[str] = []
        self.refused = 0
        self.latencies: list[float] = []
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        due = time.monotonic()
        while not self._stopping.is_set():
            self._maker.now = time.time_ns()
            self._send(self._maker.request())
            due = max(due + self._pause, time.monotonic() - 5.0)
            self._stopping.wait(max(0.0, due - time.monotonic()))

    def _send(self, request: bytes) -> None:
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                self._export(request, timeout=60)
            except grpc.RpcError as error:
                if error.code() is not grpc.StatusCode.UNAVAILABLE:
                    raise
                self.refused += 1
                self._stopping.wait(retry_delay(error) or 1.0)
                continue
            self.latencies.append(time.monotonic() - began)
            self.acknowledged += span_ids(request)
            return

    def stop(self) -> None:
        """Stop after the request under way."""
        self._stopping.set()
        self._thread.join()
        self._channel.close()


def span_ids(request: bytes) -> list[str]:
    """Trace id and span id of every span."""
    message = ExportTraceServiceRequest.FromString(request)
    scopes = [scope for resource in message.resource_spans for scope in resource.scope_spans]
    return [span.trace_id.hex() + span.span_id.hex() for scope in scopes for span in scope.spans]


def show(began: float, collector: CollectorWithoutStore, sender: Sender) -> dict[str, int]:
    """Print a line, and return the memory."""
    memory = collector.memory()
    print(
        f"{time.monotonic() - began:7.0f} s  acknowledged {len(sender.acknowledged):9,}  refused {sender.refused:5}"
        f"  journal {collector.metric('spanledger_journal_bytes') / MIB:6.0f} MiB"
        f"  anonymous {memory['anonymous'] / 1e6:5.0f} MB  file {memory['file'] / 1e6:5.0f} MB",
        flush=True,
    )
    return memory


def run(minutes: float, rate: float, spans_per_request: int, settings: list[str]) -> None:
    """One outage."""
    with tempfile.TemporaryDirectory(prefix="spanledger-outage-") as name:
        collector = CollectorWithoutStore(Path(name), *settings)
        collector.take_store_away()
        with collector:
            began = time.monotonic()
            sender = Sender(collector.grpc_address, rate, spans_per_request)
            peak = {"anonymous": 0, "file": 0}
            while time.monotonic() - began < minutes * 60:
                time.sleep(min(10.0, minutes * 6))
                memory = show(began, collector, sender)
                peak = {kind: max(peak[kind], memory[kind]) for kind in peak}
            backlog, before = len(sender.acknowledged), time.monotonic()
            waited = sorted(sender.latencies)
            print("the store answers again")
            collector.bring_store_back()
            while (stored := collector.metric("spanledger_stored_spans_total")) < len(sender.acknowledged) - rate:
                time.sleep(1.0)
                memory = show(began, collector, sender)
                peak = {kind: max(peak[kind], memory[kind]) for kind in peak}
            took = time.monotonic() - before
            live = len(sender.acknowledged) - backlog
            sender.stop()
            assert collector.terminate() == 0
            assert "the journal is empty" in "".join(collector.output)
        written = collections.Counter(collector.stored)
        missing = [key for key in sender.acknowledged if key not in written]
        assert not missing, f"{len(missing)} acknowledged spans were not written"
        assert set(written.values()) == {1}
    print(f"{len(sender.acknowledged):,} spans acknowledged, each written once; {sender.refused} requests refused")
    print(f"peak: anonymous {peak['anonymous'] / 1e6:.0f} MB, file {peak['file'] / 1e6:.0f} MB")
    p50, p99 = waited[len(waited) // 2], waited[int(len(waited) * 0.99)]
    print(f"acknowledgement while the store was away: p50 {p50 * 1e3:.1f} ms, p99 {p99 * 1e3:.1f} ms")
    print(
        f"backlog of {backlog:,} spans written in {took:.0f} s: {stored / took:,.0f} spans/s, beside {live / took:,.0f} live"
    )


def main() -> None:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="how long the store is away")
    parser.add_argument("--rate", type=float, default=2000.0, help="spans a second")
    parser.add_argument("--spans-per-request", type=int, default=512)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a setting of the collector")
    arguments = parser.parse_args()
    run(arguments.minutes, arguments.rate, arguments.spans_per_request, arguments.set)


if __name__ == "__main__":
    main()
