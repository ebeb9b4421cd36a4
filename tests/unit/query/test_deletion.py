"""DELETE /users/{user_id}."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from collector.errors import Retryable
from tests.unit.query.rows import StoredTraces, application


class DeletingEditor:
    """Has traces of every user."""

    def __init__(self, error: Exception | None = None) -> None:
        self.asked: list[tuple[str, str]] = []
        self._error = error

    def delete_user(self, project: str, user_id: str) -> int:
        self.asked.append((project, user_id))
        if self._error:
            raise self._error
        return 3


def client_of(editor: DeletingEditor) -> TestClient:
    app = application(StoredTraces(), project="shop", editor=editor)  # type: ignore[arg-type]
    return TestClient(app, raise_server_exceptions=False)


@pytest.mark.parametrize(
    ("path", "user_id"),
    [
        ("/users/anna", "anna"),
        ("/users/anna%40shop.example", "anna@shop.example"),
        ("/users/a%2Fb", "a/b"),
        ("/users/a/b", "a/b"),
        ("/users/%27%20OR%201%20--", "' OR 1 --"),
        ("/users/%F0%9F%90%8C", "🐌"),
    ],
)
def test_a_user_of_the_callers_project_is_deleted_whatever_the_id_is(path: str, user_id: str) -> None:
    editor = DeletingEditor()
    answer = client_of(editor).delete(path)
    assert (answer.status_code, answer.json()) == (200, {"deleted": 3})
    assert editor.asked == [("shop", user_id)]


def test_nobody_is_no_user() -> None:
    editor = DeletingEditor()
    answer = client_of(editor).delete("/users/")
    assert answer.status_code == 422
    assert editor.asked == []


def test_what_cannot_be_done_yet_is_to_be_tried_again() -> None:
    answer = client_of(DeletingEditor(Retryable("a batch is being written: try again", after=10))).delete("/users/anna")
    assert answer.status_code == 503
    assert 5 <= int(answer.headers["retry-after"]) <= 15
    assert answer.json() == {"detail": "a batch is being written: try again"}


def test_the_way_to_delete_a_user_is_documented() -> None:
    paths: dict[str, Any] = client_of(DeletingEditor()).get("/openapi.json").json()["paths"]
    assert "delete" in paths["/users/{user_id}"]
