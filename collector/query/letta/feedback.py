"""What people think of a step: kept as feedback on its span, one of this API's for each."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from collector.query.editor import Feedback
from collector.query.letta.parameters import FeedbackChange
from collector.query.reader import Row

SOURCE = "letta"


@dataclass(frozen=True)
class Verdict:
    """What a step shows of the feedback on its span."""

    label: str | None
    """positive or negative: what came by this API, or else the latest."""
    tags: Sequence[str]
    """Those of all feedback on the span."""


NO_VERDICT = Verdict(None, ())


def feedback_id(project: str, row: Row) -> str:
    """Return the id under which this API keeps feedback on a span: always the same one."""
    name = f"spanledger:{SOURCE}:feedback:{project}:{row['trace_id']}:{row['span_id']}"
    return str(uuid.uuid5(uuid.NAMESPACE_URL, name))


def verdict(project: str, row: Row, given: Sequence[Row]) -> Verdict:
    """Return what a step shows. `given` is feedback by time, also on other spans."""
    own, on_span = feedback_id(project, row), [each for each in given if _is_on(each, row)]
    labelled = sorted((each for each in on_span if each["label"]), key=lambda each: bool(each["feedback_id"] == own))
    tags = dict.fromkeys(tag for each in on_span for tag in each["tags"])
    return Verdict(labelled[-1]["label"] if labelled else None, tuple(tags))


def changed(project: str, row: Row, given: Sequence[Row], change: FeedbackChange) -> Feedback | None:
    """Return this API's feedback on a span after a change, without its time; None if nothing is left of it."""
    own = feedback_id(project, row)
    before: Any = next((each for each in given if each["feedback_id"] == own), None)
    label = change.feedback or "" if "feedback" in change.model_fields_set else before["label"] if before else ""
    tags = change.tags or () if "tags" in change.model_fields_set else before["tags"] if before else ()
    if not label and not tags:
        return None
    return Feedback(
        feedback_id=own,
        trace_id=row["trace_id"],
        span_id=row["span_id"],
        label=label,
        tags=tuple(dict.fromkeys(tag for tag in tags if tag)),
        source=SOURCE,
    )


def _is_on(given: Row, row: Row) -> bool:
    return bool(given["span_id"] == row["span_id"] and given["trace_id"] == row["trace_id"])
