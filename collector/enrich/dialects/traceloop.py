"""OpenLLMetry: the instrumentations and the SDK of Traceloop, now and before they followed the semantic conventions.

Sources: traceloop-sdk and instrumentations 0.62.4 and 0.40.14, opentelemetry-semantic-conventions-ai 0.5.1.

- Before (until 2025): prompts and completions are an attribute for each leaf, ``gen_ai.prompt.0.content``; tokens are
  `gen_ai.usage.prompt_tokens` and `llm.usage.total_tokens`; the kind of a call is `llm.request.type`, where `completion`
  may be a chat as well. A stream of Anthropic's reports no usage.
- Now: the conventions, with a total and `gen_ai.usage.reasoning_tokens` besides. The definitions of Anthropic's tools are as
  Anthropic has them. The streams of Anthropic's (0.62.4) report an output token too many, that of the first event.
- Input tokens include cached ones, in the earliest releases of the instrumentation of Anthropic they do not; the total tells.
- The SDK wraps functions in spans (`traceloop.span.kind`), whose arguments and result are JSON text; LangChain's callbacks
  put more around them.
- Association properties stand on every span; those that name a session or a user are that.
- Vector databases are queried in spans of their own: what was found are events.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from collector.enrich.dialects.dialect import Dialect
from collector.enrich.dialects.indexed import conventional_messages, indexed_messages, operation_of_completion
from collector.enrich.messages import canonical_messages
from collector.enrich.span_view import SpanView
from collector.json_text import json_value

ASSOCIATION = "traceloop.association.properties."
_AROUND = frozenset({"inputs", "input_str", "outputs", "output", "tags", "metadata", "kwargs"})
"""What LangChain's callbacks put around the content of a step."""
_HAVE_COLUMNS = frozenset({"session_id", "user_id"})
_FRAMEWORKS = frozenset({"langchain", "crewai", "llama_index", "llamaindex", "haystack", "litellm"})


def read(view: SpanView) -> Mapping[str, Any]:
    """Return messages in every form that OpenLLMetry has had, the content of functions, and association properties."""
    found = conventional_messages(view) | indexed_messages(view)
    if view.text("llm.request.type") == "completion":
        found["operation"] = operation_of_completion(view)
    if "traceloop.span.kind" in view.attributes:
        found |= _function(view)
    if "gen_ai.guardrail.name" in view.attributes:
        found |= {"kind": "GUARDRAIL", **_moved(view, "gen_ai.guardrail.input", "gen_ai.guardrail.output")}
    properties = {key.removeprefix(ASSOCIATION): value for key, value in view.prefixed(ASSOCIATION)}
    found["metadata"] = {name: value for name, value in properties.items() if name not in _HAVE_COLUMNS and value != ""}
    provider = view.text("gen_ai.provider.name", "gen_ai.system")
    if provider is not None and provider.lower() in _FRAMEWORKS:
        named = properties.get("ls_provider")
        found["provider"] = named if isinstance(named, str) else ""
    return found


def _function(view: SpanView) -> dict[str, Any]:
    """A function that the SDK wrapped, or a step of LangChain's: what it was given and returned, and its name."""
    kind, name = view.text("traceloop.span.kind"), view.text("traceloop.entity.name")
    found: dict[str, Any] = {}
    given, returned = view.get("traceloop.entity.input"), view.get("traceloop.entity.output")
    if given is not None:
        found["input"] = _content(view, "traceloop.entity.input", given, ("inputs", "input_str"), "user")
    if returned is not None:
        found["output"] = _content(view, "traceloop.entity.output", returned, ("outputs", "output"), "assistant")
    if kind == "agent" and view.text("gen_ai.agent.name") is None:
        found["agent_name"] = name
    if kind == "tool":
        found |= _tool(view, name, found)
    return found


def _tool(view: SpanView, name: str | None, found: Mapping[str, Any]) -> dict[str, Any]:
    named = {} if view.text("gen_ai.tool.name") is not None else {"tool_name": name}
    return {**named, **_result(found.get("output"))}


def _result(answer: Any) -> dict[str, Any]:
    """The result of a tool that LangChain put into a message, and which call it answers."""
    message = answer[0] if isinstance(answer, list) and len(answer) == 1 and isinstance(answer[0], dict) else {}
    parts = message.get("parts")
    part = parts[0] if isinstance(parts, list) and len(parts) == 1 and isinstance(parts[0], dict) else {}
    if part.get("type") != "tool_call_response":
        return {}
    call_id = part.get("id")
    return {"output": part.get("response"), "tool_call_id": call_id if isinstance(call_id, str) and call_id else None}


