"""Record LangSmith's OpenTelemetry export: `python tests/capture/record_langsmith.py OUTDIR`.

Last run with langsmith 0.15.1, openai 3.57.0, langchain-core 1.8.3, langchain-openai 1.7.4, langchain-anthropic 1.7.10,
opentelemetry-sdk 1.45.2.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

os.environ["ANTHROPIC_OPEN_TELEMETRY"] = "false"
os.environ["LANGSMITH_TRACING"] = "true"
os.environ["LANGSMITH_OTEL_ENABLED"] = "true"
os.environ["LANGSMITH_OTEL_ONLY"] = "true"
os.environ["LANGSMITH_API_KEY"] = "none"
os.environ["LANGSMITH_PROJECT"] = "shop"
os.environ["LANGCHAIN_REVISION_ID"] = "1.0"

import questions
from langchain_anthropic import ChatAnthropic
from langchain_core.tools import tool
from langchain_core.tracers.langchain import LangChainTracer
from langchain_openai import ChatOpenAI
from langsmith import Client, traceable
from langsmith.wrappers import wrap_openai
from openai import OpenAI
from recording import Recorder, attempt

from tests.demo.model_server import ModelServer


@tool
def look_up_order(order_id: str) -> str:
    """Look up an order."""
    return f'{{"order": "{order_id}", "status": "packed"}}'


def main(directory: str) -> None:
    recorder = Recorder(directory, "langsmith")
    client = Client(otel_tracer_provider=recorder.provider)

    @contextmanager
    def case(name: str) -> Iterator[None]:
        with recorder.case(name):
            yield
            client.flush()

    @traceable(client=client, tags=["shop", "beta"], metadata={"session_id": "conversation-42", "user_id": "user-7"})
    def answer(question: str) -> Any:
        return model.chat.completions.create(**questions.CHAT).choices[0].message.content

    @traceable(client=client, run_type="retriever", name="shelf")
    def shelf(query: str) -> list[dict[str, Any]]:
        return [{"page_content": "Parcels ship daily.", "type": "Document", "metadata": {"source": "faq"}}]

    with ModelServer(first_chunk_delay=0.02) as server:
        plain = OpenAI(api_key="not-needed", base_url=server.openai_url, max_retries=0)
        model = wrap_openai(plain, tracing_extra={"client": client})
        with case("openai_chat"):
            answer(questions.QUESTION)
        with case("openai_stream"):
            list(model.chat.completions.create(**questions.STREAM))
        with case("openai_tools"):
            model.chat.completions.create(**questions.TOOL_RESULT)
        with case("openai_failure"):
            attempt(lambda: model.chat.completions.create(**questions.BROKEN))
        with case("retriever"):
            shelf(questions.QUESTION)
        chat = ChatOpenAI(model="gpt-4o", api_key="not-needed", base_url=server.openai_url, max_retries=0)
        claude = ChatAnthropic(model="claude-sonnet-4-5", api_key="not-needed", base_url=server.url, max_retries=0)
        config: Any = {"callbacks": [LangChainTracer(client=client)], "metadata": {"thread_id": "conversation-42"}}
        with case("langchain_openai"):
            chat.bind_tools([look_up_order]).invoke(questions.QUESTION, config)
            look_up_order.invoke(
                {"name": "look_up_order", "args": {"order_id": "A-1001"}, "id": "c-1", "type": "tool_call"}, config
            )
        with case("langchain_anthropic"):
            claude.invoke(questions.QUESTION, config)


if __name__ == "__main__":
    main(sys.argv[1])
