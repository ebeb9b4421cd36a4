"""The standard workload: LLM traces as an instrumented agent sends them, the same for the same seed.

A request holds 512 spans of about 1.5 KB: agents, chats with messages, usage, tool calls and streaming, tool executions
with arguments and results, embeddings, failures with an exception event. What they must cost is computed with
genai-prices itself, one call per distinct usage.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache

from genai_prices import Usage, calc_price
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

SPANS_PER_REQUEST = 512
SPANS_PER_TRACE = 8

_MODELS = (
    ("openai", "gpt-4o", "gpt-4o-2024-08-06"),
    ("openai", "gpt-4o-mini", "gpt-4o-mini-2024-07-18"),
    ("anthropic", "claude-sonnet-4-5", "claude-sonnet-4-5-20250929"),
)
EMBEDDING = ("openai", "text-embedding-3-small")
_PROSE = """
the customer asked about an order that has not arrived and the assistant looks up the shipping status before it answers
with the date the carrier the price the refund policy and what to do next if the parcel is lost or late invoice total
tax account address balance email phone return label warehouse stock item quantity discount
"""
_WORDS = _PROSE.split()


@dataclass(frozen=True)
class Workload:
    """Serialized requests, and what must be found after they were stored."""

    requests: list[bytes]
    spans: int
    traces: int
    cost: Decimal
    input_tokens: int
    output_tokens: int


def make_workload(requests: int, *, seed: int, start_ns: int, maker: type[Maker] | None = None) -> Workload:
    """Make the workload; spans start from `start_ns` (ns since the epoch) on, 2 ms apart. `maker` writes them: see `Maker`."""
    maker = (maker or Maker)(random.Random(seed), start_ns)
    serialized = [maker.request() for _ in range(requests)]
    spans = requests * SPANS_PER_REQUEST
    return Workload(serialized, spans, spans // SPANS_PER_TRACE, maker.cost, maker.input_tokens, maker.output_tokens)


@cache
def _price(provider: str, model: str, usage: tuple[tuple[str, int], ...], day: datetime) -> Decimal:
    return calc_price(Usage(**dict(usage)), model, provider_id=provider, genai_request_timestamp=day).total_price


def _value(value: object) -> AnyValue:
    if isinstance(value, bool):
        return AnyValue(bool_value=value)
    if isinstance(value, int):
        return AnyValue(int_value=value)
    if isinstance(value, float):
        return AnyValue(double_value=value)
    if isinstance(value, list):
        array = AnyValue()
        array.array_value.values.extend(_value(element) for element in value)
        return array
    return AnyValue(string_value=str(value))


def attributes(values: dict[str, object]) -> list[KeyValue]:
    """Return the values as OTLP attributes."""
    return [KeyValue(key=key, value=_value(value)) for key, value in values.items()]


class Maker:
    """Writes the spans as an instrumentation of the semantic conventions does; a subclass writes them in another dialect."""

    scope = "opentelemetry.instrumentation.genai.openai"
    spans_per_request = SPANS_PER_REQUEST

    def __init__(self, rng: random.Random, start_ns: int) -> None:
        self._rng = rng
        self.now = start_ns
        self._day = datetime.fromtimestamp(start_ns // 10**9, UTC).replace(minute=0, second=0, microsecond=0)
        # 400 distinct usages: real ones repeat less, but then pricing them here would take longer than storing them.
        self._usages = [self._usage() for _ in range(400)]
        self.cost = Decimal(0)
        self.input_tokens = self.output_tokens = 0

    def request(self) -> bytes:
        request = ExportTraceServiceRequest()
        resource_spans = request.resource_spans.add()
        resource = {
            "service.name": "shop-assistant",
            "service.version": "1.4.2",
            "deployment.environment.name": "production",
            "host.name": "worker-7",
            "telemetry.sdk.language": "python",
            "telemetry.sdk.name": "opentelemetry",
            "telemetry.sdk.version": "1.45.2",
        }
        resource_spans.resource.attributes.extend(attributes(resource))
        scope_spans = resource_spans.scope_spans.add(schema_url="https://opentelemetry.io/schemas/1.37.0")
        scope_spans.scope.name, scope_spans.scope.version = self.scope, "1.3b0"
        for _ in range(self.spans_per_request // SPANS_PER_TRACE):
            self._trace(scope_spans.spans)
        return request.SerializeToString()

    def _trace(self, spans: object) -> None:
        trace_id, root_id = self._rng.randbytes(16), self._rng.randbytes(8)
        session, user = f"conversation-{self._rng.randrange(5000)}", f"user-{self._rng.randrange(800)}"
        root = self._span(spans, trace_id, root_id, b"", "invoke_agent shop-assistant", Span.SPAN_KIND_INTERNAL)
        root.attributes.extend(attributes(self._agent(session, user)))
        self._embedding(spans, trace_id, root_id)
        for i in range(3):
            provider, asked, answered = self._rng.choice(_MODELS)
            self._chat(spans, trace_id, root_id, provider, asked, answered, session, calls_tool=i < 2)
            if i < 2:
                self._tool(spans, trace_id, root_id)
        self._failure(spans, trace_id, root_id)

    def _agent(self, session: str, user: str) -> dict[str, object]:
        return {
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.agent.name": "shop-assistant",
            "gen_ai.conversation.id": session,
            "user.id": user,
            "gen_ai.input.messages": self._messages("user", 40),
            "gen_ai.output.messages": self._messages("assistant", 40),
        }

    def _chat(
        self, spans: object, trace_id: bytes, parent: bytes, provider: str, asked: str, answered: str, session: str,
        *, calls_tool: bool,
    ) -> None:  # fmt: skip
        span = self._span(spans, trace_id, self._rng.randbytes(8), parent, f"chat {asked}", Span.SPAN_KIND_CLIENT)
        usage = self._rng.choice(self._usages)
        self._count(provider, answered, usage)
        span.attributes.extend(
            attributes(
                {
                    "gen_ai.operation.name": "chat",
                    "gen_ai.provider.name": provider,
                    "gen_ai.request.model": asked,
                    "gen_ai.response.model": answered,
                    "gen_ai.response.id": f"chatcmpl-{self._rng.getrandbits(96):024x}",
                    "gen_ai.response.finish_reasons": ["tool_calls" if calls_tool else "stop"],
                    "gen_ai.conversation.id": session,
                    "gen_ai.request.temperature": 0.2,
                    "gen_ai.request.max_tokens": 1024,
                    "gen_ai.request.stream": not calls_tool,
                    "server.address": f"api.{provider}.com",
                    "server.port": 443,
                    "gen_ai.usage.input_tokens": usage["input_tokens"],
                    "gen_ai.usage.output_tokens": usage["output_tokens"],
                    "gen_ai.usage.cache_read.input_tokens": usage["cache_read_tokens"],
                    "gen_ai.input.messages": self._messages("user", 150),
                    "gen_ai.output.messages": self._answer(calls_tool),
                }
            )
        )
        if not calls_tool:
            took = (span.end_time_unix_nano - span.start_time_unix_nano) / 1e9
            span.attributes.extend(attributes({"gen_ai.response.time_to_first_chunk": took * 0.3}))

    def _tool(self, spans: object, trace_id: bytes, parent: bytes) -> None:
        span = self._span(
            spans, trace_id, self._rng.randbytes(8), parent, "execute_tool look_up_order", Span.SPAN_KIND_INTERNAL
        )
        span.attributes.extend(
            attributes(
                {
                    "gen_ai.operation.name": "execute_tool",
                    "gen_ai.tool.name": "look_up_order",
                    "gen_ai.tool.type": "function",
                    "gen_ai.tool.call.id": f"call_{self._rng.getrandbits(64):016x}",
                    "gen_ai.tool.call.arguments": json.dumps({"order_id": self._text(3)}),
                    "gen_ai.tool.call.result": json.dumps({"status": self._text(150)}),
                }
            )
        )
        span.events.add(name="cache.miss", time_unix_nano=span.start_time_unix_nano + 1000).attributes.extend(
            attributes({"cache.key": self._text(2), "cache.size": self._rng.randrange(1000)})
        )

    def _embedding(self, spans: object, trace_id: bytes, parent: bytes) -> None:
        provider, model = EMBEDDING
        span = self._span(spans, trace_id, self._rng.randbytes(8), parent, f"embeddings {model}", Span.SPAN_KIND_CLIENT)
        usage = {"input_tokens": self._rng.randrange(1, 200)}
        self._count(provider, model, usage)
        span.attributes.extend(
            attributes(
                {
                    "gen_ai.operation.name": "embeddings",
                    "gen_ai.provider.name": provider,
                    "gen_ai.request.model": model,
                    "gen_ai.response.model": model,
                    "gen_ai.usage.input_tokens": usage["input_tokens"],
                    "shop.query": self._text(60),
                }
            )
        )

    def _failure(self, spans: object, trace_id: bytes, parent: bytes) -> None:
        span = self._span(spans, trace_id, self._rng.randbytes(8), parent, "chat gpt-4o", Span.SPAN_KIND_CLIENT)
        span.attributes.extend(
            attributes(
                {
                    "gen_ai.operation.name": "chat",
                    "gen_ai.provider.name": "openai",
                    "gen_ai.request.model": "gpt-4o",
                    "error.type": "RateLimitError",
                    "gen_ai.input.messages": self._messages("user", 120),
                }
            )
        )
        span.status.code, span.status.message = 2, "Error code: 429 - rate limit reached"
        span.events.add(name="exception", time_unix_nano=span.end_time_unix_nano).attributes.extend(
            attributes(
                {"exception.type": "RateLimitError", "exception.message": "429", "exception.stacktrace": self._text(60)}
            )
        )

    def _span(self, spans: object, trace_id: bytes, span_id: bytes, parent: bytes, name: str, kind: int) -> Span:
        self.now += 2_000_000
        end = self.now + self._rng.randrange(10**6, 3 * 10**9)
        return spans.add(  # type: ignore[attr-defined, no-any-return]
            trace_id=trace_id, span_id=span_id, parent_span_id=parent, name=name, kind=kind, flags=0x101,
            start_time_unix_nano=self.now, end_time_unix_nano=end,
        )  # fmt: skip

    def _usage(self) -> dict[str, int]:
        cached = self._rng.randrange(0, 1500)
        return {
            "input_tokens": cached + self._rng.randrange(50, 3000),
            "output_tokens": self._rng.randrange(1, 900),
            "cache_read_tokens": cached,
        }

    def _count(self, provider: str, model: str, usage: dict[str, int]) -> None:
        self.cost += _price(provider, model, tuple(sorted(usage.items())), self._day)
        self.input_tokens += usage["input_tokens"]
        self.output_tokens += usage.get("output_tokens", 0)

    def _text(self, words: int) -> str:
        return " ".join(self._rng.choices(_WORDS, k=words))

    def _messages(self, role: str, words: int) -> str:
        return json.dumps([{"role": role, "parts": [{"type": "text", "content": self._text(words)}]}])

    def _answer(self, calls_tool: bool) -> str:
        part: dict[str, object] = {"type": "text", "content": self._text(90)}
        if calls_tool:
            call_id = f"call_{self._rng.getrandbits(64):016x}"
            part = {
                "type": "tool_call",
                "id": call_id,
                "name": "look_up_order",
                "arguments": {"order_id": self._text(3)},
            }
        return json.dumps([{"role": "assistant", "parts": [part], "finish_reason": "stop"}])
