"""The embedded engine, chDB: ClickHouse in this process, on the files of one directory."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import clickhouse_connect
import pyarrow as pa
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from collector.errors import StartError
from exporters.clickhouse.connection import ASKED, Connection

_ENGINE = Path(__file__).with_name("engine.xml")


class EmbeddedConnection(Connection):
    """Reads and writes Arrow tables where they are in memory, through their names in the statement."""

    def insert(self, sql: str, rows: pa.Table, parameters: Mapping[str, Any] | None = None) -> None:
        """Run an INSERT: see `Connection.insert`."""
        # `rows` is read by the engine, through its name in the statement.
        columns = ", ".join(rows.column_names)
        self.command(f"{sql.rstrip()}\nSELECT {columns} FROM Python(rows)", parameters)

    def query(self, sql: str, parameters: Mapping[str, Any] | None = None, asked: pa.Table | None = None) -> pa.Table:
        """Run a query: see `Connection.query`."""
        sql = sql.replace(ASKED, "Python(asked)")
        # Not `query_arrow`, which sets its settings with a statement each before the query, and back after it.
        answer = self.client.raw_query(sql, parameters=dict(parameters or {}), fmt="Arrow")
        return pa.ipc.open_file(answer).read_all()


def open_embedded(path: Path, settings: Mapping[str, int]) -> EmbeddedConnection:
    """Open the engine. Raises `StartError` with one sentence when that cannot be."""
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise StartError(f"clickhouse.url: the directory {path} cannot be made: {error.strerror}") from error
    if not os.access(path, os.R_OK | os.W_OK | os.X_OK):
        raise StartError(
            f"clickhouse.url: this user may not write to the directory {path}: change its owner or name another"
        )
    try:
        client = _open(path)
    except ImportError as error:
        raise StartError(
            "clickhouse.url: the embedded engine is not installed: pip install 'spanledger[embedded]'"
        ) from error
    except (ClickHouseError, RuntimeError) as error:
        raise StartError(
            f"clickhouse.url: the embedded engine cannot open {path}; another process may be using it: stop that process,"
            " or name another directory"
        ) from error
    # The engine logs every query into tables of its own unless it is told not to: half of an idle collector's work.
    client.command("SET log_queries = 0")
    for name, value in settings.items():
        client.command(f"SET {name} = {value}")
    return EmbeddedConnection(client)


def _open(path: Path) -> Client:
    import chdb  # noqa: PLC0415 - the light sidecar does without it

    # A process has one engine, and the first that opens it says how it is configured. It does not read the name of a file in
    # the form in which the client would hand it on.
    with closing(chdb.connect(f"{path.resolve()}?config-file={_ENGINE}&users_config={_ENGINE}")):
        return clickhouse_connect.get_client(interface="chdb", path=str(path))
