"""Which project a request is about: the key that it shows, in the headers of the API that it speaks."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import Request

from collector.auth import Keys, Scope, bearer_key, shown_key

_PROJECT_HEADERS = ("x-project-name", "x-project", "x-project-id")

Credentials = Callable[[Request], tuple[str | None, str | None]]
"""From a request to its key and to the name of the project that stands beside it, None where there is none."""


class Access:
    """Dependencies for the routes of one API: ``project: str = Depends(access.read)``.

    Each returns the name of the project, or raises `collector.errors.Unauthorized` or `Forbidden`.
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
    return bearer_key(request.headers.get)


def bearer_or_api_key(request: Request) -> tuple[str | None, str | None]:
    """Read ``X-API-Key`` (which wins) or ``Authorization: Bearer``, and the first that is there of the project headers.

    That serves all documented APIs but Artanis: PandaProbe documents ``X-API-Key`` with ``X-Project-Name`` and a bearer
    token with ``X-Project-ID``, Letta a bearer token with ``X-Project`` or ``X-Project-Id``, Galtea and Lasso only a
    bearer token.
    """
    named = (_text(request.headers.get(name)) for name in _PROJECT_HEADERS)
    return shown_key(request.headers.get), next(filter(None, named), None)


def api_key_and_project_parameter(request: Request) -> tuple[str | None, str | None]:
    """Read what Artanis documents: the header ``x-api-key``, and the parameters ``projectSlug`` or ``projectId``.

    ``x-org-slug``, which Artanis wants beside the key, is of no account: here the key alone tells whose it is.
    """
    parameters = request.query_params
    key, named = bearer_or_api_key(request)
    return key, parameters.get("projectSlug") or parameters.get("projectId") or named


def _text(header: str | None) -> str | None:
    """Read a header as UTF-8, which clients send for what is beyond ASCII; servers hand it on as Latin-1."""
    try:
        return header and header.encode("latin-1").decode()
    except UnicodeDecodeError:
        return header
