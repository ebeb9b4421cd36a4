"""Record OpenLLMetry (Traceloop) as it was until 2025: `python tests/capture/record_traceloop_old.py OUTDIR`.

Its instrumentations wrote indexed prompts (`gen_ai.prompt.N.*`) and `llm.*`. Last run with
opentelemetry-instrumentation-openai and -anthropic 0.40.14, openai 1.109.1, anthropic 0.59.0, opentelemetry-sdk 1.45.2.
"""

from __future__ import annotations

import sys

import anthropic
import openai
import questions
from opentelemetry.instrumentation.anthropic import AnthropicInstrumentor
from opentelemetry.instrumentation.openai import OpenAIInstrumentor
from recording import Recorder, attempt

from tests.demo.model_server import ModelServer


def main(directory: str) -> None:
    recorder = Recorder(directory, "traceloop_old")
    OpenAIInstrumentor().instrument(tracer_provider=recorder.provider)
    AnthropicInstrumentor().instrument(tracer_provider=recorder.provider)
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
