"""What a request to ClickHouse's HTTP interface says: https://clickhouse.com/docs/interfaces/http."""

from __future__ import annotations

import base64
import binascii
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from starlette.datastructures import Headers, QueryParams

from collector.auth import shown_key
from collector.errors import StatementError

LONGEST_BODY = 1 << 20
"""Bytes of the largest body, after decompression: several times the longest statement."""

SETTINGS = frozenset(
    {
        "date_time_output_format", "output_format_arrow_string_as_string", "output_format_json_quote_64bit_floats",
        "output_format_json_quote_64bit_integers", "output_format_json_quote_decimals",
        "output_format_json_quote_denormals", "output_format_native_encode_types_in_binary_format",
        "output_format_parquet_string_as_string", "output_format_pretty_max_rows", "output_format_pretty_row_numbers",
        "session_timezone",
    }
)  # fmt: skip
"""Settings that a request may change: only how an answer is written."""

# What is of no account here: sessions hold nothing, an answer is complete before it is sent, and limits are fixed.
_IGNORED = frozenset(
    {
        "add_http_cors_header", "allow_experimental_analyzer", "buffer_size", "cancel_http_readonly_queries_on_client_close",
        "client_name", "client_protocol_version", "connect_timeout", "database", "default_format", "enable_http_compression",
        "extremes", "http_headers_progress_interval_ms", "http_zlib_compression_level", "log_comment", "log_queries",
        "max_block_size", "max_execution_time", "max_result_bytes", "max_result_rows", "max_threads", "password", "priority",
        "query", "query_id", "quota_key", "readonly", "result_overflow_mode", "send_progress_in_http_headers",
        "session_check", "session_id", "session_timeout", "stacktrace", "user", "wait_end_of_query",
    }
)  # fmt: skip
_PARAMETER = "param_"
_VALUE = re.compile(r"[A-Za-z0-9_+:/.-]{0,64}")


@dataclass(frozen=True)
class Asked:
    """A statement, and how it is to be answered."""

    statement: str
    form: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    compressed: bool = False
    """Whether the answer may be compressed, if the client takes that."""


def read(parameters: QueryParams, headers: Headers, body: bytes) -> Asked:
    """Read a request: the statement is the parameter ``query`` with the body behind it. Raises `StatementError`."""
    settings: dict[str, str] = {}
    fillings: dict[str, str] = {}
    for name, value in parameters.multi_items():
        if name.startswith(_PARAMETER):
            fillings[name.removeprefix(_PARAMETER)] = value
        elif name in SETTINGS and _VALUE.fullmatch(value):
            settings[name] = value
        elif name in ("compress", "decompress") and value not in ("", "0"):
            raise StatementError(
                48, "NOT_IMPLEMENTED", f"{name}: use enable_http_compression and Accept-Encoding or Content-Encoding"
            )
        elif name not in _IGNORED and name not in ("compress", "decompress"):
            raise StatementError(164, "READONLY", f"Cannot modify '{name[:64]}' setting in readonly mode")
    _check_database(parameters.get("database") or headers.get("x-clickhouse-database"))
    if headers.get("content-type", "").startswith("multipart/"):
        raise StatementError(48, "NOT_IMPLEMENTED", "External data is not taken: send the statement alone")
    text = _text(_inflated(body, headers.get("content-encoding", "identity").lower()))
    query = parameters.get("query", "")
    statement = f"{query}\n{text}" if query and text else query or text
    if not statement.strip():
        raise StatementError(62, "SYNTAX_ERROR", "Empty query")
    form = headers.get("x-clickhouse-format") or parameters.get("default_format") or "TabSeparated"
    return Asked(statement, form, fillings, settings, parameters.get("enable_http_compression") not in (None, "", "0"))


def key_of(headers: Headers) -> str | None:
    """Return the key that a request shows: X-ClickHouse-Key, X-API-Key, Authorization: Bearer, or the password of Basic.

    Not the parameter ``password``: URLs are written into logs.
    """
    return headers.get("x-clickhouse-key") or shown_key(headers.get) or _password(headers.get("authorization", ""))


def _password(authorization: str) -> str | None:
    scheme, _, credentials = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        return base64.b64decode(credentials, validate=True).decode().partition(":")[2] or None
    except (binascii.Error, UnicodeDecodeError):
        return None


def _check_database(name: str | None) -> None:
    if name and name not in ("default", "system"):
        raise StatementError(81, "UNKNOWN_DATABASE", f"Database {name[:64]} does not exist: all tables are in default")
    if name == "system":
        raise StatementError(497, "ACCESS_DENIED", "The database of a request is default: write system.tables in full")


def _text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise StatementError(62, "SYNTAX_ERROR", "The statement is not UTF-8") from None


def _inflated(body: bytes, encoding: str) -> bytes:
    if encoding in ("identity", ""):
        return body
    if encoding not in ("gzip", "deflate"):
        raise StatementError(48, "NOT_IMPLEMENTED", "Content-Encoding: allowed are gzip and deflate")
    inflater = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
    try:
        inflated = inflater.decompress(body, LONGEST_BODY + 1)
    except zlib.error:
        raise StatementError(
            354, "ZLIB_INFLATE_FAILED", "The body is not compressed as Content-Encoding says"
        ) from None
    if len(inflated) > LONGEST_BODY:
        raise too_long()
    return inflated


def too_long() -> StatementError:
    """Return the refusal of a body beyond `LONGEST_BODY`."""
    return StatementError(307, "TOO_MANY_BYTES", f"The body is larger than {LONGEST_BODY} bytes")
