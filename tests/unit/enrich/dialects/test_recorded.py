"""What holds for every recorded request, whoever sent it."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

import collector.enrich
from collector.enrich.dialects import DIALECTS, GENAI
from collector.json_text import json_value, render
from tests.support.otlp import key_values
from tests.unit.enrich.dialects.captured import RECORDED, captured, received
from tests.unit.enrich.dialects.expected import QUESTION
from tests.unit.enrich.dialects.short import attributes

RECORDINGS = sorted(path.stem for path in RECORDED.glob("*.binpb"))
SENT_TWICE = ("litellm_v1_", "openinference_")
"""Senders of the provider's whole request besides the messages: it stays in the attributes."""


@pytest.mark.parametrize("name", RECORDINGS)
def test_a_recording_is_small_and_has_no_path_of_the_machine_that_made_it(name: str) -> None:
    recorded = (RECORDED / f"{name}.binpb").read_bytes()
    assert len(recorded) <= 20 * 1024
    for path in (b"/home/", b"/tmp/", b"/root/", b"site-packages", bytes(Path.home())):
        assert path not in recorded


@pytest.mark.parametrize("name", [name for name in RECORDINGS if not name.startswith(SENT_TWICE)])
def test_content_is_stored_once(name: str) -> None:
    for row in captured(name):
        for key, value in attributes(row).items():
            assert QUESTION not in str(value), key


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


def spans_of(request: ExportTraceServiceRequest) -> list[Any]:
    return [span for resource in request.resource_spans for scope in resource.scope_spans for span in scope.spans]


def mutilated(value: Any, data: st.DataObject) -> Any:
    """Put something else somewhere into a JSON value."""
    if not isinstance(value, dict | list) or not value or data.draw(st.integers(0, 3)) == 0:
        return data.draw(JSON)
    place = data.draw(st.sampled_from(sorted(value) if isinstance(value, dict) else range(len(value))))
    copy: Any = dict(value) if isinstance(value, dict) else list(value)
    copy[place] = mutilated(copy[place], data)
    return copy


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_reader_copes_with_any_value_anywhere(data: st.DataObject, caplog: pytest.LogCaptureFixture) -> None:
    request = ExportTraceServiceRequest.FromString(
        (RECORDED / f"{data.draw(st.sampled_from(RECORDINGS))}.binpb").read_bytes()
    )
    spans = spans_of(request)
    span = spans[data.draw(st.integers(0, len(spans) - 1))]
    for holder in [span, *span.events]:
        for attribute in holder.attributes:
            if data.draw(st.booleans()):
                value = mutilated(json_value(attribute.value.string_value), data)
                as_text = not isinstance(value, str) and data.draw(st.booleans())
                changed = {attribute.key: render(value).decode() if as_text else value}
                attribute.CopyFrom(key_values(changed)[0])
    with caplog.at_level(logging.ERROR):
        caplog.clear()
        received(request.SerializeToString())
    assert caplog.records == []


def test_every_dialect_but_the_conventions_has_some_way_to_be_recognised() -> None:
    assert all(dialect.scopes or dialect.markers for dialect in DIALECTS if dialect is not GENAI)


def test_the_readme_has_a_line_for_every_dialect() -> None:
    readme = (Path(collector.enrich.__file__).parent / "README.md").read_text()
    lines = re.findall(r"^\| `(\w+)` \|", readme, re.MULTILINE)
    assert {dialect.name for dialect in DIALECTS} <= set(lines)
