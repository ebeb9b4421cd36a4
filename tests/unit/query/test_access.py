"""Who may ask the read API about which project, and what the others are told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from fastapi import Request
from fastapi.testclient import TestClient

from collector.auth import Keys, Scope, hash_of
from collector.project import project_uuid
from collector.query.access import api_key_and_project_parameter, bearer, bearer_or_api_key
from collector.settings_auth import Auth, Key
from tests.unit.query.rows import TRACE_ID, StoredTraces, application, bare_span_row, trace_row

SCOPES = {"shop": (Scope.READ,), "forum": (Scope.WRITE, Scope.DELETE)}
KEYS = Keys(
    Auth(keys=tuple(Key(name=p, project=p, scopes=scopes, hash=hash_of(f"key of {p}")) for p, scopes in SCOPES.items()))
)
READER, WRITER = "key of shop", "key of forum"


def answer(headers: Mapping[str, str], path: str = f"/traces/{TRACE_ID}", keys: Keys = KEYS) -> tuple[Any, list[Any]]:
    """The response, and what the store was asked for."""
    reader = StoredTraces(answer=(trace_row(), [bare_span_row()]))
    client = TestClient(application(reader, keys=keys), raise_server_exceptions=False)
    return client.get(path, headers=headers), reader.asked


@pytest.mark.parametrize("path", [f"/traces/{TRACE_ID}", f"/pandaprobe/traces/{TRACE_ID}"])
@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": f"Bearer {READER}"},
        {"Authorization": f"Bearer {READER}", "X-Project-ID": project_uuid("shop")},
        {"X-API-Key": READER, "X-Project-Name": "shop"},
        {"X-API-Key": READER, "Authorization": "Bearer of another kind"},
    ],
    ids=str,
)
def test_a_key_that_may_read_asks_about_its_project(path: str, headers: dict[str, str]) -> None:
    response, asked = answer(headers, path)
    assert response.status_code == 200
    assert asked == [("shop", TRACE_ID)]


@pytest.mark.parametrize(
    "path", [f"/traces/{TRACE_ID}", "/traces", "/pandaprobe/traces", "/traces/not-an-id", "/traces?limit=x"]
)
@pytest.mark.parametrize(
    ("headers", "status", "sentence"),
    [
        ({}, 401, "there is no API key"),
        ({"X-API-Key": ""}, 401, "there is no API key"),
        ({"Authorization": f"Basic {READER}"}, 401, "there is no API key"),
        ({"X-API-Key": "wrong", "Authorization": f"Bearer {READER}"}, 401, "the API key is not known"),
        ({"Authorization": f"Bearer {WRITER}"}, 403, 'the API key "forum" has no scope read, only write, delete'),
        ({"X-API-Key": READER, "X-Project-Name": "forum"}, 403, 'the API key "shop" belongs to the project "shop"'),
    ],
    ids=str,
)
def test_whoever_may_not_is_refused_before_anything_else_is_said(
    path: str, headers: dict[str, str], status: int, sentence: str
) -> None:
    response, asked = answer(headers, path)
    assert (response.status_code, asked) == (status, [])
    assert set(response.json()) == {"detail"}
    assert response.json()["detail"].startswith(sentence)
    assert response.headers.get("www-authenticate") == ("Bearer" if status == 401 else None)


@pytest.mark.parametrize(
    "path",
    ["/healthz", "/readyz", "/metrics", "/docs", "/openapi.json", "/pandaprobe/docs", "/pandaprobe/openapi.json"],
)
def test_what_operators_ask_for_and_the_documentation_need_no_key(path: str) -> None:
    assert answer({}, path)[0].status_code == 200


def test_a_project_is_named_in_utf_8_where_resources_name_projects() -> None:
    divided = Keys(Auth(project_attribute="tenant.id"))
    response, asked = answer({"X-Project-Name": "Café".encode()}, keys=divided)  # type: ignore[dict-item]
    assert (response.status_code, asked) == (200, [("Café", TRACE_ID)])
    assert answer({"X-Project-Name": b"Caf\xe9"}, keys=divided)[1] == [("Café", TRACE_ID)]  # type: ignore[dict-item]
    assert answer({"X-Project-Name": "x" * 129}, keys=divided)[0].status_code == 422


def asking(headers: Mapping[str, str], query: str = "") -> Request:
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "headers": raw, "query_string": query.encode()})


@pytest.mark.parametrize(
    ("headers", "named"),
    [
        ({"X-Project-Name": "a"}, "a"),
        ({"X-Project": "a"}, "a"),
        ({"X-Project-Id": "a"}, "a"),
        ({"X-Project-Name": "a", "X-Project-ID": "b"}, "a"),
        ({"X-Project-Name": "", "X-Project-ID": "b"}, "b"),
        ({}, None),
    ],
    ids=str,
)
def test_the_project_is_named_in_the_header_of_any_api(headers: dict[str, str], named: str | None) -> None:
    assert bearer_or_api_key(asking({**headers, "Authorization": "Bearer k"})) == ("k", named)


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("projectSlug=a", "a"),
        ("projectId=b", "b"),
        ("projectSlug=a&projectId=b", "a"),
        ("projectSlug=", None),
        ("", None),
    ],
)
def test_artanis_names_the_project_in_a_parameter(query: str, named: str | None) -> None:
    headers = {"x-api-key": "k", "x-org-slug": "some-organization"}
    assert api_key_and_project_parameter(asking(headers, query)) == ("k", named)


def test_a_bearer_token_alone_can_be_asked_for() -> None:
    assert bearer(asking({"Authorization": "Bearer k", "X-API-Key": "other"})) == "k"
    assert bearer(asking({"X-API-Key": "k"})) is None
