"""`spanledger keys new`: what is printed is a key, and an entry that lets it in."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest
import yaml

from collector.auth import Keys, Scope
from collector.cli import main
from collector.errors import Forbidden
from collector.settings import load


def new(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[str, str]:
    """The key, and the lines of its entry."""
    assert main(["keys", "new", *arguments]) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    key, *_, entry = printed.out.split("\n\n")
    return key, entry


@pytest.mark.parametrize("project", ["shop", "on", "a: b # c", "'", "Café", "- x", "x" * 128])
def test_the_entry_under_auth_keys_lets_the_key_in(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, project: str
) -> None:
    keys, entries = zip(*(new(capsys, "--project", project) for _ in range(2)), strict=True)
    path = tmp_path / "spanledger.yaml"
    path.write_text("auth:\n  keys:\n" + "".join(entries), encoding="utf-8")
    loaded = Keys(load(path, environ={}).auth)
    for key in keys:
        assert loaded.project(key, Scope.READ) == loaded.project(key, Scope.WRITE) == project
        assert key not in path.read_text()
        with pytest.raises(Forbidden):
            loaded.project(key, Scope.DELETE)


def test_scopes_and_name_are_as_told(capsys: pytest.CaptureFixture[str]) -> None:
    words = ("--project", " shop ", "--scope", "delete", "--scope", "read", "--scope", "delete", "--name", "cleaner")
    (entry,) = yaml.safe_load(textwrap.dedent(new(capsys, *words)[1]))
    assert {**entry, "hash": ""} == {"name": "cleaner", "project": "shop", "scopes": ["delete", "read"], "hash": ""}


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--project", "a\nb"), '--project "a\\nb": allowed is a name of up to 128 characters'),
        (("--project", ""), '--project "": allowed is a name of up to 128 characters'),
        (("--project", "a", "--name", " "), '--name " ": allowed is a name of up to 256 characters'),
    ],
)
def test_what_is_no_name_is_refused_in_one_sentence(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...], sentence: str
) -> None:
    assert main(["keys", "new", *words]) == 2
    assert capsys.readouterr() == ("", f"spanledger: {sentence}\n")


def test_an_unknown_scope_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        main(["keys", "new", "--project", "a", "--scope", "admin"])
    assert refused.value.code == 2
    assert "choose from" in capsys.readouterr().err
