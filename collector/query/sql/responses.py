"""How ClickHouse's HTTP interface tells of answers and of errors."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping

from starlette.responses import Response

from collector.errors import StatementError
from collector.query.sql.engine import Answer

# As in ClickHouse's src/Server/HTTP/exceptionCodeToHTTPStatus.cpp, but for those marked with (*).
_STATUSES: Mapping[int, int] = {
    **dict.fromkeys(
        (6, 26, 27, 36, 38, 41, 42, 43, 47, 53, 62, 69, 70, 72, 117, 130, 190, 321, 386, 427, 441, 456, 457), 400
    ),
    **dict.fromkeys((60, 46, 81, 50, 56, 73, 78, 115, 163, 511), 404),
    159: 408,
    48: 501,
    194: 401,
    516: 403,
    497: 403,  # (*) 500 there: not a failure
    164: 403,  # (*) likewise
    202: 503,  # (*) likewise
    307: 413,
}

_CONTENT_TYPES = (
    ("JSONEach", "application/x-ndjson; charset=UTF-8"),
    ("JSONLines", "application/x-ndjson; charset=UTF-8"),
    ("NDJSON", "application/x-ndjson; charset=UTF-8"),
    ("JSON", "application/json; charset=UTF-8"),
    ("CSV", "text/csv; charset=UTF-8; header=absent"),
    ("TSV", "text/tab-separated-values; charset=UTF-8"),
    ("TabSeparated", "text/tab-separated-values; charset=UTF-8"),
    ("XML", "application/xml; charset=UTF-8"),
    *(
        (name, "application/octet-stream")
        for name in ("Arrow", "Avro", "BSON", "MsgPack", "Native", "ORC", "Parquet", "RowBinary")
    ),
)

_FIXED = {"X-ClickHouse-Server-Display-Name": "spanledger", "X-Content-Type-Options": "nosniff"}
_WORTH_COMPRESSING = 1024


def answered(answer: Answer, *, query_id: str, timezone: str, encodings: str) -> Response:
    """Return an answer, compressed by gzip if `encodings` (Accept-Encoding) has it."""
    headers = {
        **_FIXED,
        "X-ClickHouse-Query-Id": query_id,
        "X-ClickHouse-Format": answer.form,
        "X-ClickHouse-Timezone": timezone,
        "X-ClickHouse-Summary": json.dumps({"elapsed_ns": str(round(answer.seconds * 1e9))}),
    }
    content = answer.content
    if len(content) >= _WORTH_COMPRESSING and "gzip" in encodings:
        content = gzip.compress(content, compresslevel=3)
        headers |= {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
    return Response(content, headers=headers, media_type=_content_type(answer.form))


def refused(error: StatementError, *, query_id: str) -> Response:
    """Return an error, as text of one line with its number, as ClickHouse does."""
    line = f"Code: {error.code}. DB::Exception: {' '.join(str(error).split())}. ({error.name})\n".replace(".. (", ". (")
    headers = {**_FIXED, "X-ClickHouse-Query-Id": query_id, "X-ClickHouse-Exception-Code": str(error.code)}
    if error.code == 194:
        headers["WWW-Authenticate"] = 'Basic realm="ClickHouse server HTTP API"'
    return Response(line, _STATUSES.get(error.code, 500), headers, media_type="text/plain; charset=UTF-8")


def ok(text: str) -> Response:
    """Return a line of text, to a question that is no statement."""
    return Response(text, headers=dict(_FIXED), media_type="text/html; charset=UTF-8")


def _content_type(form: str) -> str:
    return next((kind for begin, kind in _CONTENT_TYPES if form.startswith(begin)), "text/plain; charset=UTF-8")
