"""Several collectors write to one server in turns: what one decides rests on all that the others have stored."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator

import pytest

from collector.errors import Retryable
from exporters.clickhouse import ClickHouse, claims
from exporters.clickhouse.claims import Claim, LostClaimError
from exporters.clickhouse.client import Handle, Opener
from exporters.clickhouse.deleting import Request
from tests.support.spans import HOUR, NOON, SECOND, agent, batch, chat
from tests.support.store import Database

ON_SERVERS = pytest.mark.parametrize("database", ["server", "cluster"], indirect=True)

_names = itertools.count(1)


@pytest.fixture
def claim(database: Database) -> Iterator[Claim]:
    """A claim of its own."""
    found = new_claim(database)
    yield found
    found.close()


@pytest.fixture
def other(database: Database) -> Iterator[Claim]:
    """Another one."""
    found = new_claim(database)
    yield found
    found.close()


def new_claim(database: Database, name: str = "") -> Claim:
    """A claim under a name that nobody has."""
    name = name or f"claim-{next(_names)}"
    return Claim(Handle(Opener.writing(database.settings)), name, lambda: None)


@ON_SERVERS
def test_one_writes_at_a_time(database: Database, claim: Claim, other: Claim) -> None:
    inside: list[str] = []
    most = 0

    def write(one: Claim, name: str) -> None:
        nonlocal most
        for _ in range(10):
            one.take()
            inside.append(name)
            most = max(most, len(inside))
            time.sleep(0.01)
            inside.remove(name)
            one.leave()
            time.sleep(0.01)

    threads = [threading.Thread(target=write, args=(one, name)) for one, name in ((claim, "a"), (other, "b"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    assert most == 1


@ON_SERVERS
def test_who_waits_gets_a_turn_from_who_idles(database: Database, claim: Claim, other: Claim) -> None:
    claim.take()
    claim.leave()
    other.take()
    other.leave()


@ON_SERVERS
def test_who_waits_too_long_tries_again_later(
    database: Database, claim: Claim, other: Claim, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim.take()
    monkeypatch.setattr(claims, "PATIENCE_S", 0.5)
    with pytest.raises(Retryable, match="another collector is writing"):
        other.take()
    claim.leave()


@ON_SERVERS
def test_who_died_keeps_others_out_until_its_claim_ends_and_itself_not_at_all(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claims, "VALID_S", 3)
    monkeypatch.setattr(claims, "RENEW_S", 100.0)
    dead = new_claim(database, "dies")
    dead.take()
    dead._stopping.set()  # it renews nothing any more
    heir = new_claim(database, "dies")
    heir.take()
    heir._stopping.set()
    began = time.monotonic()
    another = new_claim(database)
    another.take()
    assert time.monotonic() - began > 1
    another.leave()
    another.close()
    with pytest.raises(LostClaimError):
        heir.check()
    with pytest.raises(LostClaimError):
        heir.leave()


@ON_SERVERS
def test_two_collectors_count_a_span_once_that_both_are_sent(database: Database, project: str) -> None:
    with ClickHouse(database.settings, writer=f"second-{project}") as second:
        gateways = (database.exporter, second.exporter)
        failures: list[BaseException] = []

        def send(number: int) -> None:
            try:
                for trace in range(1, 6):
                    some = [
                        agent(1, trace=trace, tokens=(300, 30)),
                        chat(2 + number, trace=trace, parent=1, tokens=(100, 10)),
                    ]
                    arrived = NOON + HOUR + number * SECOND
                    gateways[number].write(
                        batch(*some, project=project, received_at=arrived), f"{project}/{number}/{trace}"
                    )
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=send, args=(number,)) for number in (0, 1)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(100)
        assert not failures
    rows = database.rows("SELECT span_count, input_tokens FROM traces FINAL WHERE project = {p:String}", p=project)
    assert [(row["span_count"], row["input_tokens"]) for row in rows] == [(3, 200)] * 5
    (entered,) = database.rows(
        "SELECT sum(accepted) AS accepted, sum(duplicates) AS duplicates FROM ledger FINAL WHERE project = {p:String}",
        p=project,
    )
    assert entered == {"accepted": 20, "duplicates": 5}
    assert database.value("SELECT count() FROM spans FINAL WHERE project = {p:String}", p=project) == 15


@ON_SERVERS
def test_a_deletion_by_one_collector_holds_for_the_next_batch_of_another(database: Database, project: str) -> None:
    database.exporter.write(batch(chat(1), project=project), f"{project}/a")
    with ClickHouse(database.settings, writer=f"second-{project}") as second:
        second.exporter.write(batch(chat(1, trace=2), project=project), f"{project}/b")
        deleting = database.clickhouse._writing.deleting
        with database.clickhouse._writing.lock:
            deleting.delete(Request(project, [f"{1:032x}"]))
        second.exporter.write(batch(chat(2), project=project), f"{project}/c")
    assert database.store.trace(project, f"{1:032x}") is None
    (entered,) = database.rows(
        "SELECT sum(accepted) AS accepted, sum(deleted) AS deleted FROM ledger FINAL WHERE project = {p:String}",
        p=project,
    )
    assert entered == {"accepted": 3, "deleted": 2}


@ON_SERVERS
def test_a_batch_that_was_entered_and_not_stored_counts_what_another_stored_meanwhile(
    database: Database, project: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*_: object) -> None:
        raise Retryable("the collector died here")

    with ClickHouse(database.settings, writer=f"first-{project}") as first:
        first.exporter.count_rejected(project, NOON, {"time": 7})
        mine = batch(chat(1), chat(2), project=project, received_at=NOON + HOUR)
        with monkeypatch.context() as patched:
            patched.setattr(first.exporter, "_store", dies)
            with pytest.raises(Retryable):
                first.exporter.write(mine, f"{project}/mine")
        database.exporter.write(batch(chat(1), project=project, received_at=NOON + 2 * HOUR), f"{project}/other")
        for _ in range(2):
            first.exporter.write(mine, f"{project}/mine", again=True)
    (entered,) = database.rows(
        "SELECT sum(accepted) AS accepted, sum(duplicates) AS duplicates, sum(arraySum(mapValues(rejected))) AS rejected"
        " FROM ledger FINAL WHERE project = {p:String}",
        p=project,
    )
    assert entered == {"accepted": 3, "duplicates": 1, "rejected": 7}
    assert database.value("SELECT count() FROM spans FINAL WHERE project = {p:String}", p=project) == 2
