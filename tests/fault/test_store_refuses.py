"""F10: a real server that cannot, or may not: what was acknowledged waits, and is stored once after somebody has mended it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from collector.errors import Misconfigured, Retryable
from collector.settings import ClickHouse as Settings
from exporters.clickhouse import ClickHouse
from tests.support.clickhouse_server import PASSWORD, USER, ClickHouseServer
from tests.support.spans import NOON, SECOND, SpanBatch, batch, chat

WRITER = "b" * 32

Trouble = Callable[[ClickHouseServer], Callable[[], object]]
"""Makes trouble on a server; returns what mends it."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouseServer]:
    """A server, which may be started again with other users."""
    with ClickHouseServer(tmp_path_factory.mktemp("server")) as found:
        yield found


def settings(server: ClickHouseServer) -> Settings:
    """The store on it."""
    return Settings(url=f"{server.url}/ledger")


def another_user(*changes: tuple[str, str]) -> Trouble:
    """The collector's user is another one from the next start of the server on; each change is of the end of its entry."""

    def trouble(server: ClickHouseServer) -> Callable[[], object]:
        users = server.directory / "users.xml"
        right = users.read_text()
        before, own = right.split(f"<{USER}>")
        for old, new in changes:
            assert old in own
            own = own.replace(old, new, 1)
        restart(server, before.replace("</profiles>", f"{PROFILES}</profiles>") + f"<{USER}>" + own)
        return lambda: restart(server, right)

    def restart(server: ClickHouseServer, content: str) -> None:
        server.kill()
        (server.directory / "users.xml").write_text(content)
        server.start()

    return trouble


PROFILES = (
    "<little_memory><max_memory_usage>1000000</max_memory_usage></little_memory>"
    "<little_time><max_execution_time>0.000001</max_execution_time></little_time>"
    "<reads_only><readonly>2</readonly></reads_only>"
)


def profile(name: str) -> Trouble:
    return another_user(("<profile>default", f"<profile>{name}"))


def a_missing_table(server: ClickHouseServer) -> Callable[[], object]:
    server.ask("RENAME TABLE ledger.spans TO ledger.elsewhere")
    return lambda: server.ask("RENAME TABLE ledger.elsewhere TO ledger.spans")


def a_missing_column(server: ClickHouseServer) -> Callable[[], object]:
    server.ask("ALTER TABLE ledger.spans DROP COLUMN agent_name")
    return lambda: server.ask("ALTER TABLE ledger.spans ADD COLUMN agent_name LowCardinality(String)")


def too_many_parts(server: ClickHouseServer) -> Callable[[], object]:
    server.ask("SYSTEM STOP MERGES ledger.spans")
    server.ask("ALTER TABLE ledger.spans MODIFY SETTING parts_to_throw_insert = 1, parts_to_delay_insert = 1")

    def mend() -> None:
        server.ask("ALTER TABLE ledger.spans RESET SETTING parts_to_throw_insert, parts_to_delay_insert")
        server.ask("SYSTEM START MERGES ledger.spans")

    return mend


_ACCESS = "<access_management>1</access_management>"

TROUBLES: dict[str, tuple[Trouble, type[Retryable], str]] = {
    "241 memory limit": (profile("little_memory"), Retryable, "memory limit"),
    "159 timeout": (profile("little_time"), Retryable, "TIMEOUT_EXCEEDED"),
    "252 too many parts": (too_many_parts, Retryable, "TOO_MANY_PARTS"),
    "60 missing table": (a_missing_table, Misconfigured, "restart the collector"),
    "16 missing column": (a_missing_column, Misconfigured, "restart the collector"),
    "497 missing right": (
        another_user((_ACCESS, "<grants><query>GRANT SELECT ON *.*</query></grants>")),
        Retryable,
        "grant the user of clickhouse.url the right",
    ),
    "164 reads only": (profile("reads_only"), Retryable, "may not write: give it a profile without readonly"),
    "516 wrong password": (another_user((PASSWORD, "another")), Retryable, "correct the user and the password"),
    "516 wrong machine": (another_user(("127.0.0.1", "192.0.2.1")), Retryable, "correct the user and the password"),
}


@pytest.mark.parametrize("name", TROUBLES)
def test_what_waits_while_the_server_refuses_is_stored_once_after_it_is_mended(
    server: ClickHouseServer, name: str
) -> None:
    make, kind, words = TROUBLES[name]
    project = name.replace(" ", "-")
    with ClickHouse(settings(server), writer=WRITER) as clickhouse:
        clickhouse.exporter.write(spans(project, 1), f"{project}/1")
        clickhouse.exporter.write(spans(project, 2), f"{project}/2")
        mend = make(server)
        try:
            for again in (False, True, True):
                with pytest.raises(kind, match=f"(?i){words}"):
                    clickhouse.exporter.write(spans(project, 3), f"{project}/3", again=again)
        finally:
            mend()
        deliver(clickhouse, spans(project, 3), f"{project}/3")
        clickhouse.exporter.write(spans(project, 3), f"{project}/3", again=True)
    assert books(server, project) == "3\t3\t3\t0\n"


def test_a_database_that_is_gone_is_made_anew_by_a_restart_and_what_waited_is_stored_once(
    server: ClickHouseServer,
) -> None:
    with ClickHouse(settings(server), writer=WRITER) as clickhouse:
        server.ask("DROP DATABASE ledger SYNC")
        with pytest.raises(Retryable, match="restart the collector"):
            clickhouse.exporter.write(spans("gone", 1), "gone/1")
        with pytest.raises(Retryable):
            clickhouse.exporter.write(spans("gone", 1), "gone/1", again=True)
    with ClickHouse(settings(server), writer=WRITER) as clickhouse:
        clickhouse.exporter.write(spans("gone", 1), "gone/1", again=True)
        clickhouse.exporter.write(spans("gone", 1), "gone/1", again=True)
    assert books(server, "gone") == "1\t1\t1\t0\n"


def spans(project: str, number: int) -> SpanBatch:
    """One span of a trace of its own; a higher number arrives later."""
    return batch(chat(number, trace=number), project=project, received_at=NOON + number * SECOND)


def deliver(clickhouse: ClickHouse, spans: SpanBatch, token: str) -> None:
    """Write until it is stored: a server may take a moment to notice that it was mended."""
    until = time.monotonic() + 30
    while True:
        try:
            return clickhouse.exporter.write(spans, token, again=True)
        except Retryable:
            assert time.monotonic() < until
            time.sleep(0.1)


def books(server: ClickHouseServer, project: str) -> str:
    """Rows of spans, spans of trace rows, accepted and duplicates in the ledger."""
    return server.ask(
        "SELECT (SELECT count() FROM ledger.spans WHERE project = {p:String}),"
        " (SELECT sum(span_count) FROM ledger.traces FINAL WHERE project = {p:String}),"
        " sum(accepted), sum(duplicates) FROM ledger.ledger FINAL WHERE project = {p:String}",
        param_p=project,
    )
