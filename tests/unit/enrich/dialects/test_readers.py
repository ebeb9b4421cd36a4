"""Readers of all dialects: whatever a sender puts into an attribute, they return what they may, and raise nothing.

What a reader returns goes into columns of the whole batch, so one value of a wrong type would cost all of its spans.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from collector.enrich.detection import detect
from collector.enrich.dialects import DIALECTS, Dialect
from collector.enrich.kinds import KINDS
from collector.enrich.rows import CONTENTS, FIELDS, LISTS, OBJECTS, TEXTS
from collector.enrich.span_view import SpanView
from collector.json_text import json_value
from tests.unit.enrich.building import START, Sent, decoded, enriched, rows
from tests.unit.enrich.dialects.captured import RECORDED
from tests.unit.enrich.dialects.expected import facts

HOSTILE: tuple[Any, ...] = (
    *(
        "",
        "null",
        "3",
        "-1",
        "1e999",
        "NaN",
        '""',
        "[]",
        "{}",
        "[null]",
        "[[[3]]]",
        '[{"a": null}]',
        "'unclosed",
        "[" * 300,
    ),
    *('{"role": 3, "content": {"content": 4}}', '{"messages": 3, "usage": [], "model": [], "id": {}}', "{'a': (1,)}"),
    *('{"choices": [3, {"message": 4}], "usage": {"prompt_tokens": {}, "prompt_tokens_details": 5}}', '{"tools": "x"}'),
    *(
        '{"generations": [[{"message": {"kwargs": {"response_metadata": 3, "usage_metadata": 4}}}]]}',
        '{"total": "much"}',
    ),
    *('{"openai": {"usage": {"input_tokens": "x"}}}', '{"anthropic": {"usage": [], "cacheReadInputTokens": {}}}'),
    *('{"input_tokens": 1.5, "input_token_details": [1]}', '[{"event.name": 3}, {"event.name": "gen_ai.choice"}]'),
    *(0, -(2**63), 1.5, float("nan"), True, [], {}, [None], [[]], {"a": None}, {"role": {}}, ["{", "3"]),
)


@cache
def recorded() -> list[tuple[Dialect, dict[str, Any]]]:
    """The attributes of one recorded span of each dialect and kind, the one that has most of them."""
    found: dict[tuple[str, str], tuple[Dialect, dict[str, Any]]] = {}
    for path in sorted(RECORDED.glob("*.binpb")):
        for dialect, name, attributes in spans_of(path):
            known = found.get((dialect.name, name))
            if dialect.read is not None and attributes and (known is None or len(known[1]) < len(attributes)):
                found[dialect.name, name] = dialect, attributes
    return list(found.values())


def spans_of(path: Path) -> Iterator[tuple[Dialect, str, dict[str, Any]]]:
    payload = path.read_bytes()
    request = ExportTraceServiceRequest.FromString(payload)
    ends = [s.end_time_unix_nano for r in request.resource_spans for scope in r.scope_spans for s in scope.spans]
    spans = decoded(payload, max(ends))
    for code, row in zip(detect(spans).codes.tolist(), rows(spans), strict=True):
        values = {key: json_value(value) if kind == "json" else value for key, kind, value in row["attributes"]}
        yield DIALECTS[code], row["name"].split()[0], values


def view(attributes: dict[str, Any]) -> SpanView:
    return SpanView(
        name="span", scope="", scope_version="", start_time=START, attributes=attributes, keys=tuple(attributes)
    )


def check(found: Any) -> None:
    """What a reader may return: see `rows.FIELDS`."""
    told = {name: value for name, value in found.items() if value is not None}
    assert told.keys() <= FIELDS.keys()
    assert all(isinstance(told[name], str) for name in told.keys() & set(TEXTS))
    assert all(isinstance(each, str) for name in told.keys() & set(LISTS) for each in told[name])
    assert all(isinstance(told[name], dict) for name in told.keys() & set(OBJECTS))
    assert all(isinstance(key, str) for name in told.keys() & set(OBJECTS) for key in told[name])
    assert all(isinstance(told[name], bool) for name in told.keys() & {"streaming", "inclusive"})
    assert isinstance(told.get("cost_reported", 0.0), float)
    assert isinstance(told.get("time_to_first_token_ns", 0), int)
    assert told.get("kind", "OTHER") in KINDS


@pytest.mark.parametrize("hostile", HOSTILE, ids=lambda value: str(value)[:30])
def test_no_reader_fails_or_returns_what_it_may_not_whatever_an_attribute_holds(hostile: Any) -> None:
    for dialect, attributes in recorded():
        assert dialect.read is not None
        check(dialect.read(view(dict.fromkeys(attributes, hostile))))
        for key in attributes:
            check(dialect.read(view({**attributes, key: hostile})))


def test_what_a_reader_takes_out_of_the_attributes_is_content() -> None:
    for dialect, attributes in recorded():
        assert dialect.read is not None
        span = view(attributes)
        found = dialect.read(span)
        filled = [name for name in CONTENTS if found.get(name) is not None]
        assert bool(span.moved) <= bool(filled), (dialect.name, span.moved)


def test_an_odd_value_in_one_span_leaves_the_others_as_they_are() -> None:
    spans = [Sent(attributes) for _, attributes in recorded()]
    plain = list(map(facts, enriched(*spans)))
    odd = [Sent({**attributes, next(iter(attributes)): [None]}) for _, attributes in recorded() if attributes]
    assert list(map(facts, enriched(*spans, *odd)))[: len(spans)] == plain


def test_a_number_beyond_64_bits_is_no_count() -> None:
    details = '{"input": 1e30, "output": 99999999999999999999999}'
    (row,) = map(facts, enriched(Sent({"langfuse.observation.usage_details": details})))
    assert row["usage_problem"] == "not_a_number"


def test_half_of_a_surrogate_pair_is_replaced_wherever_a_reader_finds_it() -> None:
    """JavaScript programs cut texts between the halves; UTF-8 has no form for one, and Arrow refuses it."""
    answer = '{"choices": [{"finish_reason": "\\ud800", "message": {"role": "assistant", "content": "\\ud800"}}]}'
    found, step = enriched(
        Sent({"mlflow.spanType": '"LLM"', "mlflow.llm.model": '"m\\ud800"', "mlflow.spanOutputs": answer}),
        Sent({"mlflow.spanType": '"AGENT"', "mlflow.spanOutputs": '"t\\udfff"', "mlflow.traceTag.a": "b"}),
    )
    assert (found["response_model"], found["finish_reasons"], step["output"]) == ("m\ufffd", ["\ufffd"], "t\ufffd")
    assert facts(found)["output"][0]["parts"] == [{"type": "text", "content": "\ufffd"}]
