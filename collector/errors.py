"""The outcomes that cross the borders between stages, and the refusal to start.

A stage that cannot do its work raises one of these; nothing else is expected to leave it. One table translates them to
gRPC codes (`collector.grpc_outcomes`); `deliver` decides by them whether to try again.
"""

from __future__ import annotations


class Outcome(Exception):
    """Base of the ways in which a request or a batch is not accepted. Its text is one sentence for the sender."""


class Retryable(Outcome):
    """The same data may be accepted later; nothing of it was kept."""

    def __init__(self, message: str, after: float = 1.0) -> None:
        """Say what is wrong; `after` is the time in seconds that the sender should wait before the next try."""
        super().__init__(message)
        self.after = after


class Misconfigured(Retryable):
    """The same data will be accepted once a person has mended something. The text says what."""


class Permanent(Outcome):
    """The same data will never be accepted: do not send it again."""


class TooLarge(Permanent):
    """The request exceeds the size limit: do not send it again as it is."""


class Unauthorized(Permanent):
    """The sender showed no credentials, or none that are known."""


class Forbidden(Permanent):
    """The sender is known, and may not do this."""


class StatementError(Exception):
    """A statement of SQL is refused or failed. Its text is what ClickHouse says of it, or would say."""

    def __init__(self, code: int, name: str, message: str) -> None:
        """Take ClickHouse's number and name of the error, such as 62 and ``SYNTAX_ERROR``, and what is wrong."""
        super().__init__(message)
        self.code = code
        self.name = name


class StartError(Exception):
    """The program refuses to start. Its text is the one sentence a person reads; the exit code is 2."""
