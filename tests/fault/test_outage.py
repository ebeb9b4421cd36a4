"""F07, F08, F13, F18, F20: the store is away, the disk or the memory is full; nothing acknowledged is lost, memory is bounded.

The store is a file (`tests/support/outage.py`): what is measured is the collector alone.
"""

from __future__ import annotations

import resource
import time
import urllib.error
import uuid
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

from tests.bench.outage import Sender, span_ids
from tests.bench.workload import make_workload
from tests.support.otlp import request, span
from tests.support.outage import EXPORT, MIB, CollectorWithoutStore, retry_delay

SMALL = (
    "receive.max_request=4MiB",
    "journal.max_size=48MiB",
    "deliver.memory=8MiB",
    "deliver.batch_size=8MiB",
)


@pytest.fixture(scope="module")
def requests() -> list[bytes]:
    """Requests of 512 spans, 0.75 MB each."""
    return make_workload(120, seed=5, start_ns=time.time_ns() - 60 * 10**9).requests


def refusal(export: grpc.UnaryUnaryMultiCallable, payload: bytes) -> grpc.RpcError | None:
    """Send; the refusal, which must be one that an SDK comes again after."""
    refused = None
    try:
        export(payload, timeout=60)
    except grpc.RpcError as error:
        refused = error
    if refused is not None:
        assert refused.code() is grpc.StatusCode.UNAVAILABLE, refused
        assert retry_delay(refused) is not None
    return refused


def acknowledged_until_refused(export: grpc.UnaryUnaryMultiCallable, left: Iterator[bytes]) -> tuple[list[str], str]:
    """Send one after the other until one is refused; what was acknowledged, in order, and why one was not."""
    acknowledged: list[str] = []
    for payload in left:
        error = refusal(export, payload)
        if error is not None:
            return acknowledged, str(error.details())
        acknowledged += span_ids(payload)
    raise AssertionError("all were acknowledged")


def wait_until_stored(collector: CollectorWithoutStore, spans: int) -> None:
    until = time.monotonic() + 60
    while len(collector.stored) < spans:
        assert collector.is_running, "".join(collector.output)
        assert time.monotonic() < until, f"{len(collector.stored)} of {spans} are stored\n{''.join(collector.output)}"
        time.sleep(0.05)


def send_until_acknowledged(export: grpc.UnaryUnaryMultiCallable, payload: bytes) -> None:
    until = time.monotonic() + 120
    while refusal(export, payload) is not None:
        assert time.monotonic() < until
        time.sleep(0.1)


def test_a_full_journal_pushes_back_in_bounded_memory_and_drains_in_order_while_new_requests_are_taken(
    tmp_path: Path, requests: list[bytes]
) -> None:
    collector = CollectorWithoutStore(tmp_path, *SMALL)
    collector.take_store_away()
    with collector, grpc.insecure_channel(collector.grpc_address) as channel:
        export = channel.unary_unary(EXPORT)
        before = collector.memory()["anonymous"]
        left = iter(requests)
        acknowledged, reason = acknowledged_until_refused(export, left)
        assert "journal.max_size" in reason
        assert len(acknowledged) > 50 * 512
        delays = {
            retry_delay(error) for error in (refusal(export, requests[0]) for _ in range(50)) if error is not None
        }
        assert len(delays) == 50, "they are spread"
        assert collector.memory()["anonymous"] - before < 200 * MIB
        assert "the store does not answer" in not_ready(collector)

        collector.bring_store_back()
        for payload in left:
            send_until_acknowledged(export, payload)
            acknowledged += span_ids(payload)
        wait_until_stored(collector, len(acknowledged))
        assert collector.memory()["anonymous"] - before < 250 * MIB
        assert collector.terminate() == 0
    assert collector.stored == acknowledged, "each once, in the order of the acknowledgements"
    assert "the journal is empty" in "".join(collector.output)


def not_ready(collector: CollectorWithoutStore) -> str:
    with pytest.raises(urllib.error.HTTPError) as answer:
        collector.get("/readyz")
    assert answer.value.code == 503
    return answer.value.read().decode()


def test_the_backlog_of_an_outage_drains_beside_a_live_load(tmp_path: Path) -> None:
    collector = CollectorWithoutStore(tmp_path, "deliver.memory=8MiB", "deliver.batch_size=8MiB")
    collector.take_store_away()
    with collector:
        before = collector.memory()["anonymous"]
        sender = Sender(collector.grpc_address, 2000.0, 128)
        while len(sender.acknowledged) < 20_000:
            time.sleep(0.1)
        backlog = len(sender.acknowledged)
        assert collector.stored == []
        assert collector.memory()["anonymous"] - before < 150 * MIB
        collector.bring_store_back()
        until = time.monotonic() + 120
        while len(collector.stored) < len(sender.acknowledged) - 1000:
            assert time.monotonic() < until
            time.sleep(0.1)
        assert len(sender.acknowledged) > backlog, "what is new was acknowledged meanwhile"
        sender.stop()
        assert sender.refused == 0
        assert collector.terminate() == 0
    assert collector.stored == sender.acknowledged


