"""What answers statements, as the HTTP interface and the command line see it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class Answer(Protocol):
    """What a statement gave."""

    @property
    def content(self) -> bytes:
        """The rows, in the format `form`."""

    @property
    def form(self) -> str:
        """Name of ClickHouse's format, such as ``JSONEachRow``."""

    @property
    def seconds(self) -> float:
        """Time that it took."""


class Statements(Protocol):
    """Runs statements, read-only and within limits."""

    def run(
        self,
        statement: str,
        *,
        form: str,
        parameters: Mapping[str, str],
        project: str | None,
        settings: Mapping[str, str] | None = None,
        mark: str = "",
    ) -> Answer:
        """Return what a statement gives; it blocks. Raises `collector.errors.StatementError`.

        `form` is the format where the statement names none; `parameters` fill ``{name:Type}``; only rows of `project` are
        seen, if it is not None; `settings` are from `collector.query.sql.request.SETTINGS`; `mark`, hexadecimal digits,
        is what `cancel` knows the statement by.
        """

    def cancel(self, mark: str) -> None:
        """End the statement that runs under this mark; `run` then raises. Nothing happens if there is none."""
