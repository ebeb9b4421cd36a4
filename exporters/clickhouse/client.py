"""Clients for the ClickHouse that a URL names. The embedded engine and a server are the same class to everyone else."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from functools import partial
from importlib import resources
from pathlib import Path
from queue import LifoQueue
from typing import Any

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from collector.errors import Permanent, Retryable, StartError

CHDB_SCHEME = "chdb:"

READ_LIMITS: Mapping[str, int | str] = {
    "max_execution_time": 10,  # seconds
    "max_result_rows": 1_000_000,
    "max_memory_usage": 2 << 30,
    "max_rows_to_read": 10_000_000_000,
    "max_threads": 2,
}
"""Limits on what one reading query may cost."""

# Otherwise they become datetimes, which have no nanoseconds.
_TIMES_AS_INTEGERS = {"DateTime64*": "int"}

_ENGINE = Path(__file__).with_name("engine.xml")

# ClickHouse error codes that say "not now" about a statement that is right.
_RETRYABLE_CODES = {
    159,  # TIMEOUT_EXCEEDED
    160,  # TOO_SLOW
    202,  # TOO_MANY_SIMULTANEOUS_QUERIES
    209,  # SOCKET_TIMEOUT
    210,  # NETWORK_ERROR
    241,  # MEMORY_LIMIT_EXCEEDED
    242,  # TABLE_IS_READ_ONLY
    243,  # NOT_ENOUGH_SPACE
    252,  # TOO_MANY_PARTS
    999,  # KEEPER_EXCEPTION
}


def statement(name: str) -> str:
    """Return the SQL of one file of the folder sql/."""
    return (resources.files("exporters.clickhouse") / "sql" / name).read_text(encoding="utf-8")


@contextmanager
def outcomes(doing: str) -> Iterator[None]:
    """Turn the client's exceptions into `Retryable` or `Permanent`; `doing` begins the sentence."""
    try:
        yield
    except ClickHouseError as error:
        reason = str(error).strip().splitlines()[0][:500] if str(error).strip() else type(error).__name__
        message = f"{doing} failed: {reason}"
        code = getattr(error, "code", None)
        if code is None or code in _RETRYABLE_CODES:
            raise Retryable(message) from error
        raise Permanent(message) from error


def connect(url: str) -> Client:
    """Open a client that may write. Raises `StartError` with one sentence when that cannot be."""
    path = Path(url.removeprefix(CHDB_SCHEME))
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
    return client


def _open(path: Path) -> Client:
    import chdb  # noqa: PLC0415 - the light sidecar does without it

    # A process has one engine, and the first that opens it says how it is configured. It does not read the name of a file in
    # the form in which the client would hand it on.
    with closing(chdb.connect(f"{path.resolve()}?config-file={_ENGINE}&users_config={_ENGINE}")):
        return clickhouse_connect.get_client(interface="chdb", path=str(path))


def connect_writer(url: str) -> Client:
    """Open a client for the exporter. Raises `StartError` with one sentence when that cannot be."""
    client = connect(url)
    # A batch is too small to be divided: with more threads each of its statements takes more processor time, up to twice
    # as much for the small ones, and no less time.
    client.command("SET max_threads = 1")
    client.command("SET max_insert_threads = 1")
    return client


class Handle:
    """One client, replaced after every statement that failed on it.

    The embedded engine keeps what a failed statement had put out already, and begins the next answer on the same client
    with it: rows of one question would be returned for another.
    """

    def __init__(self, opened_by: Callable[[], Client]) -> None:
        self._open = opened_by
        self._client = opened_by()

    @contextmanager
    def doing(self, what: str) -> Iterator[Client]:
        """Lend the client. Its exceptions become `Retryable` or `Permanent`; `what` begins the sentence."""
        try:
            with outcomes(what):
                yield self._client
        except BaseException:
            failed = self._client
            with suppress(StartError):  # then the closed one stays, and the next use tries again
                self._client = self._open()
            failed.close()
            raise

    def close(self) -> None:
        """Close the client."""
        self._client.close()


def connect_read_only(url: str) -> Client:
    """Open a client under `READ_LIMITS` that can neither lift them nor change data."""
    client = connect(url)
    for name, value in READ_LIMITS.items():
        client.command(f"SET {name} = {value}")
    # The statements are written as they shall run, and granules are chosen by the keys all the same: over sixty columns, the
    # search for a better plan takes longer than it saves.
    client.command("SET query_plan_enable_optimizations = 0")
    client.command("SET readonly = 1")
    return client


class Readers:
    """Read-only handles, lent to one thread at a time, because a handle serves one query at once.

    What is read through them cannot change data or settings, nor use a table function that reads files or opens
    connections. The embedded engine leaves two holes, the scalar function `file` and `INTO OUTFILE`: therefore nothing
    that a client sends may ever become a part of the SQL; it is bound.
    """

    def __init__(self, url: str, count: int = 8) -> None:
        self._idle: LifoQueue[Handle] = LifoQueue()
        self._all = [Handle(partial(connect_read_only, url)) for _ in range(count)]
        for handle in self._all:
            self._idle.put(handle)

    def query(self, sql: str, parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Run a query with bound parameters, and return its rows; times are integers in the unit of their column.

        Raises `Retryable` or `Permanent`.
        """
        handle = self._idle.get()
        try:
            with handle.doing("reading from ClickHouse") as client:
                found = client.query(sql, parameters=dict(parameters), query_formats=_TIMES_AS_INTEGERS)
                return list(found.named_results())
        finally:
            self._idle.put(handle)

    def close(self) -> None:
        """Close every handle, also those in use."""
        for handle in self._all:
            handle.close()
