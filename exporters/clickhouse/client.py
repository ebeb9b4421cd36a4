"""Opening connections to the store that is configured, and lending them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from queue import LifoQueue
from typing import Any

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from collector.errors import Outcome, Permanent, Retryable, StartError
from collector.settings import ClickHouse, Endpoint
from exporters.clickhouse.cluster import SETTINGS as CLUSTER_SETTINGS
from exporters.clickhouse.cluster import ClusterConnection
from exporters.clickhouse.cluster_schema import ClusterSchema
from exporters.clickhouse.connection import Connection, statement
from exporters.clickhouse.embedded import open_embedded
from exporters.clickhouse.error_codes import outcome_of_change, outcome_of_question
from exporters.clickhouse.server import ServerConnection, make_database, open_server

READ_LIMITS: Mapping[str, int] = {
    "max_execution_time": 10,  # seconds
    "max_result_rows": 1_000_000,
    "max_memory_usage": 2 << 30,
    "max_rows_to_read": 10_000_000_000,
    "max_threads": 2,
}
"""Limits on what one reading query may cost."""

# The statements are written as they shall run, and granules are chosen by the keys all the same: over sixty columns, the
# search for a better plan takes longer than it saves.
_READING: Mapping[str, int] = {"query_plan_enable_optimizations": 0, "readonly": 1}

# A batch is too small to be divided: with more threads each of its statements takes more processor time, up to twice
# as much for the small ones, and no less time.
#
# And a batch may hold spans of more months than one INSERT may touch partitions by default, if `decode.accept_past` lets them
# in. It is refused under the code of what will be taken later, and never would be.
_WRITING: Mapping[str, int] = {"max_threads": 1, "max_insert_threads": 1, "max_partitions_per_insert_block": 0}


# What the client puts around the words of a server.
_FROM_SERVER = re.compile(r"^Received ClickHouse exception, code: \d+, server response: ")

_UNKNOWN_DATABASE = 81


class Unreachable(Retryable):
    """No server answers, or none of one shard."""


Judge = Callable[[int | None, str], Outcome]
"""From an error code and a sentence to the outcome: see `exporters.clickhouse.error_codes`."""


@contextmanager
def outcomes(doing: str, judge: Judge = outcome_of_change) -> Iterator[None]:
    """Turn the client's exceptions into `Retryable` or `Permanent`; `doing` begins the sentence."""
    try:
        yield
    except ClickHouseError as error:
        code = getattr(error, "code", None)
        message = f"{doing} failed: {first_line(error)}"
        # Without a code the statement was never judged, or its answer was lost.
        raise (Unreachable(message) if code is None else judge(code, message)) from error


class Opener:
    """Opens connections to one store. Of several servers, it stays with the one that answered last."""

    def __init__(
        self, settings: ClickHouse, more: Mapping[str, int] | None = None, *, only_questions: bool = False
    ) -> None:
        """`more` are settings of every statement, beside those that the kind of store needs.

        `only_questions`: nothing is changed, and nothing asked about parts, so that of a cluster one server is enough.
        """
        self._settings = settings
        self._only_questions = only_questions
        self._more = dict(more or {})
        self._first = 0

    @classmethod
    def writing(cls, settings: ClickHouse) -> Opener:
        """For who writes batches."""
        return cls(settings, _WRITING)

    @classmethod
    def reading(cls, settings: ClickHouse) -> Opener:
        """For who can neither change data nor lift `READ_LIMITS`."""
        of_cluster = {"skip_unavailable_shards": int(settings.skip_unavailable_shards)} if settings.cluster else {}
        return cls(settings, {**of_cluster, **READ_LIMITS, **_READING}, only_questions=True)

    def __call__(self) -> Connection:
        """Open one. Raises `StartError`, `Unreachable`, `Retryable` or `Permanent`."""
        settings = self._settings
        if settings.directory is not None:
            return open_embedded(settings.directory, self._more)
        if settings.cluster and not self._only_questions:
            return self._cluster()
        return ServerConnection(self._any(), settings.compression)

    def _any(self) -> Client:
        hosts = self._settings.server.hosts
        for number in range(len(hosts)):
            host = (self._first + number) % len(hosts)
            try:
                client = self._one(hosts[host])
            except Unreachable as outcome:
                failure = outcome
            else:
                self._first = host
                return client
        raise failure

    def _one(self, host: Endpoint) -> Client:
        more = {**(CLUSTER_SETTINGS if self._settings.cluster else {}), **self._more}
        try:
            try:
                return open_server(self._settings, host, more)
            except ClickHouseError as error:
                if getattr(error, "code", None) != _UNKNOWN_DATABASE or "readonly" in more:
                    raise
                make_database(self._settings, host)
                return open_server(self._settings, host, more)
        except ClickHouseError as error:
            if getattr(error, "code", None) is None:
                raise Unreachable(f"the ClickHouse server at {host} does not answer: {first_line(error)}") from error
            with outcomes(f"connecting to the ClickHouse server at {host}"):
                raise

    def _cluster(self) -> ClusterConnection:
        """Connect to one server of each shard, and find out of which."""
        cluster = self._settings.cluster
        shards: dict[int, list[Client]] = {}
        every: set[int] = set()
        failure: Unreachable | None = None
        for host in self._settings.server.hosts:
            try:
                client = self._one(host)
            except Unreachable as outcome:
                failure = outcome
                continue
            with outcomes(f"asking the ClickHouse server at {host} about its cluster"):
                found = client.query(statement("shards.sql"), parameters={"cluster": cluster}).result_rows
            own = [number for number, is_local in found if is_local]
            if not own:
                raise StartError(
                    f"clickhouse.cluster: the server at {host} is in no cluster {cluster}: see its system.clusters"
                )
            every.update(number for number, _ in found)
            shards.setdefault(own[0], []).append(client)
        if missing := every - shards.keys():
            if failure is None:
                raise StartError(
                    f"clickhouse.url: names no server of shard {min(missing)} of the cluster {cluster}: name one of each"
                )
            raise failure
        if failure is not None and not shards:
            raise failure
        schema = ClusterSchema(cluster, self._settings.server.database, self._settings.replicated)
        by_number = [shards[number] for number in sorted(shards)]
        return ClusterConnection(self._any(), self._settings.compression, by_number, schema)


