"""The settings of the service: one frozen model per section, each named as the folder it configures.

`load` reads them from a YAML file, ``--set`` overrides and the environment; an unknown key, a value out of range or
settings that contradict each other refuse the start with one line. `describe` prints them as YAML that `load` reads
again. Sizes are bytes; durations are nanoseconds, in fields whose name ends in ``_ns``. Every key is described in
``config/spanledger.yaml``.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import yaml
from pydantic import (
    BaseModel,
    BeforeValidator,
    Field,
    PlainSerializer,
    ValidationError,
    model_validator,
)

from collector.errors import StartError
from collector.settings_attributes import Attributes
from collector.settings_auth import Auth
from collector.settings_clickhouse import ClickHouse
from collector.settings_file import Problem, apply_overrides, expand, read_document
from collector.settings_prices import Enrich, PriceOverride
from collector.settings_section import ContradictionError, Section
from collector.settings_sql import Sql
from collector.settings_values import (
    DAY,
    GIB,
    KIB,
    LONGEST_NAME,
    MIB,
    MILLISECOND,
    MINUTE,
    SECOND,
    TIB,
    Endpoint,
    choice,
    count,
    duration,
    format_duration,
    format_size,
    format_size_or_auto,
    read_directory,
    read_endpoint,
    shown,
    size,
    size_or_auto,
)

__all__ = [
    "Auth", "ClickHouse", "Decode", "Deliver", "Endpoint", "Enrich", "Grpc", "Journal", "PriceOverride", "Query", "Receive",
    "Settings", "Sql", "Sync", "describe", "load",
]  # fmt: skip

Sync = Literal["always", "interval", "off"]

_Bytes = Annotated[int, PlainSerializer(format_size, return_type=str)]
_Nanoseconds = Annotated[int, PlainSerializer(format_duration, return_type=str)]
_Listen = Annotated[Endpoint, BeforeValidator(read_endpoint), PlainSerializer(str, return_type=str)]


class Grpc(Section):
    """OTLP/gRPC."""

    endpoint: _Listen = Endpoint("127.0.0.1", 4317)
    """Where OTLP/gRPC is received, and the gRPC read API served."""


class Receive(Section):
    """The sockets that take OTLP."""

    grpc: Grpc = Grpc()
    max_request: Annotated[_Bytes, size(KIB, 512 * MIB)] = 64 * MIB
    """Largest request in bytes, after decompression; 64 MiB is what the OTLP specification recommends."""
    max_in_flight: Annotated[_Bytes, size(MIB, TIB)] = 256 * MIB
    """Bytes of requests between the socket and the acknowledgement, decoded ones included, at which others are refused."""
    memory_limit: Annotated[
        int, size_or_auto(256 * MIB, TIB), PlainSerializer(format_size_or_auto, return_type=str)
    ] = 0
    """Resident bytes of the process at which requests are refused; 0: four fifths of what its control group may use."""


class Decode(Section):
    """What is kept of one span, log record or data point."""

    max_attributes: Annotated[int, count(1, 1_000_000)] = 1024
    """Attributes kept per span, log record or data point."""
    max_events: Annotated[int, count(1, 1_000_000)] = 1024
    """Events kept per span."""
    max_links: Annotated[int, count(1, 1_000_000)] = 1024
    """Links kept per span."""
    max_value_length: Annotated[_Bytes, size(1, 512 * MIB)] = 4 * MIB
    """Characters kept of a string value; any other value with more bytes is emptied."""
    accept_past_ns: Annotated[_Nanoseconds, duration(SECOND, 3650 * DAY)] = Field(default=30 * DAY, alias="accept_past")
    """Key ``accept_past``: how far before its arrival a span may have started, or a record been taken, in nanoseconds."""
    accept_future_ns: Annotated[_Nanoseconds, duration(0, 30 * DAY)] = Field(default=10 * MINUTE, alias="accept_future")
    """Key ``accept_future``: how far after its arrival a span may start, in nanoseconds."""


class Journal(Section):
    """The durable queue between ack and store."""

    directory: Annotated[Path, BeforeValidator(read_directory), PlainSerializer(str, return_type=str)] = Path(
        "data/journal"
    )
    """Where the journal is; a relative path starts at the working directory."""
    sync: Annotated[Sync, choice(*get_args(Sync))] = "always"
    """What an ack promises: on disk (always), on disk soon (interval), or left to the operating system (off)."""
    max_size: Annotated[_Bytes, size(2 * KIB, 64 * TIB)] = 4 * GIB
    """Bytes on disk at which requests are refused until the store has caught up."""
    max_dead: Annotated[_Bytes, size(KIB, 64 * TIB)] = GIB
    """Bytes of these that dead letters may take, never more than half: beyond it nothing is delivered."""


class Deliver(Section):
    """From the journal to the store."""

    batch_rows: Annotated[int, count(1, 1_000_000)] = 32_768
    """Spans, log records and data points at which a batch is cut."""
    batch_size: Annotated[_Bytes, size(MIB, 2 * GIB)] = 32 * MIB
    """Bytes in memory at which a batch is cut."""
    batch_age_ns: Annotated[_Nanoseconds, duration(MILLISECOND, 10 * MINUTE)] = Field(
        default=200 * MILLISECOND, alias="batch_age"
    )
    """Key ``batch_age``: age in nanoseconds at which a batch is cut, however few spans it has."""
    batch_interval_ns: Annotated[_Nanoseconds, duration(0, 10 * MINUTE)] = Field(default=SECOND, alias="batch_interval")
    """Key ``batch_interval``: nanoseconds between two batches that are cut for their age."""
    memory: Annotated[_Bytes, size(MIB, TIB)] = 128 * MIB
    """Bytes of decoded batches that may wait for the store; beyond them the journal is decoded again."""


class Query(Section):
    """The read API, and SQL."""

    endpoint: _Listen = Endpoint("127.0.0.1", 4319)
    """Where the read API is served."""
    sql: Sql = Sql()
    attributes: Attributes = Attributes()


class Settings(Section):
    """All settings. Without arguments: the defaults."""

    receive: Receive = Receive()
    decode: Decode = Decode()
    journal: Journal = Journal()
    enrich: Enrich = Enrich()
    deliver: Deliver = Deliver()
    clickhouse: ClickHouse = ClickHouse()
    query: Query = Query()
    auth: Auth = Auth()

    @model_validator(mode="after")
    def _sections_agree(self) -> Settings:
        problems = [*_exposed(self), *_clashes(self)]
        if problems:
            raise ContradictionError(problems)
        return self


def _exposed(settings: Settings) -> Iterator[Problem]:
    if settings.auth.keys or settings.auth.allow_unauthenticated:
        return
    advice = "listen on 127.0.0.1, configure auth.keys, or set auth.allow_unauthenticated to true"
    for key, endpoint in _endpoints(settings).items():
        if not endpoint.is_loopback:
            yield Problem(key, f'is "{endpoint}": other machines could reach it without authentication: {advice}')


def _clashes(settings: Settings) -> Iterator[Problem]:
    taken: dict[int, str] = {}
    for key, endpoint in _endpoints(settings).items():
        other = taken.setdefault(endpoint.port, key)
        if other != key and endpoint.port != 0:
            yield Problem(key, f'is "{endpoint}": allowed is a port other than that of {other}')
    needed, journal = 2 * settings.receive.max_request, settings.journal
    if journal.max_size < needed:
        advice = f"allowed is at least {format_size(needed)}, twice receive.max_request"
        yield Problem("journal.max_size", f'is "{format_size(journal.max_size)}": {advice}')
    if settings.query.sql.endpoint and not settings.clickhouse.is_embedded:
        advice = "allowed only with chdb:... as clickhouse.url: servers have an interface of their own"
        yield Problem("query.sql.endpoint", f'is "{settings.query.sql.endpoint}": {advice}')
    directory = settings.clickhouse.directory
    if directory is not None and os.path.abspath(journal.directory) == os.path.abspath(directory):
        advice = "allowed is a directory other than that of clickhouse.url"
        yield Problem("journal.directory", f'is "{shown(str(journal.directory))}": {advice}')
    length = settings.decode.max_value_length
    if settings.auth.project_attribute and length < LONGEST_NAME:  # two names cut alike would become one project
        advice = f"allowed is at least {format_size(LONGEST_NAME)} beside auth.project_attribute"
        yield Problem("decode.max_value_length", f'is "{format_size(length)}": {advice}')


def _endpoints(settings: Settings) -> dict[str, Endpoint]:
    found = {"receive.grpc.endpoint": settings.receive.grpc.endpoint, "query.endpoint": settings.query.endpoint}
    return found | ({"query.sql.endpoint": settings.query.sql.endpoint} if settings.query.sql.endpoint else {})


def load(path: Path | None, overrides: Sequence[str] = (), environ: Mapping[str, str] = os.environ) -> Settings:
    """Return the settings of a YAML file, changed by overrides ``a.b.c=value``; without a file: the defaults, changed.

    ``${env:NAME}`` and ``${env:NAME:-default}`` in values are replaced from `environ`. Whatever is wrong raises
    StartError with one line that names the file, the key, the value and what is allowed; of several problems it tells
    the first and how many more there are.
    """
    document = {} if path is None else read_document(path)
    overridden = apply_overrides(document, overrides)
    expanded, problems = expand(document, environ)
    if not problems:
        try:
            return Settings.model_validate(expanded)
        except ValidationError as error:
            problems = list(_problems(error))
    first, *others = problems
    where = "--set" if path is None or first.key in overridden else f"config {shown(str(path))}"
    more = f"; and {len(others)} more" if others else ""
    raise StartError(f"{where}: {shown(first.key)} {first.sentence}{more}")


def _problems(error: ValidationError) -> Iterator[Problem]:
    for detail in error.errors(include_url=False):
        *section, name = detail["loc"] or ("",)
        key = _dotted(detail["loc"])
        cause = detail.get("ctx", {}).get("error")
        if isinstance(cause, ContradictionError):
            yield from (Problem(f"{key}.{problem.key}".lstrip("."), problem.sentence) for problem in cause.problems)
        elif detail["type"] == "extra_forbidden":
            inside = f" in {_dotted(section)}" if section else ""
            # Not the value: it may be a secret under a misspelt key.
            yield Problem(key, f"is not a key: allowed{inside}: {_keys(section)}")
        elif detail["type"] == "missing":
            yield Problem(key, f"is missing: {_dotted(section)} needs it")
        elif detail["type"] == "model_type":
            yield Problem(key, f"{_is(detail['input'])}: allowed is a mapping of {_keys([*section, name])}")
        else:
            yield Problem(key, f"{_is(detail['input'])}: {cause}")


def _dotted(path: Iterable[int | str]) -> str:
    """Write the path of a key: ``enrich.prices.overrides[0].model``."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")


def _keys(section: Iterable[int | str]) -> str:
    """Return the keys that a section may have, in the order of its model."""
    model: type[BaseModel] = Settings
    for name in section:
        if not isinstance(name, int):
            model = _section_type(model.model_fields[name].annotation)
    return ", ".join(field.alias or name for name, field in model.model_fields.items())


def _section_type(annotation: Any) -> type[BaseModel]:
    """Return the section that a key holds, alone or in a list."""
    parts = get_args(annotation)
    return _section_type(parts[0]) if parts else annotation


def _is(value: object) -> str:
    if value is None:
        return "is empty"
    if isinstance(value, dict | list):
        return "is a mapping" if isinstance(value, dict) else "is a list"
    return f'is "{shown(str(value))}"'


def describe(settings: Settings) -> str:
    """Return the settings as YAML, as a person would write them, with ``***`` in place of secrets."""
    return yaml.safe_dump(settings.model_dump(by_alias=True, exclude_none=True), sort_keys=False)
