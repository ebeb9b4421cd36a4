"""``spanledger sql``: a statement, its answer in the terminal or for another program.

It is run on the database of a stopped collector, or by the running one over its HTTP interface, and either way under the
same rules: see exporters/clickhouse/statements.
"""

from __future__ import annotations

import json
import os
import re
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from collector.errors import StartError, StatementError
from collector.journal import InUseError, Journal
from collector.query.sql.engine import Answer
from collector.settings import Settings
from collector.settings_values import shown
from exporters.clickhouse.offline import open_database
from exporters.clickhouse.ready import ready_about, ready_names, ready_query
from exporters.clickhouse.statements import ServerStatements, limits_of
from exporters.clickhouse.statements import Statements as Embedded

FORMATS: Mapping[str, str] = {
    "table": "JSONCompactStringsEachRowWithNamesAndTypes",
    "json": "JSONEachRow",
    "csv": "CSVWithNames",
    "tsv": "TSVWithNames",
}
"""What ``--format`` calls ClickHouse's formats; any other name is ClickHouse's own."""

KEY_VARIABLE = "SPANLEDGER_API_KEY"
"""Environment variable with the key that is shown to a running collector."""

_WIDE = 10_000
"""Width of a table that goes to a file or a pipe: every row on one line."""

_NULL = "ᴺᵁᴸᴸ"
"""How ClickHouse writes NULL where everything is text."""

_NUMBERS = re.compile(r"(?:Nullable\()?(?:U?Int|Float|Decimal)")
_PARAMETER = re.compile(r"(\w+)=(.*)", re.DOTALL)
_ERROR = re.compile(r"Code: (\d+)\. DB::Exception: (.*) \((\w+)\)\s*", re.DOTALL)
_EXPECTED = re.compile(r"\.? Expected one of: .*", re.DOTALL)
_LONGEST_ERROR = 400


