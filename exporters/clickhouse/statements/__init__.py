"""Statements of people on the embedded engine: read-only, looked at before they run, each in a session with limits."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import closing

from collector.errors import StatementError
from collector.settings import Sql
from exporters.clickhouse.statements.allowed import FORMATS, Functions
from exporters.clickhouse.statements.answer import Answer
from exporters.clickhouse.statements.check import check
from exporters.clickhouse.statements.server import ServerStatements
from exporters.clickhouse.statements.session import Limits, Session, open_session

__all__ = ["Answer", "Limits", "ServerStatements", "Statements", "limits_of"]

_FUNCTIONS = "SELECT name, alias_to, is_aggregate, categories FROM system.functions"
_CANCEL = "KILL QUERY WHERE Settings['log_comment'] = {mark:String} ASYNC"
_COMBINATORS = "SELECT name FROM system.aggregate_function_combinators"


class Statements:
    """Runs statements on the engine that this process has open. Any thread may call it."""

    def __init__(self, url: str, limits: Limits) -> None:
        """Take the URL of the engine, ``chdb:PATH``, which must be open."""
        self._path = os.path.realpath(url.removeprefix("chdb:"))
        self._limits = limits
        with open_session(self._path, Limits(), None) as session:
            self._functions = _functions(session)

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
        """Return what the statement gives, in the format that it names, or else in `form`.

        `parameters` fill ``{name:Type}``, escaped as ClickHouse wants them (as in TabSeparated); only rows of `project`
        are seen, if it is not None; `settings` have names from a closed set, and numbers or words as values; `mark`,
        hexadecimal digits, is what `cancel` knows the statement by. Raises `StatementError`.
        """
        with open_session(self._path, self._limits, project, {**(settings or {}), "log_comment": mark}) as session:
            checked = check(session, self._functions, statement, parameters, one_project=project is not None)
            wanted = checked.form or form
            if wanted not in FORMATS:
                raise StatementError(73, "UNKNOWN_FORMAT", f"Unknown format {wanted}")
            found = session.query(checked.sql, wanted, parameters)
            return Answer(bytes(found.bytes()), wanted, float(found.elapsed()))

    def cancel(self, mark: str) -> None:
        """End the statement that runs under this mark, if there is one."""
        import chdb  # noqa: PLC0415 - the light sidecar does without it

        with closing(chdb.connect(self._path)) as connection:
            connection.query(_CANCEL, "Null", params={"mark": mark})


def limits_of(settings: Sql) -> Limits:
    """Return the limits that the configuration sets."""
    return Limits(settings.timeout_ns / 1e9, settings.memory, settings.max_rows)


def _functions(session: Session) -> Functions:
    lines = (line.split("\t") for line in session.text(_FUNCTIONS).splitlines())
    rows = [(name, alias_to, aggregates == "1", category) for name, alias_to, aggregates, category in lines]
    return Functions(rows, session.text(_COMBINATORS).split())
