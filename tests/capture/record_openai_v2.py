"""Record the OpenTelemetry project's earlier instrumentation of OpenAI: `python tests/capture/record_openai_v2.py OUTDIR`.

It writes the conventions as of 1.30 (`gen_ai.system`, content as logs). Last run with
opentelemetry-instrumentation-openai-v2 2.4b0, which needs opentelemetry-util-genai 0.4b0 and openai < 3, here 2.54.0;
opentelemetry-sdk 1.45.2.
"""

from __future__ import annotations

import sys

import openai
import questions
from opentelemetry.instrumentation.openai_v2 import OpenAIInstrumentor
from recording import Recorder, attempt

from tests.demo.model_server import ModelServer


def main(directory: str) -> None:
    recorder = Recorder(directory, "openai_v2")
    OpenAIInstrumentor().instrument(tracer_provider=recorder.provider)
    with (
        ModelServer(first_chunk_delay=0.02) as server,
        openai.OpenAI(api_key="not-needed", base_url=server.openai_url, max_retries=0) as client,
    ):
        chat = client.chat.completions
        with recorder.case("chat"):
            chat.create(**questions.CHAT)
        with recorder.case("stream"):
            list(chat.create(**questions.STREAM))
        with recorder.case("tools"):
            chat.create(**questions.TOOLS)
            chat.create(**questions.TOOL_RESULT)
        with recorder.case("embedding"):
            client.embeddings.create(**questions.EMBEDDING)
        with recorder.case("failure"):
            attempt(lambda: chat.create(**questions.BROKEN))


if __name__ == "__main__":
    main(sys.argv[1])
