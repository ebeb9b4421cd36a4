"""The section `query.attributes` of the configuration: where the documented APIs find what OpenTelemetry has no word for.

Each key lists names of span attributes, of which the first one that a span has counts. Keys that the store finds spans by
are marked; they apply to spans that arrive from then on.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer

from collector.settings_section import Section
from collector.settings_values import read_list, read_name

_Name = Annotated[str, BeforeValidator(read_name)]
Names = Annotated[tuple[_Name, ...], BeforeValidator(read_list), PlainSerializer(list, return_type=list[str])]


class LettaAttributes(Section):
    """A step is a model call."""

    step: Names = ("letta.step_id", "letta.step.id")
    """Spans are found by it. The id of the step; without it, one that is made of the ids of the span."""


class ArtanisAttributes(Section):
    """A span is a step of a pipeline."""

    step: Names = ("artanis.step_id",)
    """The name of the step; without it, the name of the span."""
    input: Names = ("artanis.input", "input.value")
    """The input of a span that has no content of its own."""
    output: Names = ("artanis.output", "output.value")
    """Likewise its output."""
    prompt_version: Names = ("artanis.prompt_version_id",)
    """The id of the version of the prompt; without it, one that is made of the prompt's name and version."""


class GalteaAttributes(Section):
    """What Galtea calls a trace is a span."""

    inference_result: Names = ("galtea.inference_result.id", "galtea.trace.id")
    """Spans are found by it."""


class LassoAttributes(Section):
    """The model calls behind one cell of a table."""

    table: Names = ("lasso.table_id",)
    row: Names = ("lasso.row_id",)
    """Spans are found by table and row."""
    column: Names = ("lasso.column_key",)


class ReviewAttributes(Section):
    """What people think of traces, as it comes with the spans."""

    feedback: Names = ("feedback", "user_feedback", "human_feedback")
    """Names of evaluations that are feedback, not of span attributes."""
    approved_output: Names = ("review.approved_output", "artanis.approved_output")
    """The output of the span as a reviewer wants it."""
    reviewer: Names = ("review.user_id", "artanis.user_id")
    """Who gave the feedback or the approval, where it does not say so itself."""


class Attributes(Section):
    """Names of span attributes, by documented API."""

    reviews: ReviewAttributes = ReviewAttributes()
    letta: LettaAttributes = LettaAttributes()
    artanis: ArtanisAttributes = ArtanisAttributes()
    galtea: GalteaAttributes = GalteaAttributes()
    lasso: LassoAttributes = LassoAttributes()
