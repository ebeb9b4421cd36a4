"""Taking the one message of a call, from senders that may be slow, or gone without a word."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import grpc

from collector import telemetry
from collector.errors import Permanent, Retryable

TIMEOUT = 30.0
"""Seconds in which a request must have arrived: 64 MiB at 20 Mbit/s."""

MOST = 1024
"""Requests that may be arriving at once."""


class Reading:
    """Reads the messages of calls. Whoever takes longest makes room when there are too many."""

    def __init__(self, timeout: float = TIMEOUT, most: int = MOST) -> None:
        """Give each message `timeout` seconds, and read `most` of them at once."""
        self._timeout = timeout
        self._most = most
        self._deadlines: dict[asyncio.Timeout, None] = {}

    async def message(self, context: grpc.aio.ServicerContext[Any, Any]) -> bytes:
        """Return the message of the call; raises `Retryable` when it does not come, `Permanent` when there is none."""
        while len(self._deadlines) >= self._most:
            self.give_up_on_slowest()
        deadline = asyncio.timeout(self._timeout)
        try:
            async with deadline:
                self._deadlines[deadline] = None
                message = await context.read()
        except TimeoutError:
            telemetry.NOT_ADMITTED.labels("slow").inc()
            raise Retryable(f"The request had not arrived after {self._timeout:g} s: send it again.") from None
        finally:
            self._deadlines.pop(deadline, None)
        if not isinstance(message, bytes):
            raise Permanent("The call brought no message.")
        return message

    def give_up_on_slowest(self) -> None:
        """End the call that has been read for longest, if any is."""
        slowest = next(iter(self._deadlines), None)
        if slowest is not None:
            del self._deadlines[slowest]
            with suppress(RuntimeError):  # it is ending already
                slowest.reschedule(asyncio.get_running_loop().time())
