"""Record Strands Agents: `python tests/capture/record_strands.py OUTDIR [latest]`.

`latest` turns on the current semantic conventions, as OTEL_SEMCONV_STABILITY_OPT_IN does: Strands reads it once. Last run
with strands-agents 1.62.0, openai 2.54.0, anthropic 0.125.0, opentelemetry-sdk 1.45.1.
"""

from __future__ import annotations

import os
import sys

LATEST = sys.argv[2:] == ["latest"]
if LATEST:
    os.environ["OTEL_SEMCONV_STABILITY_OPT_IN"] = "gen_ai_latest_experimental,gen_ai_tool_definitions"

import questions
from opentelemetry import trace
from recording import Recorder, attempt
from strands import Agent, tool
from strands.models.anthropic import AnthropicModel
from strands.models.openai import OpenAIModel

from tests.demo.model_server import ModelServer


@tool
def look_up_order(order_id: str) -> str:
    """Look up an order."""
    return f"{order_id}: packed"


def agent(server: ModelServer, model: str = "gpt-4o") -> Agent:
    openai = OpenAIModel(client_args={"base_url": server.openai_url, "api_key": "x", "max_retries": 0}, model_id=model)
    return Agent(
        model=openai, tools=[look_up_order], system_prompt=questions.SYSTEM, name="shop", callback_handler=None,
        trace_attributes={"session.id": "conversation-42", "user.id": "user-7"},
    )  # fmt: skip


def main(directory: str) -> None:
    recorder = Recorder(directory, "strands_latest" if LATEST else "strands")
    trace.set_tracer_provider(recorder.provider)
    with ModelServer(first_chunk_delay=0.02) as server:
        with recorder.case("agent"):
            agent(server)(questions.QUESTION)
        if LATEST:
            return
        with recorder.case("anthropic"):
            claude = AnthropicModel(
                client_args={"base_url": server.url, "api_key": "x", "max_retries": 0},
                model_id="claude-sonnet-4-5",
                max_tokens=100,
            )
            Agent(model=claude, system_prompt=questions.SYSTEM, callback_handler=None)(questions.QUESTION)
        with recorder.case("failure"):
            attempt(lambda: agent(server, "gpt-4o-broken")(questions.QUESTION))


if __name__ == "__main__":
    main(sys.argv[1])
