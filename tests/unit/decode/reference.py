"""What a request must become: the same columns, span by span, from the published protobuf classes.

Written to be read, not to be fast: it shares no code with `collector.decode`. JSON columns are compared as what they say,
by `repr`, so that 1, 1.0 and True differ and so do 0.0 and -0.0.
"""

from __future__ import annotations

import base64
import json
import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from collector.batch import VALUE_COLUMNS, SpanBatch
from collector.decode import Decoded, Limits, decode_spans
from tests.support.otlp import NOW

PROJECT = "a project"
_KINDS = ("UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER")
_CODES = ("UNSET", "OK", "ERROR")
_INT64_MAX = 2**63 - 1


def decode(message: ExportTraceServiceRequest | bytes, limits: Limits | None = None) -> Decoded:
    """Decode as if the request had arrived `NOW`."""
    payload = message if isinstance(message, bytes) else message.SerializeToString()
    return decode_spans(payload, project=PROJECT, received_at=NOW, limits=limits or Limits())


@dataclass
class Facts:
    """Rows, attributes (row, key, value column, value) and rejections, from either side."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    attributes: list[tuple[int, str, str, str]] = field(default_factory=list)
    rejected: Counter[str] = field(default_factory=Counter)


def facts(decoded: Decoded) -> Facts:
    """The facts of what was decoded, after a check that Arrow finds every column well formed."""
    return Facts(rows(decoded.batch), attributes(decoded.batch), decoded.rejections.reasons)


def rows(batch: SpanBatch) -> list[dict[str, Any]]:
    """Rows as dicts: times as integers, JSON as the `repr` of what it says."""
    batch.columns.validate(full=True)
    columns = {name: _integers(batch.column(name)).to_pylist() for name in batch.columns.schema.names}
    result = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    for row in result:
        for holder in (row, *row["events"], *row["links"]):
            for name in {"resource", "scope_attributes", "attributes"} & holder.keys():
                holder[name] = repr(json.loads(holder[name]))
    return result


def _integers(column: pa.Array) -> pa.Array:
    if pa.types.is_timestamp(column.type):
        return column.cast(pa.int64())
    if pa.types.is_list(column.type):
        fields = [f.with_type(pa.int64()) if pa.types.is_timestamp(f.type) else f for f in column.type.value_type]
        return column.cast(pa.list_(pa.struct(fields)))
    return column


def attributes(batch: SpanBatch) -> list[tuple[int, str, str, str]]:
    """The flat attributes; fails where not exactly one value column is set."""
    flat = batch.attributes
    result = []
    columns = {name: getattr(flat, name).to_pylist() for name in VALUE_COLUMNS}
    for i, key in enumerate(flat.key.to_pylist()):
        present = [name for name in VALUE_COLUMNS if columns[name][i] is not None]
        assert len(present) == 1, f"attribute {key!r} has values in {present}"
        value = columns[present[0]][i]
        result.append((int(flat.row[i]), key, present[0], repr(json.loads(value) if present[0] == "json" else value)))
    return result


class Reference:
    """One request, read with the published classes. `facts` is the outcome."""

    def __init__(self, message: ExportTraceServiceRequest, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self.facts = Facts()
        for resource_spans in message.resource_spans:
            for scope_spans in resource_spans.scope_spans:
                for span in scope_spans.spans:
                    reason = self._reason(span)
                    if reason:
                        self.facts.rejected[reason] += 1
                    else:
                        self._add(resource_spans, scope_spans, span)

    def _reason(self, span: Span) -> str | None:
        if len(span.trace_id) != 16 or not any(span.trace_id):
            return "trace_id is not 16 bytes or all zero"
        if len(span.span_id) != 8 or not any(span.span_id):
            return "span_id is not 8 bytes or all zero"
        if len(span.parent_span_id) not in (0, 8):
            return "parent_span_id is not 8 bytes"
        if not NOW - self.limits.accept_past <= span.start_time_unix_nano <= NOW + self.limits.accept_future:
            return "start time is outside the accepted range"
        return None

    def _add(self, resource_spans: Any, scope_spans: Any, span: Span) -> None:
        self.cut_attributes = self.cut_values = 0
        resource = dict(self._pairs(resource_spans.resource.attributes))
        service_name = resource.get("service.name")
        events = [self._event(event) for event in span.events[: self.limits.max_events]]
        links = [self._link(link) for link in span.links[: self.limits.max_links]]
        row = {
            "project": PROJECT,
            "received_at": NOW // 1_000_000,
            "trace_id": span.trace_id.hex(),
            "span_id": span.span_id.hex(),
            "parent_span_id": span.parent_span_id.hex() if any(span.parent_span_id) else "",
            "trace_state": span.trace_state,
            "flags": span.flags,
            "name": span.name,
            "span_kind": _named(_KINDS, span.kind),
            "start_time": span.start_time_unix_nano,
            "end_time": min(span.end_time_unix_nano, _INT64_MAX) or None,
            "status_code": _named(_CODES, span.status.code),
            "status_message": span.status.message,
            "resource": repr(resource),
            "service_name": service_name if isinstance(service_name, str) else "",
            "resource_schema_url": resource_spans.schema_url,
            "scope_name": scope_spans.scope.name,
            "scope_version": scope_spans.scope.version,
            "scope_attributes": repr(dict(self._pairs(scope_spans.scope.attributes))),
            "scope_schema_url": scope_spans.schema_url,
            "dropped_attributes_count": span.dropped_attributes_count,
            "dropped_events_count": span.dropped_events_count,
            "dropped_links_count": span.dropped_links_count,
            "events": events,
            "links": links,
        }
        for key, value in self._limited(span.attributes):
            column = _column(value)
            plain = plain_value(value) if column == "json" else getattr(value, value.WhichOneof("value"))
            self.facts.attributes.append((len(self.facts.rows), key, column, repr(plain)))
        row["cut_attributes"] = self.cut_attributes
        row["cut_values"] = self.cut_values
        row["cut_events"] = max(0, len(span.events) - self.limits.max_events)
        row["cut_links"] = max(0, len(span.links) - self.limits.max_links)
        self.facts.rows.append(row)

    def _event(self, event: Span.Event) -> dict[str, Any]:
        return {
            "time": min(event.time_unix_nano, _INT64_MAX),
            "name": event.name,
            "attributes": repr(dict(self._pairs(event.attributes))),
            "dropped_attributes_count": event.dropped_attributes_count,
        }

    def _link(self, link: Span.Link) -> dict[str, Any]:
        return {
            "trace_id": link.trace_id.hex(),
            "span_id": link.span_id.hex(),
            "trace_state": link.trace_state,
            "flags": link.flags,
            "attributes": repr(dict(self._pairs(link.attributes))),
            "dropped_attributes_count": link.dropped_attributes_count,
        }

    def _pairs(self, pairs: Iterable[KeyValue]) -> Iterable[tuple[str, Any]]:
        return ((key, plain_value(value)) for key, value in self._limited(pairs))

    def _limited(self, pairs: Any) -> Iterable[tuple[str, AnyValue]]:
        limit = self.limits.max_value_length
        self.cut_attributes += max(0, len(pairs) - self.limits.max_attributes)
        for pair in pairs[: self.limits.max_attributes]:
            value, arm = pair.value, pair.value.WhichOneof("value")
            if arm == "string_value" and len(value.string_value) > limit:
                self.cut_values += 1
                value = AnyValue(string_value=value.string_value[:limit])
            elif arm in ("array_value", "kvlist_value", "bytes_value"):
                content = getattr(value, arm)
                if (len(content) if arm == "bytes_value" else content.ByteSize()) > limit:
                    self.cut_values += 1
                    value = AnyValue()
            self.cut_values += len(pair.key) > limit
            yield pair.key[:limit], value


def _named(names: tuple[str, ...], code: int) -> str:
    return names[code] if 0 <= code < len(names) else names[0]


def _column(value: AnyValue) -> str:
    columns = {"string_value": "string", "int_value": "integer", "double_value": "double", "bool_value": "boolean"}
    return columns.get(value.WhichOneof("value") or "", "json")


def plain_value(value: AnyValue) -> Any:
    """What the JSON of a value must say."""
    arm = value.WhichOneof("value")
    if arm is None:
        return None
    content = getattr(value, arm)
    if arm == "array_value":
        return [plain_value(element) for element in content.values]
    if arm == "kvlist_value":
        return {pair.key: plain_value(pair.value) for pair in content.values}
    if arm == "bytes_value":
        return {"bytesValue": base64.b64encode(content).decode()}
    if arm == "double_value" and not math.isfinite(content):
        return {"doubleValue": "NaN" if math.isnan(content) else "Infinity" if content > 0 else "-Infinity"}
    return content
