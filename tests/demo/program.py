"""A real instrumented program: a tiny shop assistant that calls a model and exports its spans over OTLP/gRPC.

It uses the published OpenTelemetry SDK, exporter and GenAI instrumentation of the OpenAI client as any application
would; only the agent's and the tool's span are made by hand, since the OpenAI client knows of neither. One run is one
trace of `SPAN_COUNT` spans:

    invoke_agent shop-assistant
        embeddings text-embedding-3-small
        chat gpt-4o                          asks for the tool
        execute_tool look_up_order
        chat gpt-4o                          answers with the tool's result
        chat gpt-4o                          streams
        chat gpt-4o-broken                   fails

`python tests/demo/program.py OTLP_ENDPOINT MODEL_BASE_URL` prints the trace id and nothing else.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from typing import Any, cast

import openai
from openai.types.chat import (
    ChatCompletionFunctionToolParam,
    ChatCompletionMessageFunctionToolCall,
    ChatCompletionMessageParam,
)
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.genai.openai import OpenAIInstrumentor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import SpanKind, Tracer, format_trace_id

SPAN_COUNT = 7
SERVICE = "shop-assistant"
AGENT = "shop-assistant"
CONVERSATION = "conversation-42"
USER = "user-7"
QUESTION = "Where is my order A-1001?"
ORDERS = {"A-1001": {"status": "packed", "ships": "tomorrow"}}

LOOK_UP_ORDER: ChatCompletionFunctionToolParam = {
    "type": "function",
    "function": {
        "name": "look_up_order",
        "description": "Look up the status of an order.",
        "parameters": {
            "type": "object",
            "properties": {"order_id": {"type": "string"}},
            "required": ["order_id"],
        },
    },
}


class ExportError(Exception):
    """The collector did not acknowledge the spans. The text is one sentence for a person."""


class AcknowledgedExporter(SpanExporter):
    """An exporter that remembers whether every batch was acknowledged.

    The SDK's `force_flush` is true as soon as the exporter has been called, whatever came of it.
    """

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self.acknowledged = 0
        self.failed = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Export, and count the spans by what came of it."""
        result = self._exporter.export(spans)
        if result is SpanExportResult.SUCCESS:
            self.acknowledged += len(spans)
        else:
            self.failed += len(spans)
        return result

    def shutdown(self) -> None:
        """Close the connection."""
        self._exporter.shutdown()


