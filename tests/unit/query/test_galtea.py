"""The Galtea API: ids in every form, types, what stands in metadata, filters, orders and deletion."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from fastapi.testclient import TestClient

from collector.query.galtea.ids import asked
from collector.query.galtea.view import span_document
from collector.query.reader import Reference
from collector.settings_attributes import GalteaAttributes
from exporters.clickhouse.span_rows import span_uuid
from tests.unit.query.rows import ROOT_ID, START, TRACE_ID, application, bare_span_row, model_call_row
from tests.unit.query.spans import Deleting, StoredSpans

CHILD_ID = "00f067aa0ba902b7"


def document(**changes: Any) -> dict[str, Any]:
    return span_document(bare_span_row(**changes), GalteaAttributes())


def with_attributes(**attributes: Any) -> dict[str, Any]:
    return document(attributes={name.replace("__", "."): value for name, value in attributes.items()})


def row(trace: str, span: str, **changes: Any) -> dict[str, Any]:
    return bare_span_row(trace_id=trace, span_id=span, span_uuid=span_uuid(trace, span), **changes)


def client_of(*spans: dict[str, Any]) -> tuple[TestClient, StoredSpans]:
    store = StoredSpans(*spans)
    return TestClient(application(store, editor=Deleting(store)), base_url="http://test/galtea/"), store


@pytest.mark.parametrize(
    ("kind", "shown"),
    [
        ("AGENT", "AGENT"),
        ("LLM", "GENERATION"),
        ("TOOL", "TOOL"),
        ("RETRIEVER", "RETRIEVER"),
        ("RERANKER", "RETRIEVER"),
        ("CHAIN", "CHAIN"),
        ("EMBEDDING", "EMBEDDING"),
        ("GUARDRAIL", "GUARDRAIL"),
        ("EVALUATOR", "EVALUATOR"),
        ("OTHER", "SPAN"),
    ],
)
def test_the_kind_says_the_type(kind: str, shown: str) -> None:
    assert document(kind=kind)["type"] == shown


def test_an_attribute_says_the_type_and_one_that_is_none_is_kept_in_metadata() -> None:
    assert with_attributes(galtea__trace__type="EVENT")["type"] == "EVENT"
    assert with_attributes(galtea__span__type="tool", galtea__trace__type="AGENT")["type"] == "TOOL"
    unknown = with_attributes(galtea__span__type="Handoff")
    assert (unknown["type"], unknown["metadata"]["galtea.span.original_type"]) == ("SPAN", "Handoff")


def test_tokens_cost_and_model_are_in_metadata() -> None:
    shown = span_document(model_call_row(), GalteaAttributes())
    assert shown["type"] == "GENERATION"
    assert (
        shown["metadata"].items()
        >= {
            "model": "gpt-4o-2024-08-06",
            "provider": "openai",
            "temperature": 0.5,
            "max_tokens": 256,
            "inputTokens": 100,
            "outputTokens": 20,
            "cacheReadInputTokens": 60,
            "reasoningTokens": 5,
            "tokens": 120,
            "cost": 0.00045,
            "inputCost": 0.00025,
            "outputCost": 0.0002,
            "app.feature": "search",
        }.items()
    )
    assert shown["metadata"]["spanledger"].items() >= {"trace_id": TRACE_ID, "kind": "LLM"}.items()
    assert shown["metadata"]["spanledger"]["id"] == "trace_22222222-2222-4222-8222-222222222222"


def test_what_is_not_known_is_not_in_metadata() -> None:
    assert set(document()["metadata"]) == {"spanledger"}
    unpriced = document(input_tokens=5, unpriced_reason="unknown_model")["metadata"]
    assert "cost" not in unpriced
    assert unpriced["spanledger"]["unpriced_reason"] == "unknown_model"


def test_metadata_of_the_application_stands_and_what_it_hides_is_kept() -> None:
    shown = document(
        cost_total=Decimal("0.5"),
        metadata={"team": "a"},
        attributes={"galtea.trace.metadata": '{"cost": "high"}', "spanledger": "mine", "other": 1},
    )["metadata"]
    assert (shown["cost"], shown["team"], shown["other"]) == ("high", "a", 1)
    assert (shown["spanledger"]["cost"], shown["spanledger"]["attribute"]) == (0.5, "mine")
    assert "galtea.trace.metadata" not in shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", {}),
        ('{"a": 1}', {"a": 1}),
        ("[1, 2]", {"value": [1, 2]}),
        ("plain", {"value": "plain"}),
        ("7", {"value": 7}),
    ],
)
def test_data_is_an_object_whatever_it_was(text: str, shown: dict[str, Any]) -> None:
    assert document(input=text)["inputData"] == shown
    assert document(output=text)["outputData"] == shown
    if text:
        assert with_attributes(galtea__trace__input=text)["inputData"] == shown
        assert with_attributes(galtea__span__output=text)["outputData"] == shown


def test_messages_are_shown_with_the_system_instructions() -> None:
    shown = span_document(model_call_row(), GalteaAttributes())
    assert shown["inputData"] == {
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "What is the capital of France?"},
        ]
    }
    assert shown["outputData"]["messages"][0]["content"] == "Paris."


def test_times_are_rfc_3339_and_an_open_end_is_null() -> None:
    shown = document()
    assert shown["startTime"] == "2026-01-01T00:00:00.123456Z"
    assert shown["endTime"] == "2026-01-01T00:00:02.623456Z"
    assert shown["latencyMs"] == 2500
    assert document(end_time=None, latency_ns=None)["endTime"] is None


def test_without_an_inference_result_the_trace_is_one() -> None:
    assert document()["inferenceResultId"] == TRACE_ID
    assert with_attributes(galtea__trace__id=17)["inferenceResultId"] == "17"


@pytest.mark.parametrize("prefix", ["", "trace_"])
def test_a_span_is_found_by_its_id_in_every_form(prefix: str) -> None:
    client, _ = client_of(row(TRACE_ID, ROOT_ID))
    uuid = span_uuid(TRACE_ID, ROOT_ID)
    for form in (ROOT_ID, ROOT_ID.upper(), uuid, uuid.replace("-", ""), uuid.upper()):
        answer = client.get(f"traces/{prefix}{form}")
        assert (answer.status_code, answer.json()["id"]) == (200, f"trace_{ROOT_ID}")


@pytest.mark.parametrize(
    "hostile",
    ["trace_", "trace_'; DROP TABLE spans", "%00", "a" * 256, "trace_trace_00f067aa0ba902b7", "..%2f..", "{x}"],
)
def test_a_hostile_id_is_not_found(hostile: str) -> None:
    client, store = client_of(row(TRACE_ID, ROOT_ID))
    assert client.get(f"traces/{hostile}").status_code == 404
    assert client.get("traces", params={"ids[]": hostile}).status_code == 404
    assert not store.asked, "the store is not asked"


def test_of_two_spans_with_one_id_the_latest_is_shown_and_none_deleted() -> None:
    early, late = row("1" * 32, ROOT_ID), row("2" * 32, ROOT_ID, start_time=START + 1)
    client, _ = client_of(early, late)
    shown = client.get(f"traces/{ROOT_ID}").json()
    assert shown["inferenceResultId"] == "2" * 32
    refused = client.delete(f"traces/{ROOT_ID}")
    assert (refused.status_code, refused.json()["error"]) == (409, "Conflict")
    assert client.delete(f"traces/trace_{early['span_uuid']}").status_code == 200
    assert client.get(f"traces/{ROOT_ID}").json()["inferenceResultId"] == "2" * 32


def test_the_first_span_is_deleted_with_all_of_its_trace_and_one_in_the_middle_is_not() -> None:
    root, child = row(TRACE_ID, ROOT_ID), row(TRACE_ID, CHILD_ID, parent_span_id=ROOT_ID, start_time=START + 1)
    client, _ = client_of(root, child)
    refused = client.delete(f"traces/trace_{CHILD_ID}")
    assert refused.status_code == 409
    assert f"trace_{ROOT_ID}" in refused.json()["message"]
    assert client.get(f"traces/trace_{CHILD_ID}").status_code == 200
    assert client.delete(f"traces/trace_{ROOT_ID}").json() == {"message": "Trace deleted successfully"}
    for span in (ROOT_ID, CHILD_ID):
        assert client.get(f"traces/trace_{span}").status_code == 404
        assert client.delete(f"traces/trace_{span}").status_code == 404


def test_where_no_root_has_arrived_the_first_span_begins_the_trace() -> None:
    first, second = row(TRACE_ID, ROOT_ID, parent_span_id="f" * 16), row(TRACE_ID, CHILD_ID, parent_span_id=ROOT_ID)
    second["start_time"] += 1
    client, _ = client_of(first, second)
    assert client.delete(f"traces/{CHILD_ID}").status_code == 409
    assert client.delete(f"traces/{ROOT_ID}").status_code == 200


def test_every_parameter_reaches_the_store() -> None:
    client, store = client_of()
    client.get(
        "traces",
        params={
            "inferenceResultIds[]": ["ir_1", "x y", TRACE_ID],
            "sessionIds[]": ["s1", "s2"],
            "types[]": ["tool", "RETRIEVER"],
            "names[]": ["a b", "c&d"],
            "fromStartTime": "2024-01-01T00:00:00+00:00",
            "toStartTime": "2024-01-02T00:00:00Z",
            "sort[]": ["startTime", "desc"],
            "offset": 3,
            "limit": 5,
        },
    )
    (filters,) = store.asked
    named = [Reference("galtea.inference_result", each) for each in ("ir_1", "x y", TRACE_ID)]
    assert filters.references == (*named, Reference("trace", TRACE_ID))
    assert filters.session_ids == ("s1", "s2")
    assert filters.kinds == ("TOOL", "RETRIEVER", "RERANKER")
    assert filters.names == ("a b", "c&d")
    assert filters.started_after_ns == 1_704_067_200 * 10**9
    assert filters.started_before_ns == 1_704_153_600 * 10**9 + 1000
    assert (filters.sort_by, filters.descending, filters.offset, filters.limit) == ("start_time", True, 3, 5)


@pytest.mark.parametrize(
    ("query", "sort_by", "descending"),
    [
        ("", "start_time", True),
        ("inferenceResultIds[]=a", "start_time", False),
        ("sessionIds%5B%5D=a", "start_time", False),
        ("sort[]=createdAt,asc", "received_at", False),
        ("sort%5B%5D=latencyMs&sort%5B%5D=DESC", "latency", True),
        ("sort[]=name&sort[]=asc", "name", False),
        ("sort[]=endTime,desc", "end_time", True),
    ],
)
def test_an_order_is_a_pair_and_without_one_a_run_is_told_as_it_happened(
    query: str, sort_by: str, descending: bool
) -> None:
    client, store = client_of()
    assert client.get(f"traces?{query}").status_code == 200
    assert (store.asked[0].sort_by, store.asked[0].descending, store.asked[0].limit) == (sort_by, descending, 1000)


def test_a_list_by_ids_needs_all_of_them() -> None:
    client, _ = client_of(row(TRACE_ID, ROOT_ID), row(TRACE_ID, CHILD_ID, kind="TOOL"))
    ids = [f"trace_{ROOT_ID}", CHILD_ID]
    assert {each["id"] for each in client.get("traces", params={"ids[]": ids}).json()} == {
        f"trace_{each[-16:]}" for each in ids
    }
    only_tools = client.get("traces", params={"ids[]": ids, "types[]": "TOOL"})
    assert [each["id"] for each in only_tools.json()] == [f"trace_{CHILD_ID}"], "filtered is not missing"
    missing = client.get("traces", params={"ids[]": [*ids, "f" * 16]})
    assert (missing.status_code, missing.json()["message"]) == (404, f"Trace {'f' * 16} not found")
    mixed = client.get("traces", params={"ids[]": [ROOT_ID, span_uuid(TRACE_ID, CHILD_ID)]})
    assert mixed.status_code == 422


def test_a_type_that_no_kind_stands_for_finds_nothing() -> None:
    client, store = client_of(row(TRACE_ID, ROOT_ID))
    assert client.get("traces", params={"types[]": "EVENT"}).json() == []
    assert not store.asked


@pytest.mark.parametrize(
    "query",
    ["limit=x", "limit=1001", "offset=1000001", "names[]=" + "a" * 1025, "&".join(["ids[]=a"] * 101), "sort[]=a,b,c"],
)
def test_what_is_out_of_bounds_is_refused_in_galteas_words(query: str) -> None:
    client, store = client_of()
    answer = client.get(f"traces?{query}")
    assert answer.status_code == 422
    assert answer.json()["message"].startswith("Validation error; ")
    assert not store.asked


def test_every_release_of_the_sdk_will_do() -> None:
    client, _ = client_of()
    expected = {"latestSdkVersionPublished": None, "minimumSdkVersionSupported": None}
    assert client.get("minimum-sdk-version").json() == expected


def test_ids_of_mixed_forms_are_no_question() -> None:
    assert asked([ROOT_ID]) == {"span_ids": (ROOT_ID,)}
    assert asked([ROOT_ID, span_uuid(TRACE_ID, ROOT_ID)]) is None
    assert asked(["nothing"]) is None


def test_deep_and_odd_values_are_shown() -> None:
    deep = "[" * 300 + "]" * 300
    client, _ = client_of(row(TRACE_ID, ROOT_ID, input=deep, attributes={"a": float("nan"), "b": 2**70, "c": "\ud800"}))
    assert client.get(f"traces/{ROOT_ID}").json()["inputData"] == {"value": deep}
    assert json.loads(client.get(f"traces/{ROOT_ID}").content)["metadata"]["b"] == 2**70
