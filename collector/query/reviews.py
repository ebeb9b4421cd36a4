"""Feedback and approvals of a trace, from wherever they came: those given over an API, and those that spans carry.

Pure: rows as `collector.query.reader` describes them in, rows of the same fields as `collector.query.editor.Feedback` and
`Approval` out. Which evaluations and attributes are reviews is configured: `query.attributes.reviews`.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from collector.json_text import json_value, render
from collector.query.content import span_content
from collector.query.reader import Row
from collector.settings_attributes import Attributes

OTLP = "otlp"
"""The source of what came with the spans."""

EVALUATION = "gen_ai.evaluation.result"
"""The event of the OpenTelemetry GenAI conventions."""

_POSITIVE = frozenset({"positive", "thumbs_up", "thumbs-up", "up", "like", "good"})
_NEGATIVE = frozenset({"negative", "thumbs_down", "thumbs-down", "down", "dislike", "bad"})

# The keys of a chat message that is text alone; what a model thought before it spoke is no part of its answer.
_TEXT_ONLY = frozenset({"role", "content", "reasoning", "finish_reason", "name"})


def attribute(span: Row, names: Sequence[str]) -> Any:
    """Return the first of these attributes that the span has; None if it has none."""
    attributes = span["attributes"]
    return next((attributes[name] for name in names if attributes.get(name) is not None), None)


def shown_output(span: Row, attributes: Attributes) -> Any:
    """Return the output of a span as reviewers see it, which is what approved outputs are compared with.

    An answer that is one message of text is that text, and JSON where the text is an object or a list: what a program
    takes from a model, whatever the instrumentation wraps around it. All else is as in `span_content`.
    """
    if span["output"]:
        return _answer(span["kind"], span["output"])
    value = attribute(span, attributes.artanis.output)
    return _answer(span["kind"], value) if isinstance(value, str) else value


def trace_approvals(spans: Sequence[Row], stored: Sequence[Row], attributes: Attributes) -> dict[str, dict[str, Any]]:
    """Return the approvals of a trace by span id, `output` as a JSON value. One given over an API is the later one."""
    found: dict[str, dict[str, Any]] = {}
    for span in spans:
        value = attribute(span, attributes.reviews.approved_output)
        if isinstance(value, str):
            value = _approved(value, span, attributes)
        if value is not None:
            found[span["span_id"]] = {
                "span_id": span["span_id"],
                "output": value,
                "user_id": _reviewer(span, attributes),
                "created_at": _end(span),
            }
    return found | {row["span_id"]: {**row, "output": json_value(row["output"])} for row in stored}


def trace_feedback(
    trace_id: str, spans: Sequence[Row], stored: Sequence[Row], attributes: Attributes
) -> list[dict[str, Any]]:
    """Return the feedback on a trace by time, then id."""
    carried = [each for span in spans for each in _carried(trace_id, span, attributes)]
    by_id = {row["feedback_id"]: dict(row) for row in (*carried, *stored)}
    return sorted(by_id.values(), key=lambda row: (row["created_at"], row["feedback_id"]))


def _answer(kind: str, text: str) -> Any:
    value = span_content(kind, text, "assistant")
    is_conversation = kind != "TOOL" and isinstance(value, dict) and value.keys() == {"messages"}
    messages = value["messages"] if is_conversation else None
    if isinstance(messages, list) and len(messages) == 1 and isinstance(messages[0], dict):
        content = messages[0].get("content")
        if isinstance(content, str) and messages[0].keys() <= _TEXT_ONLY:
            return _structure(content)
    return value


def _structure(text: str) -> Any:
    """Return the object or list that the text is, or the text: an answer "5" is no number."""
    value = json_value(text) if text.lstrip()[:1] in ("{", "[") else text
    return value if isinstance(value, dict | list) else text


def _approved(text: str, span: Row, attributes: Attributes) -> Any:
    """Return an approved output that came as text, in the form that the output has."""
    value = _answer(span["kind"], text)
    is_text = isinstance(shown_output(span, attributes), str)
    return text if is_text and not isinstance(value, str | dict | list) else value


def _carried(trace_id: str, span: Row, attributes: Attributes) -> Iterator[dict[str, Any]]:
    """Yield the feedback among the evaluations of a span. Its id is made of what it says, so it is always the same."""
    for evaluation in (*span["evaluations"], *_evaluation_events(span)):
        if evaluation["name"] not in attributes.reviews.feedback:
            continue
        label, text = _label(evaluation["label"]), evaluation["label"]
        said = {
            "trace_id": trace_id,
            "span_id": span["span_id"],
            "user_id": evaluation.get("user_id") or _reviewer(span, attributes),
            "label": label,
            "score": evaluation["score"],
            "content": evaluation["explanation"],
            # What is neither of both labels is not lost.
            "tags": [] if label or not text else [text],
            "source": OTLP,
            "created_at": evaluation.get("time") or _end(span),
        }
        name = b"spanledger:feedback:" + render([evaluation["name"], *said.values()])
        yield {"feedback_id": str(uuid.uuid5(uuid.NAMESPACE_URL, name.decode())), **said}


def _evaluation_events(span: Row) -> Iterator[dict[str, Any]]:
    """Yield the evaluations that are events of the span itself."""
    for event in span["events"]:
        if event["name"] == EVALUATION:
            said = event["attributes"]
            yield {
                "name": _text(said, "gen_ai.evaluation.name"),
                "score": _number(said.get("gen_ai.evaluation.score.value")),
                "label": _text(said, "gen_ai.evaluation.score.label"),
                "explanation": _text(said, "gen_ai.evaluation.explanation"),
                "user_id": _text(said, "user.id") or _text(said, "enduser.id"),
                "time": event["time"],
            }


def _label(text: str) -> str:
    word = text.strip().lower()
    return "positive" if word in _POSITIVE else "negative" if word in _NEGATIVE else ""


def _reviewer(span: Row, attributes: Attributes) -> str:
    value = attribute(span, attributes.reviews.reviewer)
    return "" if value is None else str(value)


def _end(span: Row) -> int:
    end: int = span["end_time"] or span["start_time"]
    return end


def _text(said: Mapping[str, Any], key: str) -> str:
    value = said.get(key)
    return "" if value is None else value if isinstance(value, str) else render(value).decode()


def _number(value: Any) -> float | None:
    try:
        number = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None
