"""The Lasso view: the runs that filled the columns of a row to the documented JSON object.

Pure: rows as `collector.query.reader` describes them in, dictionaries out.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from collector.json_text import json_value, render
from collector.query.attributes import attribute
from collector.query.content import span_content
from collector.query.lasso.runs import Run
from collector.query.reader import Row
from collector.settings_attributes import LassoAttributes

Message = dict[str, Any]


def column_trace(run: Run, names: LassoAttributes) -> dict[str, Any]:
    """Return the documented object of the run that filled a column."""
    first = run.calls[0]
    asked = _messages(span_content("LLM", first["input"], "user", first["system_instructions"]), "user")
    answers = [_messages(span_content("LLM", call["output"], "assistant"), "assistant") for call in run.calls]
    models = [call["response_model"] or call["request_model"] for call in run.calls]
    return {
        "column_key": run.column,
        "model": next((model for model in reversed(models) if model), None),
        "confidence": _confidence(run.spans, names),
        "request": {
            "system_prompt": "\n".join(_texts(asked, "system", "developer")) or None,
            "user_content": next(reversed(_texts(asked, "user")), None),
            "tools": next((tools for call in run.calls if (tools := _listed(call["tool_definitions"]))), []),
        },
        "response": {
            "text": next((text for answer in reversed(answers) for text in _texts(answer, "assistant")), None),
            "iterations": len(run.calls),
            "tool_calls": [_tool_call(each) for call in run.calls for each in call["tool_calls"]],
            "thought_summary": _thoughts(run.spans, answers, names),
            "sources": _sources(run.spans, names),
        },
    }


def _messages(content: Any, role: str) -> list[Message]:
    """Return the chat messages of a span's content; anything else is one message of this role."""
    if isinstance(content, dict) and isinstance(content.get("messages"), list):
        return [message for message in content["messages"] if isinstance(message, dict)]
    return [] if content is None else [{"role": role, "content": content}]


def _texts(messages: Iterable[Message], *roles: str) -> list[str]:
    """Return the texts of the messages of these roles, those that have any; structured content as JSON."""
    contents = [message.get("content") for message in messages if message.get("role") in roles]
    return [content if isinstance(content, str) else render(content).decode() for content in contents if content]


def _tool_call(call: Row) -> dict[str, Any]:
    return {"id": call["id"] or None, "name": call["name"], "arguments": json_value(call["arguments"])}


def _thoughts(spans: Sequence[Row], answers: Iterable[Sequence[Message]], names: LassoAttributes) -> str | None:
    """Return what an attribute says, or else the reasoning of all answers, joined by newlines."""
    said = _last(spans, names.thought_summary)
    if isinstance(said, str):
        return said
    reasoning = (message.get("reasoning") for answer in answers for message in answer)
    return "\n".join(each for each in reasoning if isinstance(each, str) and each) or None


def _sources(spans: Sequence[Row], names: LassoAttributes) -> list[Any]:
    """Return what an attribute says, or else all documents that were retrieved."""
    said = _last(spans, names.sources)
    if said is not None:
        return _listed(said)
    return [document for span in spans if span["kind"] == "RETRIEVER" for document in _listed(span["output"])]


def _confidence(spans: Sequence[Row], names: LassoAttributes) -> float | None:
    """Return what an attribute says, or else an evaluation named confidence; None if it is not between 0 and 1."""
    said = _last(spans, names.confidence)
    if said is None:
        scores = [
            each["score"] for span in spans for each in span["evaluations"] if each["name"].lower() == "confidence"
        ]
        said = next((score for score in reversed(scores) if score is not None), None)
    try:
        value = math.nan if isinstance(said, bool | list | dict | None) else float(said)
    except (ValueError, OverflowError):
        return None
    return value if 0 <= value <= 1 else None


def _last(spans: Sequence[Row], names: Sequence[str]) -> Any:
    """Return the attribute of the last span that has it."""
    return next((found for span in reversed(spans) if (found := attribute(span, names)) is not None), None)


def _listed(value: Any) -> list[Any]:
    """Return a list: a text is parsed, and what is no list is the only element of one."""
    if isinstance(value, str):
        value = json_value(value) if value else None
    return [] if value is None else value if isinstance(value, list) else [value]
