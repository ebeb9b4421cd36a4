"""Record Google's Agent Development Kit: `python tests/capture/record_google_adk.py OUTDIR [1]`.

`1` records the older of its two telemetry formats, as ADK_TELEMETRY_SCHEMA_VERSION_OPT_IN does. Last run with google-adk
2.13.0, google-genai 2.34.0, litellm 1.110.2, opentelemetry-sdk 1.44.0.
"""

from __future__ import annotations

import asyncio
import os
import sys

OLDER = sys.argv[2:] == ["1"]
os.environ |= {
    "ADK_TELEMETRY_SCHEMA_VERSION_OPT_IN": "1" if OLDER else "2",
    "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_AND_EVENT",
    "GOOGLE_API_KEY": "not-needed",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
}

import questions
from gemini_server import GeminiServer
from google.adk.agents import LlmAgent
from google.adk.models.base_llm import BaseLlm
from google.adk.models.lite_llm import LiteLlm
from google.adk.runners import InMemoryRunner
from google.genai import types
from opentelemetry import trace
from recording import Recorder

from tests.demo.model_server import ModelServer


def look_up_order(order_id: str) -> dict[str, str]:
    """Look up an order."""
    return {"order_id": order_id, "status": "packed"}


async def ask(model: str | BaseLlm) -> None:
    agent = LlmAgent(name="shop", model=model, instruction=questions.SYSTEM, tools=[look_up_order])
    runner = InMemoryRunner(agent, app_name="shop-app")
    session = await runner.session_service.create_session(
        app_name="shop-app", user_id="user-7", session_id="conversation-42"
    )
    question = types.Content(role="user", parts=[types.Part(text=questions.QUESTION)])
    async for _ in runner.run_async(user_id="user-7", session_id=session.id, new_message=question):
        pass
    await runner.close()


def main(directory: str) -> None:
    recorder = Recorder(directory, "google_adk_v1" if OLDER else "google_adk")
    trace.set_tracer_provider(recorder.provider)
    with GeminiServer() as gemini, recorder.case("agent"):
        os.environ["GOOGLE_GEMINI_BASE_URL"] = gemini.url
        asyncio.run(ask("gemini-2.5-flash"))
    with ModelServer() as server, recorder.case("litellm"):
        asyncio.run(ask(LiteLlm(model="openai/gpt-4o", api_base=server.openai_url, api_key="not-needed")))


if __name__ == "__main__":
    main(sys.argv[1])
