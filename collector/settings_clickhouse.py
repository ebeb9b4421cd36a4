"""The settings of the store: the embedded engine, one ClickHouse server, or a cluster."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal, get_args
from urllib.parse import unquote

from pydantic import BeforeValidator, Field, PlainSerializer, field_serializer, model_validator

from collector.settings_file import Problem
from collector.settings_retention import Retention
from collector.settings_section import ContradictionError, Section
from collector.settings_values import (
    DAY,
    MINUTE,
    SECOND,
    Endpoint,
    choice,
    duration,
    format_duration,
    is_path,
    masked,
    read_flag,
    read_path,
)

Compression = Literal["none", "lz4", "zstd"]

_Nanoseconds = Annotated[int, PlainSerializer(format_duration, return_type=str)]
_Flag = Annotated[bool, BeforeValidator(read_flag)]
_File = Annotated[
    Path | None,
    BeforeValidator(read_path),
    PlainSerializer(lambda path: "" if path is None else str(path), return_type=str),
]

_SERVER = re.compile(r"(https?)://(?:([^:@/]+)(?::([^@/]*))?@)?([^@/?#]+)(?:/([^/?#]*))?", re.IGNORECASE)
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")
_ALLOWED = (
    "allowed is chdb:PATH, such as chdb:./data/clickhouse, or http(s)://USER:PASSWORD@HOST:PORT[,HOST:PORT]/DATABASE, with"
    " @ and / in the password written as %40 and %2F"
)
_PORTS = {"http": 8123, "https": 8443}


def read_store_url(value: object) -> str:
    """Read the address of the store: ``chdb:PATH``, or ``http(s)://USER:PASSWORD@HOST:PORT,.../DATABASE``."""
    text = value if isinstance(value, str) else ""
    if re.match(r"(clickhouses?|tcp|native)://", text, re.IGNORECASE):
        raise ValueError(f"ClickHouse is reached over HTTP here: {_ALLOWED}")
    if re.match(r"https?:", text, re.IGNORECASE):
        _read_server(text)
        return text
    path = text.removeprefix("chdb:")
    # chDB gives two spellings a meaning of their own: ":memory:" keeps nothing, "?" starts parameters.
    if path == text or path.startswith((":", "//")) or "?" in path or not is_path(path):
        raise ValueError(_ALLOWED)
    return text


def read_cluster(value: object) -> str:
    """Read the name of a cluster, empty for none."""
    if value is None or value == "":
        return ""
    if isinstance(value, str) and re.fullmatch(r"[A-Za-z0-9_.-]{1,128}", value):
        return value
    raise ValueError("allowed is the name of a cluster as system.clusters has it: letters, digits, _, . and -")


class Server:
    """What a URL of servers says."""

    def __init__(self, scheme: str, user: str, password: str, hosts: tuple[Endpoint, ...], database: str) -> None:
        self.secure = scheme == "https"
        self.user = user
        self.password = password
        self.hosts = hosts
        self.database = database


def _read_server(text: str) -> Server:
    match = _SERVER.fullmatch(text)
    if match is None:
        raise ValueError(_ALLOWED)
    scheme, user, password, hosts, database = (part or "" for part in match.groups())
    if not _IDENTIFIER.fullmatch(database or "default"):
        raise ValueError("allowed as the name of the database are letters, digits and _")
    try:
        found = tuple(_host(host, _PORTS[scheme.lower()]) for host in hosts.split(","))
    except ValueError:
        raise ValueError(_ALLOWED) from None
    return Server(scheme.lower(), unquote(user) or "default", unquote(password), found, database or "default")


def _host(text: str, port: int) -> Endpoint:
    endpoint = Endpoint.parse(text if re.search(r":[0-9]+$", text) and not text.endswith("]") else f"{text}:{port}")
    if endpoint.port == 0:
        raise ValueError
    return endpoint


class Tls(Section):
    """How servers at https:// are trusted, and how the collector shows who it is."""

    verify: _Flag = True
    """Whether the certificate of the server must be valid for its name."""
    ca_certificate: _File = None
    """File with the certificates (PEM) of who may have signed it; without it: those that Python trusts."""
    certificate: _File = None
    """File with a certificate (PEM) to show to the server ..."""
    key: _File = None
    """... and the file with its key."""


class ClickHouse(Section):
    """The store. Printing it masks the password that a URL may hold; `url` itself is complete."""

    url: Annotated[str, BeforeValidator(read_store_url)] = "chdb:./data/clickhouse"
    cluster: Annotated[str, BeforeValidator(read_cluster)] = ""
    """Name of a cluster: tables are spread over its shards by trace. Empty: one server."""
    replicated: _Flag = False
    """Whether tables are replicated between the replicas of a shard."""
    skip_unavailable_shards: _Flag = False
    """Whether questions are answered without what lies on shards that are down."""
    timeout_ns: Annotated[_Nanoseconds, duration(SECOND, 10 * MINUTE)] = Field(default=60 * SECOND, alias="timeout")
    """Key ``timeout``: nanoseconds to wait for the answer of a server to one statement."""
    compression: Annotated[Compression, choice(*get_args(Compression))] = "lz4"
    """Of what goes to and from servers."""
    tls: Tls = Tls()
    remove_deleted_after_ns: Annotated[_Nanoseconds, duration(SECOND, DAY)] = Field(
        default=5 * MINUTE, alias="remove_deleted_after"
    )
    """Key ``remove_deleted_after``: nanoseconds after which what was deleted is removed from the files."""
    retention: Retention = Retention()
    """How long what is stored is kept."""

    @property
    def is_embedded(self) -> bool:
        """Whether the engine runs inside this process."""
        return self.url.startswith("chdb:")

    @property
    def directory(self) -> Path | None:
        """Where the embedded engine keeps its files; None for servers."""
        return Path(self.url.removeprefix("chdb:")) if self.is_embedded else None

    @property
    def server(self) -> Server:
        """The servers that the URL names; only if it is not embedded."""
        return _read_server(self.url)

    @property
    def where(self) -> str:
        """The store as a person may read it: without the password."""
        return masked(self.url) if self.directory is None else str(self.directory.resolve())

    @model_validator(mode="after")
    def _agree(self) -> ClickHouse:
        if self.is_embedded and self.cluster:
            raise ContradictionError([Problem("cluster", "is set: allowed only with http(s)://... as clickhouse.url")])
        if self.replicated and not self.cluster:
            raise ContradictionError([Problem("replicated", 'is "true": allowed only with clickhouse.cluster')])
        return self

    @field_serializer("url")
    def _masked_url(self, url: str) -> str:
        return masked(url)

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        for name in type(self).model_fields:
            yield name, masked(self.url) if name == "url" else getattr(self, name)
