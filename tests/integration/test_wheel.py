"""What `pip install` brings: two packages, the configuration, and nothing of the tests. And what the source archive holds."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def built(directory: Path, kind: str) -> Path:
    command = [sys.executable, "-m", "build", f"--{kind}", "--no-isolation", "--outdir", str(directory), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (archive,) = directory.iterdir()
    return archive


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    with zipfile.ZipFile(built(tmp_path_factory.mktemp("wheel"), "wheel")) as archive:
        return archive.namelist()


def test_the_top_level_holds_exactly_the_two_packages(names: list[str]) -> None:
    top = {name.split("/")[0] for name in names}
    assert {name for name in top if not name.endswith(".dist-info")} == {"collector", "exporters"}


def test_sql_and_configuration_are_inside(names: list[str]) -> None:
    for path in (ROOT / "exporters/clickhouse/sql").rglob("*.sql"):
        assert str(path.relative_to(ROOT)) in names
    for path in (ROOT / "config").glob("*.yaml"):
        assert f"collector/_config/{path.name}" in names


def test_the_code_made_of_proto_is_inside_and_its_source_is_in_the_source_archive(
    names: list[str], tmp_path: Path
) -> None:
    assert {"collector/query/grpc/traces_pb2.py", "collector/query/grpc/traces_pb2.pyi"} <= set(names)
    with tarfile.open(built(tmp_path, "sdist")) as archive:
        sources = {name.partition("/")[2] for name in archive.getnames()}
    assert {"proto/spanledger/v1/traces.proto", "collector/query/grpc/traces_pb2.py", "Makefile"} <= sources