def print_ready() -> None:
    """Print the names of the ready queries, each with what it answers."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("ready query", no_wrap=True)
    table.add_column("answers")
    for name in ready_names():
        table.add_row(name, Text(ready_about(name)))
    _console().print(table)


def run_statement(
    settings: Settings,
    *,
    statement: str | None,
    file: Path | None,
    ready: str | None,
    form: str,
    parameters: Sequence[str],
) -> str:
    """Run one statement, print its answer, and return "" or why it failed.

    `statement` may be ``-`` for standard input. Raises `StartError` where nothing can be asked.
    """
    text = _text(statement, file, ready)
    filled = dict(_parameter(one) for one in parameters)
    wanted = FORMATS.get(form, form)
    try:
        with _opened(settings) as statements:
            answer = statements.run(text, form=wanted, parameters=filled, project=None)
    except StatementError as error:
        return _sentence(error)
    if form == "table" and answer.form == wanted:
        _print_table(answer.content)
    else:
        sys.stdout.flush()
        sys.stdout.buffer.write(answer.content)
    return ""


def _text(statement: str | None, file: Path | None, ready: str | None) -> str:
    if ready is not None:
        if ready not in ready_names():
            raise StartError(f'--ready "{shown(ready)}": allowed are {", ".join(ready_names())}')
        return ready_query(ready)
    try:
        if file is not None:
            return file.read_text(encoding="utf-8")
        return sys.stdin.read() if statement == "-" else statement or ""
    except OSError as error:
        raise StartError(f"--file {shown(str(file))}: it cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise StartError(f"{shown(str(file or 'standard input'))}: it is not UTF-8") from error


def _parameter(text: str) -> tuple[str, str]:
    found = _PARAMETER.fullmatch(text)
    if found is None:
        raise StartError(f'--param "{shown(text)}": allowed is NAME=VALUE, for {{NAME:Type}} in the statement')
    # The engine reads values as they stand in TabSeparated.
    return found[1], found[2].translate({ord("\\"): "\\\\", ord("\n"): "\\n", ord("\t"): "\\t"})


class _Asked(Protocol):
    """Answers statements."""

    def run(self, statement: str, *, form: str, parameters: Mapping[str, str], project: str | None) -> Answer:
        """Return what a statement gives: see `collector.query.sql.engine.Statements.run`."""


@contextmanager
def _opened(settings: Settings) -> Iterator[_Asked]:
    """Lend what answers: the one place that knows where the data is."""
    if not settings.clickhouse.is_embedded:
        yield ServerStatements(settings.clickhouse, limits_of(settings.query.sql))
        return
    try:
        journal = _journal(settings)
    except InUseError:
        yield _Running(_url_of_running(settings))
        return
    try:
        with open_database(settings.clickhouse, may_write=False):
            yield Embedded(settings.clickhouse.url, limits_of(settings.query.sql))
    finally:
        if journal is not None:
            journal.close()


def _journal(settings: Settings) -> Journal | None:
    """Keep the collector out. Raises `InUseError` if it runs."""
    directory = settings.journal.directory
    if not directory.is_dir():
        return None
    return Journal.open(directory, max_size=settings.journal.max_size, sync=settings.journal.sync)


def _url_of_running(settings: Settings) -> str:
    endpoint = settings.query.sql.endpoint
    if endpoint is None or endpoint.port == 0:
        raise StartError(
            f"the collector is running (it has the journal in {settings.journal.directory} open), and only it can read its"
            " database: set query.sql.endpoint, such as 127.0.0.1:8123, for it and here, or stop it"
        )
    everywhere = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - where it listens, seen from here
    host = everywhere.get(endpoint.host, endpoint.host)
    return f"http://{f'[{host}]' if ':' in host else host}:{endpoint.port}/"


@dataclass(frozen=True)
class _Fetched:
    content: bytes
    form: str
    seconds: float = 0.0


class _Running:
    """A running collector, asked over its HTTP interface."""

    def __init__(self, url: str) -> None:
        self._url = url

    def run(
        self,
        statement: str,
        *,
        form: str,
        parameters: Mapping[str, str],
        project: str | None,
        settings: Mapping[str, str] | None = None,
        mark: str = "",
    ) -> Answer:
        """Ask; the key says which project is seen. Raises `StatementError`, and `StartError` where nobody answers."""
        query = urllib.parse.urlencode(
            {"default_format": form, **{f"param_{name}": value for name, value in parameters.items()}}
        )
        key = os.environ.get(KEY_VARIABLE)
        request = urllib.request.Request(  # noqa: S310 - the address is made of the settings, with http in front
            f"{self._url}?{query}", data=statement.encode(), headers={"X-ClickHouse-Key": key} if key else {}
        )
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with direct.open(request) as response:
                return _Fetched(response.read(), response.headers.get("X-ClickHouse-Format", form))
        except urllib.error.HTTPError as error:
            raise _told(error.read().decode("utf-8", "replace")) from error
        except OSError as error:
            raise StartError(
                f"query.sql.endpoint: the collector is running, and does not answer at {self._url}: it may have been"
                " started without this setting"
            ) from error

    def cancel(self, mark: str) -> None:
        """Nothing: the collector ends the statement when this process goes away."""


def _told(body: str) -> StatementError:
    found = _ERROR.fullmatch(body)
    if found is None:
        return StatementError(1001, "STD_EXCEPTION", body.strip() or "no reason was given")
    if found[1] in ("194", "516"):
        return StatementError(int(found[1]), found[3], f"{found[2]}; here the key is read from {KEY_VARIABLE}")
    return StatementError(int(found[1]), found[3], found[2])


def _sentence(error: StatementError) -> str:
    text = _one_line(_EXPECTED.sub("", str(error)))
    return f"{text[:_LONGEST_ERROR].rstrip('.')} ({error.name})"


def _one_line(text: str) -> str:
    # Without what could command a terminal, as the names of spans might.
    return _plain(" ".join(text.split()))


def _plain(text: str) -> str:
    return "".join(
        char if char.isprintable() or char in "\n\t" else char.encode("unicode_escape").decode("ascii") for char in text
    )


def _print_table(content: bytes) -> None:
    lines = content.decode("utf-8", "replace").splitlines() or ["[]", "[]"]
    names, types, *rows = map(json.loads, lines)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name, kind in zip(names, types, strict=True):
        table.add_column(Text(_plain(name)), justify="right" if _NUMBERS.match(kind) else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(_plain("NULL" if cell == _NULL else cell)) for cell in row))
    console = _console()
    if names:
        console.print(table)
    console.print(f"{len(rows):,} row{'s'[: len(rows) != 1]}")


def _console() -> Console:
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = _WIDE
    return console
