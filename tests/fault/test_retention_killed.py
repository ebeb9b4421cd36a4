"""Retention as an operator meets it, and kill -9 in the middle of it: the books balance at any time."""

from __future__ import annotations

import asyncio
import json
import signal
import time
import urllib.error
from contextlib import suppress
from pathlib import Path

import pytest

from tests.fault.test_books_killed import KILLED_AT
from tests.fault.test_deletion_killed import _send as send
from tests.integration.test_audit import numbers
from tests.support.collector_process import CollectorProcess
from tests.support.command import spanledger
from tests.support.otlp import request, span
from tests.support.spans import DAY, agent, chat, trace_id
from tests.support.stored import stored

RETENTION = ("clickhouse.retention.spans=2d", "clickhouse.retention.traces=90d")


def payload() -> bytes:
    """Trace 1 of five days ago, trace 2 of five days ago and today, trace 3 of today."""
    now = time.time_ns() - 60 * 10**9
    old = now - 5 * DAY
    spans = [
        *(
            agent(1, trace=1, start=old, values={"session.id": "s", "user.id": "u"}),
            chat(2, trace=1, parent=1, start=old),
        ),
        *(agent(1, trace=2, start=old), chat(2, trace=2, parent=1, start=now)),
        *(agent(1, trace=3, start=now), chat(2, trace=3, parent=1, start=now)),
    ]
    return request(*spans).SerializeToString()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """What a collector without retention left."""
    with CollectorProcess(tmp_path) as collector:
        asyncio.run(send(collector.grpc_address, [payload()]))
        assert collector.terminate() == 0
    return tmp_path


def wait_until_expired(collector: CollectorProcess, trace: int = 1) -> None:
    """Wait until no span of a trace is shown."""
    until = time.monotonic() + 60
    while json.loads(collector.get(f"/traces/{trace:032x}"))["spans"]:
        assert time.monotonic() < until
        time.sleep(0.1)


def test_what_is_over_expires_at_the_start_and_its_traces_are_shown_by_every_api(data: Path) -> None:
    with CollectorProcess(data, *RETENTION) as collector:
        wait_until_expired(collector)
        listed = json.loads(collector.get("/traces"))
        assert listed["total"] == 3
        whole = json.loads(collector.get(f"/traces/{1:032x}"))
        assert (whole["spans"], whole["session_id"], whole["user_id"]) == ([], "s", "u")
        assert json.loads(collector.get("/sessions/s"))["trace_count"] == 1
        assert json.loads(collector.get(f"/artanis/api/traces/{1:032x}"))
        late = span(trace_id=trace_id(1), start=time.time_ns() - 10**9)
        asyncio.run(send(collector.grpc_address, [request(late).SerializeToString()]))
        assert collector.terminate() == 0
    done = spanledger(data, "audit")
    assert done.returncode == 0, done.stdout + done.stderr
    assert numbers(done.stdout, "default")[2:7] == [7, 3, 0, 0, 4]
    assert numbers(done.stdout, "no span of an expired day is stored") == [3, 0]
    assert numbers(done.stdout, "every trace row equals the aggregate over its spans") == [1, 0]
    assert "interrupted" not in done.stdout


class DyingCollector(CollectorProcess):
    """Ends at the call with this number of a function of a module."""

    def __init__(self, directory: Path, module: str, function: str, number: int) -> None:
        super().__init__(directory, *RETENTION)
        self._dies = [f"exporters.clickhouse.{module}", function, str(number)]

    @property
    def command(self) -> list[str]:
        """The command line."""
        python, _, _, *arguments = super().command
        return [python, "-c", KILLED_AT, *self._dies, *arguments]


@pytest.mark.parametrize(
    ("module", "function", "is_noted", "is_entered"),
    [
        ("expiring", "insert", False, False),
        ("ledger", "command", True, False),
        ("expiring", "change", True, True),
        ("expiring", "command", True, True),
    ],
    ids=["before the note", "before the ledger", "before the rows", "before the end"],
)
def test_an_expiry_that_was_killed_anywhere_is_completed_at_the_next_start(
    data: Path, module: str, function: str, is_noted: bool, is_entered: bool
) -> None:
    collector = DyingCollector(data, module, function, 1)
    with suppress(AssertionError, urllib.error.URLError):  # it may die before it is ready
        collector.start()
    assert collector.wait() == -signal.SIGKILL
    half = spanledger(data, "audit")
    assert half.returncode == 0, half.stdout
    assert ("an expiry was interrupted" in half.stdout) == is_noted
    assert numbers(half.stdout, "default")[2:7] == ([6, 3, 0, 0, 3] if is_entered else [6, 6, 0, 0, 0])

    with CollectorProcess(data, *RETENTION) as restarted:
        wait_until_expired(restarted)
        assert restarted.terminate() == 0
    done = spanledger(data, "audit")
    assert done.returncode == 0, done.stdout
    assert "interrupted" not in done.stdout
    assert numbers(done.stdout, "default")[2:7] == [6, 3, 0, 0, 3]
    traces = stored(data, "SELECT trace_id, span_count FROM traces FINAL ORDER BY trace_id")
    assert [(int(str(trace), 16), count) for trace, count in traces] == [(1, 2), (2, 2), (3, 2)]
