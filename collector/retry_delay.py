"""How long those who are refused are asked to wait: longer while the trouble lasts, and never all for the same time."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable

LONGEST_DELAY = 5.0
"""Seconds. With the spread on top it stays below ten: SDKs give up, and drop, when they are asked to wait beyond the timeout
of an export, which is ten seconds by default."""

_SHARE_OF_TROUBLE = 0.25
_QUIET = 15.0


def spread(seconds: float) -> float:
    """Return the delay times a random factor from 0.5 to 1.5, so that those refused together do not come back together."""
    return seconds * random.uniform(0.5, 1.5)  # noqa: S311 - no secret


def whole_seconds(seconds: float) -> int:
    """Return the spread delay as HTTP's Retry-After takes it: in whole seconds, at least one."""
    return max(1, math.ceil(spread(seconds)))


class LastingTrouble:
    """Knows since when requests are refused. It is over when none was refused for a while."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began = self._last = -math.inf

    def delay(self, seconds: float) -> float:
        """Return the delay for one more refusal: `seconds`, or a quarter of how long it has lasted, up to `LONGEST_DELAY`."""
        now = self._clock()
        if now - self._last > _QUIET:
            self._began = now
        self._last = now
        return max(seconds, min(LONGEST_DELAY, _SHARE_OF_TROUBLE * (now - self._began)))
