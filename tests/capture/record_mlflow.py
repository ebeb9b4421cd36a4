"""Record MLflow Tracing, which exports over OTLP where an endpoint is set: `python tests/capture/record_mlflow.py OUTDIR`.

Last run with mlflow-tracing 3.17.2, openai 3.57.0, anthropic 2.13.0, opentelemetry-sdk 1.38.0 (with 1.45 it
cannot end a span that a decorator made), and sqlparse, which it imports and does not require.
"""

from __future__ import annotations

import os
import sys
import time

os.environ["ANTHROPIC_OPEN_TELEMETRY"] = "false"
os.environ["OTEL_SERVICE_NAME"] = "shop-assistant"
os.environ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"] = "http/protobuf"
os.environ["OTEL_BSP_SCHEDULE_DELAY"] = "100"

import anthropic
import mlflow
import openai
import questions
from mlflow.entities import Document, SpanType
from otlp_sink import Sink
from recording import attempt

from tests.demo.model_server import ModelServer


@mlflow.trace(span_type=SpanType.TOOL)
def look_up_order(order_id: str) -> dict[str, str]:
    """Look up an order."""
    return {"order": order_id, "status": "packed"}


@mlflow.trace(span_type=SpanType.RETRIEVER)
def shelf(query: str) -> list[Document]:
    """Find documents."""
    return [Document(page_content="Parcels ship daily.", metadata={"source": "faq"}, id="d-1")]


def main(directory: str) -> None:
    with ModelServer(first_chunk_delay=0.02) as server, Sink(directory) as sink:
        os.environ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] = f"{sink.url}/v1/traces"
        os.environ["MLFLOW_TRACKING_URI"] = sink.url
        client = openai.OpenAI(api_key="not-needed", base_url=server.openai_url, max_retries=0)
        claude = anthropic.Anthropic(api_key="not-needed", base_url=server.url, max_retries=0)

        def write(name: str) -> None:
            time.sleep(1)  # the exporter sends in batches; nothing public flushes it
            sink.write(f"mlflow_{name}")

        @mlflow.trace(span_type=SpanType.AGENT)
        def assistant(question: str) -> str:
            mlflow.update_current_trace(
                tags={"plan": "pro"},
                metadata={"mlflow.trace.session": "conversation-42", "mlflow.trace.user": "user-7"},
            )
            shelf(question)
            look_up_order("A-1001")
            client.chat.completions.create(**questions.TOOL_RESULT)
            return str(client.chat.completions.create(**questions.CHAT).choices[0].message.content)

        mlflow.openai.autolog()
        mlflow.anthropic.autolog()
        assistant(questions.QUESTION)
        write("agent")
        list(client.chat.completions.create(**questions.STREAM))
        write("openai_stream")
        client.responses.create(**questions.RESPONSE)
        write("openai_responses")
        client.embeddings.create(**questions.EMBEDDING)
        write("openai_embedding")
        attempt(lambda: client.chat.completions.create(**questions.BROKEN))
        write("openai_failure")
        claude.messages.create(**questions.CLAUDE)
        write("anthropic")


if __name__ == "__main__":
    main(sys.argv[1])
