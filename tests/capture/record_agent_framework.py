"""Record Microsoft's Agent Framework: `python tests/capture/record_agent_framework.py OUTDIR`.

Last run with agent-framework-core 1.23.0, agent-framework-openai 1.17.0, openai 3.57.0, opentelemetry-sdk 1.45.2.
"""

from __future__ import annotations

import asyncio
import os
import sys

os.environ |= {"ENABLE_SENSITIVE_DATA": "true", "OTEL_SEMCONV_STABILITY_OPT_IN": "gen_ai_latest_experimental"}

import questions
from agent_framework import Agent, tool
from agent_framework.openai import OpenAIChatClient, OpenAIChatCompletionClient
from opentelemetry import trace
from recording import Recorder

from tests.demo.model_server import ModelServer


@tool(approval_mode="never_require")
def look_up_order(order_id: str) -> str:
    """Look up an order."""
    return f"{order_id}: packed"


async def record(recorder: Recorder, server: ModelServer) -> None:
    completions = OpenAIChatCompletionClient(model="gpt-4o", api_key="not-needed", base_url=server.openai_url)
    shop = Agent(completions, questions.SYSTEM, name="shop", tools=[look_up_order])
    with recorder.case("agent"):
        await shop.run(questions.QUESTION)
    with recorder.case("stream"):
        async for _ in Agent(completions, questions.SYSTEM, name="shop").run(questions.QUESTION, stream=True):
            pass
    with recorder.case("responses"):
        responses = OpenAIChatClient(model="gpt-4o", api_key="not-needed", base_url=server.openai_url)
        await responses.get_response(questions.QUESTION)


def main(directory: str) -> None:
    recorder = Recorder(directory, "agent_framework")
    trace.set_tracer_provider(recorder.provider)
    with ModelServer(first_chunk_delay=0.02) as server:
        asyncio.run(record(recorder, server))


if __name__ == "__main__":
    main(sys.argv[1])
