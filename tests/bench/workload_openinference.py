"""The standard workload in the dialect that costs most to read: OpenInference, whose messages are an attribute for each leaf.

The same traces, models and usage as `workload.Maker` writes. As its instrumentations do, every call holds the conversation
so far, flattened, and beside it the raw request and response; so a span has some 40 attributes, and is about 3.5 KB.
"""

from __future__ import annotations

import json

from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.bench.workload import EMBEDDING, Maker, attributes

Message = dict[str, object]


class OpenInferenceMaker(Maker):
    """Writes the spans as openinference-instrumentation-openai 0.1.66 does."""

    scope = "openinference.instrumentation.openai"

    def _agent(self, session: str, user: str) -> dict[str, object]:
        self._conversation: list[Message] = [
            {"role": "system", "content": self._text(30)},
            {"role": "user", "content": self._text(40)},
        ]
        return {
            "openinference.span.kind": "AGENT",
            "agent.name": "shop-assistant",
            "session.id": session,
            "user.id": user,
            "input.value": self._conversation[1]["content"],
            "output.value": self._text(40),
        }

    def _chat(
        self, spans: object, trace_id: bytes, parent: bytes, provider: str, asked: str, answered: str, session: str,
        *, calls_tool: bool,
    ) -> None:  # fmt: skip
        span = self._span(spans, trace_id, self._rng.randbytes(8), parent, "ChatCompletion", Span.SPAN_KIND_INTERNAL)
        usage = self._rng.choice(self._usages)
        self._count(provider, answered, usage)
        answer = self._reply(calls_tool)
        parameters = {"model": asked, "temperature": 0.2, "max_tokens": 1024, "stream": not calls_tool}
        reason = "tool_calls" if calls_tool else "stop"
        choice = {"finish_reason": reason, "index": 0, "message": answer}
        response = {"id": f"chatcmpl-{self._rng.getrandbits(96):024x}", "choices": [choice], "model": answered}
        values = {
            **self._call(provider, session, parameters),
            "output.value": json.dumps(response),
            "output.mime_type": "application/json",
            "llm.model_name": answered,
            "llm.finish_reason": reason,
            "llm.token_count.prompt": usage["input_tokens"],
            "llm.token_count.completion": usage["output_tokens"],
            "llm.token_count.total": usage["input_tokens"] + usage["output_tokens"],
            "llm.token_count.prompt_details.cache_read": usage["cache_read_tokens"],
            **flattened("llm.output_messages", [answer]),
        }
        span.attributes.extend(attributes(values))
        if not calls_tool:
            took = span.end_time_unix_nano - span.start_time_unix_nano
            span.events.add(name="First Token Stream Event", time_unix_nano=span.start_time_unix_nano + took // 3)
        self._conversation.append(answer)
        if calls_tool:
            call: Message = answer["tool_calls"][0]  # type: ignore[index]
            self._conversation.append({"role": "tool", "tool_call_id": call["id"], "content": self._text(60)})

    def _tool(self, spans: object, trace_id: bytes, parent: bytes) -> None:
        span = self._span(spans, trace_id, self._rng.randbytes(8), parent, "look_up_order", Span.SPAN_KIND_INTERNAL)
        values: dict[str, object] = {
            "openinference.span.kind": "TOOL",
            "tool.name": "look_up_order",
            "input.value": json.dumps({"order_id": self._text(3)}),
            "input.mime_type": "application/json",
            "output.value": json.dumps({"status": self._text(150)}),
            "output.mime_type": "application/json",
        }
        span.attributes.extend(attributes(values))

    def _embedding(self, spans: object, trace_id: bytes, parent: bytes) -> None:
        provider, model = EMBEDDING
        span = self._span(spans, trace_id, self._rng.randbytes(8), parent, "CreateEmbeddings", Span.SPAN_KIND_INTERNAL)
        usage = {"input_tokens": self._rng.randrange(1, 200)}
        self._count(provider, model, usage)
        text = self._text(60)
        values: dict[str, object] = {
            "openinference.span.kind": "EMBEDDING",
            "llm.system": provider,
            "embedding.model_name": model,
            "embedding.embeddings.0.embedding.text": text,
            "input.value": json.dumps({"model": model, "input": text}),
            "input.mime_type": "application/json",
            "llm.token_count.prompt": usage["input_tokens"],
            "llm.token_count.total": usage["input_tokens"],
        }
        span.attributes.extend(attributes(values))

    def _failure(self, spans: object, trace_id: bytes, parent: bytes) -> None:
        span = self._span(spans, trace_id, self._rng.randbytes(8), parent, "ChatCompletion", Span.SPAN_KIND_INTERNAL)
        span.attributes.extend(attributes(self._call("openai", "", {"model": "gpt-4o", "temperature": 0.2})))
        span.status.code, span.status.message = 2, "RateLimitError: Error code: 429 - rate limit reached"
        exception: dict[str, object] = {
            "exception.type": "openai.RateLimitError",
            "exception.message": "429",
            "exception.stacktrace": self._text(60),
        }
        span.events.add(name="exception", time_unix_nano=span.end_time_unix_nano).attributes.extend(
            attributes(exception)
        )

    def _call(self, provider: str, session: str, parameters: dict[str, object]) -> dict[str, object]:
        request = {**parameters, "messages": self._conversation}
        return {
            "openinference.span.kind": "LLM",
            "llm.system": provider,
            "session.id": session,
            "input.value": json.dumps(request),
            "input.mime_type": "application/json",
            "llm.invocation_parameters": json.dumps(parameters),
            **flattened("llm.input_messages", self._conversation),
        }

    def _reply(self, calls_tool: bool) -> Message:
        if not calls_tool:
            return {"role": "assistant", "content": self._text(90)}
        function = {"name": "look_up_order", "arguments": json.dumps({"order_id": self._text(3)})}
        call = {"id": f"call_{self._rng.getrandbits(64):016x}", "type": "function", "function": function}
        return {"role": "assistant", "tool_calls": [call]}


def flattened(prefix: str, messages: list[Message]) -> dict[str, object]:
    """Return messages in the form of OpenAI's chat API as OpenInference flattens them."""
    leaves: dict[str, object] = {}
    for index, message in enumerate(messages):
        for name, value in message.items():
            start = f"{prefix}.{index}.message.{name}"
            if name != "tool_calls":
                leaves[start] = value
                continue
            for place, call in enumerate(value):  # type: ignore[arg-type, var-annotated]
                leaves[f"{start}.{place}.tool_call.id"] = call["id"]
                for inner in ("name", "arguments"):
                    leaves[f"{start}.{place}.tool_call.function.{inner}"] = call["function"][inner]
    return leaves
