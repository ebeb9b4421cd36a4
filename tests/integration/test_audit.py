"""``spanledger audit`` from outside: what balances, what does not, and what it refuses to look at."""

from __future__ import annotations

import asyncio
import re
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

import grpc
import pytest

from collector.journal import Journal, Refusal
from tests.support.collector_process import CollectorProcess
from tests.support.command import spanledger
from tests.support.otlp import NOW, request, span
from tests.support.spans import chat, span_id, trace_id

EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
START = NOW - 60 * 10**9
CALL = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o"}
USAGE = {"gen_ai.usage.input_tokens": 1000, "gen_ai.usage.output_tokens": 100}


def requests() -> list[bytes]:
    """Three traces of an agent with a model call, one span that comes twice, and one that is rejected."""
    spans = []
    for number in (1, 2, 3):
        trace = trace_id(number)
        agent = {"gen_ai.operation.name": "invoke_agent", "session.id": "s" if number == 2 else "", **USAGE}
        spans.append(span(trace_id=trace, span_id=span_id(1), start=START, attributes=agent))
        spans.append(span(trace_id=trace, span_id=span_id(2), parent=span_id(1), start=START, attributes=CALL | USAGE))
    return [request(*spans).SerializeToString(), request(spans[0], span(span_id=b"")).SerializeToString()]


