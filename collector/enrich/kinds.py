"""The kind of a span, from a table of operations; never guessed from the span's name.

Source: the values of `gen_ai.operation.name` in the GenAI semantic conventions and those met besides them.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

KINDS = ("OTHER", "AGENT", "LLM", "TOOL", "RETRIEVER", "CHAIN", "EMBEDDING", "RERANKER", "GUARDRAIL", "EVALUATOR")

MODEL_CALLS = ("LLM", "EMBEDDING", "RERANKER")
"""Kinds that are a call of a model: what a provider bills. All others can only repeat the usage of such calls."""

KIND_OF_OPERATION = {
    "chat": "LLM",
    "text_completion": "LLM",
    "generate_content": "LLM",
    "completion": "LLM",
    "embeddings": "EMBEDDING",
    "rerank": "RERANKER",
    "retrieval": "RETRIEVER",
    "search_memory": "RETRIEVER",
    "execute_tool": "TOOL",
    "create_agent": "AGENT",
    "invoke_agent": "AGENT",
    "invoke_workflow": "CHAIN",
    "plan": "CHAIN",
    # Asks again for a response that another span paid for.
    "fetch_response": "OTHER",
}


def kinds(operation: pa.StringArray, reports_usage: pa.BooleanArray) -> pa.DictionaryArray:
    """Return the kind of every span.

    A span without an operation that reports token usage is a model call (LLM): that is what older instrumentations
    send. An operation that the table does not know is OTHER.
    """
    encoded = operation.dictionary_encode()
    named = [KINDS.index(KIND_OF_OPERATION.get(name, "OTHER")) for name in encoded.dictionary.to_pylist()]
    known = pa.array(named, pa.int32()).take(encoded.indices)
    llm, other = pa.scalar(KINDS.index("LLM"), pa.int32()), pa.scalar(0, pa.int32())
    codes = pc.coalesce(known, pc.if_else(reports_usage, llm, other))
    return pa.DictionaryArray.from_arrays(codes, pa.array(KINDS))
