"""F22: the request was taken, the answer was lost, and the client sends it again."""

from __future__ import annotations

from pathlib import Path

import grpc
import pytest

from tests.support.collector_process import CollectorProcess
from tests.support.command import spanledger
from tests.support.doors import Door
from tests.support.otlp import request, span
from tests.support.outage import EXPORT
from tests.support.stored import stored


def test_a_request_whose_answer_was_lost_is_stored_once_when_it_comes_again(tmp_path: Path) -> None:
    usage = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o", "gen_ai.usage.input_tokens": 1000}
    payloads = [
        request(
            span(trace_id=bytes([n + 1] * 16), attributes={**usage, "gen_ai.usage.output_tokens": n})
        ).SerializeToString()
        for n in range(10)
    ]
    with CollectorProcess(tmp_path, "deliver.batch_age=20ms") as collector:
        for payload in payloads:
            lose_the_answer(collector, payload)
        with grpc.insecure_channel(collector.grpc_address) as channel:
            for payload in payloads:
                assert channel.unary_unary(EXPORT)(payload, timeout=60) == b""
        assert collector.metric("spanledger_requests_total") == 20, "they were taken twice"
        assert collector.terminate() == 0
    assert stored(tmp_path, "SELECT count(), uniqExact(trace_id) FROM spans FINAL") == [[10, 10]]
    (sums,) = stored(tmp_path, "SELECT sum(span_count), sum(input_tokens), sum(output_tokens) FROM traces FINAL")
    assert [int(one) for one in sums] == [10, 10_000, 45]
    audited = spanledger(tmp_path, "audit")
    assert audited.returncode == 0, audited.stdout


def lose_the_answer(collector: CollectorProcess, payload: bytes) -> None:
    """Send through a door that is cut when the collector has taken the request, and before its answer has passed."""
    taken = collector.metric("spanledger_requests_total")
    door = Door(int(collector.grpc_address.rsplit(":", 1)[1]))
    with door, grpc.insecure_channel(f"127.0.0.1:{door.port}", (("grpc.use_local_subchannel_pool", 1),)) as channel:
        grpc.channel_ready_future(channel).result(60)
        door.is_open.clear()
        answer = channel.unary_unary(EXPORT).future(payload, timeout=60)
        while collector.metric("spanledger_requests_total") == taken:
            pass
        door.cut()
        with pytest.raises(grpc.RpcError) as lost:
            answer.result()
        assert lost.value.code() is grpc.StatusCode.UNAVAILABLE
