"""Galtea's attributes, by hand from its package (its own spans leave it as JSON, not by OTLP)."""

from __future__ import annotations

import json

import pytest

from tests.unit.enrich.building import only
from tests.unit.enrich.dialects.expected import facts


@pytest.mark.parametrize(
    ("kind_name", "kind"),
    [
        ("GENERATION", "LLM"),
        ("AGENT", "AGENT"),
        ("TOOL", "TOOL"),
        ("CHAIN", "CHAIN"),
        ("RETRIEVER", "RETRIEVER"),
        ("EVALUATOR", "EVALUATOR"),
        ("EMBEDDING", "EMBEDDING"),
        ("GUARDRAIL", "GUARDRAIL"),
        ("SPAN", "OTHER"),
        ("EVENT", "OTHER"),
        ("SOMETHING", "OTHER"),
    ],
)
@pytest.mark.parametrize("key", ["galtea.span.type", "galtea.trace.type"])
def test_the_type_decides_the_kind(key: str, kind_name: str, kind: str) -> None:
    assert only({key: kind_name})["kind"] == kind


def test_input_and_output_are_content_and_the_session_is_the_spans() -> None:
    row = only(
        {
            "galtea.trace.type": "TOOL",
            "galtea.trace.input": json.dumps({"user_id": "123"}),
            "galtea.trace.output": "plain",
            "galtea.session.custom_id": "conversation 7",
        }
    )
    assert (row["dialect"], row["session_id"]) == ("galtea", "conversation 7")
    assert (json.loads(row["input"]), row["output"]) == ({"user_id": "123"}, "plain")
    assert not {key for key, _, _ in row["attributes"]} & {"galtea.trace.input", "galtea.trace.output"}


def test_a_model_call_of_the_conventions_stays_one() -> None:
    row = only(
        {"galtea.inference_result.id": "ir_1", "gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o"}
    )
    assert (row["kind"], row["request_model"]) == ("LLM", "gpt-4o")


def test_every_other_dialect_is_kept_beside_it() -> None:
    row = only({"galtea.trace.type": "TOOL", "openinference.span.kind": "LLM"})
    assert facts(row)["dialect"] == "openinference"
    assert row["kind"] == "LLM"


def test_what_the_instrumentation_captured_stands_and_galteas_attributes_stay_attributes() -> None:
    said = json.dumps([{"role": "user", "parts": [{"type": "text", "content": "the prompt"}]}])
    row = only(
        {
            "gen_ai.operation.name": "chat",
            "gen_ai.input.messages": said,
            "galtea.span.input": json.dumps({"user_id": "123"}),
            "galtea.span.output": "what came out",
        }
    )
    assert json.loads(row["input"]) == json.loads(said)
    assert row["output"] == "what came out"
