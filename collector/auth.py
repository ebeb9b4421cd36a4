"""Who may do what in which project: the keys of the configuration, asked by `receive` and `query` alike."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable

from collector.errors import Forbidden, Permanent, Unauthorized
from collector.project import DEFAULT_PROJECT, of_resources, project_name, project_uuid
from collector.settings_auth import HASH_ALGORITHM, Auth, Scope
from collector.settings_values import KEY_PREFIX, shown

__all__ = ["Keys", "Scope", "bearer_key", "hash_of", "new_key", "shown_key"]

_KEY_BYTES = 32


class Keys:
    """The keys of all projects. Without any, everybody may do everything."""

    def __init__(self, settings: Auth | None = None) -> None:
        settings = settings or Auth()
        self._keys = {key.hash: key for key in settings.keys}
        self._attribute = settings.project_attribute

    @property
    def needed(self) -> bool:
        """Whether who asks must show a key."""
        return bool(self._keys)

    @property
    def one_project(self) -> bool:
        """Whether there is only one project, so that it does not matter which one a request names."""
        return not self._keys and not self._attribute

    def project(self, key: str | None, scope: Scope, *, named: str | None = None) -> str:
        """Return the project in which the owner of this key may do this.

        `named` is the project that a request names beside its key, by its name or UUID. It never leads to another
        project than the key's: who names one means it, and shall not read, or delete, in another. Only without keys,
        and if resources name their projects, it says which one is meant.

        Raises `collector.errors.Unauthorized` and `Forbidden`, and `Permanent` for a name that no project may have.
        """
        if not self._keys:
            return self._named_freely(named) if named and self._attribute else DEFAULT_PROJECT
        if not key:
            raise Unauthorized("there is no API key: send one as Authorization: Bearer KEY or as X-API-Key: KEY")
        # A lookup takes a time that tells of the hash at most, and nobody can work towards a given hash.
        found = self._keys.get(hash_of(key))
        if found is None:
            raise Unauthorized("the API key is not known: ask the operator for one (spanledger keys new)")
        if scope not in found.scopes:
            allowed = ", ".join(found.scopes)
            raise Forbidden(f'the API key "{found.name}" has no scope {scope}, only {allowed}: use one that has it')
        if named and named not in (found.project, project_uuid(found.project)):
            raise Forbidden(
                f'the API key "{found.name}" belongs to the project "{found.project}", and the request names '
                f'"{shown(named)}": name that project or none'
            )
        return found.project

    def sender(self, key: str | None, *, named: str | None = None) -> str:
        """Return what the journal keeps as the project of a request: see `collector.project`. Raises as `project`."""
        project = self.project(key, Scope.WRITE, named=named)
        return of_resources(self._attribute, project) if self._attribute else project

    @staticmethod
    def _named_freely(named: str) -> str:
        project = project_name(named)
        if not project:
            raise Permanent(f'the request names the project "{shown(named)}", and no project may be called so')
        return project


Headers = Callable[[str], str | None]
"""Returns the text of a header, or of a gRPC metadatum, by its lower-case name."""


def shown_key(header: Headers) -> str | None:
    """Return the key that a request shows: ``X-API-Key``, which wins, or ``Authorization: Bearer``."""
    return header("x-api-key") or bearer_key(header)


def bearer_key(header: Headers) -> str | None:
    """Return the key that a request shows as ``Authorization: Bearer KEY``."""
    scheme, _, key = (header("authorization") or "").partition(" ")
    return key.strip() or None if scheme.lower() == "bearer" else None


def new_key() -> str:
    """Return a key that nobody can guess: 256 random bits behind a prefix that tells what it is."""
    return KEY_PREFIX + secrets.token_urlsafe(_KEY_BYTES)


def hash_of(key: str) -> str:
    """Return what the configuration keeps of a key. One plain hash will do, since keys are random."""
    return f"{HASH_ALGORITHM}:{hashlib.sha256(key.encode()).hexdigest()}"
