"""The published Python client of PandaProbe, as it is, and requests it does not make, against a running collector."""

from __future__ import annotations

import asyncio
import json
import time
import urllib.request
import uuid
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import grpc
import pytest
from pandaprobe.api import ApiError, NotFoundError, PlatformClient
from pandaprobe.config import SdkConfig

from tests.support.collector_process import CollectorProcess
from tests.support.spans import HOUR, SECOND, agent, chat, request, span

EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
START = time.time_ns() - HOUR
TRACES = 250
"""More than one page of the largest size."""


def trace_uuid(number: int) -> str:
    return str(uuid.UUID(int=number))


def spans_of(number: int) -> list[Any]:
    """An agent with a model call, one of ten failed, in one of five sessions."""
    start = START + number * SECOND
    values = {"session.id": f"session {number % 5}", "user.id": f"user {number % 3}", "tag.tags": ["all"]}
    error = "boom" if number % 10 == 0 else None
    messages = {
        "gen_ai.input.messages": json.dumps([{"role": "user", "parts": [{"type": "text", "content": "hello"}]}]),
        "gen_ai.output.messages": json.dumps([{"role": "assistant", "parts": [{"type": "text", "content": "hi"}]}]),
    }
    return [
        agent(1, trace=number, start=start, seconds=5, name="answer", error=error, values=values),
        chat(2, trace=number, parent=1, start=start + 1, values=messages),
    ]


def send(collector: CollectorProcess, spans: list[Any]) -> None:
    with grpc.insecure_channel(collector.grpc_address) as channel:
        channel.unary_unary(EXPORT)(request(spans), timeout=30)


def ask(collector: CollectorProcess, path: str, body: Any = None) -> Any:
    """The JSON of a request; a POST if there is a body."""
    data = None if body is None else json.dumps(body).encode()
    asked = urllib.request.Request(collector.url + path, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(asked, timeout=30) as response:
        return json.loads(response.read())


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CollectorProcess]:
    """A collector that holds the traces 1 to 250."""
    with CollectorProcess(tmp_path_factory.mktemp("pandaprobe")) as running:
        send(running, [one for number in range(1, TRACES + 1) for one in spans_of(number)])
        until = time.monotonic() + 60
        while ask(running, "/traces?limit=1")["total"] < TRACES:
            assert time.monotonic() < until, "the traces did not become visible"
            time.sleep(0.05)
        yield running