def first_line(error: Exception) -> str:
    """Return the first line of what a client says, and why the connection broke if it did."""
    text = _FROM_SERVER.sub("", str(error).strip())
    if getattr(error, "code", None) is None:
        text = f"{text} ({cause})" if (cause := _cause(error)) else text
    return text.splitlines()[0][:500] if text else type(error).__name__


def _cause(error: BaseException) -> str:
    """What the operating system, or TLS, said first."""
    while (cause := getattr(error, "reason", None) or error.__cause__) is not None and isinstance(cause, BaseException):
        error = cause
    strerror = getattr(error, "strerror", None)
    return str(strerror or error).strip().splitlines()[0] if str(error).strip() else type(error).__name__


class Handle:
    """One connection, opened at its first use and anew after every statement that failed on it.

    The embedded engine keeps what a failed statement had put out already, and begins the next answer on the same client
    with it: rows of one question would be returned for another. And a server that failed may not be the only one.
    """

    def __init__(
        self,
        opened_by: Callable[[], Connection],
        judge: Judge = outcome_of_change,
        check: Callable[[], None] | None = None,
    ) -> None:
        """`judge` makes outcomes of codes; `check` is called before the connection is lent, and may raise an outcome."""
        self._open = opened_by
        self._judge = judge
        self.check = check
        self._connection: Connection | None = None
        self._was_open = False

    @contextmanager
    def doing(self, what: str) -> Iterator[Connection]:
        """Lend the connection. Its exceptions become `Retryable` or `Permanent`; `what` begins the sentence.

        Raises `StartError` only if it never could be opened.
        """
        if self.check is not None:
            self.check()
        connection = self._opened()
        try:
            with outcomes(what, self._judge):
                yield connection
        except BaseException:
            self.close()
            raise

    def _opened(self) -> Connection:
        if self._connection is None:
            try:
                self._connection = self._open()
            except (StartError, Permanent) as error:
                if not self._was_open:
                    raise
                raise Retryable(str(error)) from error
            self._was_open = True
        return self._connection

    def close(self) -> None:
        """Close the connection; the next use opens another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


class Readers:
    """Read-only handles, lent to one thread at a time, because a handle serves one query at once.

    What is read through them cannot change data or settings, nor use a table function that reads files or opens
    connections. The embedded engine leaves two holes, the scalar function `file` and `INTO OUTFILE`: therefore nothing
    that a client sends may ever become a part of the SQL; it is bound.
    """

    def __init__(self, settings: ClickHouse, count: int = 8) -> None:
        self._idle: LifoQueue[Handle] = LifoQueue()
        self._all = [Handle(Opener.reading(settings), outcome_of_question) for _ in range(count)]
        for handle in self._all:
            self._idle.put(handle)

    def query(self, sql: str, parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Run a query with bound parameters, and return its rows; times are integers in the unit of their column.

        Raises `Retryable` or `Permanent`.
        """
        handle = self._idle.get()
        try:
            with handle.doing("reading from ClickHouse") as connection:
                return connection.rows(sql, parameters)
        finally:
            self._idle.put(handle)

    def close(self) -> None:
        """Close every handle, also those in use."""
        for handle in self._all:
            handle.close()
