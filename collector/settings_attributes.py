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


class Attributes(Section):
    """Names of span attributes, by documented API."""

    letta: LettaAttributes = LettaAttributes()
    artanis: ArtanisAttributes = ArtanisAttributes()
    galtea: GalteaAttributes = GalteaAttributes()
    lasso: LassoAttributes = LassoAttributes()
