"""LangSmith's OpenTelemetry export.

- ``gen_ai.prompt`` and ``gen_ai.completion`` are the whole inputs and outputs of a run as JSON: a provider's request and
  response, LangChain's messages and generations, or a function's arguments and ``{"output": result}``.
- The parts of the usage are the text of a Python dict, ``{'cache_read': 60}``, or stand in the metadata as JSON.
- ``gen_ai.operation.name`` of a retriever is ``embeddings``, and that of a prompt ``chat``: the type of the run comes first.
- ``gen_ai.system`` is guessed from the model's name, with ``langchain`` where that says nothing: ``ls_provider`` knows better.
- ``langsmith.trace.session_id`` and ``session_name`` are a project, not a session. Sessions are in the metadata.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from typing import Any

from collector.enrich.dialects.dialect import Dialect
from collector.enrich.dialects.model_call import (
    documents,
    finish_reasons,
    messages_or_value,
    parameters,
    read_request,
    read_response,
)
from collector.enrich.messages import tool_definitions
from collector.enrich.span_view import SpanView
from collector.enrich.usage_objects import langchain_details, langchain_usage
from collector.json_text import json_value

Found = dict[str, Any]

LONGEST_DICT = 4096
"""Characters of a Python dict that are parsed: usage details take some hundred."""

_METADATA = "langsmith.metadata."
_SESSIONS = ("session_id", "thread_id", "conversation_id")
_HAVE_COLUMNS = frozenset({*_SESSIONS, "user_id", "usage_metadata"})
_OF_LIBRARIES = ("ls_", "LANGSMITH_", "LANGCHAIN_")
"""How the metadata begin that no application gave."""
_NOTHING = {"output": None}
"""The outputs of a run that failed."""
_WHOLES = frozenset({"input_tokens", "output_tokens", "total_tokens", "inclusive"})
_PARAMETERS = ("temperature", "max_tokens", "stop")
_OPERATIONS = {"retriever": "retrieval", "prompt": "prompt"}
_EXCEPTION = re.compile(r"(\w+)\(")


def read(view: SpanView) -> Mapping[str, Any]:
    """Return what the attributes of one run hold as JSON or as the text of Python values."""
    run_type = view.text("langsmith.span.kind") or ""
    said = {key[len(_METADATA) :]: value for key, value in view.prefixed(_METADATA)}
    own = {
        name: value for name, value in said.items() if name not in _HAVE_COLUMNS and not name.startswith(_OF_LIBRARIES)
    }
    tags = view.text("langsmith.span.tags")
    found: Found = {
        "operation": _OPERATIONS.get(run_type),
        "metadata": {name: _structured(value) for name, value in own.items()} or None,
        "tags": [tag for tag in tags.split(", ") if tag] if tags else None,
        "error_type": _error_type(view),
        **_details(view),
    }
    content = _model_call(view, said) if run_type == "llm" else _step(view, run_type)
    if view.json("gen_ai.completion") == _NOTHING:
        view.moved.discard("gen_ai.completion")
        content["output"] = ""
    return {**content, **{name: value for name, value in found.items() if value is not None}}


def _structured(value: Any) -> Any:
    """Lists and objects are JSON texts; any other text is itself."""
    return json_value(value) if isinstance(value, str) and value[:1] in ("{", "[") else value


def _model_call(view: SpanView, said: Mapping[str, Any]) -> Found:
    """A model's request and response. Their counts are used where no attribute has them."""
    request, response = read_request(view.json("gen_ai.prompt")), read_response(view.json("gen_ai.completion"))
    for field, key, found in (("input", "gen_ai.prompt", request), ("output", "gen_ai.completion", response)):
        if field in found:
            view.moved.add(key)
    asked = {key: said[f"ls_{key}"] for key in _PARAMETERS if f"ls_{key}" in said}
    invocation = json_value(said["ls_invocation_params"]) if isinstance(said.get("ls_invocation_params"), str) else None
    asked |= invocation if isinstance(invocation, dict) else {}
    request["model_parameters"] = parameters(view, {**asked, **request.get("model_parameters", {})})
    if (tools := view.json("gen_ai.tool.definitions")) is not None and (definitions := tool_definitions(tools)):
        view.moved.add("gen_ai.tool.definitions")
        request["tool_definitions"] = definitions
    if view.get("gen_ai.usage.input_tokens") is not None:
        response = {name: value for name, value in response.items() if name not in _WHOLES}
    response["finish_reasons"] = response.get("finish_reasons") or finish_reasons(response.get("output")) or None
    if view.get("gen_ai.response.finish_reasons") is not None:
        del response["finish_reasons"]
    return {**request, **response}


def _step(view: SpanView, run_type: str) -> Found:
    """What a step of the application was given, and what it returned."""
    given, made = view.take("gen_ai.prompt"), view.take("gen_ai.completion")
    given, made = _alone(given, "input"), _alone(made, "output")
    if run_type == "retriever":
        given = _alone(given, "query")
        made = documents(_alone(made, "documents")) or made
    elif run_type == "tool":
        made = (
            _alone(made, "content")
            if not isinstance(made, Mapping) or "tool_call_id" not in made
            else made.get("content")
        )
    else:
        given, made = messages_or_value(given, "user"), messages_or_value(made, "assistant")
    return {"input": given, "output": made}


def _alone(value: Any, name: str) -> Any:
    """Return what an object holds under the one name that it has, if that is this; otherwise the object."""
    return value[name] if isinstance(value, Mapping) and value.keys() == {name} else value


def _details(view: SpanView) -> Found:
    """The parts of the usage."""
    of_input = _python_dict(view.text("gen_ai.usage.input_token_details"))
    of_output = _python_dict(view.text("gen_ai.usage.output_token_details"))
    if of_input is None and of_output is None:
        usage = view.json(_METADATA + "usage_metadata")
        found = langchain_usage(usage) if isinstance(usage, Mapping) else {}
    else:
        read, made = langchain_details(of_input, of_output)
        found = {**read, **made}
    found.pop("inclusive", None)
    return found


def _python_dict(text: str | None) -> Any:
    if not text or len(text) > LONGEST_DICT:
        return None
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return json_value(text)
    return value


def _error_type(view: SpanView) -> str | None:
    """The class of the error, which the export writes before its message: the exception itself is always ``Exception``."""
    if view.json("gen_ai.completion") not in (None, _NOTHING):
        return None
    for name, _, attributes in view.events:
        if name == "exception" and isinstance(message := attributes.get("exception.message"), str):
            begun = _EXCEPTION.match(message)
            return begun.group(1) if begun else None
    return None


DIALECT = Dialect(
    name="langsmith",
    scopes=("langsmith",),
    markers=("langsmith.span.kind", "langsmith.trace.*", "langsmith.metadata.*"),
    kinds={
        "llm": "LLM",
        "chain": "CHAIN",
        "tool": "TOOL",
        "retriever": "RETRIEVER",
        "embedding": "EMBEDDING",
        "prompt": "CHAIN",
        "parser": "CHAIN",
    },
    text={
        "kind_name": ("langsmith.span.kind",),
        "provider": ("langsmith.metadata.ls_provider",),
        "session_id": tuple(_METADATA + name for name in _SESSIONS),
        "user_id": (_METADATA + "user_id",),
        "service_tier": ("gen_ai.response.service_tier",),
    },
    flags={"streaming": ("langsmith.request.streaming",)},
    read=read,
)