def _content(view: SpanView, key: str, value: Any, names: tuple[str, ...], role: str) -> Any:
    """The content of a function: messages where it is messages, else as it was sent.

    LangChain's callbacks put it under a name beside others; the whole then stays an attribute.
    """
    whole = json_value(value) if isinstance(value, str) and value[:1] == "{" else None
    inner: Any = None
    if isinstance(whole, dict) and "kwargs" in whole and whole.keys() <= _AROUND:
        inner = next((whole[name] for name in names if whole.get(name) is not None), None)
    if inner is None:
        view.moved.add(key)
        return value
    spoken = inner.get("messages", [inner]) if isinstance(inner, dict) else inner
    if isinstance(spoken, list) and all(isinstance(each, dict) and ("lc" in each or "role" in each) for each in spoken):
        return canonical_messages(inner, role) or inner
    return inner


def _moved(view: SpanView, given: str, returned: str) -> dict[str, Any]:
    found = {"input": view.get(given), "output": view.get(returned)}
    view.moved.update(key for key, value in ((given, found["input"]), (returned, found["output"])) if value is not None)
    return found


def read_database(view: SpanView) -> Mapping[str, Any]:
    """Return what a vector database found, which it says in events."""
    documents = [_document(attributes) for name, _, attributes in view.events if name in _RESULTS]
    return {**read(view), "output": [document for document in documents if document] or None}


_RESULTS = ("db.query.result", "db.search.result")


def _document(attributes: Mapping[str, Any]) -> dict[str, Any]:
    document: dict[str, Any] = {}
    for key, value in attributes.items():
        name = key.rpartition(".result.")[2]
        is_encoded = name in ("score", "distance", "metadata") and isinstance(value, str)
        if value not in (None, ""):
            document["content" if name == "document" else name] = json_value(value) if is_encoded else value
    return document


_LIBRARIES = (
    "agno", "alephalpha", "anthropic", "bedrock", "cohere", "crewai", "google_generativeai", "groq", "haystack", "langchain",
    "litellm", "llamaindex", "mcp", "mistralai", "ollama", "openai.v0", "openai.v1", "openai_agents", "replicate", "sagemaker",
    "together", "transformers", "vertexai", "voyageai", "watsonx", "writer",
)  # fmt: skip
_DATABASES = ("chromadb", "lancedb", "marqo", "milvus", "pinecone", "qdrant", "weaviate")
_QUERIES = (
    "query", "search", "hybrid_search", "query_points", "query_batch_points", "search_batch", "recommend", "discover", "get",
    "peek", "retrieve", "scroll", "fetch",
)  # fmt: skip

DIALECT = Dialect(
    name="traceloop",
    scopes=(
        "traceloop.*",
        "@traceloop/*",
        *(f"opentelemetry.instrumentation.{library}" for library in _LIBRARIES),
    ),
    markers=("traceloop.*",),
    inclusive=None,
    kinds={
        "workflow": "CHAIN",
        "task": "CHAIN",
        "agent": "AGENT",
        "tool": "TOOL",
        "chat": "LLM",
        "completion": "LLM",
        "embedding": "EMBEDDING",
        "rerank": "RERANKER",
    },
    operations={
        "chat": "chat",
        "embedding": "embeddings",
        "rerank": "rerank",
        "agent": "invoke_agent",
        "tool": "execute_tool",
        "workflow": "invoke_workflow",
        "task": "execute_task",
    },
    text={
        "kind_name": ("traceloop.span.kind", "llm.request.type"),
        "session_id": (f"{ASSOCIATION}session_id",),
        "user_id": (f"{ASSOCIATION}user_id", "gen_ai.user", "llm.user"),
        "prompt_name": ("traceloop.prompt.key",),
        "prompt_version": ("traceloop.prompt.version",),
    },
    tokens={
        "total_tokens": ("gen_ai.usage.total_tokens", "llm.usage.total_tokens"),
        "cache_read_tokens": ("gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.cache_read_input_tokens"),
        "cache_write_tokens": ("gen_ai.usage.cache_creation.input_tokens", "gen_ai.usage.cache_creation_input_tokens"),
        "reasoning_tokens": ("gen_ai.usage.reasoning_tokens", "llm.usage.reasoning_tokens"),
    },
    content={"input": ("gen_ai.tool.input",), "output": ("gen_ai.tool.output",)},
    lists={
        "finish_reasons": (
            "gen_ai.response.finish_reasons",
            "gen_ai.response.finish_reason",
            "gen_ai.response.stop_reason",
            "llm.response.finish_reason",
            "llm.response.stop_reason",
        )
    },
    flags={"streaming": ("gen_ai.is_streaming", "llm.is_streaming")},
    read=read,
)

DATABASES = replace(
    DIALECT,
    scopes=tuple(f"opentelemetry.instrumentation.{library}" for library in _DATABASES),
    markers=(),
    kinds=dict.fromkeys(_QUERIES, "RETRIEVER"),
    operations=dict.fromkeys(_QUERIES, "retrieval"),
    text={**DIALECT.text, "kind_name": ("db.operation",)},
    read=read_database,
)
"""Instrumentations of vector databases: what queries is a RETRIEVER, what only writes is none."""
