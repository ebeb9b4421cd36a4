"""The three signals of OTLP."""

from __future__ import annotations

from enum import IntEnum


class Signal(IntEnum):
    """What a request brings. The numbers are stored in the journal: none of them may ever change."""

    TRACES = 0
    LOGS = 1
    METRICS = 2
