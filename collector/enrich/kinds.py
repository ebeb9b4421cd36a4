"""The kind of a span, from a table of operations; never guessed from the span's name.

Source: the values of `gen_ai.operation.name` in the GenAI semantic conventions and those met besides them.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from collector.batch import SpanBatch, pick
from collector.enrich.detection import Detected

KINDS = ("OTHER", "AGENT", "LLM", "TOOL", "RETRIEVER", "CHAIN", "EMBEDDING", "RERANKER", "GUARDRAIL", "EVALUATOR")

MODEL_CALLS = ("LLM", "EMBEDDING", "RERANKER")
"""Kinds that are a call of a model: what a provider bills. All others can only repeat the usage of such calls."""

KIND_OF_OPERATION = {
    "chat": "LLM",
    "chat.completions": "LLM",
    "text_completion": "LLM",
    "generate_content": "LLM",
    "completion": "LLM",
    "generate": "LLM",
    "response": "LLM",
    "llm_call": "LLM",
    "llm_request": "LLM",
    "model_request": "LLM",
    "responses": "LLM",
    "text_completions": "LLM",
    "text.completions": "LLM",
    "image": "LLM",
    "audio": "LLM",
    "speech_to_text": "LLM",
    "text_to_speech": "LLM",
    "realtime": "LLM",
    "embeddings": "EMBEDDING",
    "embedding": "EMBEDDING",
    "rerank": "RERANKER",
    "retrieval": "RETRIEVER",
    "search_memory": "RETRIEVER",
    "memory.search": "RETRIEVER",
    "vectordb": "RETRIEVER",
    "vector_db_retrieve": "RETRIEVER",
    "execute_tool": "TOOL",
    "tool_call": "TOOL",
    # A method of the Model Context Protocol; the others (tools/list, initialize) are OTHER.
    "tools/call": "TOOL",
    "create_agent": "AGENT",
    "invoke_agent": "AGENT",
    "agent_call": "AGENT",
    # Azure's agent service runs the model by itself: these report what a whole run used.
    "start_thread_run": "AGENT",
    "process_thread_run": "AGENT",
    "invoke_workflow": "CHAIN",
    "plan": "CHAIN",
    "agent_step": "CHAIN",
    "execute_task": "CHAIN",
    "schedule_tool_calls": "CHAIN",
    "execute_event_loop_cycle": "CHAIN",
    "invoke_swarm": "CHAIN",
    "invoke_graph": "CHAIN",
    "invoke_node": "CHAIN",
    "framework": "CHAIN",
    "user_prompt": "CHAIN",
    "system_prompt": "CHAIN",
    "moderation": "GUARDRAIL",
    "litellm.moderation": "GUARDRAIL",
    "judge": "EVALUATOR",
    # Asks again for a response that another span paid for.
    "fetch_response": "OTHER",
}

OTHER_MEDIA = pa.array([
    "image", "audio", "speech_to_text", "text_to_speech", "speech_to_text_translate",
    "image_generation", "aimage_generation", "transcription", "atranscription", "speech", "aspeech", "litellm.passthrough",
    "ai.generatespeech", "ai.transcribe", "ai.streamtranscribe",
    "tts", "stt",
])  # fmt: skip
"""Operations, names of kinds and of spans, in lower case, of model calls (LLM) that need not read and write text."""


def announcements(batch: SpanBatch) -> npt.NDArray[np.bool_]:
    """Return which spans only say that another has started, as Logfire sends them: with an id of their own, the attributes
    that the other had at its start, and as its child.

    They are kept, for of a process that died they are all there is; their kind is OTHER, so that no call appears twice.
    """
    if SPAN_TYPE not in batch.attributes.keys:
        return np.zeros(len(batch), bool)
    pending = pc.equal(pick(batch, SPAN_TYPE, "string"), "pending_span")
    marked: npt.NDArray[np.bool_] = pending.fill_null(False).to_numpy(zero_copy_only=False)
    return marked


SPAN_TYPE = "logfire.span_type"


def kinds(
    detected: Detected,
    *,
    operation: pa.StringArray,
    kind_name: pa.StringArray,
    name: pa.StringArray,
    reports_usage: npt.NDArray[np.bool_],
    announces: npt.NDArray[np.bool_],
) -> pa.StringArray:
    """Return the kind of every span.

    What its dialect calls its kind decides, then the span names that the dialect documents, then the operation. A span
    with none of these that reports token usage is a model call (LLM): that is what older instrumentations send. An
    operation that the table does not know is OTHER, and so is a span that only announces another.
    """
    codes = pc.coalesce(
        _looked_up(operation, KIND_OF_OPERATION, "OTHER"),
        pa.array(np.where(reports_usage, KINDS.index("LLM"), KINDS.index("OTHER")).astype(np.int32)),
    )
    for dialect, mask in detected.present():
        if not (dialect.kinds or dialect.kinds_of_names):
            continue
        own = pc.coalesce(
            _looked_up(pc.utf8_lower(kind_name), dialect.kinds), _looked_up(name, dialect.kinds_of_names), codes
        )
        codes = own if mask is None else pc.if_else(pa.array(mask), own, codes)
    if announces.any():
        codes = pc.if_else(pa.array(announces), pa.scalar(KINDS.index("OTHER"), pa.int32()), codes)
    return pa.array(KINDS).take(codes)


def are_told(
    detected: Detected, *, operation: pa.StringArray, kind_name: pa.StringArray, name: pa.StringArray
) -> npt.NDArray[np.bool_]:
    """Return which spans are model calls (LLM) by what they say they are, and not only because they report usage."""
    nothing = np.zeros(len(name), bool)
    told = kinds(
        detected, operation=operation, kind_name=kind_name, name=name, reports_usage=nothing, announces=nothing
    )
    is_call: npt.NDArray[np.bool_] = pc.equal(told, "LLM").to_numpy(zero_copy_only=False)
    return is_call


def of_other_media(
    *, operation: pa.StringArray, kind_name: pa.StringArray, name: pa.StringArray
) -> npt.NDArray[np.bool_]:
    """Return which spans are of `OTHER_MEDIA`."""
    found = np.zeros(len(name), bool)
    for column in (operation, kind_name, name):
        found |= pc.is_in(pc.utf8_lower(column), value_set=OTHER_MEDIA).to_numpy(zero_copy_only=False)
    return found


def operations(detected: Detected, *, operation: pa.StringArray, kind_name: pa.StringArray) -> pa.StringArray:
    """Return the operation of every span: its own, else the one that its dialect's name for its kind stands for."""
    for dialect, mask in detected.present():
        if not dialect.operations:
            continue
        encoded = pc.utf8_lower(kind_name).dictionary_encode()
        names = [dialect.operations.get(name) for name in encoded.dictionary.to_pylist()]
        own = pc.coalesce(operation, pa.array(names, pa.string()).take(encoded.indices))
        operation = own if mask is None else pc.if_else(pa.array(mask), own, operation)
    return operation


def _looked_up(column: pa.StringArray, table: Mapping[str, str], otherwise: str | None = None) -> pa.Int32Array:
    """Positions in `KINDS` of what the table has for each value; null for null, and for what it does not have."""
    encoded = column.dictionary_encode()
    found = [table.get(value, otherwise) for value in encoded.dictionary.to_pylist()]
    return pa.array([kind and KINDS.index(kind) for kind in found], pa.int32()).take(encoded.indices)
