"""Who may come in: the bytes between the sockets and the acknowledgements, and the memory of the process, are bounded.

A request is asked about twice. Before it is read, so that a collector in trouble does not even take its bytes; and when its
size is known, before it is decoded. Who is refused is told when to come again.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from collector import telemetry
from collector.errors import Retryable
from collector.memory import give_back_freed_memory, resident_bytes

REQUEST_BYTES = 16 << 10
"""What a request costs beside its payload."""

CHECK_INTERVAL = 1.0
"""Seconds between two looks at the memory of the process."""

_log = logging.getLogger(__name__)


class Admission:
    """Counts what is in flight. Any thread may give back; the event loop asks."""

    def __init__(
        self,
        max_in_flight: int,
        memory_limit: int | None,
        *,
        resident: Callable[[], int] = resident_bytes,
        give_back: Callable[[], None] = give_back_freed_memory,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Admit `max_in_flight` bytes at once, while less than `memory_limit` bytes are resident (None: however many)."""
        self._max_in_flight = max_in_flight
        self._memory_limit = memory_limit
        self._resident = resident
        self._give_back = give_back
        self._clock = clock
        self._lock = threading.Lock()
        self._in_flight = 0
        self._looked_at = float("-inf")
        self._is_short = False

    def check(self) -> None:
        """Raise `Retryable` if no request can be admitted now, whatever its size."""
        if self._memory_is_short():
            telemetry.NOT_ADMITTED.labels("memory").inc()
            raise Retryable(
                f"The memory of the collector is short ({self._memory_limit} bytes, receive.memory_limit): send again later."
            )
        if self._in_flight >= self._max_in_flight:
            raise self._too_much()

    def admit(self, nbytes: int) -> Admitted:
        """Admit a request of so many bytes; raises `Retryable`. A request that is alone is always admitted."""
        self.check()
        nbytes += REQUEST_BYTES
        with self._lock:
            if self._in_flight and self._in_flight + nbytes > self._max_in_flight:
                raise self._too_much()
            self._in_flight += nbytes
        telemetry.IN_FLIGHT_BYTES.set(self._in_flight)
        return Admitted(self, nbytes)

    def add(self, nbytes: int) -> None:
        """Count so many bytes more, or fewer."""
        with self._lock:
            self._in_flight += nbytes
        telemetry.IN_FLIGHT_BYTES.set(self._in_flight)

    def _too_much(self) -> Retryable:
        telemetry.NOT_ADMITTED.labels("in_flight").inc()
        return Retryable(
            f"Too many bytes are on their way into the journal ({self._max_in_flight}, receive.max_in_flight):"
            " send again later."
        )

    def _memory_is_short(self) -> bool:
        if self._memory_limit is None or self._clock() < self._looked_at + CHECK_INTERVAL:
            return self._is_short
        was_short = self._is_short
        self._is_short = self._resident() > self._memory_limit
        if self._is_short:
            # What is free counts as resident as long as it is kept.
            self._give_back()
            self._is_short = self._resident() > self._memory_limit
        self._looked_at = self._clock()
        if self._is_short and not was_short:
            _log.warning("more than %d bytes are resident: requests are refused until it is less", self._memory_limit)
        return self._is_short


class Admitted:
    """One request that was admitted, until it is given back."""

    def __init__(self, admission: Admission, nbytes: int) -> None:
        """`nbytes` are counted for it."""
        self._admission = admission
        self._nbytes = nbytes

    def grow(self, nbytes: int) -> None:
        """Count what it was decoded to as well."""
        self._nbytes += nbytes
        self._admission.add(nbytes)

    def give_back_after(self, work: Future[Any] | None) -> None:
        """Give its bytes back when this work on it is done: not before, even if its sender has hung up."""
        if work is None:
            self._give_back()
        else:
            work.add_done_callback(lambda _: self._give_back())

    def _give_back(self) -> None:
        self._admission.add(-self._nbytes)
