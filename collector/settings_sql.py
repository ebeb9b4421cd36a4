"""The settings of the SQL interface."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field, PlainSerializer

from collector.settings_section import Section
from collector.settings_values import (
    GIB,
    HOUR,
    MIB,
    SECOND,
    TIB,
    Endpoint,
    count,
    duration,
    format_duration,
    format_size,
    read_endpoint,
    size,
)

_Bytes = Annotated[int, PlainSerializer(format_size, return_type=str)]
_Nanoseconds = Annotated[int, PlainSerializer(format_duration, return_type=str)]


def _read_optional_endpoint(value: object) -> Endpoint | None:
    return None if value in (None, "") else read_endpoint(value)


class Sql(Section):
    """ClickHouse's HTTP interface, read-only, and what one statement may cost, also one of ``spanledger sql``."""

    endpoint: Annotated[
        Endpoint | None, BeforeValidator(_read_optional_endpoint), PlainSerializer(lambda value: str(value or ""))
    ] = None
    """Where it is served; None: nowhere."""
    timeout_ns: Annotated[_Nanoseconds, duration(SECOND, HOUR)] = Field(default=30 * SECOND, alias="timeout")
    """Key ``timeout``: nanoseconds that a statement may run."""
    memory: Annotated[_Bytes, size(64 * MIB, TIB)] = 2 * GIB
    """Bytes of memory that a statement may take."""
    max_rows: Annotated[int, count(1, 1_000_000_000)] = 1_000_000
    """Rows of the largest answer."""
