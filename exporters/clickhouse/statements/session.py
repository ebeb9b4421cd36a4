"""A session of the embedded engine in which a statement of people runs: it may read what it shall, within limits, no more.

Each statement has a session of its own: opening one costs less than a millisecond, and nothing of a statement, neither
its settings nor what a failed one has put out already, is there for the next.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any, NoReturn

from collector.errors import StatementError
from exporters.clickhouse.statements.allowed import PROJECT_TABLES


@dataclass(frozen=True)
class Limits:
    """What one statement may cost."""

    seconds: float = 30.0
    """Time that it may run."""
    memory: int = 2 << 30
    """Bytes of memory that it may take."""
    rows: int = 1_000_000
    """Rows of its answer."""


MOST_BYTES = 256 << 20
"""Bytes of the largest answer, before it is formatted."""
MOST_ROWS_TO_READ = 10_000_000_000
THREADS = 2
"""Threads of one statement: what arrives meanwhile wants processors too."""

LONGEST_STATEMENT = 256 << 10
"""Bytes of the longest statement: what the engine's parser takes."""

# With these, a condition of a statement is worked out on rows of its project alone, after the filter that belongs to the
# table. Without, the engine first moves both together, and orders them as it likes, and tries conditions on the parts, keys
# and indexes of all projects: a condition that fails on certain values (`throwIf`, a conversion) would tell by its error
# what others have stored.
_ONE_PROJECT: Mapping[str, int | str] = {
    "query_plan_enable_optimizations": 0,
    "use_primary_key": 0,
    "use_partition_pruning": 0,
    "use_skip_indexes": 0,
    "use_statistics_for_part_pruning": 0,
    "use_query_condition_cache": 0,
    "optimize_trivial_count_query": 0,
    "optimize_use_projections": 0,
    "optimize_use_implicit_projections": 0,
}

_ERROR = re.compile(r"Code: (\d+)\. DB::Exception: (.*) \(([A-Z0-9_]+)\)\s*$", re.DOTALL)
_REPEATED = re.compile(r"^(?:Code: \d+\. DB::Exception: )+")
_VERSION = re.compile(r"\s*\(version [^()]*\)\.?(?: \([A-Z0-9_]+\))?")


class Session:
    """Runs statements that have been looked at, and looks at them. For one thread."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def query(self, sql: str, form: str, parameters: Mapping[str, str]) -> Any:
        """Return the engine's answer to a statement, with `bytes()` in the format `form`. Raises `StatementError`."""
        try:
            return self._connection.query(sql, form, params=dict(parameters))
        except RuntimeError as error:
            _fail(str(error))

    def text(self, sql: str, **parameters: str) -> str:
        """Return a value, or lines of one value each, as text. Raises `StatementError`."""
        return str(self.query(sql, "TSVRaw", parameters).bytes().decode("utf-8", "replace"))


@contextmanager
def open_session(
    path: str, limits: Limits, project: str | None, settings: Mapping[str, str] | None = None
) -> Iterator[Session]:
    """Lend a session on the engine that this process has open at `path`.

    `project` is the one whose rows it sees; None: all. `settings` are set as well: their names are from a closed set, and
    their values are numbers or words. The role `asking` of engine.xml and `readonly` are taken last, and for good.
    """
    import chdb  # noqa: PLC0415 - the light sidecar does without it

    with closing(chdb.connect(path)) as connection:
        session = Session(connection)
        for name, value in _settings(limits, project, settings or {}).items():
            session.query(f"SET {name} = {value}", "Null", {})
        session.query("SET ROLE asking", "Null", {})
        session.query("SET readonly = 1", "Null", {})
        yield session


def _settings(limits: Limits, project: str | None, settings: Mapping[str, str]) -> dict[str, int | float | str]:
    found: dict[str, int | float | str] = {"session_timezone": "'UTC'"}
    found |= {name: f"'{value}'" for name, value in settings.items()}
    found |= {
        "log_queries": 0,
        "implicit_select": 0,  # as on a server, a word alone is no statement
        "max_execution_time": limits.seconds,
        "timeout_before_checking_execution_speed": 0,
        "max_memory_usage": limits.memory,
        "max_result_rows": limits.rows,
        "max_result_bytes": MOST_BYTES,
        "max_rows_to_read": MOST_ROWS_TO_READ,
        "max_query_size": LONGEST_STATEMENT,
        "max_threads": THREADS,
        # Nothing is written to the disk, also not what does not fit into memory.
        "max_bytes_ratio_before_external_group_by": 0,
        "max_bytes_ratio_before_external_sort": 0,
        "max_bytes_before_external_group_by": 0,
        "max_bytes_before_external_sort": 0,
    }
    if project is not None:
        # In hexadecimal digits a name needs no quoting, wherever it stands.
        row_filter = f"project = unhex(\\'{project.encode().hex()}\\')"
        filters = ", ".join(f"'default.{table}': '{row_filter}'" for table in PROJECT_TABLES)
        found |= _ONE_PROJECT
        found["additional_table_filters"] = f"{{{filters}}}"
    return found


def _fail(message: str) -> NoReturn:
    found = _ERROR.search(message[message.find("Code: ") :])
    if found is None:
        raise StatementError(1001, "STD_EXCEPTION", message.strip())
    if found[3] == "ACCESS_DENIED" and "the grant READ ON" in found[2]:
        # The embedded engine takes the name of a table that is not there for that of a file, which the role may not read.
        raise StatementError(60, "UNKNOWN_TABLE", "There is no such table: SHOW TABLES lists those that there are")
    text = _VERSION.sub("", _REPEATED.sub("", found[2])).strip()
    raise StatementError(int(found[1]), found[3], text)
