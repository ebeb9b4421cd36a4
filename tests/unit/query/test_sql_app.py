"""The HTTP interface on statements that do as they are told: turns, keys, projects, what is handed on, what is told."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest
from starlette.testclient import TestClient

from collector.auth import Keys, Scope, hash_of
from collector.errors import StatementError
from collector.query.sql import app as sql
from collector.settings_auth import Auth, Key

KEY = "spanledger_" + "a" * 43


@dataclass
class Answered:
    content: bytes
    form: str
    seconds: float = 0.5


@dataclass
class Told:
    """Statements that remember what they were told, and answer with a text or raise."""

    asked: list[tuple[str, str, Mapping[str, str], str | None, Mapping[str, str] | None]] = field(default_factory=list)
    go_on: threading.Event = field(default_factory=threading.Event)
    raises: Exception | None = None
    content: bytes = b"1\n"

    def run(
        self,
        statement: str,
        *,
        form: str,
        parameters: Mapping[str, str],
        project: str | None,
        settings: Mapping[str, str] | None = None,
        mark: str = "",
    ) -> Answered:
        self.asked.append((statement, form, parameters, project, settings))
        if statement == "wait":
            assert self.go_on.wait(30)
        if self.raises is not None:
            raise self.raises
        return Answered(self.content, form)

    def cancel(self, mark: str) -> None:
        raise AssertionError("nobody left")


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def client(told: Told) -> Iterator[TestClient]:
    with TestClient(sql.sql_app(told, Keys())) as found:
        yield found


def test_two_run_others_wait_and_those_beyond_are_told_to_come_again(told: Told, client: TestClient) -> None:
    beyond = 3
    with ThreadPoolExecutor(64) as pool:
        number = sql.AT_ONCE + sql.MOST_WAITING + beyond
        answers = [pool.submit(client.post, "/", content="wait") for _ in range(number)]
        refused = [one.result() for one in _first_done(answers, beyond)]
        assert len(told.asked) <= sql.AT_ONCE
        told.go_on.set()
        statuses = sorted(one.result().status_code for one in answers)
    assert statuses == [200] * (number - beyond) + [503] * beyond
    assert {one.headers["X-ClickHouse-Exception-Code"] for one in refused} == {"202"}
    assert refused[0].text.startswith("Code: 202. DB::Exception: Too many simultaneous queries.")


def _first_done(answers: list, number: int) -> list:  # type: ignore[type-arg]
    done = threading.Semaphore(0)
    for one in answers:
        one.add_done_callback(lambda _: done.release())
    for _ in range(number):
        assert done.acquire(timeout=30)
    return [one for one in answers if one.done()]


def test_a_statement_that_waits_too_long_is_told_to_come_again(
    told: Told, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sql, "LONGEST_WAIT", 0.01)
    with ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(client.post, "/", content="wait") for _ in range(sql.AT_ONCE + 1)]
        (late,) = _first_done(answers, 1)
        assert late.result().status_code == 503
        told.go_on.set()
        assert sorted(one.result().status_code for one in answers) == [200] * sql.AT_ONCE + [503]


def test_what_is_unexpected_tells_nothing(told: Told, client: TestClient) -> None:
    told.raises = RuntimeError("a secret")
    answer = client.post("/", content="x")
    assert (answer.status_code, answer.text) == (500, "Code: 1001. DB::Exception: Internal error. (STD_EXCEPTION)\n")


def test_an_error_is_one_line_without_headers_of_its_own(told: Told, client: TestClient) -> None:
    told.raises = StatementError(62, "SYNTAX_ERROR", "Syntax error:\r\nX-Evil: 1")
    answer = client.post("/", content="x")
    assert answer.text == "Code: 62. DB::Exception: Syntax error: X-Evil: 1. (SYNTAX_ERROR)\n"
    assert "X-Evil" not in answer.headers
    assert client.post("/?query_id=a%0d%0aX-Evil:1", content="x").headers["X-ClickHouse-Query-Id"].count("-") == 4


def test_parameters_and_harmless_settings_are_handed_on_and_the_rest_is_not(told: Told, client: TestClient) -> None:
    client.post("/?param_a=x&param_b=y&session_timezone=Europe/Berlin&max_threads=9&session_id=1", content="x")
    assert told.asked[-1] == ("x", "TabSeparated", {"a": "x", "b": "y"}, None, {"session_timezone": "Europe/Berlin"})
    for refused in (
        "session_timezone=a';b",
        "additional_table_filters={}",
        "readonly2=0",
        "param=1",
        "Session_Timezone=UTC",
    ):
        assert client.post(f"/?{refused}", content="x").status_code == 403
    assert len(told.asked) == 1


def test_only_a_key_that_may_read_asks_and_it_asks_about_its_project(told: Told) -> None:
    def keys(*scopes: Scope) -> Keys:
        return Keys(Auth(keys=(Key(name="k", project="shop", scopes=scopes, hash=hash_of(KEY)),)))

    with TestClient(sql.sql_app(told, keys(Scope.READ))) as client:
        assert client.post("/", content="x").status_code == 401
        assert client.post("/", content="x", headers={"X-ClickHouse-Key": KEY + "b"}).status_code == 403
        assert not told.asked
        assert client.post("/", content="x", headers={"X-ClickHouse-Key": KEY}).status_code == 200
        assert told.asked[-1][3] == "shop"
    with TestClient(sql.sql_app(told, keys(Scope.WRITE, Scope.DELETE))) as client:
        assert client.post("/", content="x", headers={"X-ClickHouse-Key": KEY}).status_code == 403
    assert len(told.asked) == 1


def test_without_keys_a_request_may_name_the_project_that_it_means(told: Told) -> None:
    with TestClient(sql.sql_app(told, Keys(Auth(project_attribute="tenant.id")))) as client:
        client.post("/", content="x", headers={"X-Project-Name": "acme"})
        client.post("/", content="x")
    assert [asked[3] for asked in told.asked] == ["acme", None]
