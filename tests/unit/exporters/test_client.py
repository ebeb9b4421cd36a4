"""Clients: errors become outcomes, a failed handle is replaced, and what cannot start says why in one sentence."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from clickhouse_connect.driver.exceptions import ClickHouseError, DatabaseError, OperationalError, ProgrammingError

from collector.errors import Outcome, Permanent, Retryable, StartError
from collector.settings import ClickHouse
from exporters.clickhouse.client import Handle, Opener, outcomes
from tests.support.store import in_child


def raised(error: Exception) -> Outcome:
    """What an error of the client becomes."""
    with pytest.raises(Outcome) as caught, outcomes("writing"):
        raise error
    return caught.value


@pytest.mark.parametrize("kind", [OperationalError, ProgrammingError, ClickHouseError])
def test_an_error_without_a_code_is_retryable(kind: type[ClickHouseError]) -> None:
    """The connection broke or the client was closed: the statement was never judged."""
    assert isinstance(raised(kind("broken pipe")), Retryable)


def test_the_sentence_says_what_was_done_and_the_first_line_of_the_reason() -> None:
    assert str(raised(DatabaseError("Code: 70. No such type\nStack trace:\n...", code=70))) == (
        "writing failed: Code: 70. No such type"
    )
    assert str(raised(DatabaseError("", code=70))) == "writing failed: DatabaseError"
    assert len(str(raised(DatabaseError("x" * 10_000, code=70)))) < 600


def test_errors_that_are_not_the_clients_pass() -> None:
    with pytest.raises(ZeroDivisionError), outcomes("writing"):
        raise ZeroDivisionError


# --- a handle ---------------------------------------------------------------------------------------------------------


class FakeClient:
    """A client that knows whether it is closed."""

    closed = False

    def close(self) -> None:
        self.closed = True


def handle(*openings: Any) -> tuple[Handle, list[FakeClient]]:
    """A handle, and the clients that it opened; an opening that is an exception fails."""
    opened: list[FakeClient] = []
    left = iter(openings)

    def open_client() -> Any:
        failure = next(left, None)
        if failure is not None:
            raise failure
        opened.append(FakeClient())
        return opened[-1]

    return Handle(open_client), opened


def test_a_handle_keeps_its_client_while_nothing_fails() -> None:
    one, opened = handle()
    for _ in range(3):
        with one.doing("reading") as client:
            assert client is opened[0]
    assert len(opened) == 1


@pytest.mark.parametrize("error", [DatabaseError("x", code=60), ValueError("not from the client"), KeyboardInterrupt()])
def test_after_any_failure_a_handle_lends_another_client(error: BaseException) -> None:
    one, opened = handle()
    with pytest.raises(BaseException), one.doing("reading"):  # noqa: PT011, B017 - whatever it is
        raise error
    with one.doing("reading") as client:
        assert client is opened[1]
    assert [client.closed for client in opened] == [True, False]


def test_a_handle_that_cannot_be_opened_again_tries_at_the_next_use() -> None:
    one, opened = handle(None, StartError("in use"), None)
    with pytest.raises(Permanent), one.doing("reading"):
        raise DatabaseError("x", code=70)
    with pytest.raises(Retryable, match="in use"), one.doing("reading"):
        pass
    with one.doing("reading") as client:
        assert client is opened[1]


def test_a_handle_that_never_could_be_opened_says_why_the_program_cannot_start() -> None:
    one, _ = handle(StartError("in use"))
    with pytest.raises(StartError, match="in use"), one.doing("reading"):
        pass


# --- sentences --------------------------------------------------------------------------------------------------------


def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    sentence = f"clickhouse.url: the directory {tmp_path}/file/data cannot be made: Not a directory"
    with pytest.raises(StartError, match=f"^{re.escape(sentence)}$"):
        Opener(ClickHouse(url=f"chdb:{tmp_path}/file/data"))()


def test_without_the_embedded_engine_it_says_what_to_install(tmp_path: Path) -> None:
    code = """if True:
        import sys
        sys.modules["chdb"] = None
        from collector.errors import StartError
        from collector.settings import ClickHouse as Settings
        from exporters.clickhouse import ClickHouse
        try:
            ClickHouse(Settings(url="chdb:" + sys.argv[1]))
        except StartError as error:
            print(error)
    """
    child = in_child(code, tmp_path)
    sentence = "clickhouse.url: the embedded engine is not installed: pip install 'spanledger[embedded]'\n"
    assert child.stdout == sentence, child.stderr
