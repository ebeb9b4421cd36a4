"""What `pip install` brings: two packages, the configuration, and nothing of the tests."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    directory = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(directory), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = directory.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def test_the_top_level_holds_exactly_the_two_packages(names: list[str]) -> None:
    top = {name.split("/")[0] for name in names}
    assert {name for name in top if not name.endswith(".dist-info")} == {"collector", "exporters"}


def test_sql_and_configuration_are_inside(names: list[str]) -> None:
    for path in (ROOT / "exporters/clickhouse/sql").rglob("*.sql"):
        assert str(path.relative_to(ROOT)) in names
    for path in (ROOT / "config").glob("*.yaml"):
        assert f"collector/_config/{path.name}" in names
