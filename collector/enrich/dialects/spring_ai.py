"""Spring AI (1.0 to 2.0), whose spans carry the scope of every span of a Spring Boot application.

Source: the observation conventions of spring-projects/spring-ai.

- A chat client and its advisors are the operation `framework`: they wrap the model call, whose name they do not know.
- Numbers are texts, as Micrometer writes all values; usage is passed on as the provider counts it.
- Content is in events `gen_ai.content.prompt` and `.completion`, or in attributes of the same meaning; of tools and vector
  stores in attributes of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from collector.enrich.dialects.dialect import Dialect
from collector.enrich.dialects.reading import said, said_text
from collector.enrich.messages import canonical_messages
from collector.enrich.span_view import SpanView


def read(view: SpanView) -> Mapping[str, Any]:
    """Return messages that stand in attributes, and the documents that a vector store found."""
    found: dict[str, Any] = {}
    if question := said_text(view, "gen_ai.prompt", "spring.ai.chat.client.input"):
        found["input"] = canonical_messages(question, "user")
    if answer := said_text(view, "gen_ai.completion", "spring.ai.chat.client.output"):
        found["output"] = canonical_messages(answer, "assistant")
    documents = said(view, "db.vector.query.response.documents")
    if isinstance(documents, list):
        found["output"] = [each if isinstance(each, dict) else {"content": str(each)} for each in documents]
    elif documents is not None:
        found["output"] = documents
    return found


DIALECT = Dialect(
    name="spring_ai",
    scopes=("org.springframework.boot", "org.springframework.ai*"),
    markers=("spring.ai.*",),
    passes_on=True,
    kinds={"chat_client": "CHAIN", "advisor": "CHAIN", "tool_call": "TOOL", "vector_store": "RETRIEVER"},
    text={
        "kind_name": ("spring.ai.kind",),
        "session_id": ("gen_ai.conversation.id", "spring.ai.chat.client.conversation.id", "session.id"),
        "tool_name": ("gen_ai.tool.name", "spring.ai.tool.definition.name"),
    },
    content={
        "input": ("gen_ai.input.messages", "spring.ai.tool.call.arguments", "db.vector.query.content"),
        "output": ("gen_ai.output.messages", "spring.ai.tool.call.result"),
    },
    flags={"streaming": ("gen_ai.request.stream", "spring.ai.chat.client.stream")},
    read=read,
)
