"""ClickHouse servers over HTTP: Arrow in the body of a request, ids that are asked about as an external table.

Every answer is whole before the server begins to send it, so that its status tells whether the statement succeeded; where
something between both says otherwise, the text of an exception in a body counts as what it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import clickhouse_connect
import pyarrow as pa
import urllib3
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError, DatabaseError, OperationalError
from clickhouse_connect.driver.external import ExternalData

from collector.settings import ClickHouse, Endpoint
from exporters.clickhouse.connection import ASKED, Connection, HexIds

CONNECT_TIMEOUT_S = 5
"""Seconds to wait for a connection."""

# A statement holds the ids of a batch in its text.
_SETTINGS: Mapping[str, object] = {
    "wait_end_of_query": 1,
    "send_progress_in_http_headers": 0,
    "max_query_size": 64 << 20,
}

_EXCEPTION = re.compile(rb"Code: (\d+)\. DB::Exception: [^\n]{0,500}")
_PLAIN_IDS = re.compile(r"\['[^'\\]*'(?:,'[^'\\]*')*\]|\[\]")


class ServerConnection(Connection):
    """Talks to one server."""

    def __init__(self, client: Client, compression: str) -> None:
        """`compression`: of inserted rows; none, lz4 or zstd."""
        super().__init__(client)
        self._options = pa.ipc.IpcWriteOptions(compression=None if compression == "none" else compression)

    def command(self, sql: str, parameters: Mapping[str, Any] | None = None) -> None:
        """Run a statement: see `Connection.command`."""
        sql, bound = with_ids(sql, parameters)
        _refuse_answer(self.client.command(sql, parameters=bound))

    def insert(self, sql: str, rows: pa.Table, parameters: Mapping[str, Any] | None = None) -> None:
        """Run an INSERT: see `Connection.insert`."""
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, rows.schema, options=self._options) as stream:
            stream.write_table(rows)
        data = sink.getvalue().to_pybytes()
        _refuse_answer(
            self.client.command(f"{sql.rstrip()}\nFORMAT ArrowStream", parameters=dict(parameters or {}), data=data)
        )

    def query(self, sql: str, parameters: Mapping[str, Any] | None = None, asked: pa.Table | None = None) -> pa.Table:
        """Run a query: see `Connection.query`."""
        sql, bound = with_ids(sql, parameters)
        external = None if asked is None else _external(asked)
        answer = self.client.raw_query(
            sql.replace(ASKED, "asked"), parameters=bound, fmt="Arrow", external_data=external
        )
        try:
            return pa.ipc.open_file(answer).read_all()
        except pa.ArrowInvalid as error:
            raise _exception_in(answer) or OperationalError("an answer of the server was cut off") from error


def make_database(settings: ClickHouse, host: Endpoint) -> None:
    """Make the database that the URL names. Raises what clickhouse-connect raises."""
    client = open_server(settings, host, {}, database="default")
    try:
        client.command(f"CREATE DATABASE IF NOT EXISTS {settings.server.database}")
    finally:
        client.close()


def open_server(settings: ClickHouse, host: Endpoint, more: Mapping[str, object], database: str = "") -> Client:
    """Connect to one server, `more` being settings of every statement. Raises what clickhouse-connect raises."""
    server = settings.server
    tls = settings.tls
    if not tls.verify:
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)  # who configures it knows
    files = {"ca_cert": tls.ca_certificate, "client_cert": tls.certificate, "client_cert_key": tls.key}
    options: dict[str, Any] = {name: str(path) for name, path in files.items() if path is not None}
    if tls.certificate is not None and server.password:
        options["tls_mode"] = "strict"  # the certificate beside the password, not instead of it
    return clickhouse_connect.get_client(
        interface="https" if server.secure else "http",
        host=host.host,
        port=host.port,
        username=server.user,
        password=server.password,
        database=database or server.database,
        compress=settings.compression if settings.compression != "none" else False,
        connect_timeout=CONNECT_TIMEOUT_S,
        send_receive_timeout=max(1, settings.timeout_ns // 10**9),
        verify=tls.verify,
        settings={**_SETTINGS, **more},
        query_retries=0,
        autogenerate_session_id=False,
        show_clickhouse_errors="scrub",
        form_encode_query_params=True,
        dedicated_pool=not options and tls.verify,
        **options,
    )


def with_ids(sql: str, parameters: Mapping[str, Any] | None) -> tuple[str, dict[str, Any]]:
    """Write `HexIds` into the text; all other parameters stay bound. A server takes parameters of 128 KiB at most."""
    bound = dict(parameters or {})
    for name in [name for name, value in bound.items() if isinstance(value, HexIds)]:
        literal = str(bound.pop(name))
        if not _PLAIN_IDS.fullmatch(literal):
            raise ValueError(f"the parameter {name} holds more than ids")
        if literal == "[]":
            literal = "CAST([], 'Array(String)')"
        sql = sql.replace(f"{{{name}:Array(String)}}", literal)
    return sql, bound


def _external(asked: pa.Table) -> ExternalData:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, asked.schema) as stream:
        stream.write_table(asked)
    structure = ", ".join(f"{name} String" for name in asked.column_names)
    return ExternalData(file_name="asked", data=sink.getvalue().to_pybytes(), fmt="ArrowStream", structure=structure)


def _refuse_answer(answer: Any) -> None:
    """Raise what the body of an answer says, where nothing but a summary should be."""
    if isinstance(answer, str) and (error := _exception_in(answer.encode())):
        raise error


def _exception_in(body: bytes) -> ClickHouseError | None:
    found = _EXCEPTION.search(body)
    if found is None:
        return None
    return DatabaseError(found[0].decode(errors="replace"), code=int(found[1]))
