"""ClickHouse for tests: embedded, as a server, and as a cluster; all tests of a process share one database of each kind.

`database` (session) is that database; `project` (function) is a name that no other test uses: what a test writes under it
is its own. A test that needs a directory of its own runs in a child process: `in_child(code, directory)`.
"""

from __future__ import annotations

import itertools
import secrets
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from collector.settings import ClickHouse as Settings
from collector.settings_attributes import Attributes
from exporters.clickhouse import ClickHouse
from exporters.clickhouse.client import Opener
from exporters.clickhouse.connection import Connection
from tests.support.clickhouse_server import CLUSTER, joined_url, one_server, two_shards

ROOT = Path(__file__).parents[2]

_numbers = itertools.count(1)


class Database:
    """A migrated database and a connection of its own, which may ask anything."""

    def __init__(self, settings: Settings) -> None:
        """Open it."""
        self.settings = settings
        self.clickhouse = ClickHouse(settings, Attributes().references(), writer=f"{next(_numbers):032x}")
        self.exporter = self.clickhouse.exporter
        self.store = self.clickhouse.store
        self.editor = self.clickhouse.editor
        self.connection = self.connect()
        self.client: Client = self.connection.client

    def connect(self) -> Connection:
        """Open one more connection."""
        return Opener(self.settings, {"max_threads": 1})()

    def rows(self, sql: str, **parameters: Any) -> list[dict[str, Any]]:
        """The rows of a query."""
        return list(self.client.query(sql, parameters=parameters).named_results())

    def value(self, sql: str, **parameters: Any) -> Any:
        """The only value of a query."""
        ((value,),) = self.client.query(sql, parameters=parameters).result_rows
        return value

    def trace(self, project: str, number: int) -> tuple[Mapping[str, Any], list[Mapping[str, Any]]]:
        """A trace that must be there."""
        found = self.store.trace(project, f"{number:032x}")
        assert found is not None
        return found[0], list(found[1])

    def close(self) -> None:
        """Close everything."""
        self.connection.close()
        self.clickhouse.__exit__(None, None, None)


STORES = ("embedded", "server", "cluster")
"""Where ClickHouse runs: in the test process, as one server, and as two shards."""


@contextmanager
def opened(kind: str, directory: Path) -> Iterator[Database]:
    """A database of one of `STORES`, with its servers."""
    with settings_of(kind, directory) as settings:
        found = Database(settings)
        try:
            yield found
        finally:
            found.close()


@contextmanager
def settings_of(kind: str, directory: Path) -> Iterator[Settings]:
    """The settings of one of `STORES`, whose servers run meanwhile."""
    if kind == "embedded":
        yield Settings(url=f"chdb:{directory}/clickhouse")
    elif kind == "server":
        with one_server(directory) as url:
            yield Settings(url=f"{url}/spanledger_{secrets.token_hex(4)}")
    else:
        with two_shards(directory) as shards:
            yield Settings(url=f"{joined_url(shards)}/spanledger", cluster=CLUSTER)


@pytest.fixture(scope="session", params=STORES)
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """The database of this test process, in each of `STORES`."""
    with opened(request.param, tmp_path_factory.mktemp("clickhouse")) as found:
        yield found


@pytest.fixture
def project() -> str:
    """A project that holds nothing yet."""
    return f"project-{next(_numbers)}"


def in_child(code: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run Python code in a process of its own, which can open a database of its own."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
