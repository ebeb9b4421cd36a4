"""The section `auth`: keys are read as written, printed as they could be written, and open the way beyond loopback."""

from __future__ import annotations

from pathlib import Path

import pytest

from collector.errors import StartError
from collector.settings import Settings, describe, load
from collector.settings_auth import Scope

REFERENCE = Path(__file__).parents[2] / "config" / "spanledger.yaml"


def written(directory: Path, text: str) -> Path:
    path = directory / "spanledger.yaml"
    path.write_text(text)
    return path


def test_the_key_that_the_reference_file_shows_is_one(tmp_path: Path) -> None:
    shown = [line.removeprefix("  # ") for line in REFERENCE.read_text().splitlines() if line.startswith("  #   ")]
    loaded = load(written(tmp_path, "\n".join(["auth:", "  keys:", *(f"    {line}" for line in shown)])))
    (key,) = loaded.auth.keys
    assert (key.name, key.project, key.scopes) == ("shop-backend", "shop", (Scope.WRITE, Scope.READ))
    assert load(written(tmp_path, describe(loaded))) == loaded


@pytest.mark.parametrize("text", ["10.0.0.1:1", "[::]:1"])
def test_an_endpoint_beyond_loopback_needs_nothing_more_than_a_key(tmp_path: Path, text: str) -> None:
    hashed = "sha256:" + "0" * 64
    path = written(tmp_path, f"auth: {{keys: [{{name: a, project: p, scopes: [read], hash: '{hashed}'}}]}}")
    assert str(load(path, [f"query.endpoint={text}"], {}).query.endpoint) == text


def test_a_hash_may_come_from_the_environment_and_in_capitals(tmp_path: Path) -> None:
    path = written(tmp_path, "auth: {keys: [{name: a, project: p, scopes: [read, read], hash: '${env:HASH}'}]}")
    loaded = load(path, environ={"HASH": "SHA256:" + "AB" * 32})
    assert loaded.auth.keys[0].hash == "sha256:" + "ab" * 32
    with pytest.raises(StartError, match=r"auth\.keys\[0\]\.hash is not the hash of a key"):
        load(path, environ={"HASH": ""})
    assert load(written(tmp_path, describe(loaded))) == loaded


@pytest.mark.parametrize("nothing", ["", "~", "''"])
def test_no_project_attribute_can_be_said_in_any_way(tmp_path: Path, nothing: str) -> None:
    assert load(written(tmp_path, f"auth: {{project_attribute: {nothing}}}")) == Settings()