@pytest.fixture(params=["", "/pandaprobe", "/pandaprobe/"])
def use(collector: CollectorProcess, request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Run a coroutine function with the published client on each base URL."""
    config = SdkConfig(api_key="key", project_name="default", endpoint=f"{collector.url}{request.param}")

    def run(question: Callable[[PlatformClient], Awaitable[Any]]) -> Any:
        async def answer() -> Any:
            async with PlatformClient(config=config, timeout=30) as client:
                return await question(client)

        return asyncio.run(answer())

    return run


def test_the_client_gets_a_trace(use: Callable[..., Any]) -> None:
    async def question(client: PlatformClient) -> Any:
        return await client.traces.get(trace_uuid(7)), await client.traces.get(uuid.UUID(int=7).hex)

    trace, same = use(question)
    assert trace == same
    assert (str(trace.trace_id), trace.name, trace.status) == (trace_uuid(7), "answer", "COMPLETED")
    assert (trace.session_id, trace.tags) == ("session 2", ["all"])
    assert trace.input == {"messages": [{"role": "user", "content": "hello"}]}
    assert trace.output == {"messages": [{"role": "assistant", "content": "hi"}]}
    root, call = trace.spans
    assert (root.kind, call.kind, call.parent_span_id) == ("AGENT", "LLM", root.span_id)


def test_the_client_lists_traces(use: Callable[..., Any]) -> None:
    async def question(client: PlatformClient) -> Any:
        return [
            await client.traces.list(),
            await client.traces.list(session_id="session 2", status="COMPLETED", limit=10, offset=20),
            await client.traces.list(status="ERROR", limit=200),
            await client.traces.list(session_id="no such session"),
        ]

    newest, session, failed, none = use(question)
    assert (newest.total, newest.limit, newest.offset) == (TRACES, 50, 0)
    assert [str(one.trace_id) for one in newest.items] == [trace_uuid(TRACES - place) for place in range(50)]
    assert (session.total, session.limit, session.offset) == (50, 10, 20)
    assert {one.session_id for one in session.items} == {"session 2"}
    assert (failed.total, {one.status for one in failed.items}) == (25, {"ERROR"})
    assert (none.items, none.total) == ([], 0)


def test_the_client_walks_through_all_pages(use: Callable[..., Any]) -> None:
    async def question(client: PlatformClient) -> Any:
        everything = [str(one.trace_id) async for one in client.traces.iterate(max_items=1000)]
        session = [str(one.trace_id) async for one in client.traces.iterate(session_id="session 4")]
        return everything, session

    everything, session = use(question)
    assert everything == [trace_uuid(number) for number in range(TRACES, 0, -1)]
    assert session == [trace_uuid(number) for number in range(TRACES - 1, 0, -5)]


def test_the_client_tells_what_is_not_there_and_what_is_not_valid(use: Callable[..., Any]) -> None:
    async def question(client: PlatformClient) -> Any:
        with pytest.raises(NotFoundError) as missing:
            await client.traces.get(uuid.UUID(int=TRACES + 1))
        with pytest.raises(ApiError) as invalid:
            await client.traces.list(status="NOPE")  # type: ignore[arg-type]
        return missing.value, invalid.value

    missing, invalid = use(question)
    assert (missing.status_code, invalid.status_code) == (404, 422)
    assert missing.request_id
    assert missing.request_id != invalid.request_id


def test_the_client_waits_until_a_trace_is_there(collector: CollectorProcess, use: Callable[..., Any]) -> None:
    """First there is none, then a child without its root, then all of it."""
    number = 1_000_000 + time.time_ns() % 10**9
    root, child = span(1, trace=number, start=START), span(2, parent=1, trace=number, start=START)

    async def question(client: PlatformClient) -> Any:
        waiting = asyncio.create_task(client.traces.wait_visible(trace_uuid(number), timeout=30, poll_interval=0.05))
        await asyncio.sleep(0.2)
        for one in (child, root):
            assert not waiting.done()
            await asyncio.to_thread(send, collector, [one])
            await asyncio.sleep(0.2)
        return await waiting

    trace = use(question)
    assert (str(trace.trace_id), trace.status) == (trace_uuid(number), "COMPLETED")


# --- what the client has no call for ----------------------------------------------------------------------------------


@pytest.fixture(params=["", "/pandaprobe"])
def base(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_sums_over_sessions_and_users_equal_those_over_the_traces(collector: CollectorProcess, base: str) -> None:
    traces = ask(collector, f"{base}/traces?limit=200&session_id=session%202")["items"]
    session = ask(collector, f"{base}/sessions/session%202?limit=1000")
    assert session["trace_count"] == len(traces) == len(session["traces"]) == 50
    assert session["total_tokens"] == sum(trace["total_tokens"] for trace in traces) > 0
    assert session["total_cost"] == pytest.approx(sum(trace["total_cost"] for trace in traces))
    assert [trace["trace_id"] for trace in session["traces"]] == [trace["trace_id"] for trace in traces][::-1]
    sessions = ask(collector, f"{base}/sessions")
    assert (sessions["total"], [one["session_id"] for one in sessions["items"]][:2]) == (5, ["session 0", "session 4"])
    assert [one["has_error"] for one in sessions["items"]] == [True] + [False] * 4
    users = ask(collector, f"{base}/traces/users")
    assert (users["total"], sum(user["trace_count"] for user in users["items"])) == (3, TRACES)
    assert sum(user["error_count"] for user in users["items"]) == 25


def test_analytics_sum_up_all_traces(collector: CollectorProcess, base: str) -> None:
    between = "started_after=2020-01-01&started_before=2200-01-01"

    def asked(metric: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = ask(collector, f"{base}/traces/analytics?metric={metric}&{between}")
        return found

    total = ask(collector, f"{base}/traces?limit=1")["total"]
    assert sum(bucket["trace_count"] for bucket in asked("volume")) == total
    assert sum(bucket["error_count"] for bucket in asked("errors")) == 25
    assert sum(bucket["total_tokens"] for bucket in asked("tokens")) == TRACES * 1100
    [model] = asked("models")
    assert (model["model"], model["call_count"], model["total_tokens"]) == ("gpt-4o", TRACES, TRACES * 1100)


def test_tags_that_are_changed_are_listed_and_shown_at_once(collector: CollectorProcess, base: str) -> None:
    tag = f"reviewed{base}"
    body = {"trace_ids": [trace_uuid(1), trace_uuid(2), trace_uuid(999)], "add_tags": [tag]}
    assert ask(collector, f"{base}/traces/batch/tags", body) == {"updated": 2}
    listed = ask(collector, f"{base}/traces?tags={tag}&sort_order=asc")["items"]
    assert [item["trace_id"] for item in listed] == [trace_uuid(1), trace_uuid(2)]
    assert ask(collector, f"{base}/traces/{trace_uuid(1)}")["tags"] == ["all", tag]
    body = {"trace_ids": [trace_uuid(1), trace_uuid(2)], "remove_tags": [tag]}
    assert ask(collector, f"{base}/traces/batch/tags", body) == {"updated": 2}
    assert ask(collector, f"{base}/traces?tags={tag}")["total"] == 0
