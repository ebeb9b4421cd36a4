"""Record Semantic Kernel: `python tests/capture/record_semantic_kernel.py OUTDIR`.

Its messages are log records, not recorded here. Last run with semantic-kernel 1.45.0, openai 3.57.0, opentelemetry-sdk 1.45.2.
"""

from __future__ import annotations

import asyncio
import os
import sys

os.environ["SEMANTICKERNEL_EXPERIMENTAL_GENAI_ENABLE_OTEL_DIAGNOSTICS_SENSITIVE"] = "true"

import openai
import questions
from opentelemetry import trace
from recording import Recorder
from semantic_kernel.agents import ChatCompletionAgent
from semantic_kernel.connectors.ai.open_ai import OpenAIChatCompletion
from semantic_kernel.functions import kernel_function

from tests.demo.model_server import ModelServer


class Orders:
    """The plugin that the agent may call."""

    @kernel_function(description="Look up an order.")
    def look_up_order(self, order_id: str) -> str:
        """Return the status of an order."""
        return f"{order_id}: packed"


async def record(recorder: Recorder, server: ModelServer) -> None:
    def agent(model: str) -> ChatCompletionAgent:
        client = openai.AsyncOpenAI(api_key="not-needed", base_url=server.openai_url, max_retries=0)
        service = OpenAIChatCompletion(ai_model_id=model, async_client=client)
        return ChatCompletionAgent(service=service, name="shop", instructions=questions.SYSTEM, plugins=[Orders()])

    with recorder.case("agent"):
        await agent("gpt-4o").get_response(questions.QUESTION)
    with recorder.case("failure"):
        try:
            await agent("gpt-4o-broken").get_response(questions.QUESTION)
        except Exception as failure:
            print(f"  failed as expected: {type(failure).__name__}")


def main(directory: str) -> None:
    recorder = Recorder(directory, "semantic_kernel")
    trace.set_tracer_provider(recorder.provider)
    with ModelServer(first_chunk_delay=0.02) as server:
        asyncio.run(record(recorder, server))


if __name__ == "__main__":
    main(sys.argv[1])
