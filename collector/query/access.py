"""Which project a request is about: the key that it shows, in the headers of the API that it speaks."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import Request

from collector.auth import Keys, Scope

Credentials = Callable[[Request], tuple[str | None, str | None]]
"""From a request to its key and to the name of the project that stands beside it, None where there is none."""


class Access:
    """Dependencies for the routes of one API: ``project: str = Depends(access.read)``.

    Each returns the name of the project, or raises `collector.errors.Unauthorized`.
    """

    def __init__(self, keys: Keys, credentials: Credentials) -> None:
        self._keys = keys
        self._credentials = credentials

    async def read(self, request: Request) -> str:
        """For what only reads."""
        return self._project(request, Scope.READ)

    async def write(self, request: Request) -> str:
        """For what adds or changes something."""
        return self._project(request, Scope.WRITE)

    async def delete(self, request: Request) -> str:
        """For what deletes."""
        return self._project(request, Scope.DELETE)

    def _project(self, request: Request, scope: Scope) -> str:
        key, named = self._credentials(request)
        return self._keys.project(key, scope, named=named)


def bearer(request: Request) -> str | None:
    """Return the key of the header ``Authorization: Bearer KEY``."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    return key.strip() or None if scheme.lower() == "bearer" else None


def bearer_or_api_key(request: Request) -> tuple[str | None, str | None]:
    """Read ``X-API-Key`` (which wins) or ``Authorization: Bearer``, and ``X-Project-Name``."""
    return request.headers.get("x-api-key") or bearer(request), request.headers.get("x-project-name")
