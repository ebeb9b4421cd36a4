"""Record Laminar: `python tests/capture/record_laminar.py OUTDIR`.

Last run with lmnr 0.8.1, openai 3.57.0, anthropic 2.13.0, opentelemetry-sdk 1.45.1. Its exporter is replaced, so that
nothing leaves the machine.
"""

from __future__ import annotations

import os
import sys

os.environ["ANTHROPIC_OPEN_TELEMETRY"] = "false"  # the client's own spans are another dialect

import anthropic
import openai
import questions
from lmnr import Instruments, Laminar, observe
from lmnr.opentelemetry_lib import tracing
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from recording import Recorder, attempt

from tests.demo.model_server import ModelServer


@observe(name="look_up_order", span_type="TOOL")
def look_up_order(order_id: str) -> dict[str, str]:
    """A tool."""
    return {"order": order_id, "status": "packed"}


def record_openai(recorder: Recorder, client: openai.OpenAI) -> None:
    chat = client.chat.completions

    @observe(
        name="shop_assistant", session_id="conversation-42", user_id="user-7", metadata={"plan": "pro"}, tags=["shop"]
    )
    def answer(question: str) -> str | None:
        look_up_order("A-1001")
        return chat.create(**questions.CHAT).choices[0].message.content

    with recorder.case("observe"):
        answer(questions.QUESTION)
    with recorder.case("openai_stream"):
        list(chat.create(**questions.STREAM))
    with recorder.case("openai_tools"):
        chat.create(**questions.TOOLS)
        chat.create(**questions.TOOL_RESULT)
    with recorder.case("openai_embedding"):
        client.embeddings.create(**questions.EMBEDDING)
    with recorder.case("openai_failure"):
        attempt(lambda: chat.create(**questions.BROKEN))
    with recorder.case("openai_responses"):
        client.responses.create(**questions.RESPONSE)


def record_anthropic(recorder: Recorder, client: anthropic.Anthropic) -> None:
    with recorder.case("anthropic_chat"):
        client.messages.create(**questions.CLAUDE)
    with recorder.case("anthropic_stream"):
        list(client.messages.create(**questions.CLAUDE, stream=True))
    with recorder.case("anthropic_tools"):
        client.messages.create(**questions.CLAUDE_TOOLS)
        client.messages.create(**questions.CLAUDE_TOOL_RESULT)


def main(directory: str) -> None:
    recorder = Recorder(directory, "laminar")
    tracing._tracer_provider = recorder.provider
    processor = tracing.LaminarSpanProcessor
    tracing.LaminarSpanProcessor = lambda **options: processor(**options | {"exporter": InMemorySpanExporter()})
    Laminar.initialize(project_api_key="not-needed", instruments={Instruments.OPENAI, Instruments.ANTHROPIC})
    with ModelServer(first_chunk_delay=0.02) as server:
        with openai.OpenAI(api_key="not-needed", base_url=server.openai_url, max_retries=0) as client:
            record_openai(recorder, client)
        with anthropic.Anthropic(api_key="not-needed", base_url=server.url, max_retries=0) as client:
            record_anthropic(recorder, client)


if __name__ == "__main__":
    main(sys.argv[1])
