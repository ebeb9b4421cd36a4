"""Record Logfire's instrumentation of the OpenAI and Anthropic clients: `python tests/capture/record_logfire.py OUTDIR`.

Last run with logfire-sdk 5.4.0, openai 3.57.0, anthropic 2.13.0, opentelemetry-sdk 1.45.2.
"""

from __future__ import annotations

import os
import sys

os.environ["ANTHROPIC_OPEN_TELEMETRY"] = "false"  # the client's own spans, beside Logfire's, are another matter

import anthropic
import logfire
import openai
import questions
from logfire import AdvancedOptions
from logfire._internal.exporters.remove_pending import RemovePendingSpansExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from otlp_sink import Sink
from recording import attempt

from tests.demo.model_server import ModelServer


def configure(exporter: OTLPSpanExporter, *, pending: bool = False) -> None:
    """Have Logfire send its spans here only; `pending` those too that it sends at the start of a span."""
    logfire.configure(
        send_to_logfire=False,
        console=False,
        metrics=False,
        inspect_arguments=False,
        service_name="shop-assistant",
        service_version="1.0",
        environment="test",
        advanced=AdvancedOptions(pending_spans=pending),
        additional_span_processors=[SimpleSpanProcessor(RemovePendingSpansExporter(exporter) if pending else exporter)],
    )


def main(directory: str) -> None:
    with ModelServer(first_chunk_delay=0.02) as server, Sink(directory) as sink:
        exporter = OTLPSpanExporter(endpoint=f"{sink.url}/v1/traces")
        configure(exporter)
        client = openai.OpenAI(api_key="not-needed", base_url=server.openai_url, max_retries=0)
        claude = anthropic.Anthropic(api_key="not-needed", base_url=server.url, max_retries=0)
        logfire.instrument_openai(client)
        logfire.instrument_anthropic(claude)
        chat = client.chat.completions
        with logfire.span("answer {question}", question="Where?", _tags=["shop"]):
            chat.create(**questions.CHAT)
        sink.write("logfire_chat")
        chat.create(**questions.TOOLS)
        chat.create(**questions.TOOL_RESULT)
        sink.write("logfire_tools")
        with logfire.span("answer"):
            list(chat.create(**questions.STREAM))
        sink.write("logfire_stream")
        client.responses.create(**questions.RESPONSE)
        sink.write("logfire_responses")
        client.embeddings.create(**questions.EMBEDDING)
        sink.write("logfire_embedding")
        attempt(lambda: chat.create(**questions.BROKEN))
        sink.write("logfire_failure")
        claude.messages.create(**questions.CLAUDE)
        claude.messages.create(**questions.CLAUDE_TOOL_RESULT)
        sink.write("logfire_anthropic")
        old = openai.OpenAI(api_key="not-needed", base_url=server.openai_url, max_retries=0)
        logfire.instrument_openai(old, version=1)
        old.chat.completions.create(**questions.TOOL_RESULT)
        sink.write("logfire_v1_chat")
        list(old.chat.completions.create(**questions.STREAM))
        sink.write("logfire_v1_stream")
        configure(OTLPSpanExporter(endpoint=f"{sink.url}/v1/traces"), pending=True)
        with logfire.span("answer"):
            chat.create(**questions.CHAT)
        sink.write("logfire_pending")


if __name__ == "__main__":
    main(sys.argv[1])
