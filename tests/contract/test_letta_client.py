"""The published letta-client, as it is and with strict validation of what it is answered, against a running collector."""

from __future__ import annotations

import asyncio
import itertools
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import letta_client
import pytest
from letta_client import AsyncLetta, Letta
from letta_client._models import validate_type
from letta_client.types import Step
from letta_client.types.steps import message_list_response as message_types
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import TraceServiceStub

from tests.support.collector_process import ROOT, CollectorProcess

RECORDINGS = {
    "openinference_anthropic_tools": 2,
    "openinference_openai_failure": 1,
    "openinference_langchain_agent": 2,
    "mlflow_agent": 2,
    "pydantic_ai_v6_agent": 2,
    "google_adk_v1_agent": 2,
    "ai_sdk_v7_tools": 2,
}
"""Requests of real packages, and how many model calls they tell of. Two tell of some twice: of each call is one step."""
CALLS = sum(RECORDINGS.values())
EXAMPLE_STEP = "step-123e4567-e89b-42d3-8456-426614174000"
MISSING = "step-00000000-0000-4000-8000-000000000000"
MESSAGES = {
    f"{name}_message": getattr(message_types, f"{name.title().replace('_', '')}Message")
    for name in ("system", "user", "assistant", "reasoning", "hidden_reasoning", "tool_call", "tool_return")
}


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CollectorProcess]:
    with CollectorProcess(tmp_path_factory.mktemp("letta"), "decode.accept_past=3650d") as running:
        with grpc.insecure_channel(running.grpc_address) as channel:
            export = TraceServiceStub(channel).Export
            for number, name in enumerate(RECORDINGS, start=1):
                export(recorded(name, number))
        run_example(running)
        client = client_of(running)
        eventually(lambda: len(client.steps.list(limit=200).items or ()) == CALLS + 1)
        yield running
        assert running.terminate() == 0


def recorded(name: str, number: int) -> ExportTraceServiceRequest:
    """A recorded request, in traces that no other one has: recordings number theirs from one."""
    request = ExportTraceServiceRequest.FromString((ROOT / "tests/data/otlp" / f"{name}.binpb").read_bytes())
    for resource_spans in request.resource_spans:
        for scope_spans in resource_spans.scope_spans:
            for span in scope_spans.spans:
                span.trace_id = bytes([number]) + span.trace_id[1:]
    return request


