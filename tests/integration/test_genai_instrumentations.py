"""The published GenAI instrumentations on their clients: what they export is enriched to the last digit.

Their spans go the way that an exporter sends them: encoded to OTLP bytes, decoded, enriched, rolled up.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import anthropic
import openai
import pyarrow as pa
import pytest
from genai_prices import Usage, calc_price
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.instrumentation.genai.anthropic import AnthropicInstrumentor
from opentelemetry.instrumentation.genai.langchain import LangChainInstrumentor
from opentelemetry.instrumentation.genai.openai import OpenAIInstrumentor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from collector.batch import SpanBatch
from collector.decode import Limits, decode_spans
from collector.enrich import PriceBook, enrich
from exporters.clickhouse.rollup import roll_up
from exporters.clickhouse.table import records_table, spans_of_traces
from tests.demo.model_server import ANSWER, ModelServer

FIRST_CHUNK_DELAY = 0.05
"""Seconds for which the model server says nothing before it streams."""

QUESTION = "Where is my order?"
TOOL = {
    "type": "function",
    "function": {
        "name": "look_up_order",
        "parameters": {"type": "object", "properties": {"order_id": {"type": "string"}}},
    },
}
CALLED = [{"id": "call_lookup_1", "name": "look_up_order", "arguments": '{"order_id":"A-1001"}'}]

TOKENS = (
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
    "input_audio_tokens",
    "output_audio_tokens",
    "cache_read_audio_tokens",
    "input_image_tokens",
    "output_image_tokens",
)
CHAT_TOKENS = {"input_tokens": 100, "output_tokens": 20, "cache_read_tokens": 60, "reasoning_tokens": 5}
MESSAGES_TOKENS = {"input_tokens": 610, "output_tokens": 20, "cache_read_tokens": 500, "cache_write_tokens": 100}

OPENAI = "opentelemetry.instrumentation.genai.openai"
ANTHROPIC = "opentelemetry.instrumentation.genai.anthropic"
ANTHROPIC_OWN = "com.anthropic.sdk.python"
LANGCHAIN = "opentelemetry.instrumentation.genai.langchain"

Row = dict[str, Any]


@pytest.fixture(scope="module")
def book() -> PriceBook:
    return PriceBook.load()


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Messages are captured; nothing goes through a proxy or to a tracing service."""
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "SPAN_ONLY")
    monkeypatch.setenv("LANGSMITH_TRACING", "false")
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def model_server() -> Iterator[ModelServer]:
    with ModelServer(FIRST_CHUNK_DELAY) as server:
        yield server


class App:
    """An instrumented app, whose spans can be had as the collector stores them."""

    def __init__(self, provider: TracerProvider, exporter: InMemorySpanExporter, book: PriceBook) -> None:
        self.tracer = provider.get_tracer("app")
        self._exporter = exporter
        self._book = book

    def batch(self) -> SpanBatch:
        """Return the enriched batch of all spans that have ended, in the order of their ends."""
        spans: Sequence[ReadableSpan] = self._exporter.get_finished_spans()
        payload = encode_spans(spans).SerializeToString()
        now = max(span.end_time or 0 for span in spans)
        decoded = decode_spans(payload, project="default", received_at=now, limits=Limits())
        assert (decoded.rejections.count, sum(decoded.cuts.values())) == (0, 0)
        return enrich(decoded.batch, self._book)

    def rows(self) -> list[Row]:
        """Return its rows by start time; times are in ns since the epoch."""
        found: list[Row] = in_integers(self.batch()).to_pylist()
        return sorted(found, key=lambda row: row["start_time"])

    def trace(self) -> Row:
        """Return the row of its one trace, rolled up as when it is stored."""
        rolled_up = roll_up(spans_of_traces(records_table(self.batch())), {})
        (row,) = rolled_up.drop_columns([name for name in rolled_up.column_names if name.endswith("_time")]).to_pylist()
        return row


def in_integers(batch: SpanBatch) -> pa.Table:
    """Return the columns with times as integers."""
    columns = dict(zip(batch.columns.schema.names, batch.columns.columns, strict=True))
    times = {name: columns[name].cast(pa.int64()) for name in ("start_time", "end_time")}
    return pa.table(columns | times)


