"""Ids of traces and spans, in the forms that requests have them in."""

from __future__ import annotations

import uuid

import pytest

from collector.query import span_ids
from collector.query.span_ids import span_id_of, trace_id_of
from tests.unit.query.rows import ROOT_ID, TRACE_ID, TRACE_UUID

SPAN_UUID = "0af76519-16cd-443b-87ad-6b7169203331"


@pytest.mark.parametrize("text", [TRACE_ID, TRACE_UUID, TRACE_ID.upper(), TRACE_UUID.upper()])
def test_a_trace_id_is_known_in_every_form(text: str) -> None:
    assert trace_id_of(text) == TRACE_ID


@pytest.mark.parametrize("text", [ROOT_ID, ROOT_ID.upper(), SPAN_UUID, SPAN_UUID.upper(), SPAN_UUID.replace("-", "")])
def test_a_span_id_is_known_in_every_form(text: str) -> None:
    assert span_id_of(TRACE_ID, text) == ROOT_ID


def test_the_uuid_of_a_span_looks_like_a_random_one() -> None:
    assert span_ids.span_uuid(TRACE_ID, ROOT_ID) == SPAN_UUID
    assert uuid.UUID(SPAN_UUID).version == 4
    assert span_ids.span_uuid(TRACE_ID, "") == ""


@pytest.mark.parametrize(
    "text",
    ["", "x", "0" * 15, "0" * 17, "0" * 31, "0" * 33, f"{{{TRACE_UUID}}}", f"urn:uuid:{TRACE_UUID}", f"{TRACE_ID}\n",
     "\u0660" * 32, TRACE_UUID.replace("-", "").replace("0", "g"), "' OR 1=1 --", "\x00" * 32, "\ud800" * 16],
)  # fmt: skip
def test_what_is_no_id_is_none(text: str) -> None:
    assert trace_id_of(text) is None
    assert span_id_of(TRACE_ID, text) is None


@pytest.mark.parametrize(
    "text",
    [
        TRACE_UUID,
        SPAN_UUID.replace("-4", "-5", 1),
        SPAN_UUID.replace("-8", "-9", 1),
        span_ids.span_uuid("f" * 32, ROOT_ID),
    ],
)
def test_a_uuid_that_is_of_no_span_of_the_trace_is_none(text: str) -> None:
    assert span_id_of(TRACE_ID, text) is None
