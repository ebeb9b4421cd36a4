"""Statements of people on servers: read-only, within limits, with the rights of the user of the URL."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import closing

from clickhouse_connect.driver.exceptions import ClickHouseError

from collector.errors import Outcome, StatementError
from collector.settings import ClickHouse
from exporters.clickhouse.client import Opener, first_line
from exporters.clickhouse.statements.answer import Answer
from exporters.clickhouse.statements.session import Limits

_FORMAT = re.compile(r"\bFORMAT\s+(\w+)\s*;?\s*\Z", re.IGNORECASE)
_NAME = re.compile(r"\s*\(([A-Z0-9_]+)\)\s*\Z")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_SIGNS = {"n": "\n", "t": "\t"}


class ServerStatements:
    """Runs statements on servers; the server itself says what may be read."""

    def __init__(self, settings: ClickHouse, limits: Limits) -> None:
        self._settings = settings
        self._limits = {
            "max_execution_time": max(1, int(limits.seconds)),
            "max_memory_usage": limits.memory,
            "max_result_rows": limits.rows,
            "readonly": 1,
        }

    def run(self, statement: str, *, form: str, parameters: Mapping[str, str], project: str | None) -> Answer:
        """Return what the statement gives, in `form` unless it names a format. Raises `StatementError`.

        `parameters` fill ``{name:Type}``, escaped as in TabSeparated. `project` must be None: all rows are seen.
        """
        if project is not None:
            raise ValueError("a server shows the rows of all projects")
        named = _FORMAT.search(statement)
        plain = {
            name: _ESCAPED.sub(lambda found: _SIGNS.get(found[1], found[1]), parameters[name]) for name in parameters
        }
        try:
            with closing(Opener(self._settings, self._limits, only_questions=True)()) as connection:
                content = connection.client.raw_query(statement, parameters=plain, fmt=None if named else form)
        except ClickHouseError as error:
            text = first_line(error)
            name = found[1] if (found := _NAME.search(text)) else "STD_EXCEPTION"
            raise StatementError(getattr(error, "code", None) or 1001, name, _NAME.sub("", text)) from error
        except Outcome as outcome:
            raise StatementError(1001, "STD_EXCEPTION", str(outcome)) from outcome
        return Answer(content, named[1] if named else form, 0.0)