@pytest.fixture
def app(book: PriceBook) -> Callable[..., Any]:
    """Return a context manager: an app under these instrumentors."""

    @contextmanager
    def instrumented(*instrumentors: Any) -> Iterator[App]:
        exporter = InMemorySpanExporter()
        resource = Resource({"service.name": "shop", "deployment.environment.name": "test", "service.version": "7"})
        provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(exporter))
        # LangChain's instrumentor asks for the package langchain, but what it wraps is all in langchain-core.
        for instrumentor in instrumentors:
            instrumentor.instrument(tracer_provider=provider, skip_dep_check=True)
        try:
            with pytest.MonkeyPatch.context() as patch:
                # Anthropic's client asks for the provider of the process, which can be set only once.
                patch.setattr(trace, "get_tracer_provider", lambda: provider)
                yield App(provider, exporter, book)
        finally:
            for instrumentor in instrumentors:
                instrumentor.uninstrument()
            provider.shutdown()

    return instrumented


def price(model: str, provider: str, at: datetime, **usage: int) -> Decimal:
    """Return what genai-prices says, at 12 decimal places."""
    found = calc_price(Usage(**usage), model, provider_id=provider, genai_request_timestamp=at)
    return found.total_price.quantize(Decimal("1e-12"))


def assert_model_call(row: Row, *, kind: str = "LLM", provider: str, model: str, tokens: dict[str, int]) -> None:
    """Check all that a successful model call must say about itself, the cost against genai-prices."""
    assert (row["kind"], row["provider"], row["span_kind"]) == (kind, provider, "CLIENT")
    assert row["response_model"] == model
    assert {name: row[name] for name in TOKENS if row[name] is not None} == tokens
    assert row["token_basis"] == "inclusive_scope"
    usage = {name: tokens[name] for name in tokens if name != "reasoning_tokens"}
    at = datetime.fromtimestamp(row["start_time"] // 10**9, UTC)
    assert row["cost_total"] == price(model, provider, at, **usage)
    assert row["cost_total"] == row["cost_input"] + row["cost_output"]
    assert (row["cost_source"], row["unpriced_reason"], row["price_provider"]) == ("computed", "", provider)
    assert row["price_version"].startswith("genai-prices")
    assert (row["error"], row["error_type"]) == ("", "")
    assert row["latency_ns"] == row["end_time"] - row["start_time"] > 0
    assert (row["service_name"], row["environment"], row["release"]) == ("shop", "test", "7")


def texts(content: str) -> list[tuple[str, str]]:
    """Return role and text of every message."""
    return [(message["role"], part["content"]) for message in json.loads(content) for part in message["parts"]]


def test_a_chat_of_the_openai_client(app: Any, model_server: ModelServer) -> None:
    with app(OpenAIInstrumentor()) as shop, openai.OpenAI(api_key="x", base_url=model_server.openai_url) as client:
        client.chat.completions.create(
            model="gpt-4o",
            messages=[{"role": "system", "content": "Be kind."}, {"role": "user", "content": QUESTION}],
        )
        (row,) = shop.rows()
    assert_model_call(row, provider="openai", model="gpt-4o-2024-08-06", tokens=CHAT_TOKENS)
    assert row["cost_total"] == Decimal("0.000375")
    assert (row["scope_name"], row["name"], row["parent_span_id"]) == (OPENAI, "chat gpt-4o", "")
    assert (row["operation"], row["request_model"], row["response_id"]) == ("chat", "gpt-4o", "chatcmpl-demo-1")
    assert texts(row["input"]) == [("system", "Be kind."), ("user", QUESTION)]
    assert texts(row["output"]) == [("assistant", ANSWER)]
    assert (row["finish_reasons"], row["tool_calls"], row["time_to_first_token_ns"]) == (["stop"], [], None)


def test_a_streamed_chat_has_its_usage_and_the_time_to_its_first_token(app: Any, model_server: ModelServer) -> None:
    with app(OpenAIInstrumentor()) as shop, openai.OpenAI(api_key="x", base_url=model_server.openai_url) as client:
        for _ in client.chat.completions.create(
            model="gpt-4o",
            messages=[{"role": "user", "content": QUESTION}],
            stream=True,
            stream_options={"include_usage": True},
        ):
            pass
        (row,) = shop.rows()
    assert_model_call(row, provider="openai", model="gpt-4o-2024-08-06", tokens=CHAT_TOKENS)
    assert FIRST_CHUNK_DELAY * 10**9 <= row["time_to_first_token_ns"] <= row["latency_ns"]
    assert texts(row["output"]) == [("assistant", ANSWER)]


def test_a_chat_that_asks_for_a_tool(app: Any, model_server: ModelServer) -> None:
    with app(OpenAIInstrumentor()) as shop, openai.OpenAI(api_key="x", base_url=model_server.openai_url) as client:
        messages: Any = [{"role": "user", "content": QUESTION}]
        tools: Any = [TOOL]
        client.chat.completions.create(model="gpt-4o", messages=messages, tools=tools)
        (row,) = shop.rows()
    assert_model_call(row, provider="openai", model="gpt-4o-2024-08-06", tokens=CHAT_TOKENS)
    assert (row["tool_calls"], row["finish_reasons"]) == (CALLED, ["tool_calls"])
    assert [definition["name"] for definition in json.loads(row["tool_definitions"])] == ["look_up_order"]


def test_embeddings_of_the_openai_client(app: Any, model_server: ModelServer) -> None:
    with app(OpenAIInstrumentor()) as shop, openai.OpenAI(api_key="x", base_url=model_server.openai_url) as client:
        client.embeddings.create(model="text-embedding-3-small", input=QUESTION)
        (row,) = shop.rows()
    assert_model_call(
        row, kind="EMBEDDING", provider="openai", model="text-embedding-3-small", tokens={"input_tokens": 8}
    )
    assert row["cost_total"] == Decimal("0.00000016")


def test_a_call_that_fails_says_why_and_costs_nothing_that_anybody_knows(app: Any, model_server: ModelServer) -> None:
    with (
        app(OpenAIInstrumentor()) as shop,
        openai.OpenAI(api_key="x", base_url=model_server.openai_url, max_retries=0) as client,
    ):
        with pytest.raises(openai.InternalServerError):
            client.chat.completions.create(model="gpt-4o-broken", messages=[{"role": "user", "content": QUESTION}])
        (row,) = shop.rows()
        rolled_up = shop.trace()
    assert (row["kind"], row["status_code"], row["response_model"]) == ("LLM", "ERROR", "")
    assert row["error"] == "Error code: 500 - The server had an error while processing your request."
    assert row["error_type"] == "openai.InternalServerError"
    assert {row[name] for name in TOKENS} == {None}
    assert (row["cost_total"], row["cost_source"], row["unpriced_reason"]) == (None, "", "")
    assert texts(row["input"]) == [("user", QUESTION)]
    assert (rolled_up["status"], rolled_up["error_count"], rolled_up["cost_total"]) == ("ERROR", 1, None)
    assert rolled_up["unpriced_spans"] == 0


@pytest.mark.filterwarnings("ignore:The model 'claude-sonnet-4-5' is deprecated:DeprecationWarning")
def test_an_anthropic_message_is_reported_by_two_layers_and_billed_once(app: Any, model_server: ModelServer) -> None:
    with (
        app(AnthropicInstrumentor()) as shop,
        anthropic.Anthropic(api_key="x", base_url=model_server.url) as client,
    ):
        with shop.tracer.start_as_current_span("turn"):
            client.messages.create(
                model="claude-sonnet-4-5",
                max_tokens=64,
                system="Be kind.",
                messages=[{"role": "user", "content": QUESTION}],
            )
        turn, outer, own = shop.rows()
        rolled_up = shop.trace()
    assert [row["scope_name"] for row in (turn, outer, own)] == ["app", ANTHROPIC, ANTHROPIC_OWN]
    assert [row["parent_span_id"] for row in (turn, outer, own)] == ["", turn["span_id"], outer["span_id"]]
    assert turn["kind"] == "OTHER"
    for row in (outer, own):
        assert_model_call(row, provider="anthropic", model="claude-sonnet-4-5-20250929", tokens=MESSAGES_TOKENS)
        assert row["cost_total"] == Decimal("0.000855")
        assert (row["request_model"], row["response_id"]) == ("claude-sonnet-4-5", "msg_demo_1")
    assert texts(outer["input"]) == [("user", QUESTION)]
    assert texts(outer["output"]) == [("assistant", ANSWER)]
    assert json.loads(outer["system_instructions"]) == [{"type": "text", "content": "Be kind."}]
    assert outer["finish_reasons"] == ["stop"]
    counted = {name: rolled_up[name] for name in ("input_tokens", "output_tokens", "cost_total", "unpriced_spans")}
    assert counted == {
        "input_tokens": 610,
        "output_tokens": 20,
        "cost_total": Decimal("0.000855"),
        "unpriced_spans": 0,
    }
    assert (rolled_up["span_count"], rolled_up["status"], rolled_up["name"]) == (3, "COMPLETED", "turn")


def test_an_anthropic_message_that_fails_is_an_error_in_both_layers(app: Any, model_server: ModelServer) -> None:
    with (
        app(AnthropicInstrumentor()) as shop,
        anthropic.Anthropic(api_key="x", base_url=model_server.url, max_retries=0) as client,
    ):
        with pytest.raises(anthropic.InternalServerError):
            client.messages.create(model="gpt-4o-broken", max_tokens=64, messages=[{"role": "user", "content": "hi"}])
        outer, own = shop.rows()
    assert (outer["scope_name"], own["scope_name"]) == (ANTHROPIC, ANTHROPIC_OWN)
    assert [row["kind"] for row in (outer, own)] == ["LLM", "LLM"]
    assert outer["error"].startswith("Error code: 500 - ")
    assert outer["error_type"] == "anthropic.InternalServerError"
    assert (own["error"], own["error_type"]) == ("server_error", "server_error")
    assert (outer["cost_source"], own["cost_source"]) == ("", "")


def test_a_langchain_workflow_with_its_model_and_its_tool(app: Any, model_server: ModelServer) -> None:
    @tool
    def look_up_order(order_id: str) -> str:
        """Look up an order."""
        return f"{order_id} is packed"

    with app(LangChainInstrumentor()) as shop:
        model = ChatOpenAI(model="gpt-4o", base_url=model_server.openai_url, api_key="x")  # type: ignore[arg-type]
        prompt = ChatPromptTemplate.from_messages([("system", "Be kind."), ("human", "{question}")])
        with shop.tracer.start_as_current_span("turn"):
            answer = (prompt | model.bind_tools([look_up_order])).invoke({"question": QUESTION})
            look_up_order.invoke(answer.tool_calls[0])
            for _ in model.stream(QUESTION, stream_usage=True):
                pass
        turn, workflow, chat, execution, stream = shop.rows()
        rolled_up = shop.trace()
    assert {row["scope_name"] for row in (workflow, chat, execution, stream)} == {LANGCHAIN}
    parents = [row["parent_span_id"] for row in (workflow, chat, execution, stream)]
    assert parents == [turn["span_id"], workflow["span_id"], turn["span_id"], turn["span_id"]]
    assert [row["kind"] for row in (turn, workflow, execution)] == ["OTHER", "CHAIN", "TOOL"]
    for row in (chat, stream):
        assert_model_call(row, provider="openai", model="gpt-4o-2024-08-06", tokens=CHAT_TOKENS)
    assert texts(chat["input"]) == [("system", "Be kind."), ("user", QUESTION)]
    assert (chat["tool_calls"], chat["finish_reasons"]) == (CALLED, ["tool_calls"])
    assert FIRST_CHUNK_DELAY * 10**9 <= stream["time_to_first_token_ns"] <= stream["latency_ns"]
    assert chat["time_to_first_token_ns"] is None
    assert (execution["tool_name"], execution["tool_call_id"]) == ("look_up_order", "call_lookup_1")
    assert json.loads(execution["input"]) == {"order_id": "A-1001"}
    assert execution["output"] == "A-1001 is packed"
    assert (rolled_up["input_tokens"], rolled_up["cost_total"]) == (200, Decimal("0.00075"))


def test_a_langchain_call_that_the_openai_instrumentation_sees_too_is_billed_once(
    app: Any, model_server: ModelServer
) -> None:
    with app(LangChainInstrumentor(), OpenAIInstrumentor()) as shop:
        model = ChatOpenAI(model="gpt-4o", base_url=model_server.openai_url, api_key="x")  # type: ignore[arg-type]
        model.invoke(QUESTION)
        found = shop.rows()
        rolled_up = shop.trace()
    assert {row["kind"] for row in found} == {"LLM"}
    assert {row["cost_total"] for row in found} == {Decimal("0.000375")}
    assert (rolled_up["input_tokens"], rolled_up["cost_total"]) == (100, Decimal("0.000375"))
