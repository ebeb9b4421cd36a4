"""Hostile log and metric requests: an answer or a refusal that blames the sender, in bounded memory, and a living process."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import ExponentialHistogramDataPoint, HistogramDataPoint

from collector.decode import Decoded, Limits, decode_logs, decode_metrics
from collector.enrich.event_logs import enrich_logs
from collector.errors import Outcome, Permanent
from tests.abuse.test_grpc_abuse import FAULTS_OF_OURS, MIB, malformed
from tests.abuse.test_hostile_bytes import has_what_protobuf_alone_refuses, mutated, nested
from tests.abuse.test_hostile_sizes import decoded_elsewhere
from tests.support.collector_process import CollectorProcess
from tests.support.otlp import NOW, field, varint
from tests.support.otlp_signals import (
    DETAILS,
    EVALUATION,
    counter,
    exponential_histogram,
    histogram,
    log_record,
    logs,
    metrics,
    number,
)

SERVICES = {
    "logs": ("/opentelemetry.proto.collector.logs.v1.LogsService/Export", decode_logs, ExportLogsServiceRequest),
    "metrics": (
        "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
        decode_metrics,
        ExportMetricsServiceRequest,
    ),
}
SENT = {"i": -1, "s": "text é", "l": [1, {"k": "v"}], "b": b"\x00\xff", "d": 1.5, "n": None, "t": True}


def valid(signal: str) -> bytes:
    """A request with something of everything."""
    if signal == "logs":
        message = [{"role": "user", "content": "Hi"}]
        events = [
            log_record(event=DETAILS, attributes={"gen_ai.input.messages": message, **SENT}),
            log_record(event="gen_ai.choice", body={"message": {"content": "x"}, "finish_reason": "stop"}),
            log_record(
                event=EVALUATION, attributes={"gen_ai.evaluation.score.value": 1.5, "gen_ai.evaluation.name": "n"}
            ),
        ]
        return logs(*events, log_record(body=SENT, attributes=SENT), resource=SENT.items()).SerializeToString()
    point = HistogramDataPoint(time_unix_nano=NOW, count=3, sum=1, bucket_counts=[1, 2], explicit_bounds=[1.0])
    exponential = ExponentialHistogramDataPoint(time_unix_nano=NOW, count=3, scale=-1)
    exponential.positive.bucket_counts.extend([1, 300])
    sent = (
        counter("gen_ai.a", number(1, attributes=SENT), number(2.5)),
        histogram("gen_ai.b", point),
        exponential_histogram("gen_ai.c", exponential),
        counter("http.requests", number(1)),
    )
    return metrics(*sent, resource=SENT.items()).SerializeToString()


def decode(signal: str, payload: bytes) -> Decoded[Any] | Outcome:
    """The only two ways to end."""
    _, decoder, _ = SERVICES[signal]
    try:
        return decoder(payload, project="p", received_at=NOW, limits=Limits())
    except Outcome as outcome:
        return outcome


def agree(signal: str, payload: bytes) -> None:
    """Fails unless what protobuf reads is taken, and what it does not is refused or of the kinds that it alone refuses."""
    published = SERVICES[signal][2]
    outcome = decode(signal, payload)
    try:
        published.FromString(payload)
    except DecodeError:
        if isinstance(outcome, Decoded):
            is_lax = has_what_protobuf_alone_refuses(payload, published.DESCRIPTOR) or signal == "metrics"
            assert is_lax, payload.hex()
        else:
            assert isinstance(outcome, Permanent)
    else:
        assert isinstance(outcome, Decoded), f"stricter than protobuf, {outcome}: {payload.hex()}"
    if isinstance(outcome, Decoded):
        outcome.batch.columns.validate(full=True)
        if signal == "logs":
            assert len(enrich_logs(outcome.batch)) == len(outcome.batch)


@pytest.mark.parametrize("signal", SERVICES)
@pytest.mark.parametrize("seed", range(4))
def test_mutated_requests_are_decoded_or_refused(signal: str, seed: int) -> None:
    """Metrics that are not kept stay closed: what is wrong inside of them is not looked at."""
    rng = random.Random(seed)
    originals = [valid(signal)]
    for _ in range(250):
        agree(signal, mutated(originals[0], originals, rng))
        agree(signal, rng.randbytes(rng.randrange(60)))


@pytest.mark.parametrize("signal", SERVICES)
def test_a_truncated_request_is_never_taken_for_another(signal: str) -> None:
    payload = valid(signal)
    for size in range(1, len(payload)):
        assert isinstance(decode(signal, payload[:size]), Permanent), size


@pytest.mark.parametrize("length", [2**64 - 1, 2**64 - 60, 2**63, 2**32, 2**31, 1000])
def test_a_length_that_lies_is_refused_wherever_it_is(length: int, capfd: pytest.CaptureFixture[str]) -> None:
    lie = varint(1 << 3 | 2) + varint(length)
    name = field(1, b"gen_ai.x")
    bodies = (lie, field(5, lie), field(6, lie), field(6, field(2, lie)))
    data = (lie, field(7, lie), field(7, field(1, field(7, lie))), field(10, field(1, field(8, lie))))
    outcomes = [
        *(decode("logs", field(1, field(2, field(2, body)))) for body in bodies),
        *(decode("metrics", field(1, field(2, field(2, name + each)))) for each in data),
    ]
    assert [type(outcome) for outcome in outcomes] == [Permanent] * 8
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("depth", [100, 10_000, 300_000])
def test_bodies_nested_far_too_deep_are_refused(depth: int) -> None:
    payload = field(1, field(2, field(2, field(5, nested(depth)))))
    assert isinstance(decode("logs", payload), Permanent)


def test_events_whose_content_is_nested_deeply_are_kept_in_some_form() -> None:
    deep: Any = "x"
    for _ in range(12):
        deep = {"content": [deep]}
    text = '{"content":' * 5000 + "1" + "}" * 5000
    for record in (
        log_record(event="gen_ai.user.message", body=deep),
        log_record(event="gen_ai.choice", body=text),
        log_record(event=DETAILS, attributes={"gen_ai.input.messages": text, "gen_ai.system_instructions": text}),
    ):
        batch = decode("logs", logs(record).SerializeToString())
        assert isinstance(batch, Decoded)
        assert len(enrich_logs(batch.batch)) == 1


PROLOGUE = """
from collector.decode import decode_logs, decode_metrics
NAME = field(1, b"gen_ai.x")

