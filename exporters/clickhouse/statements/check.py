"""What a statement does is decided by the engine's own parser, never by reading its text.

The statement is given to the parser as a value (`formatQuerySingleLine`), which nothing can run. What comes back is one
statement in canonical form, without comments, and it is this form that is looked at and that runs. A query is then turned
into the tree that the engine would run (`EXPLAIN QUERY TREE run_passes = 0`), before anything in it is looked up or worked
out, and every function, table function and name in the tree is held against what is allowed (allowed.py).

The role of the session (session.py) refuses other tables besides. It does not know of tables of the engine, of table
functions such as `merge`, nor of the functions that read files.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass

from collector.errors import StatementError
from exporters.clickhouse.statements.allowed import SIZES, SYSTEM_TABLES, TABLE_FUNCTIONS, TABLES, Functions
from exporters.clickhouse.statements.session import LONGEST_STATEMENT, Session

_CANONICAL = "SELECT formatQuerySingleLine(base64Decode({statement:String}))"
_TREE = "EXPLAIN QUERY TREE run_passes = 0 "

_QUOTED = re.compile(r"'(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*`|\"(?:[^\"\\]|\\.)*\"", re.DOTALL)
_FORMAT = re.compile(r"(?s)(.*) FORMAT (\w+)")
_OUTFILE = re.compile(r"\bINTO OUTFILE\b")
_SETTINGS = re.compile(r"\bSETTINGS\b")
_PREWHERE = re.compile(r"\bPREWHERE\b")

_NAME = r"(?:(\w+)\.)?(\w+)"
_ABOUT_TABLE = re.compile(
    rf"(?:DESCRIBE TABLE|EXISTS (?:TABLE|VIEW)|SHOW CREATE (?:TABLE|VIEW)|SHOW COLUMNS FROM) {_NAME}"
)
_LISTS = re.compile(
    r"SHOW (?:DATABASES|(?:FULL )?TABLES(?: FROM (?:default|system))?)(?: (?:NOT )?I?LIKE '')?(?: LIMIT \d+)?"
)
_EXPLAIN = re.compile(
    r"(?s)EXPLAIN (?:(PLAN|SYNTAX|AST|QUERY TREE|PIPELINE) )?(?:\w+ = \d+(?:, \w+ = \d+)* )?((?:SELECT|WITH) .*)"
)
_HARMLESS_PLANS = ("SYNTAX", "AST", "QUERY TREE")

_FUNCTION = re.compile(r"(?<!table_)function_name: ([^,\n]*)")
_TABLE_FUNCTION = re.compile(r"table_function_name: ([^,\n]*)")
_IDENTIFIERS = re.compile(r"identifiers?: ([^\n]*)")
_ENGINE_DATABASES = ("system", "information_schema")


@dataclass(frozen=True)
class Checked:
    """A statement that may run: canonical, without its FORMAT clause, and the format that it asked for, or empty."""

    sql: str
    form: str


def check(
    session: Session, functions: Functions, statement: str, parameters: Mapping[str, str], *, one_project: bool
) -> Checked:
    """Return the statement if it may run, in its canonical form. Raises `StatementError`.

    `one_project` says that the session sees the rows of one project only, and that nothing may tell of others.
    """
    if len(statement.encode()) > LONGEST_STATEMENT:
        raise StatementError(62, "SYNTAX_ERROR", f"The statement is longer than {LONGEST_STATEMENT} bytes")
    canonical = _canonical(session, statement)
    with_format = _FORMAT.fullmatch(canonical)
    sql, form = (with_format[1], with_format[2]) if with_format else (canonical, "")
    bare = _QUOTED.sub("''", sql)
    if _OUTFILE.search(bare):
        raise _refused("INTO OUTFILE")
    if _SETTINGS.search(bare):  # the engine refuses them too, or takes no notice of those in a subquery
        raise StatementError(164, "READONLY", "Cannot modify settings in readonly mode: leave out the clause SETTINGS")
    explained = _EXPLAIN.fullmatch(sql)
    if explained and one_project and explained[1] not in _HARMLESS_PLANS:
        raise _refused(f"EXPLAIN other than {', '.join(_HARMLESS_PLANS)} for a key of one project")
    query = explained[2] if explained else sql
    if explained or query.startswith(("SELECT ", "WITH ", "(")):
        _check_query(session, functions, query, parameters, one_project=one_project)
    elif not _LISTS.fullmatch(bare) and not _about_allowed_table(sql):
        raise _refused(
            "a statement other than SELECT, EXPLAIN of one, DESCRIBE, EXISTS or SHOW of a table that it may read"
        )
    return Checked(sql, form)


def _canonical(session: Session, statement: str) -> str:
    try:
        found = session.text(_CANONICAL, statement=base64.b64encode(statement.encode()).decode())
    except StatementError as error:
        # The scope is our question, and only repeats the statement.
        raise StatementError(error.code, error.name, str(error).partition(": In scope SELECT formatQuery")[0]) from None
    return found.removesuffix("\n")


def _about_allowed_table(sql: str) -> bool:
    found = _ABOUT_TABLE.fullmatch(sql)
    if found is None:
        return False
    database, table = found.groups()
    return table in (SYSTEM_TABLES if database == "system" else TABLES) and database in (None, "default", "system")


def _check_query(
    session: Session, functions: Functions, query: str, parameters: Mapping[str, str], *, one_project: bool
) -> None:
    # In brackets a query can have no clause that writes, whatever it is called: there the parser takes none.
    _canonical(session, f"SELECT * FROM ({query})")  # noqa: S608 - a value for the parser, which runs nothing
    tree = session.query(_TREE + query, "TSVRaw", parameters).bytes().decode("utf-8", "replace")
    for name in _FUNCTION.findall(tree):
        if not functions.allows(name):
            raise _refused(f"the function {name}")
    for name in _TABLE_FUNCTION.findall(tree):
        if name.lower() not in TABLE_FUNCTIONS:
            raise _refused(f"the table function {name}")
    names = [part.strip() for found in _IDENTIFIERS.findall(tree) for part in found.split(",")]
    sizes_told = _check_names(names)
    if one_project:
        _check_of_one_project(query, tree, names, sizes_told=sizes_told)


def _check_names(names: list[str]) -> bool:
    """Refuse tables of the engine that are not allowed; return whether one that tells of sizes is named."""
    told = False
    for name in names:
        database, _, rest = name.partition(".")
        if database.lower() in _ENGINE_DATABASES and rest:
            if database != "system" or rest.split(".")[0] not in SYSTEM_TABLES:
                raise _refused(f"the table {name}")
            told |= rest.split(".")[0] in ("tables", "columns")
    return told


def _check_of_one_project(query: str, tree: str, names: list[str], *, sizes_told: bool) -> None:
    if _PREWHERE.search(_QUOTED.sub("''", query)):  # it would be worked out before the filter on the project
        raise _refused("PREWHERE, for a key of one project: write WHERE")
    for name in names:
        last = name.rpartition(".")[2]
        if last.startswith("_"):
            raise _refused(f"the virtual column {last}, for a key of one project")
        if sizes_told and last in SIZES:
            raise _refused(f"the column {last}, for a key of one project")
    if sizes_told and "MATCHER" in tree:
        raise _refused("all columns of system.tables or system.columns at once, for a key of one project: name them")


def _refused(what: str) -> StatementError:
    return StatementError(497, "ACCESS_DENIED", f"Not allowed here: {what}")
