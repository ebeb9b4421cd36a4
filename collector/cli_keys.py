"""``spanledger keys new``: a new API key, and the entry of the configuration that knows it by its hash."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable, Sequence

import yaml

from collector.auth import hash_of, new_key
from collector.errors import StartError
from collector.settings_auth import Key, Scope, read_project
from collector.settings_values import read_name, shown

_DIGITS = 8
"""Digits of its hash in the name that is made for a key: enough to tell the keys of a project apart."""


def print_new_key(project: str, scopes: Sequence[Scope], name: str | None) -> None:
    """Print a new key and its entry. Raises `StartError` for what is no name."""
    key = new_key()
    hashed = hash_of(key)
    owner = _read("project", project, read_project)
    made = f"{owner}-{hashed.partition(':')[2][:_DIGITS]}"
    entry = Key(
        name=_read("name", made if name is None else name, read_name), project=owner, scopes=tuple(scopes), hash=hashed
    )
    yaml_entry = yaml.safe_dump([entry.model_dump()], sort_keys=False, default_flow_style=None, allow_unicode=True)
    sys.stdout.write(
        f"{key}\n\n"
        "This is the key. It is shown once and kept nowhere: give it to who sends or reads, and write this under auth.keys\n"
        "in the configuration of the collector, which takes it from its next start on:\n\n"
        f"{textwrap.indent(yaml_entry, '    ')}"
    )


def _read(option: str, text: str, read: Callable[[object], str]) -> str:
    try:
        return read(text)
    except ValueError as error:
        raise StartError(f'--{option} "{shown(text)}": {error}') from error
