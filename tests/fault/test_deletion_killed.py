"""kill -9 during deletions: what was answered is gone, the books balance, and nothing else is missing."""

from __future__ import annotations

import asyncio
import http.client
import random
import signal
import time
import urllib.error
from collections.abc import Awaitable, Callable
from pathlib import Path

import grpc
import pytest

from exporters.clickhouse.deleting import OF_TRACES
from tests.fault.test_books_killed import KILLED_AT
from tests.integration.test_audit import numbers
from tests.integration.test_deletion import EXPORT, delete
from tests.support.collector_process import CollectorProcess
from tests.support.command import spanledger
from tests.support.otlp import request, span
from tests.support.stored import stored

TABLES = ("spans", "traces", "logs", "span_content", "evaluations", "span_messages")
USERS = 40


def user(number: int) -> str:
    return f"user {number}"


def payload(number: int, part: int) -> bytes:
    """A part of the trace of a user: first children, then the root, which alone names the user, then a child again."""
    trace_id, start = (number + 1).to_bytes(16, "big"), time.time_ns() - 60 * 10**9
    ids = {"trace_id": trace_id, "start": start}
    root = (20).to_bytes(8, "big")
    if part == 1:
        return request(span(**ids, span_id=root, attributes={"user.id": user(number)})).SerializeToString()
    children = (span(**ids, span_id=(10 + 10 * part + n).to_bytes(8, "big"), parent=root) for n in (0, 1))
    return request(*children).SerializeToString()


def traces(directory: Path, table: str) -> set[int]:
    """Numbers of the users of whom a table shows anything."""
    return {int(str(row[0]), 16) - 1 for row in stored(directory, f"SELECT DISTINCT trace_id FROM {table}")}


class Load:
    """Sends traces in parts, and deletes every other user at some moment after its root is acknowledged."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.waiting = [(number, part) for number in range(USERS) for part in range(3)]
        self.random.shuffle(self.waiting)
        self.acknowledged: set[tuple[int, int]] = set()
        self.to_delete: list[int] = []
        self.asked: set[int] = set()
        self.answered: set[int] = set()
        self.dead = False

    async def run(self, collector: CollectorProcess, kill_after: int) -> None:
        """Until all is done, or the collector is killed: when so many deletions have been answered."""
        async with grpc.aio.insecure_channel(collector.grpc_address) as channel:
            export = channel.unary_unary(EXPORT)

            async def sender() -> None:
                while self.waiting and not self.dead:
                    number, part = self.waiting.pop()
                    await export(payload(number, part), timeout=20)
                    self.acknowledged.add((number, part))
                    if part == 1 and number % 2:
                        self.to_delete.append(number)

            async def deleter() -> None:
                while (self.waiting or self.to_delete) and not self.dead:
                    if not self.to_delete:
                        await asyncio.sleep(0.002)
                        continue
                    number = self.to_delete.pop(self.random.randrange(len(self.to_delete)))
                    self.asked.add(number)
                    path = f"/users/{user(number).replace(' ', '%20')}"
                    assert (await asyncio.to_thread(delete, collector, path))["deleted"] in (0, 1)
                    self.answered.add(number)

            async def killer() -> None:
                while len(self.answered) < kill_after and (self.waiting or self.to_delete):  # noqa: ASYNC110 - no event
                    await asyncio.sleep(0.001)
                await asyncio.sleep(self.random.random() * 0.1)
                self.dead = True
                collector.kill()

            await asyncio.gather(*map(self._until_dead, (sender, sender, deleter, deleter, killer)))

    async def _until_dead(self, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except (grpc.aio.AioRpcError, urllib.error.URLError, http.client.HTTPException, OSError):
            if not self.dead:
                raise


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_nothing_of_an_answered_deletion_is_there_after_kills_and_nothing_else_is_missing(
    tmp_path: Path, seed: int
) -> None:
    load = Load(seed)
    settings = ("deliver.batch_rows=16", "deliver.batch_age=20ms", "clickhouse.remove_deleted_after=1s")
    collector = CollectorProcess(tmp_path, *settings)
    for kill_after in (2, 5, 9):
        collector.start()
        load.dead = False
        asyncio.run(load.run(collector, kill_after))
    collector.start()
    assert collector.terminate() == 0
    assert len(load.answered) >= 9

    done = spanledger(tmp_path, "audit")
    assert done.returncode == 0, done.stdout
    sent, deleted = ({number for number, _ in load.acknowledged}, load.answered)
    for table in TABLES:
        assert not traces(tmp_path, table) & deleted, table
    assert sent - load.asked <= traces(tmp_path, "traces") <= set(range(USERS)) - deleted
    kept = {(number, part) for number, part in load.acknowledged if number not in load.asked}
    rows = stored(tmp_path, "SELECT trace_id, span_id FROM spans")
    assert kept <= {(int(str(trace), 16) - 1, int(str(one), 16) // 10 - 1) for trace, one in rows}


class DyingCollector(CollectorProcess):
    """Ends before a statement of a deletion: the one with this number that this function is called for."""

    def __init__(self, directory: Path, function: str, number: int, *settings: str) -> None:
        super().__init__(directory, *settings)
        self._dies = ["exporters.clickhouse.deleting", function, str(number)]

    @property
    def command(self) -> list[str]:
        """The command line."""
        python, _, _, *arguments = super().command
        return [python, "-c", KILLED_AT, *self._dies, *arguments]


@pytest.mark.parametrize(
    ("function", "number", "is_noted", "is_entered"),
    [
        ("insert", 1, False, False),
        ("change", 1, True, True),
        ("change", len(OF_TRACES) + 1, True, True),
        ("command", 1, True, True),
    ],
    ids=["before the note", "before the rows", "before the spans", "before the end"],
)
def test_a_deletion_that_was_killed_anywhere_is_completed_at_the_next_start(
    tmp_path: Path, function: str, number: int, is_noted: bool, is_entered: bool
) -> None:
    with DyingCollector(tmp_path, function, number) as collector:
        asyncio.run(_send(collector.grpc_address, [payload(n, part) for n in (1, 2) for part in range(3)]))
        with pytest.raises((OSError, http.client.HTTPException)):
            delete(collector, "/users/user%201")
        assert collector.wait() == -signal.SIGKILL

    half = spanledger(tmp_path, "audit")
    assert half.returncode == 0, half.stdout
    assert ("a deletion was interrupted" in half.stdout) == is_noted
    assert numbers(half.stdout, "default")[3:6] == ([5, 0, 5] if is_entered else [10, 0, 0])

    with CollectorProcess(tmp_path) as restarted:
        assert restarted.terminate() == 0
    done = spanledger(tmp_path, "audit")
    assert done.returncode == 0, done.stdout
    assert "interrupted" not in done.stdout
    assert numbers(done.stdout, "default")[3:6] == ([5, 0, 5] if is_noted else [10, 0, 0])
    assert traces(tmp_path, "spans") == traces(tmp_path, "traces") == ({2} if is_noted else {1, 2})


async def _send(address: str, payloads: list[bytes]) -> None:
    async with grpc.aio.insecure_channel(address) as channel:
        for one in payloads:
            await channel.unary_unary(EXPORT)(one, timeout=30)