def test_thousands_of_tiny_requests_wait_in_little_memory(tmp_path: Path) -> None:
    """A decoded request of one span holds 290 KB, whatever its columns say."""
    collector = CollectorWithoutStore(tmp_path, "deliver.memory=16MiB")
    collector.take_store_away()
    with collector, grpc.insecure_channel(collector.grpc_address) as channel:
        export = channel.unary_unary(EXPORT)
        before = collector.memory()["anonymous"]
        tiny = [request(span(trace_id=uuid.uuid4().bytes)).SerializeToString() for _ in range(2000)]
        for at in range(0, 2000, 100):
            for answer in [export.future(payload) for payload in tiny[at : at + 100]]:
                assert answer.result(60) == b""
        assert collector.memory()["anonymous"] - before < 150 * MIB
        collector.bring_store_back()
        wait_until_stored(collector, 2000)
        assert sorted(collector.stored) == sorted(key for payload in tiny for key in span_ids(payload))


def test_above_its_memory_limit_it_refuses_and_below_it_takes_requests_again(
    tmp_path: Path, requests: list[bytes]
) -> None:
    collector = CollectorWithoutStore(tmp_path, "receive.memory_limit=256MiB", "deliver.memory=1GiB")
    collector.take_store_away()
    with collector, grpc.insecure_channel(collector.grpc_address) as channel:
        export = channel.unary_unary(EXPORT)
        # The hard limit, a little above: without the soft one, an allocation would fail.
        status = Path(f"/proc/{collector.pid}/statm").read_text().split()
        room = int(status[0]) * resource.getpagesize() + 600 * MIB
        resource.prlimit(collector.pid, resource.RLIMIT_AS, (room, room))
        acknowledged, reason = acknowledged_until_refused(export, paced(requests))
        assert "receive.memory_limit" in reason
        for payload in requests[:20]:
            assert refusal(export, payload) is not None
        assert '"ok"' in collector.get("/healthz")

        collector.bring_store_back()
        wait_until_stored(collector, len(acknowledged))
        send_until_acknowledged(export, requests[-1])
        assert collector.terminate() == 0
    assert collector.stored == [*acknowledged, *span_ids(requests[-1])]
    assert "MemoryError" not in "".join(collector.output)


def paced(requests: list[bytes]) -> Iterator[bytes]:
    """Requests without end, with new ids, so slowly that the look at the memory once a second sees it grow."""
    while True:
        for payload in make_workload(10, seed=time.time_ns(), start_ns=time.time_ns() - 60 * 10**9).requests:
            time.sleep(0.02)
            yield payload


def test_a_full_disk_pushes_back_and_when_there_is_space_again_requests_are_taken(
    tmp_path: Path, requests: list[bytes]
) -> None:
    """The kernel's limit on the size of files stands in for the full disk."""
    collector = CollectorWithoutStore(tmp_path)
    collector.take_store_away()
    with collector, grpc.insecure_channel(collector.grpc_address) as channel:
        export = channel.unary_unary(EXPORT)
        _, hard = resource.prlimit(collector.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(collector.pid, resource.RLIMIT_FSIZE, (24 * MIB, hard))
        left = iter(requests)
        acknowledged, reason = acknowledged_until_refused(export, left)
        assert "free space on its disk" in reason
        assert '"ok"' in collector.get("/healthz")
        resource.prlimit(collector.pid, resource.RLIMIT_FSIZE, (hard, hard))
        for payload in left:
            assert refusal(export, payload) is None
            acknowledged += span_ids(payload)
        collector.bring_store_back()
        wait_until_stored(collector, len(acknowledged))
        assert collector.terminate() == 0
    assert collector.stored == acknowledged


def test_a_second_signal_ends_it_at_once_and_what_was_acknowledged_is_stored_after_the_next_start(
    tmp_path: Path, requests: list[bytes]
) -> None:
    collector = CollectorWithoutStore(tmp_path)
    collector.take_store_away()
    with collector, grpc.insecure_channel(collector.grpc_address) as channel:
        export = channel.unary_unary(EXPORT)
        for payload in requests[:5]:
            assert refusal(export, payload) is None
        collector.ask_to_stop()
        while not any("stopping" in line for line in collector.output):
            time.sleep(0.01)
        assert unavailable(export, requests[5])
        collector.ask_to_stop()
        assert collector.wait(15) == 1
    collector.bring_store_back()
    with collector:
        assert collector.terminate() == 0
    expected = [key for payload in requests[:5] for key in span_ids(payload)]
    assert collector.stored[: len(expected)] == expected


def unavailable(export: grpc.UnaryUnaryMultiCallable, payload: bytes) -> bool:
    """Whether a collector that is told to stop comes to refuse a request; those before are acknowledged."""
    for _ in range(1000):
        try:
            export(payload, timeout=60)
        except grpc.RpcError as error:
            return bool(error.code() is grpc.StatusCode.UNAVAILABLE)
    return False


def test_after_outage_upon_outage_it_holds_as_much_as_before(tmp_path: Path) -> None:
    collector = CollectorWithoutStore(tmp_path, *SMALL)
    held: list[dict[str, int]] = []
    sent = 0
    with collector, grpc.insecure_channel(collector.grpc_address) as channel:
        export = channel.unary_unary(EXPORT)
        for seed in range(8):
            collector.take_store_away()
            for payload in make_workload(20, seed=100 + seed, start_ns=time.time_ns() - 60 * 10**9).requests:
                assert refusal(export, payload) is None
                sent += 512
            collector.bring_store_back()
            wait_until_stored(collector, sent)
            held.append(
                {
                    "memory": collector.memory()["anonymous"],
                    "descriptors": collector.descriptors(),
                    "threads": collector.threads(),
                    "journal": (tmp_path / "journal/data.mdb").stat().st_size,
                }
            )
    warm, last = held[3], held[-1]
    assert last["memory"] - warm["memory"] < 16 * MIB, held
    for what in ("descriptors", "threads", "journal"):
        assert last[what] <= warm[what], held
