"""What the PandaProbe API changes: deletions and tags."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient

from collector.auth import Keys, Scope
from collector.errors import Retryable, Unauthorized
from collector.query.api import Backend
from collector.query.app import create_app
from collector.settings_attributes import Attributes
from tests.unit.query.rows import TRACE_ID, TRACE_UUID, Edits, StoredTraces, application

OTHER = "1" * 32


def client_of(editor: Any) -> TestClient:
    app = application(StoredTraces(), editor=editor, project="shop")
    return TestClient(app, raise_server_exceptions=False)


@pytest.mark.parametrize("base", ["", "/pandaprobe"])
def test_a_deleted_trace_is_204_without_a_body_and_after_that_404(base: str) -> None:
    editor = Edits(TRACE_ID)
    client = client_of(editor)
    response = client.delete(f"{base}/traces/{TRACE_UUID}")
    assert (response.status_code, response.content) == (204, b"")
    assert editor.asked == [("delete_traces", "shop", [TRACE_ID])]
    again = client.delete(f"{base}/traces/{TRACE_ID}")
    assert (again.status_code, again.json()) == (404, {"detail": f"Trace {TRACE_UUID} not found."})


def test_several_traces_are_deleted_at_once_and_those_that_were_there_are_counted() -> None:
    editor = Edits(TRACE_ID, OTHER)
    body = {"trace_ids": [TRACE_UUID, OTHER, TRACE_ID.upper(), "2" * 32]}
    response = client_of(editor).post("/traces/batch/delete", json=body)
    assert (response.status_code, response.json()) == (200, {"deleted": 2})
    assert editor.asked == [("delete_traces", "shop", [TRACE_ID, OTHER, "2" * 32])], "each once"


def test_a_deleted_session_tells_how_many_traces_it_had_and_after_that_is_404() -> None:
    client = client_of(Edits(TRACE_ID, OTHER, session="a/b"))
    response = client.delete("/sessions/a%2Fb")
    assert (response.status_code, response.json()) == (200, {"deleted": 2})
    again = client.delete("/sessions/a%2Fb")
    assert (again.status_code, again.json()) == (404, {"detail": "Session 'a/b' not found."})


def test_tags_are_changed_and_the_traces_that_are_there_are_counted() -> None:
    editor = Edits(TRACE_ID)
    body = {"trace_ids": [TRACE_UUID, OTHER], "add_tags": ["a", "b"], "remove_tags": ["c"]}
    response = client_of(editor).post("/traces/batch/tags", json=body)
    assert (response.status_code, response.json()) == (200, {"updated": 1})
    assert editor.asked == [("edit_tags", "shop", [TRACE_ID, OTHER], ["a", "b"], ["c"])]


def test_with_no_tags_to_change_the_traces_that_are_there_are_counted_all_the_same() -> None:
    editor = Edits(TRACE_ID)
    response = client_of(editor).post("/traces/batch/tags", json={"trace_ids": [TRACE_UUID, OTHER]})
    assert (response.json(), editor.asked) == ({"updated": 1}, [("edit_tags", "shop", [TRACE_ID, OTHER], [], [])])


UUIDS = [f"{number:032x}" for number in range(501)]


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/traces/batch/delete", {}, "body -> trace_ids"),
        ("/traces/batch/delete", {"trace_ids": []}, "body -> trace_ids"),
        ("/traces/batch/delete", {"trace_ids": UUIDS}, "body -> trace_ids"),
        ("/traces/batch/delete", {"trace_ids": ["x"]}, "body -> trace_ids -> 0"),
        ("/traces/batch/delete", {"trace_ids": [TRACE_ID, 7]}, "body -> trace_ids -> 1"),
        ("/traces/batch/delete", {"trace_ids": ["' OR 1=1 --"]}, "body -> trace_ids -> 0"),
        ("/traces/batch/delete", {"trace_ids": {"a": 1}}, "body -> trace_ids"),
        ("/traces/batch/delete", [], "body"),
        ("/traces/batch/tags", {"add_tags": ["a"]}, "body -> trace_ids"),
        ("/traces/batch/tags", {"trace_ids": [TRACE_ID], "add_tags": [""]}, "body -> add_tags -> 0"),
        ("/traces/batch/tags", {"trace_ids": [TRACE_ID], "add_tags": ["x" * 1025]}, "body -> add_tags -> 0"),
        ("/traces/batch/tags", {"trace_ids": [TRACE_ID], "add_tags": ["\ud800"]}, "body -> add_tags -> 0"),
        ("/traces/batch/tags", {"trace_ids": [TRACE_ID], "remove_tags": ["x"] * 51}, "body -> remove_tags"),
        ("/traces/batch/tags", {"trace_ids": [TRACE_ID], "remove_tags": "x"}, "body -> remove_tags"),
    ],
)
def test_a_body_out_of_bounds_is_422_and_named(path: str, body: Any, field: str) -> None:
    editor = Edits(TRACE_ID)
    response = client_of(editor).post(path, content=json.dumps(body), headers={"Content-Type": "application/json"})
    assert response.status_code == 422, response.text
    assert response.json()["detail"] == "Validation error"
    assert [error["field"] for error in response.json()["errors"]] == [field]
    assert editor.asked == []


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000, b'{"trace_ids": [NaN]}'])
def test_a_body_that_is_no_json_object_is_4xx(body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    response = client_of(Edits()).post("/traces/batch/delete", content=body, headers=headers)
    assert response.status_code in (400, 422)
    assert response.json()["detail"]


@pytest.mark.parametrize("path", ["/traces/batch/delete", "/traces/batch/tags"])
def test_the_paths_of_batches_are_no_traces(path: str) -> None:
    assert client_of(Edits()).get(path).status_code == 405


def test_a_store_that_cannot_change_anything_now_is_503() -> None:
    class Busy(Edits):
        def delete_traces(self, *_: Any) -> int:
            raise Retryable("The store is busy.", after=2)

    response = client_of(Busy()).delete(f"/traces/{TRACE_ID}")
    assert response.status_code == 503
    assert 1 <= int(response.headers["retry-after"]) <= 3
    assert response.json() == {"detail": "The store is busy."}


class Only(Keys):
    """A key that allows one thing."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def project(self, key: str | None, scope: Scope, *, named: str | None = None) -> str:
        if scope is not self._scope:
            raise Unauthorized(f"The key does not allow to {scope}.")
        return "shop"


