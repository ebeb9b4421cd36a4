"""Statements of people, and what becomes of them."""

from __future__ import annotations

import pytest

from collector.errors import StatementError
from exporters.clickhouse.statements import Statements


def refusal(statements: Statements, statement: str, project: str | None = None, **parameters: str) -> StatementError:
    """Why it is refused."""
    with pytest.raises(StatementError) as caught:
        statements.run(statement, form="TSV", parameters=parameters, project=project)
    return caught.value


def answer(statements: Statements, statement: str, project: str | None = None, **parameters: str) -> str:
    """What it gives, as TSVRaw."""
    return statements.run(statement, form="TSVRaw", parameters=parameters, project=project).content.decode().strip()
