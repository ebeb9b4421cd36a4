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
    agent: Names = ("letta.agent_id", "letta.agent.id", "gen_ai.agent.id")
    """Spans are found by it. The agent that made the call."""
    run: Names = ("letta.run_id", "letta.run.id")
    """The run that the step belongs to."""
    request: Names = ("letta.request_json",)
    """The body of the provider's request, as JSON text."""
    response: Names = ("letta.response_json",)
    """The body of the provider's response, as JSON text."""


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
    """Spans are found by it. The inference result that the span belongs to; without it, its OpenTelemetry trace."""
    type: Names = ("galtea.span.type", "galtea.trace.type")
    """The type of the span; without it, what its kind stands for."""
    description: Names = ("galtea.span.description", "galtea.trace.description")
    input: Names = ("galtea.span.input", "galtea.trace.input")
    """JSON, or text; without it, the input of the span."""
    output: Names = ("galtea.span.output", "galtea.trace.output")
    """JSON, or text; without it, the output of the span."""
    error: Names = ("galtea.span.error", "galtea.trace.error")
    """The text of the error; without it, the error of the span."""
    metadata: Names = ("galtea.span.metadata", "galtea.trace.metadata")
    """A JSON object that is shown with all other attributes."""


class LassoAttributes(Section):
    """The model calls behind one cell of a table."""

    table: Names = ("lasso.table_id",)
    row: Names = ("lasso.row_id",)
    """Spans are found by table and row."""
    column: Names = ("lasso.column_key",)
    confidence: Names = ("lasso.confidence",)
    """0 to 1; without it, the score of an evaluation named confidence."""
    thought_summary: Names = ("lasso.thought_summary",)
    """Without it, what the model said of its reasoning."""
    sources: Names = ("lasso.sources",)
    """A JSON list; without it, the documents that were retrieved."""


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

    def references(self) -> dict[str, tuple[Names, ...]]:
        """Return what spans are found by: for each kind the names of the attributes that make it, part by part."""
        return {
            "letta.step": (self.letta.step,),
            "letta.agent": (self.letta.agent,),
            "galtea.inference_result": (self.galtea.inference_result,),
            "lasso.row": (self.lasso.table, self.lasso.row),
        }
