"""Record OpenLIT: `python tests/capture/record_openlit.py OUTDIR`.

Last run with openlit 1.45.0 (which wants openai < 3 and anthropic < 1), openai 2.54.0, anthropic 0.125.0,
opentelemetry-sdk 1.45.1. It downloads its prices when it starts; without a network it reports costs of 0.
"""

from __future__ import annotations

import sys

import anthropic
import openai
import openlit
import questions
from opentelemetry import trace
from recording import Recorder, attempt

from tests.demo.model_server import ModelServer


def main(directory: str) -> None:
    recorder = Recorder(directory, "openlit")
    trace.set_tracer_provider(recorder.provider)
    openlit.init(
        environment="test",
        application_name="shop-assistant",
        disable_metrics=True,
        pricing_json="/nowhere/prices.json",
        disabled_instrumentors=["httpx"],
    )
    with ModelServer(first_chunk_delay=0.02) as server:
        with openai.OpenAI(api_key="not-needed", base_url=server.openai_url, max_retries=0) as client:
            chat = client.chat.completions
            with recorder.case("openai_chat"):
                chat.create(**questions.CHAT)
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
        with anthropic.Anthropic(api_key="not-needed", base_url=server.url, max_retries=0) as client:
            with recorder.case("anthropic_chat"):
                client.messages.create(**questions.CLAUDE)
            with recorder.case("anthropic_stream"):
                list(client.messages.create(**questions.CLAUDE, stream=True))
            with recorder.case("anthropic_tools"):
                client.messages.create(**questions.CLAUDE_TOOLS)
                client.messages.create(**questions.CLAUDE_TOOL_RESULT)


if __name__ == "__main__":
    main(sys.argv[1])
