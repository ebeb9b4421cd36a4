"""The table of error codes against the engine that names them."""

from __future__ import annotations

import pytest

from collector.errors import Misconfigured, Permanent
from exporters.clickhouse.client import Handle
from exporters.clickhouse.error_codes import ERROR_CODES
from tests.support.store import Database


def test_every_code_has_the_name_that_clickhouse_gives_it(database: Database) -> None:
    sql = "SELECT number AS code, errorCodeToName(number) AS name FROM numbers(1100) WHERE name != ''"
    names = {row["code"]: row["name"] for row in database.rows(sql)}
    assert {code: known.name for code, known in ERROR_CODES.items()} == {code: names[code] for code in ERROR_CODES}


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("INSERT INTO no_such_table VALUES (1)", Misconfigured),
        ("INSERT INTO no_such_database.spans VALUES (1)", Misconfigured),
        ("SELECT no_such_column FROM spans", Misconfigured),
        ("SELECT toUInt8('a word')", Permanent),
        ("SELECT toDateTime('not a time')", Permanent),
    ],
)
def test_what_the_engine_refuses_has_the_code_that_the_table_expects(
    database: Database, sql: str, kind: type[Exception]
) -> None:
    handle = Handle(database.connect)
    with pytest.raises(kind), handle.doing("writing") as connection:
        connection.command(sql)
    handle.close()
