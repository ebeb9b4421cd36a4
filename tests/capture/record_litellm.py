"""Record LiteLLM's two callbacks for OpenTelemetry: `python tests/capture/record_litellm.py OUTDIR v1|v2`.

They are chosen once for a process, so it takes two runs. Last run with litellm 1.110.2, opentelemetry-sdk 1.45.2.
"""

from __future__ import annotations

import asyncio
import os
import sys

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "true"  # prices from the package, not from the network
os.environ["OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"] = "SPAN_ONLY"
os.environ["LITELLM_OTEL_V2"] = str(sys.argv[2] == "v2").lower()

import litellm
import questions
from recording import Recorder

from tests.demo.model_server import ModelServer

VERSION = sys.argv[2]


def callback(recorder: Recorder) -> object:
    if VERSION == "v2":
        from litellm.integrations.otel.logger import OpenTelemetryV2

        return OpenTelemetryV2(tracer_provider=recorder.provider)
    from litellm.integrations.opentelemetry import OpenTelemetry

    return OpenTelemetry(tracer_provider=recorder.provider)


async def record(recorder: Recorder, server: ModelServer) -> None:
    openai = {"api_base": server.openai_url, "api_key": "not-needed", "max_retries": 0}
    claude = {"api_base": server.url, "api_key": "not-needed", "max_retries": 0}
    metadata = {"session_id": "conversation-42", "plan": "pro", "tags": ["shop"]}
    with recorder.case("chat"):
        await litellm.acompletion(**questions.CHAT, **openai, metadata=metadata, user="user-7")
        await settle()
    with recorder.case("stream"):
        async for _ in await litellm.acompletion(**questions.STREAM, **openai):
            pass
        await settle()
    with recorder.case("tools"):
        await litellm.acompletion(**questions.TOOLS, **openai)
        await litellm.acompletion(**questions.TOOL_RESULT, **openai)
        await settle()
    with recorder.case("anthropic"):
        system = {"role": "system", "content": questions.SYSTEM}
        asked = {**questions.CLAUDE, "messages": [system, *questions.CLAUDE["messages"]]}
        del asked["system"]
        await litellm.acompletion(**asked, custom_llm_provider="anthropic", **claude)
        await settle()
    with recorder.case("embedding"):
        await litellm.aembedding(**questions.EMBEDDING, **openai)
        await settle()
    with recorder.case("failure"):
        try:
            await litellm.acompletion(**questions.BROKEN, custom_llm_provider="openai", **openai)
        except litellm.InternalServerError:
            await settle()


async def settle() -> None:
    """Wait for the callbacks, which run in tasks of their own."""
    await asyncio.sleep(1.0)


def main(directory: str) -> None:
    recorder = Recorder(directory, f"litellm_{VERSION}")
    litellm.callbacks = [callback(recorder)]
    with ModelServer(first_chunk_delay=0.02) as server:
        asyncio.run(record(recorder, server))


if __name__ == "__main__":
    main(sys.argv[1])
