"""SQL on a database that no process has open, asked in a child process: an engine opens one path in its lifetime."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

_PROGRAM = """
import json, sys, clickhouse_connect
client = clickhouse_connect.get_client(interface="chdb", path=sys.argv[1])
print(json.dumps(client.query(sys.argv[2]).result_rows, default=str))
"""


def stored(directory: Path, sql: str) -> list[list[Any]]:
    """Rows of a query on the database of a stopped collector; what JSON has no type for is text."""
    command = [sys.executable, "-c", _PROGRAM, str(directory / "clickhouse"), sql]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    rows: list[list[Any]] = json.loads(done.stdout)
    return rows