def run_example(collector: CollectorProcess) -> None:
    """Run the program of the README."""
    readme = (ROOT / "collector/query/letta/README.md").read_text(encoding="utf-8")
    (code,) = [block for block in re.findall(r"```python\n(.*?)```", readme, re.DOTALL) if "opentelemetry" in block]
    environment = {**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{collector.grpc_address}"}
    subprocess.run([sys.executable, "-c", code], env=environment, timeout=60, check=True)


def eventually(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.05)


def client_of(collector: CollectorProcess, **options: Any) -> Letta:
    return Letta(
        base_url=f"{collector.url}/letta", api_key="key", max_retries=0, _strict_response_validation=True, **options
    )


@pytest.fixture
def client(collector: CollectorProcess) -> Letta:
    return client_of(collector)


@pytest.fixture(scope="module")
def steps(collector: CollectorProcess) -> list[Step]:
    """All steps, each validated: of list pages the client itself validates nothing, however strict it is."""
    found = client_of(collector).steps.with_raw_response.list(limit=200).http_response.json()
    return [validate_type(type_=Step, value=each) for each in found]


def test_the_client_is_the_published_one() -> None:
    assert letta_client.__version__.startswith("1.12.")
    assert "site-packages" in Path(letta_client.__file__).parts


def test_health(client: Letta) -> None:
    assert client.health().status == "ok"


def test_every_call_is_one_step(steps: list[Step]) -> None:
    assert len(steps) == len({step.id for step in steps}) == CALLS + 1
    assert {step.status for step in steps} == {"success", "failed"}


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("limit", [1, 4, 200])
def test_the_client_pages_through_all_steps_and_stops(client: Letta, steps: list[Step], limit: int, order: Any) -> None:
    walked = [step.id for step in itertools.islice(client.steps.list(limit=limit, order=order), 2 * len(steps))]
    expected = [step.id for step in steps]
    assert walked == (expected if order == "desc" else expected[::-1])


def test_the_client_pages_backwards(client: Letta, steps: list[Step]) -> None:
    expected = [step.id for step in steps]
    pages = client.steps.list(before=expected[-1], limit=4).iter_pages()
    walked = [[step.id for step in page.items or ()] for page in itertools.islice(pages, len(steps))]
    assert [step_id for page in reversed(walked) for step_id in page] == expected[:-1]


def test_every_step_is_found_by_its_id_with_all_that_belongs_to_it(client: Letta, steps: list[Step]) -> None:
    for step in steps:
        assert client.steps.retrieve(step.id) == step
        trace = client.steps.trace.retrieve(step.id)
        assert trace is not None
        assert trace.step_id == step.id
        assert trace.request_json
        assert trace.response_json
        assert client.steps.metrics.retrieve(step.id).id == step.id


def test_messages_are_of_the_types_that_the_client_knows(client: Letta, steps: list[Step]) -> None:
    seen = set()
    for step in steps:
        raw = client.steps.messages.with_raw_response.list(step.id).http_response.json()
        for message in raw:
            seen.add(message["message_type"])
            validate_type(type_=MESSAGES[message["message_type"]], value=message)
        pages = itertools.islice(client.steps.messages.list(step.id, limit=2), 2 * len(raw) + 1)
        paged = [message.id for message in pages]
        assert paged == [message["id"] for message in raw]
    assert {"system_message", "user_message", "assistant_message", "tool_call_message", "tool_return_message"} <= seen


def test_bodies_are_reported_where_the_span_has_them_and_rebuilt_where_not(client: Letta, steps: list[Step]) -> None:
    found = [client.steps.trace.with_raw_response.retrieve(step.id) for step in steps]
    origins = [response.headers["x-spanledger-bodies"] for response in found]
    traces = [response.parse() for response in found]
    assert [f"spanledger: {origin}" for origin in origins] == [trace.source for trace in traces if trace]
    # Two of OpenInference's Anthropic, the README's; a failed call has a request only; all others are rebuilt.
    counted = {origin: origins.count(origin) for origin in set(origins)}
    assert counted == {
        "request=reported, response=reported": 3,
        "request=reported, response=rebuilt": 1,
        "request=rebuilt, response=rebuilt": CALLS + 1 - 4,
    }


def test_the_program_of_the_readme_makes_a_step(client: Letta) -> None:
    step = client.steps.retrieve(EXAMPLE_STEP)
    assert (step.id, step.agent_id, step.model, step.provider_name) == (EXAMPLE_STEP, "agent-1", "gpt-4o", "openai")
    trace = client.steps.trace.retrieve(EXAMPLE_STEP)
    assert trace is not None
    assert trace.request_json == {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hi"}]}
    assert trace.response_json == {"choices": [{"message": {"role": "assistant", "content": "Hello"}}]}
    assert [step.id for step in client.steps.list(agent_id="agent-1")] == [EXAMPLE_STEP]


def test_filters_of_the_client(client: Letta, steps: list[Step]) -> None:
    def count(**filters: Any) -> int:
        return len(list(itertools.islice(client.steps.list(**filters), 2 * len(steps))))

    gpt = [step for step in steps if step.model == "gpt-4o"]
    assert count(model="gpt-4o") == len(gpt)
    assert count(trace_ids=[str(steps[0].trace_id), "nonsense"]) == sum(
        step.trace_id == steps[0].trace_id for step in steps
    )
    assert count(start_date="2020-01-01T00:00:00Z", end_date="2035-01-29T15:01:19-08:00") == len(steps)
    assert count(end_date="2020-01-01") == count(agent_id="agent-2") == count(project_id="other") == 0
    assert count(has_feedback=False) == len(steps)
    everything = {"model": "gpt-4o", "project_id": "default", "order_by": "created_at", "order": "asc", "limit": 1}
    assert count(**everything, agent_id="agent-1", has_feedback=False, start_date="2020-01-01T00:00:00Z") == 1


def test_feedback_is_given_found_and_taken_back(client: Letta, steps: list[Step]) -> None:
    step_id = steps[0].id
    assert client.steps.feedback.create(step_id, feedback="positive", tags=["helpful"]).feedback == "positive"
    assert [step.id for step in client.steps.list(feedback="positive")] == [step_id]
    assert [step.id for step in client.steps.list(has_feedback=True)] == [step_id]
    assert [step.id for step in client.steps.list(tags=["helpful", "b c"])] == [step_id]
    assert "helpful" in (client.steps.feedback.create(step_id, feedback="negative").tags or [])
    assert client.steps.retrieve(step_id).feedback == "negative"
    assert client.steps.feedback.create(step_id, feedback=None, tags=None) == steps[0]
    assert list(client.steps.list(has_feedback=True)) == []


def test_what_is_not_there(client: Letta) -> None:
    assert client.steps.trace.retrieve(MISSING) is None
    for ask in (client.steps.retrieve, client.steps.metrics.retrieve, client.steps.messages.list):
        with pytest.raises(letta_client.NotFoundError) as refused:
            ask(MISSING)
        assert refused.value.body == {"detail": f"Step {MISSING} not found"}
    with pytest.raises(letta_client.NotFoundError):
        client.steps.list(after=MISSING)
    with pytest.raises(letta_client.NotFoundError):
        client.steps.feedback.create(MISSING, feedback="positive")


@pytest.mark.parametrize("step_id", ["step-bad", "' OR 1=1 --", "é", "a b", "x" * 5000])
def test_hostile_ids_are_refused(client: Letta, step_id: str) -> None:
    for ask in (client.steps.trace.retrieve, client.steps.retrieve, client.steps.messages.list):
        with pytest.raises(letta_client.UnprocessableEntityError):
            ask(step_id)
    with pytest.raises(letta_client.UnprocessableEntityError):
        client.steps.list(after=step_id)


def test_the_asynchronous_client(collector: CollectorProcess, steps: list[Step]) -> None:
    async def ask() -> list[str]:
        base = f"{collector.url}/letta"
        async with AsyncLetta(base_url=base, max_retries=0, _strict_response_validation=True) as client:
            trace = await client.steps.trace.retrieve(steps[0].id)
            assert trace is not None
            return [step.id async for step in client.steps.list(limit=5)]

    assert asyncio.run(ask()) == [step.id for step in steps]
