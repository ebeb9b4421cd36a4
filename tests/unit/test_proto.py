"""proto/ and the Python that is made of it."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from collector.query.grpc import traces_pb2

ROOT = Path(__file__).parents[2]
KEPT = ROOT / "collector/query/grpc"

VERSION = re.compile(r"ValidateProtobufRuntimeVersion\(\s*_runtime_version\.Domain\.PUBLIC,\s*(\d+),\s*(\d+),\s*(\d+),")


def without_version(text: str) -> str:
    """The generated code without the version of the generator: a newer one of those that are allowed may have been run."""
    return VERSION.sub("", re.sub(r"# Protobuf Python Version: .*", "", text))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `make proto` would keep."""
    directory = tmp_path_factory.mktemp("proto")
    options = [f"--proto_path={ROOT / 'proto'}", f"--python_out={directory}", f"--pyi_out={directory}"]
    command = [sys.executable, "-m", "grpc_tools.protoc", *options, "spanledger/v1/traces.proto"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return directory / "spanledger/v1"


@pytest.mark.parametrize("name", ["traces_pb2.py", "traces_pb2.pyi"])
def test_the_kept_code_is_what_is_made_of_the_source(made: Path, name: str) -> None:
    assert without_version((KEPT / name).read_text()) == without_version((made / name).read_text()), "run `make proto`"


def test_the_kept_code_runs_with_the_oldest_protobuf_that_is_allowed() -> None:
    found = VERSION.search((KEPT / "traces_pb2.py").read_text())
    assert found
    dependencies = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    (floor,) = [words.removeprefix("protobuf>=") for words in dependencies if words.startswith("protobuf>=")]
    assert tuple(map(int, found.groups())) <= tuple(map(int, floor.split(".")))


def test_the_file_has_its_name_from_proto_and_there_is_no_package_of_that_name() -> None:
    assert traces_pb2.DESCRIPTOR.name == "spanledger/v1/traces.proto"
    assert (ROOT / "proto" / traces_pb2.DESCRIPTOR.name).is_file()
    assert importlib.util.find_spec("spanledger") is None
    assert not list((ROOT / "proto").rglob("*.py"))
