"""How long one trace takes when a million spans are stored: `python tests/bench/trace_by_id.py [--spans N]`.

Fills a temporary database through SQL (traces of 10 spans, among them 300 of 50 spans, about 1.5 KB a span, over six
hours), then reads each of the 300 once from a collector, which is another process, and once through the store alone, and
prints where the time goes.
"""

from __future__ import annotations

import argparse
import http.client
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from clickhouse_connect.driver.client import Client

from collector.json_text import render
from collector.query.pandaprobe.view import trace_document
from collector.settings import ClickHouse as Store
from exporters.clickhouse import ClickHouse
from exporters.clickhouse.client import Opener
from exporters.clickhouse.read import ClickHouseStore
from tests.support.collector_process import CollectorProcess

LARGE_TRACES, LARGE, SMALL = 300, 50, 10
START = "2026-01-01 06:00:00"
SPREAD = 6 * 3600 * 10**9

# The trace of a span, its position in it, and the trace's start: one large trace after every few hundred small ones.
_SPANS = """
INSERT INTO spans (project, trace_id, span_id, parent_span_id, received_at, start_time, end_time, latency_ns, name,
    span_kind, kind, status_code, service_name, resource, scope_name, scope_version, scope_attributes, operation, provider,
    request_model, response_model, response_id, session_id, user_id, finish_reasons, input, output, input_tokens,
    output_tokens, token_basis, cost_input, cost_output, cost_total, cost_source, price_provider, price_model,
    price_version, price_tier, attributes_string, attributes_int, attributes_double, events)
WITH
    splitByChar(' ', 'the of and to in is that for model answer question tokens price please which table return value
 budget city weather tool call result context window system prompt user trace span collector ledger money cost exact')
        AS words,
    (count, salt) -> arrayStringConcat(arrayMap(i -> words[1 + (sipHash64(number, salt, i) % length(words))],
        range(count)), ' ') AS text,
    lower(hex(sipHash128(trace))) AS id,
    toDateTime64({start:String}, 9, 'UTC') + toIntervalNanosecond(toInt64(trace * {spread:UInt64} / {traces:UInt64}))
        + toIntervalMillisecond(position * 40) AS began
SELECT 'default', id, substring(lower(hex(sipHash128(trace, position))), 1, 16),
    if(position = 0, '', substring(lower(hex(sipHash128(trace, toUInt32(0)))), 1, 16)), began, began,
    began + toIntervalMillisecond(900), 900000000, 'chat gpt-4o', 'CLIENT', 'LLM', 'UNSET', 'shop',
    '{"service.name":"shop","service.version":"1.2.3","telemetry.sdk.language":"python"}', 'openai', '2.1', '{}', 'chat',
    'openai', 'gpt-4o', 'gpt-4o-2024-08-06', concat('chatcmpl-', id), concat('session-', toString(trace % 1000)),
    concat('user-', toString(trace % 5000)), ['stop'],
    concat('[{"role":"user","parts":[{"type":"text","content":"', text(80, 1), '"}]}]'),
    concat('[{"role":"assistant","parts":[{"type":"text","content":"', text(60, 2), '"}],"finish_reason":"stop"}]'),
    1000 + number % 500, 100 + number % 50, 'inclusive', 0.0025, 0.001, 0.0035, 'computed', 'openai', 'gpt-4o',
    'genai-prices', 'base',
    map('gen_ai.operation.name', 'chat', 'gen_ai.provider.name', 'openai', 'gen_ai.request.model', 'gpt-4o',
        'gen_ai.response.model', 'gpt-4o-2024-08-06', 'server.address', 'api.openai.com', 'app.note', text(20, 3)),
    map('gen_ai.usage.input_tokens', 1000, 'gen_ai.usage.output_tokens', 100, 'server.port', 443),
    map('gen_ai.request.temperature', 0.5), [(began, 'first token', '{"index":0}', 0)]
FROM
(
    SELECT toUInt64(number) AS number, intDiv(number, {run:UInt64}) AS run, number % {run:UInt64} AS within,
        run * {run_traces:UInt64} + if(within < {large:UInt64}, 0, 1 + intDiv(within - {large:UInt64}, {small:UInt64}))
            AS trace,
        toUInt32(if(within < {large:UInt64}, within, (within - {large:UInt64}) % {small:UInt64})) AS position
    FROM numbers({first:UInt64}, {count:UInt64})
)
"""

_TRACES = """
INSERT INTO traces (project, trace_id, version, status, name, root_span_id, start_time, last_start_time, end_time,
    latency_ns, service_name, session_id, user_id, span_count, input_tokens, output_tokens, cost_total)
SELECT 'default', trace_id, 1, 'COMPLETED', 'chat gpt-4o', argMin(span_id, start_time), min(start_time), max(start_time),
    max(spans.end_time), 900000000, 'shop', any(session_id), any(user_id), count(), sum(input_tokens),
    sum(output_tokens), sum(cost_total)
FROM spans GROUP BY trace_id
"""


