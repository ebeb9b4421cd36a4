"""Record Pydantic AI: `python tests/capture/record_pydantic_ai.py OUTDIR`, once for each of the two packages.

Last run with pydantic-ai-slim 2.68.0, openai 3.57.0, anthropic 2.13.0 (format versions 2, 5 and 6), and with
pydantic-ai-slim 0.2.20, openai 1.109.1 (format version 1); opentelemetry-sdk 1.45.2.
"""

from __future__ import annotations

import asyncio
import os
import sys
import warnings
from importlib.metadata import version
from typing import Any

os.environ["ANTHROPIC_OPEN_TELEMETRY"] = "false"  # the client's own spans, beside Pydantic AI's, are another matter

import questions
from pydantic_ai import Agent
from pydantic_ai.models.instrumented import InstrumentationSettings
from pydantic_ai.providers.openai import OpenAIProvider
from recording import Recorder, attempt

from tests.demo.model_server import ModelServer

warnings.simplefilter("ignore")
OLD = version("pydantic-ai-slim").startswith("0.")
if OLD:
    from pydantic_ai.models.openai import OpenAIModel as OpenAIChatModel
else:
    from pydantic_ai.models.openai import OpenAIChatModel


def look_up_order(order_id: str) -> dict[str, str]:
    """Look up an order."""
    return {"order": order_id, "status": "packed"}


def agent(model: Any, recorder: Recorder, **settings: Any) -> Any:
    """Return an agent that writes its spans in the format that the settings say."""
    told = {"system_prompt": questions.SYSTEM} if OLD else {"instructions": questions.SYSTEM}
    observed = InstrumentationSettings(tracer_provider=recorder.provider, **settings)
    if OLD:
        return Agent(model, name="shop_assistant", tools=[look_up_order], instrument=observed, **told)
    from pydantic_ai.capabilities import Instrumentation

    return Agent(
        model, name="shop_assistant", tools=[look_up_order], capabilities=[Instrumentation(settings=observed)], **told
    )


async def stream(of: Any) -> None:
    async with of.run_stream(questions.QUESTION) as result:
        async for _ in result.stream_text():
            pass


def main(directory: str) -> None:
    recorder = Recorder(directory, "pydantic_ai")
    with ModelServer(first_chunk_delay=0.02) as server:
        provider = OpenAIProvider(base_url=server.openai_url, api_key="not-needed")
        chat, broken = (OpenAIChatModel(name, provider=provider) for name in ("gpt-4o", "gpt-4o-broken"))
        if OLD:
            with recorder.case("v1_agent"):
                agent(chat, recorder).run_sync(questions.QUESTION)
            return
        from pydantic_ai.models.anthropic import AnthropicModel
        from pydantic_ai.providers.anthropic import AnthropicProvider

        for number in (2, 5, 6):
            with recorder.case(f"v{number}_agent"):
                agent(chat, recorder, version=number).run_sync(questions.QUESTION, conversation_id="conversation-42")
        with recorder.case("usage_on_agent"):
            agent(chat, recorder, use_aggregated_usage_attribute_names=False).run_sync(questions.QUESTION)
        with recorder.case("stream"):
            asyncio.run(stream(agent(chat, recorder)))
        with recorder.case("failure"):
            attempt(lambda: agent(broken, recorder).run_sync(questions.QUESTION))
        claude = AnthropicModel(
            "claude-sonnet-4-5", provider=AnthropicProvider(base_url=server.url, api_key="not-needed")
        )
        with recorder.case("anthropic"):
            agent(claude, recorder).run_sync(questions.QUESTION)


if __name__ == "__main__":
    main(sys.argv[1])
