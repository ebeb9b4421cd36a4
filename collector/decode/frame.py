"""The frame of a request, the same for all signals: resources and scopes read, the records in them still closed.

Work per resource and scope is remembered, since the same ones come with every request.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa
from google.protobuf.message import Message
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from collector.decode import wire
from collector.decode.columns import REMEMBERED, repeated
from collector.decode.limits import MAX_PROJECTS, MAX_RECORDS, CutCounts, Limits, cut_attributes, cut_long_values
from collector.decode.values import key_values
from collector.errors import TooLarge
from collector.project import project_name, resource_attribute


@dataclass(frozen=True)
class Frame:
    """The closed records of a request, and per record the columns of its resource and scope."""

    records: pa.BinaryArray
    columns: dict[str, pa.Array]
    cuts: CutCounts
    """`cut_attributes` and `cut_values` of the resource and the scope."""
    misnamed: int
    """Resources that name a project which no project may be called."""

    def filter(self, keep: npt.NDArray[np.bool_]) -> Frame:
        """Return the frame with only these records."""
        mask = pa.array(keep)
        columns = {name: column.filter(mask) for name, column in self.columns.items()}
        cuts = {name: cut[keep] for name, cut in self.cuts.items()}
        return Frame(self.records.filter(mask), columns, cuts, self.misnamed)

    def take(self, indices: npt.NDArray[np.int64]) -> Frame:
        """Return the frame with the records of these indices, which may repeat."""
        positions = pa.array(indices)
        columns = {name: column.take(positions) for name, column in self.columns.items()}
        cuts = {name: cut[indices] for name, cut in self.cuts.items()}
        return Frame(self.records.take(positions), columns, cuts, self.misnamed)


def read_frame(payload: bytes, published: type[Message], project: str, limits: Limits, records: str) -> Frame:
    """Read the frame of a request; `published` is its protobuf class, `records` what a refusal calls what it holds.

    `project` is what the journal has as the project of the request (`collector.project`). Raises ValueError when the
    bytes are not such a message, `TooLarge` when there are more than `MAX_RECORDS` of something, or `MAX_PROJECTS`.
    """
    resource, in_resources, resource_schema = wire.read_request(payload, published).flatten()
    scope, in_scopes, scope_schema = in_resources.flatten().flatten()
    closed = in_scopes.flatten()
    for what, count in (("resources", len(resource)), ("scopes", len(scope)), (records, len(closed))):
        check_count(what, count)
    scope_of_record = np.repeat(np.arange(len(scope)), in_scopes.value_lengths().to_numpy())
    resource_of_scope = np.repeat(np.arange(len(resource)), in_resources.value_lengths().to_numpy())
    resource_of_record = resource_of_scope[scope_of_record]

    attribute, otherwise = resource_attribute(project)
    resources = [_resource(value, limits, attribute) for value in resource.to_pylist()]
    projects = [r.project or otherwise for r in resources]
    _check("projects", len(set(projects)), MAX_PROJECTS)
    scopes = [_scope(value, limits) for value in scope.to_pylist()]
    columns = {
        "project": repeated(projects, resource_of_record),
        "resource": repeated([r.attributes for r in resources], resource_of_record),
        "service_name": repeated([r.service_name for r in resources], resource_of_record),
        "resource_schema_url": repeated(resource_schema.to_pylist(), resource_of_record),
        "scope_name": repeated([s.name for s in scopes], scope_of_record),
        "scope_version": repeated([s.version for s in scopes], scope_of_record),
        "scope_attributes": repeated([s.attributes for s in scopes], scope_of_record),
        "scope_schema_url": repeated(scope_schema.to_pylist(), scope_of_record),
    }
    cut_resource = np.array([r.cut for r in resources], np.uint32).reshape(-1, 2)
    cut_scope = np.array([s.cut for s in scopes], np.uint32).reshape(-1, 2)
    cut = cut_resource[resource_of_record] + cut_scope[scope_of_record]
    cuts = {"cut_attributes": cut[:, 0], "cut_values": cut[:, 1]}
    return Frame(closed, columns, cuts, sum(r.is_misnamed for r in resources))


def check_count(what: str, count: int) -> None:
    """Raise `TooLarge` when a request holds more than `MAX_RECORDS` of something."""
    _check(what, count, MAX_RECORDS)


def _check(what: str, count: int, most: int) -> None:
    if count > most:
        raise TooLarge(f"the request holds {count} {what}; at most {most} are accepted in one: send smaller batches")


_Cut = tuple[int, int]
"""How many attributes, and how many keys and values, were cut."""


@dataclass(frozen=True)
class _Resource:
    attributes: str
    service_name: str
    project: str
    """As the resource names it; "" if it does not, or names one that may not be."""
    is_misnamed: bool
    cut: _Cut


@dataclass(frozen=True)
class _Scope:
    name: str
    version: str
    attributes: str
    cut: _Cut


def _resource(message: bytes, limits: Limits, project_attribute: str) -> _Resource:
    shorter, cut = _cut(message, wire.ResourceSkeleton, limits)
    describe = _describe_resource if len(shorter) <= REMEMBERED else _describe_resource.__wrapped__
    return describe(shorter, cut, project_attribute)


def _scope(message: bytes, limits: Limits) -> _Scope:
    shorter, cut = _cut(message, wire.ScopeSkeleton, limits)
    return _describe_scope(shorter, cut) if len(shorter) <= REMEMBERED else _describe_scope.__wrapped__(shorter, cut)


def _cut(message: bytes, skeleton: type[Any], limits: Limits) -> tuple[bytes, _Cut]:
    fewer, attributes = cut_attributes(message, skeleton, limits)
    shorter, values = cut_long_values(fewer, skeleton, limits)
    return shorter, (attributes, values)


@lru_cache(maxsize=512)
def _describe_resource(message: bytes, cut: _Cut, project_attribute: str) -> _Resource:
    attributes = key_values(Resource.FromString(message).attributes)
    service_name = attributes.get("service.name", "")
    named = attributes.get(project_attribute) if project_attribute else None
    project = project_name(named) if isinstance(named, str) else ""
    return _Resource(
        attributes=orjson.dumps(attributes).decode(),
        service_name=service_name if isinstance(service_name, str) else "",
        project=project,
        is_misnamed=named is not None and not project,
        cut=cut,
    )


@lru_cache(maxsize=512)
def _describe_scope(message: bytes, cut: _Cut) -> _Scope:
    scope = InstrumentationScope.FromString(message)
    return _Scope(scope.name, scope.version, orjson.dumps(key_values(scope.attributes)).decode(), cut)
