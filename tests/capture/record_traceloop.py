"""Record OpenLLMetry (Traceloop) as it is now: `python tests/capture/record_traceloop.py OUTDIR`.

Last run with traceloop-sdk 0.62.4, opentelemetry-instrumentation-openai, -anthropic, -langchain, -chromadb 0.62.4,
openai 3.57.0, anthropic 2.13.0, langchain 1.5.2, langchain-openai 1.7.4, chromadb 1.5.9, opentelemetry-sdk 1.45.2.
"""

from __future__ import annotations

import os
import sys

os.environ["ANTHROPIC_OPEN_TELEMETRY"] = "false"  # the client's own spans are another dialect
os.environ["TRACELOOP_TELEMETRY"] = "false"

import anthropic
import chromadb
import openai
import questions
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.tools import StructuredTool
from langchain_openai import ChatOpenAI
from opentelemetry import trace
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pydantic import BaseModel
from recording import Recorder, attempt
from traceloop.sdk import Traceloop
from traceloop.sdk.decorators import agent, task, tool, workflow
from traceloop.sdk.instruments import Instruments

from tests.demo.model_server import ModelServer


class Order(BaseModel):
    """The arguments of the tool."""

    order_id: str


def record_openai(recorder: Recorder, client: openai.OpenAI) -> None:
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


def record_anthropic(recorder: Recorder, client: anthropic.Anthropic) -> None:
    with recorder.case("anthropic_chat"):
        client.messages.create(**questions.CLAUDE)
    with recorder.case("anthropic_stream"):
        list(client.messages.create(**questions.CLAUDE, stream=True))
    with recorder.case("anthropic_tools"):
        client.messages.create(**questions.CLAUDE_TOOLS)
        client.messages.create(**questions.CLAUDE_TOOL_RESULT)


def record_workflow(recorder: Recorder, client: openai.OpenAI) -> None:
    @tool(name="look_up_order")
    def look_up_order(order_id: str) -> dict[str, str]:
        return {"order": order_id, "status": "packed"}

    @task(name="answer")
    def answer(question: str) -> str | None:
        Traceloop.set_prompt("Where is my order {order}?", {"order": "A-1001"}, 3)
        return client.chat.completions.create(**questions.CHAT).choices[0].message.content

    @agent(name="shop_assistant")
    def assistant(question: str) -> str | None:
        look_up_order("A-1001")
        return answer(question)

    @workflow(name="support")
    def support(question: str) -> str | None:
        Traceloop.set_association_properties({"session_id": "conversation-42", "user_id": "user-7", "plan": "pro"})
        return assistant(question)

    with recorder.case("workflow"):
        support(questions.QUESTION)


def record_langchain(recorder: Recorder, base_url: str) -> None:
    model = ChatOpenAI(model="gpt-4o", api_key="not-needed", base_url=base_url, max_retries=0)
    find = StructuredTool.from_function(
        lambda order_id: "packed", name="find", description="Find it.", args_schema=Order
    )
    with recorder.case("langchain_chain"):
        chain = ChatPromptTemplate.from_messages([("user", "Where is {order}?")]) | model.bind_tools([find])
        answer = chain.invoke({"order": "A-1001"})
        find.invoke(answer.tool_calls[0])


def record_chroma(recorder: Recorder) -> None:
    collection = chromadb.EphemeralClient().create_collection("faq", embedding_function=None)
    vectors: list[list[float]] = [[0.25, -0.5], [0.75, -1.0]]
    collection.add(
        ids=["d-1", "d-2"],
        embeddings=vectors,
        documents=["Parcels ship daily.", "Returns are free."],
        metadatas=[{"source": "faq", "page": 3}, {"source": "faq"}],
    )
    with recorder.case("chroma_query"):
        collection.query(query_embeddings=[[0.25, -0.5]], n_results=2)


def main(directory: str) -> None:
    recorder = Recorder(directory, "traceloop")
    trace.set_tracer_provider(recorder.provider)
    instruments = {Instruments.OPENAI, Instruments.ANTHROPIC, Instruments.LANGCHAIN, Instruments.CHROMA}
    Traceloop.init(exporter=InMemorySpanExporter(), disable_batch=True, instruments=instruments)
    with ModelServer(first_chunk_delay=0.02) as server:
        with openai.OpenAI(api_key="not-needed", base_url=server.openai_url, max_retries=0) as client:
            record_openai(recorder, client)
            record_workflow(recorder, client)
        with anthropic.Anthropic(api_key="not-needed", base_url=server.url, max_retries=0) as client:
            record_anthropic(recorder, client)
        record_langchain(recorder, server.openai_url)
    record_chroma(recorder)


if __name__ == "__main__":
    main(sys.argv[1])
