"""The section `auth` of the configuration: the keys of the projects, kept as hashes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, PlainSerializer, model_validator

from collector.project import LONGEST_PROJECT, project_name
from collector.settings_file import Problem
from collector.settings_section import ContradictionError, Section
from collector.settings_values import choice, read_flag, read_list, read_name, shown

HASH_ALGORITHM = "sha256"
_HASH = re.compile(rf"{HASH_ALGORITHM}:[0-9a-f]{{64}}")


class Scope(StrEnum):
    """What a key allows."""

    READ = "read"
    WRITE = "write"
    DELETE = "delete"


def read_project(value: object) -> str:
    """Read the name of a project."""
    name = project_name(value) if isinstance(value, str) else ""
    if name:
        return name
    raise ValueError(f"allowed is a name of up to {LONGEST_PROJECT} characters")


def _read_hash(value: object) -> str:
    if isinstance(value, str):
        return value.lower()  # looked at in the section, which does not repeat it: it may be the key itself
    raise ValueError(f"allowed is the hash of a key, {HASH_ALGORITHM}:HEX")


def _read_attribute(value: object) -> str:
    return "" if value in (None, "") else read_name(value)


def _distinct(scopes: Iterable[Scope]) -> tuple[Scope, ...]:
    return tuple(dict.fromkeys(scopes))


def _words(scopes: Iterable[Scope]) -> list[str]:
    return [scope.value for scope in scopes]


_Scopes = Annotated[
    tuple[Annotated[Scope, choice(*Scope)], ...],
    BeforeValidator(read_list),
    AfterValidator(_distinct),
    PlainSerializer(_words, return_type=list[str]),
]


class Key(Section):
    """An API key, known by its hash."""

    name: Annotated[str, BeforeValidator(read_name)]
    """What people call it; no two keys have the same."""
    project: Annotated[str, BeforeValidator(read_project)]
    """The project whose data it opens, and which holds what is sent with it."""
    scopes: _Scopes
    """What it allows."""
    hash: Annotated[str, BeforeValidator(_read_hash)]
    """``sha256:`` and the 64 hex digits of the key's SHA-256. Keys are random, so nobody finds one by its hash."""

    @model_validator(mode="after")
    def _holds_something(self) -> Key:
        problems = []
        if not self.scopes:
            problems.append(Problem("scopes", f"is empty: allowed is at least one of {', '.join(Scope)}"))
        if not _HASH.fullmatch(self.hash):
            advice = f"allowed is {HASH_ALGORITHM}: and 64 hex digits, as `spanledger keys new` prints it"
            problems.append(Problem("hash", f"is not the hash of a key: {advice}"))
        if problems:
            raise ContradictionError(problems)
        return self


class Auth(Section):
    """Who may send and ask."""

    keys: Annotated[tuple[Key, ...], BeforeValidator(read_list)] = ()
    """Who shows one of these may do what its scopes say, in its project, and nobody else anything."""
    project_attribute: Annotated[str, BeforeValidator(_read_attribute)] = ""
    """Resource attribute that names the project of what is sent without keys; ``""``: all is of one project."""
    allow_unauthenticated: Annotated[bool, BeforeValidator(read_flag)] = False
    """Whether, without keys, endpoints that other machines can reach may serve anybody."""

    @model_validator(mode="after")
    def _keys_differ(self) -> Auth:
        problems = [*_repeated(self.keys, "name"), *_repeated(self.keys, "hash")]
        if self.keys and self.project_attribute:
            sentence = f'is "{shown(self.project_attribute)}" beside auth.keys, which name the project: leave out one'
            problems.append(Problem("project_attribute", sentence))
        if problems:
            raise ContradictionError(problems)
        return self


def _repeated(keys: Sequence[Key], field: str) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for position, key in enumerate(keys):
        before = first.setdefault(getattr(key, field), position)
        if before != position:
            yield Problem(f"keys[{position}].{field}", f"is that of keys[{before}]: give each key its own")
