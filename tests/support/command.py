"""The command line as a person uses it, on the data directory of a `CollectorProcess`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.support.collector_process import ROOT

_CHANGE_AND_RUN = """if True:
    import json, os, sys
    from collector.cli import main
    from collector.settings import ClickHouse
    from exporters.clickhouse.client import Opener
    url, *statements = json.loads(os.environ["CHANGES"])
    client = Opener(ClickHouse(url=url))()
    for statement in statements:
        client.command(statement)
    client.close()
    sys.exit(main())
"""


def spanledger(directory: Path, *arguments: object, after: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
    """Run ``spanledger ARGUMENTS`` on the data in a directory, after these SQL statements on its database."""
    url = f"chdb:{directory}/clickhouse"
    settings = (f"journal.directory={directory}/journal", f"clickhouse.url={url}")
    start = ["-c", _CHANGE_AND_RUN] if after else ["-m", "collector.cli"]
    return subprocess.run(
        [sys.executable, *start, *map(str, arguments), *(word for setting in settings for word in ("--set", setting))],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "CHANGES": json.dumps([url, *after])},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