class ShopAssistant:
    """The agent: answers one customer's question, step by step as the module says."""

    def __init__(self, client: openai.OpenAI, tracer: Tracer) -> None:
        self._client = client
        self._tracer = tracer
        self._messages: list[ChatCompletionMessageParam] = [
            {"role": "system", "content": "You are the assistant of a small shop."}
        ]

    def invoke(self, question: str) -> str:
        """Answer the question; return the trace id as 32 lowercase hexadecimal digits.

        The span's attributes are those of the GenAI semantic conventions for agent spans, plus `user.id`.
        """
        attributes = {
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.agent.name": AGENT,
            "gen_ai.agent.description": "Answers questions about orders.",
            "gen_ai.conversation.id": CONVERSATION,
            "user.id": USER,
            "gen_ai.input.messages": _text_message("user", question),
        }
        name = f"invoke_agent {AGENT}"
        with self._tracer.start_as_current_span(name, kind=SpanKind.INTERNAL, attributes=attributes) as span:
            self._client.embeddings.create(model="text-embedding-3-small", input=question)
            answer = self._answer(question)
            self._suggest()
            self._fail()
            span.set_attribute("gen_ai.output.messages", _text_message("assistant", answer))
            return format_trace_id(span.get_span_context().trace_id)

    def _answer(self, question: str) -> str:
        """Ask the model, run the tool that it asks for, and give it the result."""
        self._messages.append({"role": "user", "content": question})
        first = self._chat()
        call = cast("ChatCompletionMessageFunctionToolCall", (first.tool_calls or [])[0])
        self._messages.append(cast("ChatCompletionMessageParam", first.model_dump(exclude_none=True)))
        self._messages.append({"role": "tool", "tool_call_id": call.id, "content": self._execute_tool(call)})
        return self._chat().content or ""

    def _chat(self) -> openai.types.chat.ChatCompletionMessage:
        response = self._client.chat.completions.create(
            model="gpt-4o",
            messages=self._messages,
            tools=[LOOK_UP_ORDER],
            temperature=0.2,
            max_completion_tokens=200,
        )
        return response.choices[0].message

    def _execute_tool(self, call: ChatCompletionMessageFunctionToolCall) -> str:
        """Run the tool under a span as the semantic conventions describe it; return its result as JSON."""
        attributes = {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": call.function.name,
            "gen_ai.tool.type": "function",
            "gen_ai.tool.description": LOOK_UP_ORDER["function"]["description"],
            "gen_ai.tool.call.id": call.id,
            "gen_ai.tool.call.arguments": call.function.arguments,
            "gen_ai.agent.name": AGENT,
        }
        name = f"execute_tool {call.function.name}"
        with self._tracer.start_as_current_span(name, kind=SpanKind.INTERNAL, attributes=attributes) as span:
            order: dict[str, Any] = ORDERS[json.loads(call.function.arguments)["order_id"]]
            result = json.dumps(order)
            span.set_attribute("gen_ai.tool.call.result", result)
            return result

    def _suggest(self) -> None:
        """Stream a second answer to its end, so that time to first token and the final usage are on the span."""
        messages: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Suggest a gift to go with it."}]
        with self._client.chat.completions.create(
            model="gpt-4o", messages=messages, stream=True, stream_options={"include_usage": True}
        ) as stream:
            for _ in stream:
                pass

    def _fail(self) -> None:
        """Call a model that is out of order; the assistant lives on without its answer."""
        messages: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Rate this conversation."}]
        try:
            self._client.chat.completions.create(model="gpt-4o-broken", messages=messages)
        except openai.InternalServerError:
            return
        raise AssertionError("the model gpt-4o-broken answered, but it must fail")


def _text_message(role: str, text: str) -> str:
    """Return one text message as the JSON that the semantic conventions give messages on spans."""
    return json.dumps([{"role": role, "parts": [{"type": "text", "content": text}]}])


def run(otlp_endpoint: str, model_base_url: str) -> str:
    """Run the assistant once, export its spans, and return the trace id: 32 lowercase hexadecimal digits.

    `otlp_endpoint` is an OTLP/gRPC endpoint without TLS, such as ``http://127.0.0.1:4317``; `model_base_url` is the
    base URL of OpenAI's API. Raises ExportError if not every span was acknowledged.
    """
    # The instrumentation leaves messages out unless it is told to keep them, and reads this when it is switched on.
    os.environ["OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"] = "SPAN_ONLY"
    exporter = AcknowledgedExporter(OTLPSpanExporter(endpoint=otlp_endpoint, insecure=True))
    resource = Resource.create({"service.name": SERVICE, "deployment.environment.name": "demo"})
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    instrumentor = OpenAIInstrumentor()
    instrumentor.instrument(tracer_provider=provider)
    try:
        with openai.OpenAI(api_key="not-needed", base_url=model_base_url, max_retries=0) as client:
            trace_id = ShopAssistant(client, provider.get_tracer("shop_assistant", "1.0.0")).invoke(QUESTION)
        provider.force_flush()
    finally:
        instrumentor.uninstrument()
        provider.shutdown()
    if exporter.acknowledged != SPAN_COUNT:
        raise ExportError(
            f"the collector at {otlp_endpoint} acknowledged {exporter.acknowledged} of {SPAN_COUNT} spans: "
            "see the message of the exporter above, and check that the collector is running."
        )
    return trace_id


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: program.py OTLP_ENDPOINT MODEL_BASE_URL")
    try:
        print(run(sys.argv[1], sys.argv[2]))
    except ExportError as failure:
        sys.exit(f"demo: {failure}")
