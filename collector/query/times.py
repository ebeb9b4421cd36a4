"""Times in requests and in answers: ISO 8601 on the outside, ns since 1970 (UTC) on the inside."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _plus_in_offset(value: object) -> object:
    """Put back the plus sign of a UTC offset: in a URL that was not encoded it reads as a space."""
    return re.sub(r"(T.*) (\d\d:?\d\d)$", r"\1+\2", value) if isinstance(value, str) and len(value) < 64 else value


def _in_range(value: datetime) -> datetime:
    """Keep times within what 64-bit nanoseconds hold; a time without an offset is UTC."""
    if not 1970 <= value.year <= 2261:
        raise ValueError("The time must lie between the years 1970 and 2261")
    return value if value.tzinfo else value.replace(tzinfo=UTC)


Instant = Annotated[datetime, BeforeValidator(_plus_in_offset), AfterValidator(_in_range)]
"""A time in a parameter; without an offset it is UTC."""


def nanoseconds(value: datetime) -> int:
    """Return the time in ns since 1970."""
    return (value - _EPOCH) // timedelta(microseconds=1) * 1000


def rfc3339(time_ns: int) -> str:
    """Return a time in ns since 1970 as RFC 3339 in UTC with ``Z``, cut to microseconds."""
    text = (_EPOCH + timedelta(microseconds=time_ns // 1000)).isoformat(timespec="microseconds")
    return f"{text.removesuffix('+00:00')}Z"