def ends(decoder, payload):
    assert len(payload) <= 64 << 20
    try:
        decoded = decoder(payload, project="p", received_at=NOW, limits=Limits())
    except Outcome as outcome:
        return type(outcome).__name__
    return len(decoded.batch), decoded.rejections.count, sum(decoded.dropped.values())
"""


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        ("decode_logs, field(1, field(2, b'\\x12\\x00' * 8_000_000))", "TooLarge"),
        ("decode_logs, field(1, field(2, field(2, b'\\x32\\x00' * 1_000) * 32_000))", "TooLarge"),
        ("decode_logs, field(1, field(2, field(2, b'\\x32\\x00' * 5_000_000)))", "(1, 0, 0)"),
        ("decode_logs, field(1, field(2, field(2, field(5, field(5, b'\\x0a\\x00' * 30_000_000)))))", "(1, 0, 0)"),
        ("decode_metrics, field(1, field(2, b'\\x12\\x00' * 8_000_000))", "TooLarge"),
        ("decode_metrics, field(1, field(2, field(2, NAME + field(7, b'\\x0a\\x00' * 30_000_000))))", "TooLarge"),
        ("decode_metrics, field(1, field(2, field(2, field(7, b'\\x0a\\x00' * 30_000_000))))", "(0, 0, 30000000)"),
        (
            "decode_metrics, field(1, field(2, field(2, NAME + field(7, field(1, b'\\x3a\\x00' * 30_000_000)))))",
            "(0, 1, 0)",
        ),
        (
            "decode_metrics, field(1, field(2, field(2, NAME + field(10, field(1, field(8, field(2, b'\\1' * 60_000_000)))))))",
            "(0, 1, 0)",
        ),
        (
            "decode_metrics, field(1, field(2, field(2, NAME + field(9, field(1, field(8, b'\\0') * 9_000_000)))))",
            "(0, 1, 0)",
        ),
        (
            "decode_metrics,"
            " field(1, field(2, field(2, NAME + field(10, field(1, field(8, field(2, b'\\1' * 1_000_000))) * 60))))",
            "TooLarge",
        ),
    ],
)
def test_what_would_open_to_many_times_its_size_ends_in_bounded_memory(code: str, outcome: str) -> None:
    printed, peak = decoded_elsewhere(f"{PROLOGUE}\nprint(ends({code}))")
    assert printed == outcome
    assert peak < 1200


@pytest.mark.parametrize("signal", SERVICES)
def test_hundreds_of_malformed_requests_cost_nothing_but_refusals(tmp_path: Path, signal: str) -> None:
    rng = random.Random(7)
    good = valid(signal)
    with CollectorProcess(tmp_path) as collector, grpc.insecure_channel(collector.grpc_address) as channel:
        export: Callable[..., bytes] = channel.unary_unary(SERVICES[signal][0])
        assert export(good) == b""
        before = collector.peak_memory()
        codes: dict[grpc.StatusCode, int] = {}
        for _ in range(400):
            try:
                export(malformed(rng, good), timeout=30)
                code = grpc.StatusCode.OK
            except grpc.RpcError as error:
                code = error.code()
            codes[code] = codes.get(code, 0) + 1
        assert not FAULTS_OF_OURS & codes.keys(), codes
        assert codes[grpc.StatusCode.INVALID_ARGUMENT] > 150, codes
        assert export(good) == b""
        assert collector.peak_memory() - before < 300 * MIB
        assert collector.terminate() == 0, "what slipped through must not stop the delivery"
        assert "the journal is empty" in "".join(collector.output)


def test_a_compressed_bomb_of_logs_is_refused_before_it_is_inflated(tmp_path: Path) -> None:
    with CollectorProcess(tmp_path, "receive.max_request=4MiB") as collector:
        options = (("grpc.max_send_message_length", -1),)
        with grpc.insecure_channel(collector.grpc_address, options, grpc.Compression.Gzip) as channel:
            before = collector.peak_memory()
            with pytest.raises(grpc.RpcError) as refused:
                channel.unary_unary(SERVICES["logs"][0])(bytes(200 * MIB), timeout=60)
            assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
            assert collector.peak_memory() - before < 64 * MIB
