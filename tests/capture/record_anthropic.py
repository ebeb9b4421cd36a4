"""Record the spans of Anthropic's own client: `python tests/capture/record_anthropic.py OUTDIR`.

Last run with anthropic 2.12.0, opentelemetry-sdk 1.45.2.
"""

from __future__ import annotations

import os
import sys

os.environ["ANTHROPIC_OPEN_TELEMETRY_TRACES_CONTENT_MODE"] = "content"

import anthropic
import questions
from anthropic import beta_tool
from opentelemetry import trace
from recording import Recorder, attempt

from tests.demo.model_server import ModelServer


@beta_tool
def look_up_order(order_id: str) -> str:
    """Look up an order.

    Args:
        order_id: Number of the order.
    """
    return f"{order_id}: packed"


def record(recorder: Recorder, client: anthropic.Anthropic) -> None:
    with recorder.case("chat"):
        client.messages.create(**questions.CLAUDE, service_tier="auto", stop_sequences=["END"])
    with recorder.case("stream"), client.messages.stream(**questions.CLAUDE) as stream:
        stream.get_final_message()
    with recorder.case("tools"):
        client.messages.create(**questions.CLAUDE_TOOLS)
        client.messages.create(**questions.CLAUDE_TOOL_RESULT)
    with recorder.case("tool_runner"):
        client.beta.messages.tool_runner(**questions.CLAUDE, tools=[look_up_order]).until_done()
    with recorder.case("count_tokens"):
        client.messages.count_tokens(model=questions.CLAUDE["model"], messages=questions.CLAUDE["messages"])
    with recorder.case("failure"):
        attempt(lambda: client.messages.create(**{**questions.CLAUDE, "model": "gpt-4o-broken"}))


def main(directory: str) -> None:
    recorder = Recorder(directory, "anthropic_native")
    trace.set_tracer_provider(recorder.provider)
    with (
        ModelServer(first_chunk_delay=0.02) as server,
        anthropic.Anthropic(api_key="not-needed", base_url=server.url, max_retries=0) as client,
    ):
        record(recorder, client)


if __name__ == "__main__":
    main(sys.argv[1])
