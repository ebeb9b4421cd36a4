"""The gRPC read API of a collector process, from outside: with the generated messages, and as grpcurl by reflection alone."""

from __future__ import annotations

import random
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.json_format import MessageToDict, Parse
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.timestamp_pb2 import Timestamp
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from collector.auth import hash_of, new_key
from collector.query.grpc import traces_pb2 as pb
from tests.support.collector_process import CollectorProcess
from tests.support.otlp import NOW, event, link, request, span

SERVICE = "spanledger.v1.TraceStoreService"
EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
SHOP, FORUM, READER = new_key(), new_key(), new_key()
KEYS = {
    "shop": ("shop", SHOP, "write, read, delete"),
    "forum": ("forum", FORUM, "write, read, delete"),
    "reader": ("shop", READER, "read"),
}

Code = grpc.StatusCode


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CollectorProcess]:
    directory: Path = tmp_path_factory.mktemp("collector")
    entries = [
        f"    - {{name: {name}, project: {project}, hash: '{hash_of(key)}', scopes: [{scopes}]}}\n"
        for name, (project, key, scopes) in KEYS.items()
    ]
    config = directory / "spanledger.yaml"
    config.write_text("auth:\n  keys:\n" + "".join(entries))
    with CollectorProcess(directory, config=config) as running:
        yield running
        assert running.terminate() == 0
        # grpcio logs calls of which the client has taken no answer; nothing else went wrong.
        assert not [line for line in running.output if " ERROR collector" in line]


@pytest.fixture(scope="module")
def channel(collector: CollectorProcess) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(collector.grpc_address) as opened:
        yield opened


def send(channel: grpc.Channel, *spans: Any, key: str = SHOP) -> None:
    resource = {"service.name": "checkout", "service.version": "1.2.3"}
    payload = request(*spans, resource=tuple(resource.items())).SerializeToString()
    assert channel.unary_unary(EXPORT)(payload, metadata=(("x-api-key", key),), timeout=30) == b""


def call(channel: grpc.Channel, method: str, message: Any, key: str | None = SHOP, **options: Any) -> Any:
    """The answer of a method that is no stream."""
    kind = {"GetTrace": pb.GetTraceResponse, "DeleteTrace": pb.DeleteTraceResponse}[method]
    found = channel.unary_unary(
        f"/{SERVICE}/{method}",
        lambda sent: sent if isinstance(sent, bytes) else sent.SerializeToString(),
        kind.FromString,
    )
    metadata = (("authorization", f"Bearer {key}"),) if key else ()
    return found(message, metadata=metadata, timeout=30, **options)


def code_of(channel: grpc.Channel, method: str, message: Any, key: str | None = SHOP) -> grpc.StatusCode:
    try:
        call(channel, method, message, key)
    except grpc.RpcError as error:
        found: grpc.StatusCode = error.code()
        return found
    return Code.OK


def stream(channel: grpc.Channel, message: Any, key: str | None = SHOP) -> Any:
    serializer, kind = pb.ListTracesRequest.SerializeToString, pb.ListTracesResponse
    method = channel.unary_stream(f"/{SERVICE}/ListTraces", serializer, kind.FromString)
    return method(message, metadata=(("x-api-key", key),) if key else (), timeout=60)


def listed(channel: grpc.Channel, key: str = SHOP, **fields: Any) -> list[str]:
    """The trace ids of a list."""
    parts = stream(channel, pb.ListTracesRequest(**fields), key)
    return [trace.trace_id for part in parts for trace in part.traces]


def wait_for(channel: grpc.Channel, trace_id: str, key: str = SHOP) -> None:
    asked = pb.GetTraceRequest(trace_id=trace_id, view=pb.TRACE_VIEW_BASIC)
    until = time.monotonic() + 20
    while code_of(channel, "GetTrace", asked, key) is Code.NOT_FOUND:
        assert time.monotonic() < until
        time.sleep(0.02)


def trace_when_there(channel: grpc.Channel, trace_id: str, key: str = SHOP) -> pb.Trace:
    wait_for(channel, trace_id, key)
    found: pb.Trace = call(channel, "GetTrace", pb.GetTraceRequest(trace_id=trace_id), key).trace
    return found