def fill(client: Client, spans: int) -> list[str]:
    """Store about this many spans, as a collector does, in many inserts; return the ids of the large traces."""
    run = max(spans // LARGE_TRACES, LARGE + SMALL) // SMALL * SMALL
    run_traces = 1 + (run - LARGE) // SMALL
    fixed = {"run": run, "run_traces": run_traces, "large": LARGE, "small": SMALL, "traces": run_traces * LARGE_TRACES}
    step = run * 10
    for first in range(0, run * LARGE_TRACES, step):
        client.command(_SPANS, parameters={**fixed, "first": first, "count": step, "start": START, "spread": SPREAD})
    client.command(_TRACES)
    while client.query("SELECT count() FROM system.merges").result_rows[0][0]:
        time.sleep(0.2)
    ids = client.query("SELECT trace_id FROM traces WHERE span_count = {n:UInt32}", parameters={"n": LARGE}).result_rows
    return [trace_id for (trace_id,) in ids]


def measure(name: str, work: Callable[[str], Any], ids: list[str]) -> None:
    """Do the work once for each id, and print how long it took."""
    for trace_id in ids[:5]:
        work(trace_id)
    taken = []
    for trace_id in ids:
        began = time.perf_counter()
        work(trace_id)
        taken.append((time.perf_counter() - began) * 1000)
    taken.sort()
    print(f"{name:<58} p50 {taken[len(taken) // 2]:7.2f} ms   p99 {taken[int(len(taken) * 0.99)]:7.2f} ms")


def parts_of_the_time(store: ClickHouseStore, client: Client, ids: list[str]) -> None:
    """What the store call is made of."""
    readers = store._readers
    project = "default"
    found = {trace_id: store.trace(project, trace_id) for trace_id in ids}

    def parameters(trace_id: str) -> dict[str, Any]:
        return {"project": project, "trace_id": trace_id}

    measure("  query of the trace's row", lambda i: readers.query(store._trace, parameters(i)), ids)
    measure("  query of its spans", lambda i: readers.query(store._spans, parameters(i)), ids)
    measure(
        "    of that, the engine (answer as bytes)",
        lambda i: client.raw_query(store._spans, parameters=parameters(i), fmt="Native"),
        ids,
    )
    measure("  rows to the documented JSON", lambda i: render(trace_document(project, *found[i])), ids)
    plan = client.command(f"EXPLAIN indexes = 1 {store._spans}", parameters=parameters(ids[0]))
    print("\n".join(line for line in str(plan).splitlines() if any(w in line for w in ("Parts", "Granules", "Keys"))))


def over_http(directory: Path, ids: list[str]) -> None:
    """Read every trace from a collector on this data."""
    with CollectorProcess(directory) as collector:
        connection = http.client.HTTPConnection(collector.url.removeprefix("http://"))

        def get(trace_id: str) -> None:
            connection.request("GET", f"/traces/{trace_id}")
            response = connection.getresponse()
            body = response.read()
            assert response.status == 200, body[:200]
            assert body.count(b'"parent_span_id"') >= LARGE

        for attempt in ("first", "second"):
            measure(f"GET /traces/{{id}} of a collector, {attempt} time", get, ids)


def main() -> None:
    """Fill, measure, print."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--spans", type=int, default=1_000_000)
    wanted = arguments.parse_args()
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        url = f"chdb:{directory / 'clickhouse'}"
        with ClickHouse(url):
            client = Opener(Store(url=url))().client
            began = time.perf_counter()
            ids = fill(client, wanted.spans)
            random.Random(1).shuffle(ids)
            stored = client.query(
                "SELECT (SELECT count() FROM spans), (SELECT count() FROM traces), sum(bytes_on_disk),"
                " sum(data_uncompressed_bytes), count() FROM system.parts WHERE active AND table = 'spans'"
            ).result_rows[0]
            client.close()
        spans, traces, disk, raw, parts = stored
        print(
            f"{spans} spans in {traces} traces, {parts} parts, {raw / spans:.0f} bytes a span ({disk / spans:.0f} on disk),"
            f" filled in {time.perf_counter() - began:.0f} s; {len(ids)} traces of {LARGE} spans are read"
        )
        over_http(directory, ids)
        with ClickHouse(url) as clickhouse:
            client = Opener(Store(url=url))().client
            measure("ClickHouseStore.trace", lambda trace_id: clickhouse.store.trace("default", trace_id), ids)
            parts_of_the_time(clickhouse.store, client, ids)
            client.close()


if __name__ == "__main__":
    main()
