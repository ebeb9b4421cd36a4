"""The embedded ClickHouse for tests. It opens one directory in a process, so all tests of a process share one database.

`database` (session) is that database; `project` (function) is a name that no other test uses: what a test writes under it
is its own. A test that needs a directory of its own runs in a child process: `in_child(code, directory)`.
"""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from collector.settings_attributes import Attributes
from exporters.clickhouse import ClickHouse
from exporters.clickhouse.client import connect

ROOT = Path(__file__).parents[2]

_numbers = itertools.count(1)


class Database:
    """A migrated database and a client of its own, which may ask anything."""

    def __init__(self, directory: Path) -> None:
        """Open it."""
        self.url = f"chdb:{directory}"
        self.clickhouse = ClickHouse(self.url, Attributes().references())
        self.exporter = self.clickhouse.exporter
        self.store = self.clickhouse.store
        self.editor = self.clickhouse.editor
        self.client: Client = connect(self.url)

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
        self.client.close()
        self.store.close()
        self.exporter.close()


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """The database of this test process."""
    found = Database(tmp_path_factory.mktemp("clickhouse"))
    yield found
    found.close()


@pytest.fixture
def project() -> str:
    """A project that holds nothing yet."""
    return f"project-{next(_numbers)}"


def in_child(code: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run Python code in a process of its own, which can open a database of its own."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
