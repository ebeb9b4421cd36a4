"""``spanledger migrate`` as a person uses it, on an embedded database and on servers."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from collector.settings import ClickHouse as Settings
from exporters.clickhouse.migrate import migrations
from tests.support.clickhouse_server import ROOT
from tests.support.store import STORES, settings_of


def spanledger(directory: Path, store: Settings, *words: str) -> subprocess.CompletedProcess[str]:
    settings = {
        "journal.directory": f"{directory}/journal",
        "clickhouse.url": store.url,
        "clickhouse.cluster": store.cluster,
    }
    changes = [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
    return subprocess.run(
        [sys.executable, "-m", "collector.cli", *words, *changes],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("kind", STORES)
def test_a_new_database_is_made_and_then_up_to_date(tmp_path: Path, kind: str) -> None:
    (tmp_path / "clickhouse").mkdir()
    with settings_of(kind, tmp_path) as store:
        before = spanledger(tmp_path, store, "migrate", "--check")
        assert before.returncode == 1, before.stderr
        assert all(one.name in before.stdout for one in migrations())
        made = spanledger(tmp_path, store, "migrate")
        assert made.returncode == 0, made.stderr
        assert [f"applied {one.name}" for one in migrations()] == made.stdout.splitlines()[: len(migrations())]
        for words in (["migrate"], ["migrate", "--check"]):
            after = spanledger(tmp_path, store, *words)
            assert (after.returncode, after.stderr) == (0, "")
            assert after.stdout.endswith(" is up to date.\n")
        assert "p%40ss" not in made.stdout + before.stdout
        balanced = spanledger(tmp_path, store, "audit")
        assert "The books balance." in balanced.stdout, balanced.stderr


def test_where_there_is_no_database_it_says_so(tmp_path: Path) -> None:
    refused = spanledger(tmp_path, Settings(url=f"chdb:{tmp_path}/nowhere"), "migrate")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == (
        f"spanledger: clickhouse.url: there is no database in {tmp_path}/nowhere: name the one that the collector writes to\n"
    )
