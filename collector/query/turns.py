"""How long one thread keeps the interpreter from others: shorter while somebody waits for an answer."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

BUSY_S = 0.0005
"""Seconds after which a thread gives way while requests are answered. Python's own 5 ms make each of the threads that an
answer passes through (event loop, worker, the one that reads beside it) wait for whoever decodes or converts meanwhile; always
to change so often costs a tenth of the processor time where Python code is most of the work of a batch."""


class Turns:
    """Counts the requests that are being answered; used on one event loop."""

    def __init__(self) -> None:
        self._answering = 0
        self._usual = sys.getswitchinterval()

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Let threads change often until this, and all others that overlap it, are answered."""
        if not self._answering:
            self._usual = sys.getswitchinterval()
            sys.setswitchinterval(min(self._usual, BUSY_S))
        self._answering += 1
        try:
            yield
        finally:
            self._answering -= 1
            if not self._answering:
                sys.setswitchinterval(self._usual)
