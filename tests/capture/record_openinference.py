"""Record OpenInference: `python tests/capture/record_openinference.py OUTDIR`.

Last run with openinference-instrumentation-openai 0.1.66, -anthropic 3.1.0, -langchain 0.1.80, openinference-instrumentation
0.1.72, openai 3.57.0, anthropic 2.13.0, langchain 1.5.2, langchain-openai 1.7.4, opentelemetry-sdk 1.45.2.
"""

from __future__ import annotations

import os
import sys

os.environ["OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"] = "true"
os.environ["ANTHROPIC_OPEN_TELEMETRY"] = "false"  # switched on for the one case that is about it

import anthropic
import openai
import questions
from langchain.agents import create_agent
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from openinference.instrumentation import using_attributes
from openinference.instrumentation.anthropic import AnthropicInstrumentor
from openinference.instrumentation.langchain import LangChainInstrumentor
from openinference.instrumentation.openai import OpenAIInstrumentor
from opentelemetry import trace
from recording import Recorder, attempt

from tests.demo.model_server import ModelServer


@tool
def find(order_id: str) -> str:
    """Find it."""
    return "packed"


class Shelf(BaseRetriever):
    """A retriever with two documents."""

    def _get_relevant_documents(self, query: str, **_: object) -> list[Document]:
        return [
            Document(page_content="Parcels ship daily.", metadata={"source": "faq", "page": 3}, id="d-1"),
            Document(page_content="Returns are free.", metadata={"source": "faq"}, id="d-2"),
        ]


def record_openai(recorder: Recorder, client: openai.OpenAI) -> None:
    chat = client.chat.completions
    with (
        recorder.case("openai_chat"),
        using_attributes(
            session_id="conversation-42",
            user_id="user-7",
            metadata={"plan": "pro"},
            tags=["shop", "beta"],
            prompt_template="Where is my order {order}?",
            prompt_template_version="v3",
            prompt_template_variables={"order": "A-1001"},
        ),
    ):
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


def record_anthropic(recorder: Recorder, client: anthropic.Anthropic) -> None:
    with recorder.case("anthropic_chat"):
        client.messages.create(**questions.CLAUDE)
    with recorder.case("anthropic_stream"), client.messages.stream(**questions.CLAUDE) as stream:
        stream.get_final_message()
    with recorder.case("anthropic_tools"):
        client.messages.create(**questions.CLAUDE_TOOLS)
        client.messages.create(**questions.CLAUDE_TOOL_RESULT)


def record_langchain(recorder: Recorder, base_url: str) -> None:
    model = ChatOpenAI(model="gpt-4o", api_key="not-needed", base_url=base_url, max_retries=0)
    with recorder.case("langchain_chat"):
        model.invoke(questions.QUESTION)
    with recorder.case("langchain_agent"):
        agent = create_agent(model, [find], name="shop")
        agent.invoke({"messages": [{"role": "user", "content": "A-1001?"}]})
    with recorder.case("langchain_retriever"):
        Shelf().invoke(questions.QUESTION)


def main(directory: str) -> None:
    recorder = Recorder(directory, "openinference")
    with ModelServer(first_chunk_delay=0.02) as server:
        OpenAIInstrumentor().instrument(tracer_provider=recorder.provider)
        AnthropicInstrumentor().instrument(tracer_provider=recorder.provider)
        with openai.OpenAI(api_key="not-needed", base_url=server.openai_url, max_retries=0) as client:
            record_openai(recorder, client)
        with anthropic.Anthropic(api_key="not-needed", base_url=server.url, max_retries=0) as client:
            record_anthropic(recorder, client)
        # The client's own spans below the instrumentation's, since it finds a tracer provider.
        os.environ["ANTHROPIC_OPEN_TELEMETRY"] = "true"
        trace.set_tracer_provider(recorder.provider)
        with (
            recorder.case("anthropic_native_below"),
            anthropic.Anthropic(api_key="not-needed", base_url=server.url, max_retries=0) as client,
        ):
            client.messages.create(**questions.CLAUDE)
        OpenAIInstrumentor().uninstrument()
        LangChainInstrumentor().instrument(tracer_provider=recorder.provider)
        record_langchain(recorder, server.openai_url)


if __name__ == "__main__":
    main(sys.argv[1])
