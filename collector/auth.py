"""Who may do what in which project: the keys of the configuration, asked by `receive` and `query` alike."""

from __future__ import annotations

from enum import StrEnum

DEFAULT_PROJECT = "default"
"""The project of every sender, as long as there are no keys to tell them apart."""


class Scope(StrEnum):
    """What a key allows."""

    READ = "read"
    WRITE = "write"
    DELETE = "delete"


class Keys:
    """The keys of all projects."""

    def project(self, key: str | None, scope: Scope, *, named: str | None = None) -> str:
        """Return the project in which the owner of this key may do this.

        `named` is the project that a request names beside its key. Raises `collector.errors.Unauthorized`.
        """
        return DEFAULT_PROJECT