REQUESTS = {
    Scope.READ: [
        ("GET", f"/traces/{TRACE_ID}"),
        ("GET", "/traces"),
        ("GET", "/traces/users"),
        ("GET", "/traces/analytics?started_after=2026-01-01&started_before=2026-01-02"),
        ("GET", "/sessions"),
        ("GET", "/sessions/s"),
    ],
    Scope.WRITE: [("POST", "/traces/batch/tags")],
    Scope.DELETE: [
        ("DELETE", f"/traces/{TRACE_ID}"),
        ("DELETE", "/sessions/s"),
        ("POST", "/traces/batch/delete"),
    ],
}


@pytest.mark.parametrize("scope", Scope)
def test_a_key_allows_what_its_scope_says_and_nothing_else(scope: Scope) -> None:
    app = create_app(
        Backend(StoredTraces(), Edits(TRACE_ID), Only(scope), Attributes()),  # type: ignore[arg-type]
        version="9.9.9",
        ready=lambda: None,
    )
    client = TestClient(app)
    body = {"trace_ids": [TRACE_ID], "add_tags": ["a"]}
    for needed, requests in REQUESTS.items():
        for method, path in requests:
            response = client.request(method, path, **({"json": body} if method == "POST" else {}))
            assert (response.status_code == 401) == (needed is not scope), (method, path)