def send_traces(channel: grpc.Channel, count: int, session: str, *, moments: int) -> dict[str, int]:
    """Send traces of one span that start at so many different moments; their starts by id, newest first and then by id."""
    rng = random.Random(session)
    starts = {rng.randbytes(16): NOW + rng.randrange(moments) for _ in range(count)}
    spans = [
        span(trace_id=trace, start=start, attributes={"session.id": session}, name=f"step {start % 7}")
        for trace, start in starts.items()
    ]
    send(channel, *spans)
    for trace in starts:
        wait_for(channel, trace.hex())
    return {trace.hex(): starts[trace] for trace in sorted(starts, key=lambda trace: (-starts[trace], trace))}


def test_the_service_is_healthy_and_reflection_names_it(channel: grpc.Channel) -> None:
    answer = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(service=SERVICE))
    assert answer.status == health_pb2.HealthCheckResponse.SERVING
    services = ProtoReflectionDescriptorDatabase(channel).get_services()
    assert SERVICE in services
    assert "opentelemetry.proto.collector.trace.v1.TraceService" in services


def test_a_client_that_knows_nothing_can_call_it_by_reflection(channel: grpc.Channel) -> None:
    trace_id = uuid.uuid4()
    send(channel, span(trace_id=trace_id.bytes, name="found by reflection"))
    wait_for(channel, trace_id.hex)

    pool = DescriptorPool(ProtoReflectionDescriptorDatabase(channel))
    service = pool.FindServiceByName(SERVICE)
    assert service.file.name == "spanledger/v1/traces.proto"
    assert [method.name for method in service.methods] == ["GetTrace", "ListTraces", "DeleteTrace"]
    method = service.methods_by_name["GetTrace"]
    asked = Parse(f'{{"traceId": "{trace_id}", "view": "TRACE_VIEW_BASIC"}}', GetMessageClass(method.input_type)())
    answer = channel.unary_unary(
        f"/{SERVICE}/{method.name}",
        lambda message: message.SerializeToString(),
        GetMessageClass(method.output_type).FromString,
    )(asked, metadata=(("x-api-key", SHOP),))
    shown = MessageToDict(answer)["trace"]
    assert shown["summary"]["name"] == "found by reflection"
    assert shown["summary"]["startTime"].startswith(time.strftime("%Y-", time.gmtime(NOW // 10**9)))


ATTRIBUTES = {
    "app.order": 2**53 + 1,
    "app.smallest": -(2**63),
    "app.ratio": 1.0,
    "app.paid": True,
    "app.raw": b"\x00\xff",
    "app.items": ["a", 1, 2.5, False, None],
    "app.address": {"city": "Paris", "lines": [1, {"a": 2}]},
}


def test_a_trace_comes_back_with_content_usage_cost_and_exact_attributes(channel: grpc.Channel) -> None:
    trace_id = uuid.uuid4()
    question = '[{"role":"user","parts":[{"type":"text","content":"Capital of France?"}]}]'
    answer = '[{"role":"assistant","parts":[{"type":"text","content":"Paris."}],"finish_reason":"stop"}]'
    call_attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.request.temperature": 0.5,
        "gen_ai.usage.input_tokens": 1000,
        "gen_ai.usage.output_tokens": 0,
        "gen_ai.input.messages": question,
        "gen_ai.output.messages": answer,
        **ATTRIBUTES,
    }
    root = span(trace_id=trace_id.bytes, span_id=b"\x01" * 8, name="handle request", start=NOW)
    chat = span(
        trace_id=trace_id.bytes,
        span_id=b"\x02" * 8,
        parent=b"\x01" * 8,
        name="chat gpt-4o",
        start=NOW + 1,
        attributes=call_attributes,
        events=[event("first", attributes={"n": 1})],
        links=[link(attributes={"why": "retry"})],
    )
    send(channel, root, chat)
    trace = trace_when_there(channel, trace_id.hex)
    summary, (first, second) = trace.summary, trace.spans

    assert (summary.trace_id, summary.name) == (trace_id.hex, "handle request")
    assert (summary.status, summary.span_count) == (pb.TRACE_STATUS_COMPLETED, 2)
    assert (summary.service_name, summary.release) == ("checkout", "1.2.3")
    assert (summary.input_tokens, summary.output_tokens, summary.cost_total) == (1000, 0, "0.0025")
    assert (first.span_id, first.parent_span_id, first.start_time.ToNanoseconds()) == ("01" * 8, "", NOW)
    assert not first.HasField("usage")
    assert not first.HasField("cost")

    assert (second.kind, second.parent_span_id, second.latency.ToNanoseconds()) == (pb.KIND_LLM, "01" * 8, 25_000_000)
    assert (second.input, second.output) == (question, answer)
    assert second.usage.HasField("output_tokens")
    assert not second.usage.HasField("cache_read_tokens")
    assert (second.cost.source, second.cost.total, second.cost.output) == ("computed", "0.0025", "0")
    assert second.cost.price.model == "gpt-4o"
    assert second.model_parameters["temperature"].double_value == 0.5
    assert second.resource == first.resource == 0
    assert trace.resources[0].attributes["service.name"].string_value == "checkout"
    assert (second.events[0].name, second.events[0].attributes["n"].int_value) == ("first", 1)
    assert (second.links[0].trace_id, second.links[0].attributes["why"].string_value) == ("22" * 16, "retry")

    sent = {pair.key: pair.value.SerializeToString() for pair in chat.attributes if pair.key in ATTRIBUTES}
    # The attributes were sent as AnyValue; sorted keys make the bytes of both definitions comparable.
    assert {
        key: second.attributes[key].SerializeToString(deterministic=True) for key in ATTRIBUTES
    } == sent  # fmt: skip

    basic = call(channel, "GetTrace", pb.GetTraceRequest(trace_id=str(trace_id), view=pb.TRACE_VIEW_BASIC)).trace
    assert basic.summary == summary
    assert (basic.spans[1].usage, basic.spans[1].input, len(basic.spans[1].attributes)) == (second.usage, "", 0)


@pytest.mark.parametrize("page_size", [1, 3, 1000])
def test_lists_hold_every_trace_once_in_order_however_they_are_read(channel: grpc.Channel, page_size: int) -> None:
    session = f"pages of {page_size}"
    starts = send_traces(channel, 20, session, moments=5)
    newest_first, oldest_first = list(starts), sorted(starts, key=lambda trace: (starts[trace], trace))
    assert listed(channel, session_id=session, page_size=page_size) == newest_first
    assert listed(channel, session_id=session, page_size=page_size, ascending=True) == oldest_first
    for order in (pb.TRACE_ORDER_NAME, pb.TRACE_ORDER_LATENCY, pb.TRACE_ORDER_END_TIME, pb.TRACE_ORDER_STATUS):
        assert sorted(listed(channel, session_id=session, page_size=page_size, order=order)) == sorted(newest_first)
    assert listed(channel, session_id=session, page_size=page_size, limit=7) == newest_first[:7]


def test_lists_are_filtered(channel: grpc.Channel) -> None:
    newest_first = list(send_traces(channel, 6, "filtered", moments=1_000_000))
    start = trace_when_there(channel, newest_first[2]).summary.start_time
    assert listed(channel, session_id="filtered", started_before=start) == newest_first[3:]
    assert listed(channel, session_id="filtered", started_after=start) == newest_first[:3]
    assert listed(channel, session_id="filtered", started_after=Timestamp(seconds=9_000_000_000)) == []
    assert listed(channel, session_id="filtered", status=pb.TRACE_STATUS_ERROR) == []
    assert listed(channel, session_id="filtered", name="STEP", status=pb.TRACE_STATUS_COMPLETED) == newest_first
    assert listed(channel, session_id="filtered", tags=["no such tag"]) == []
    assert listed(channel, session_id="filtered' OR 1=1 --") == []


def test_a_trace_beyond_what_clients_receive_by_default_is_read_by_those_that_ask_for_it(
    collector: CollectorProcess, channel: grpc.Channel
) -> None:
    trace_id, text = uuid.uuid4().bytes, "x" * (3 << 20)
    send(channel, *(span(trace_id=trace_id, attributes={"gen_ai.prompt": text}) for _ in range(2)))
    wait_for(channel, trace_id.hex())
    asked = pb.GetTraceRequest(trace_id=trace_id.hex())
    assert code_of(channel, "GetTrace", asked) is Code.RESOURCE_EXHAUSTED
    asked.view = pb.TRACE_VIEW_BASIC
    assert code_of(channel, "GetTrace", asked) is Code.OK
    asked.view = pb.TRACE_VIEW_FULL
    options = [("grpc.max_receive_message_length", 16 << 20)]
    with grpc.insecure_channel(collector.grpc_address, options) as patient:
        assert call(patient, "GetTrace", asked).ByteSize() > 2 * len(text)


def test_what_belongs_to_another_project_is_not_there(channel: grpc.Channel) -> None:
    trace_id = uuid.uuid4().hex
    send(channel, span(trace_id=bytes.fromhex(trace_id), attributes={"session.id": "of the forum"}), key=FORUM)
    wait_for(channel, trace_id, FORUM)
    assert code_of(channel, "GetTrace", pb.GetTraceRequest(trace_id=trace_id)) is Code.NOT_FOUND
    assert listed(channel, session_id="of the forum") == []
    assert listed(channel, FORUM, session_id="of the forum") == [trace_id]


def test_every_method_wants_a_key_with_its_scope(channel: grpc.Channel) -> None:
    trace_id = uuid.uuid4().hex
    get, delete = pb.GetTraceRequest(trace_id=trace_id), pb.DeleteTraceRequest(trace_id=trace_id)
    assert code_of(channel, "GetTrace", get, None) is Code.UNAUTHENTICATED
    assert code_of(channel, "DeleteTrace", delete, None) is Code.UNAUTHENTICATED
    assert stream(channel, pb.ListTracesRequest(), None).code() is Code.UNAUTHENTICATED
    assert stream(channel, pb.ListTracesRequest(), "wrong").code() is Code.UNAUTHENTICATED
    assert code_of(channel, "GetTrace", get, READER) is Code.NOT_FOUND
    assert code_of(channel, "DeleteTrace", delete, READER) is Code.PERMISSION_DENIED


def test_a_trace_that_is_deleted_is_gone_and_can_be_deleted_once(channel: grpc.Channel) -> None:
    trace_id = uuid.uuid4()
    send(channel, span(trace_id=trace_id.bytes, attributes={"session.id": "deleted"}))
    wait_for(channel, trace_id.hex)
    asked = pb.DeleteTraceRequest(trace_id=str(trace_id))
    assert code_of(channel, "DeleteTrace", asked, FORUM) is Code.NOT_FOUND
    assert code_of(channel, "DeleteTrace", asked) is Code.OK
    assert code_of(channel, "GetTrace", pb.GetTraceRequest(trace_id=trace_id.hex)) is Code.NOT_FOUND
    assert listed(channel, session_id="deleted") == []
    assert code_of(channel, "DeleteTrace", asked) is Code.NOT_FOUND


@pytest.mark.parametrize(
    "text", ["", "0", "z" * 32, "0" * 33, "0" * 100_000, "../../etc/passwd", "' OR ''='", "\x00" * 32]
)
def test_a_hostile_id_is_an_invalid_argument(channel: grpc.Channel, text: str) -> None:
    assert code_of(channel, "GetTrace", pb.GetTraceRequest(trace_id=text)) is Code.INVALID_ARGUMENT
    assert code_of(channel, "DeleteTrace", pb.DeleteTraceRequest(trace_id=text)) is Code.INVALID_ARGUMENT


def test_random_bytes_never_meet_a_fault(channel: grpc.Channel) -> None:
    rng = random.Random(4)
    valid = pb.ListTracesRequest(session_id="s", tags=["t"], limit=3, started_after=Timestamp(seconds=1))
    codes = set()
    for _ in range(300):
        broken = bytearray(valid.SerializeToString() if rng.random() < 0.7 else rng.randbytes(rng.randrange(1, 200)))
        broken[rng.randrange(len(broken))] = rng.randrange(256)
        codes.add(code_of(channel, "GetTrace", bytes(broken)))
        method = channel.unary_stream(f"/{SERVICE}/ListTraces")
        parts = method(bytes(broken), metadata=(("x-api-key", SHOP),), timeout=30)
        with suppress(grpc.RpcError):
            list(parts)
        codes.add(parts.code())
    assert codes <= {Code.OK, Code.INVALID_ARGUMENT, Code.NOT_FOUND}, codes
    assert Code.INVALID_ARGUMENT in codes


def test_lists_that_are_cancelled_and_lists_that_are_read_leave_the_sender_alone(channel: grpc.Channel) -> None:
    session = "read while spans arrive"
    expected = set(send_traces(channel, 60, session, moments=1_000_000))
    stop, complete = threading.Event(), []

    def read() -> None:
        while not stop.is_set():
            parts = stream(channel, pb.ListTracesRequest(session_id=session, page_size=2))
            next(parts)
            parts.cancel()
            complete.append(set(listed(channel, session_id=session, page_size=20)))

    readers = [threading.Thread(target=read) for _ in range(8)]
    for reader in readers:
        reader.start()
    try:
        for _ in range(100):
            send(channel, span(trace_id=uuid.uuid4().bytes))
    finally:
        stop.set()
        for reader in readers:
            reader.join()
    assert complete
    assert all(found == expected for found in complete)