async def send(address: str, payloads: Sequence[bytes]) -> None:
    async with grpc.aio.insecure_channel(address) as channel:
        for payload in payloads:
            await channel.unary_unary(EXPORT)(payload, timeout=30)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data of a collector that took the requests and was stopped."""
    directory = tmp_path_factory.mktemp("ran")
    with CollectorProcess(directory) as collector:
        asyncio.run(send(collector.grpc_address, requests()))
        assert collector.terminate() == 0
    return directory


@pytest.fixture
def data(ran: Path, tmp_path: Path) -> Path:
    """A copy of it, to be spoiled."""
    shutil.copytree(ran, tmp_path / "data", symlinks=True)
    return tmp_path / "data"


def numbers(printed: str, row: str) -> list[int]:
    """The numbers behind the name of a row."""
    found = re.search(rf"^ {re.escape(row)} +([\d, ]+?) *$", printed, re.MULTILINE)
    assert found, printed
    return [int(number.replace(",", "")) for number in found[1].split()]


def test_books_that_balance_say_so_and_show_the_equation(data: Path) -> None:
    done = spanledger(data, "audit")
    assert (done.returncode, "The books balance." in done.stdout) == (0, True), done.stdout + done.stderr
    received, rejected, accepted, stored, duplicates, deleted, expired, waiting, refused = numbers(
        done.stdout, "default"
    )
    assert (received, rejected, accepted) == (8, 1, 7)
    assert (stored, duplicates, deleted, expired, waiting, refused) == (6, 1, 0, 0, 0, 0)
    assert numbers(done.stdout, "every trace row equals the aggregate over its spans") == [3, 0]
    assert numbers(done.stdout, "costs equal those computed again from their evidence (a sample)") == [3, 0]


def test_the_sample_may_be_smaller(data: Path) -> None:
    done = spanledger(data, "audit", "--sample", 2)
    assert numbers(done.stdout, "costs equal those computed again from their evidence (a sample)") == [2, 0]


TRACE = f"{2:032x}"
SPOILED = {
    "a span is lost": (
        f"DELETE FROM spans WHERE trace_id = '{TRACE}' AND span_id = '{2:016x}'",
        ["every accepted span", "every trace row", "every span counts", "sums over"],
        f"trace {TRACE}: span_count +1 +2",
    ),
    "a trace is lost": (
        f"DELETE FROM traces WHERE trace_id = '{TRACE}'",
        ["sums over"],
        "default: spans +6 over spans +4 over traces",
    ),
    "a trace has another cost": (
        f"INSERT INTO traces SELECT * REPLACE (version + 1 AS version, 7 AS cost_total) FROM traces WHERE trace_id = '{TRACE}'",
        ["every trace row", "sums over"],
        rf"trace {TRACE}: cost_total +0\.0035\d* +7\.0+",
    ),
    "a trace begins at another time": (
        "INSERT INTO traces SELECT * REPLACE (version + 1 AS version, start_time + INTERVAL 1 NANOSECOND AS start_time) "
        f"FROM traces WHERE trace_id = '{TRACE}'",
        ["every trace row"],
        rf"trace {TRACE}: start_time +(\d{{4}}-\d\d-\d\dT[\d:.]{{18}}Z) +(?!\1)\d{{4}}-\d\d-\d\dT[\d:.]{{18}}Z",
    ),
    "a wrapper counts": (
        f"UPDATE spans SET counts = true WHERE trace_id = '{TRACE}'",
        ["every span counts", "sums over"],
        f"trace {TRACE}, span {1:016x} +does not count +counts",
    ),
    "a cost has changed": (
        f"UPDATE spans SET cost_input = 1 WHERE trace_id = '{TRACE}' AND span_id = '{2:016x}'",
        ["costs equal"],
        rf"trace {TRACE}, span {2:016x}: cost_input +0\.0025\d* +1\.0+",
    ),
    "a deleted trace is there": (
        f"INSERT INTO deletions (project, what, id, step) VALUES ('default', 'trace', '{TRACE}', 1)",
        ["no table holds"],
        f"trace {TRACE} +deleted +2 rows in spans",
    ),
    "a trace of a deleted session is there": (
        "INSERT INTO deletions (project, what, id, step, requested_at) VALUES ('default', 'session', 's', 1, now64(9))",
        ["no table holds"],
        f"trace {TRACE} +deleted +a trace of the deleted session s",
    ),
    "a batch was never entered": (
        "TRUNCATE TABLE ledger",
        ["every accepted span"],
        "0 accepted +6 accounted for",
    ),
}


@pytest.mark.parametrize("what", SPOILED)
def test_what_does_not_agree_is_found_and_named(data: Path, what: str) -> None:
    statement, checks, line = SPOILED[what]
    done = spanledger(data, "audit", after=[statement])
    assert (done.returncode, "The books do not balance." in done.stdout) == (1, True), done.stdout + done.stderr
    differing = [
        name
        for name, count in re.findall(
            r"^ (every .*?|sums .*?|costs .*?|no table .*?)  +[\d,]+ +([\d,]+) *$", done.stdout, re.MULTILINE
        )
        if count != "0"
    ]
    assert [any(name.startswith(check) for check in checks) for name in differing] == [True] * len(checks), done.stdout
    assert re.search(line, done.stdout), done.stdout


def test_requests_that_wait_in_the_journal_are_counted_there(tmp_path: Path) -> None:
    with CollectorProcess(tmp_path, "deliver.batch_age=600s") as collector:
        asyncio.run(send(collector.grpc_address, requests()[:1]))
        collector.kill()
    done = spanledger(tmp_path, "audit")
    assert done.returncode == 0, done.stdout + done.stderr
    assert numbers(done.stdout, "default") == [6, 0, 6, 0, 0, 0, 0, 6, 0]


def keep_aside(data: Path, payload: bytes, rows: tuple[int, ...] | None = None, of: int = 0) -> None:
    """Make a request of the project shop a dead letter."""
    with Journal.open(data / "journal", max_size=1 << 28, sync="always") as journal:
        sequence = journal.append("shop", time.time_ns(), payload).result()
        batch = journal.cut(sequence, sequence).result()
        journal.remove(batch, [Refusal(sequence, "no such column", of, rows)]).result()


def test_dead_letters_are_counted_by_what_the_journal_keeps_of_them(data: Path) -> None:
    payload = request(span(), span(), span()).SerializeToString()
    keep_aside(data, payload)
    keep_aside(data, payload, rows=(0, 2), of=3)
    done = spanledger(data, "audit")
    assert done.returncode == 0, done.stdout + done.stderr
    assert numbers(done.stdout, "shop") == [5, 0, 5, 0, 0, 0, 0, 0, 5]


def test_a_request_that_cannot_be_read_any_more_is_a_difference(data: Path) -> None:
    keep_aside(data, b"\xff")
    done = spanledger(data, "audit")
    assert done.returncode == 1
    assert numbers(done.stdout, "every request in the journal can be read") == [1, 1]


@pytest.mark.parametrize("command", [("audit",), ("reprice", "--from", "2026-01-01", "--to", "2027-01-01")])
def test_a_running_collector_is_not_disturbed(tmp_path: Path, command: Sequence[str]) -> None:
    with CollectorProcess(tmp_path) as collector:
        done = spanledger(tmp_path, *command)
        assert (done.returncode, done.stdout) == (2, "")
        assert re.fullmatch(
            r"spanledger: the collector is running .* stop it, and run this command again\n", done.stderr
        )
        assert '"ready"' in collector.get("/readyz")


def test_where_there_is_no_database_none_is_made(tmp_path: Path) -> None:
    done = spanledger(tmp_path, "audit")
    assert done.returncode == 2
    assert done.stderr.startswith("spanledger: clickhouse.url: there is no database in")
    assert list(tmp_path.iterdir()) == []


WITHOUT_A_LEDGER = ("DROP TABLE ledger", "DELETE FROM schema_migrations WHERE number IN (10, 11)")


def test_a_schema_of_an_older_program_is_refused_with_what_to_do(data: Path) -> None:
    done = spanledger(data, "audit", after=WITHOUT_A_LEDGER)
    assert done.returncode == 2
    assert "start this program's collector once" in done.stderr


def test_what_was_stored_before_there_was_a_ledger_is_its_opening_balance(data: Path) -> None:
    assert spanledger(data, "check", after=WITHOUT_A_LEDGER).returncode == 0
    with CollectorProcess(data) as collector:
        asyncio.run(send(collector.grpc_address, [request(chat(9, start=START)).SerializeToString()]))
        assert collector.terminate() == 0
    done = spanledger(data, "audit")
    assert done.returncode == 0, done.stdout + done.stderr
    assert numbers(done.stdout, "default") == [7, 0, 7, 7, 0, 0, 0, 0, 0]


def test_a_negative_sample_is_refused(data: Path) -> None:
    done = spanledger(data, "audit", "--sample", -1)
    assert (done.returncode, done.stderr) == (2, "spanledger: --sample -1: allowed is a number of spans, 0 or more\n")
