"""Hostile requests over gRPC: no code that speaks of a fault of ours, a living process, bounded memory."""

from __future__ import annotations

import random
import time
from pathlib import Path

import grpc
import pytest

from tests.bench.workload import make_workload
from tests.support.collector_process import CollectorProcess

EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
FAULTS_OF_OURS = {
    grpc.StatusCode.INTERNAL,
    grpc.StatusCode.UNKNOWN,
    grpc.StatusCode.DATA_LOSS,
    grpc.StatusCode.UNAVAILABLE,
}
MIB = 1 << 20


@pytest.fixture(scope="module")
def valid_request() -> bytes:
    return make_workload(1, seed=3, start_ns=time.time_ns() - 10**9).requests[0]


def malformed(rng: random.Random, valid: bytes) -> bytes:
    kind = rng.randrange(4)
    if kind == 0:
        return rng.randbytes(rng.randrange(1, 4096))
    broken = bytearray(valid[: rng.randrange(1, 20_000)])
    if kind >= 2:
        broken = bytearray(valid)
        for _ in range(rng.randrange(1, 20)):
            broken[rng.randrange(len(broken))] = rng.randrange(256)
    if kind == 3:
        at = rng.randrange(len(broken))
        broken[at:at] = b"\xff" * rng.randrange(1, 12)
    return bytes(broken)


def test_a_thousand_malformed_requests_cost_nothing_but_refusals(tmp_path: Path, valid_request: bytes) -> None:
    rng = random.Random(20)
    with CollectorProcess(tmp_path) as collector, grpc.insecure_channel(collector.grpc_address) as channel:
        export = channel.unary_unary(EXPORT)
        assert export(valid_request) == b""
        before = collector.peak_memory()
        codes: dict[grpc.StatusCode, int] = {}
        for _ in range(1000):
            try:
                export(malformed(rng, valid_request), timeout=30)
                code = grpc.StatusCode.OK
            except grpc.RpcError as error:
                code = error.code()
            codes[code] = codes.get(code, 0) + 1
        assert not FAULTS_OF_OURS & codes.keys(), codes
        assert codes[grpc.StatusCode.INVALID_ARGUMENT] > 500, codes
        assert export(valid_request) == b""
        assert collector.peak_memory() - before < 700 * MIB
        assert collector.terminate() == 0, "what slipped through must not stop the delivery"
        assert "the journal is empty" in "".join(collector.output)


def test_a_gzip_bomb_is_refused_before_it_is_inflated(tmp_path: Path) -> None:
    with CollectorProcess(tmp_path, "receive.max_request=4MiB") as collector:
        options = (("grpc.max_send_message_length", -1),)
        with grpc.insecure_channel(collector.grpc_address, options, grpc.Compression.Gzip) as channel:
            export = channel.unary_unary(EXPORT)
            before = collector.peak_memory()
            with pytest.raises(grpc.RpcError) as refused:
                export(bytes(400 * MIB), timeout=60)
            assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
            assert collector.peak_memory() - before < 64 * MIB
