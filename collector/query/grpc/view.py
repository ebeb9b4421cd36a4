"""A trace's row and its spans' rows to messages. Pure: the rows are those that `collector.query.reader` describes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from collector.json_text import render
from collector.query.grpc import traces_pb2 as pb
from collector.query.grpc.values import amount, set_duration, set_time, set_values
from collector.query.reader import Row

# Columns that fill the field of the same name.
_SUMMARY = (
    "trace_id", "name", "root_span_id", "service_name", "environment", "release", "session_id", "user_id", "tags",
    "span_count", "error_count", "input_tokens", "output_tokens", "unpriced_spans",
)  # fmt: skip
_SPAN = (
    "span_id", "parent_span_id", "span_uuid", "name", "status_message", "error", "error_type", "operation", "provider",
    "request_model", "response_model", "response_id", "session_id", "user_id", "agent_name", "tool_name", "tool_call_id",
    "finish_reasons", "tags", "prompt_name", "prompt_version", "service_tier",
)  # fmt: skip
_CONTENT = ("input", "output", "system_instructions", "tool_definitions")
_TOKENS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens")
_AMOUNTS = ("total", "input", "output", "reported")
_PRICE = ("provider", "model", "version", "tier")
_CUTS = ("attributes", "values", "events", "links")

_STATUSES: Mapping[str, Any] = {
    name.removeprefix("TRACE_STATUS_"): number for name, number in pb.TraceStatus.items() if number
}
_KINDS: Mapping[str, Any] = {name.removeprefix("KIND_"): number for name, number in pb.Kind.items() if number}
_STATUS_CODES: Mapping[str, Any] = {name.removeprefix("STATUS_CODE_"): number for name, number in pb.StatusCode.items()}


def trace_message(trace: Row, spans: Sequence[Row], *, full: bool) -> pb.Trace:
    """Return a trace with its spans; without `full` these are without content, attributes, events and links."""
    message = pb.Trace(summary=summary_message(trace))
    places: dict[bytes, int] = {}
    for span in spans:
        shown = message.spans.add()
        _fill_span(shown, span)
        if full:
            _fill_details(shown, span)
        shown.resource = places.setdefault(render(span["resource"]), len(places))
        if len(places) > len(message.resources):
            set_values(message.resources.add().attributes, span["resource"])
    return message


def summary_message(trace: Row) -> pb.TraceSummary:
    """Return a trace without its spans."""
    message = pb.TraceSummary(status=_STATUSES.get(trace["status"]), **{name: trace[name] for name in _SUMMARY})
    set_time(message.start_time, trace["start_time"])
    set_time(message.end_time, trace["end_time"])
    set_duration(message.latency, trace["latency_ns"])
    if trace["cost_total"] is not None:
        message.cost_total = amount(trace["cost_total"])
    return message


def list_parts(traces: Sequence[Row], max_bytes: int) -> Iterator[pb.ListTracesResponse]:
    """Return a page in messages of about `max_bytes`: the summary that exceeds them is the last of its message."""
    part, size = pb.ListTracesResponse(), 0
    for trace in traces:
        summary = summary_message(trace)
        part.traces.append(summary)
        size += summary.ByteSize()
        if size >= max_bytes:
            yield part
            part, size = pb.ListTracesResponse(), 0
    if size:
        yield part


def _fill_span(message: pb.Span, span: Row) -> None:
    for name in _SPAN:
        value = span[name]
        if not value:
            continue
        if isinstance(value, str):
            setattr(message, name, value)
        else:
            getattr(message, name).extend(value)
    message.kind = _KINDS.get(span["kind"], pb.KIND_UNSPECIFIED)
    message.status_code = _STATUS_CODES.get(span["status_code"], pb.STATUS_CODE_UNSET)
    set_time(message.start_time, span["start_time"])
    set_time(message.end_time, span["end_time"])
    set_duration(message.latency, span["latency_ns"])
    set_duration(message.time_to_first_token, span["time_to_first_token_ns"])
    _fill_usage(message, span)
    _fill_cost(message, span)
    for evaluation in span["evaluations"]:
        message.evaluations.add(**evaluation)
    set_values(message.model_parameters, span["model_parameters"])
    if span["scope_name"] or span["scope_version"]:
        message.scope.name, message.scope.version = span["scope_name"], span["scope_version"]
    for name in _CUTS:
        if span[f"cut_{name}"]:
            setattr(message.cut, name, span[f"cut_{name}"])


def _fill_details(message: pb.Span, span: Row) -> None:
    for name in _CONTENT:
        setattr(message, name, span[name])
    for call in span["tool_calls"]:
        message.tool_calls.add(**call)
    set_values(message.metadata, span["metadata"])
    set_values(message.attributes, span["attributes"])
    for event in span["events"]:
        shown = message.events.add(name=event["name"])
        set_time(shown.time, event["time"])
        set_values(shown.attributes, event["attributes"])
    for link in span["links"]:
        set_values(message.links.add(trace_id=link["trace_id"], span_id=link["span_id"]).attributes, link["attributes"])


def _fill_usage(message: pb.Span, span: Row) -> None:
    counts = {name: span[name] for name in _TOKENS if span[name] is not None}
    if counts or span["usage_problem"]:
        usage = pb.Usage(
            token_basis=span["token_basis"], problem=span["usage_problem"], counts=span["counts"], **counts
        )
        message.usage.CopyFrom(usage)


def _fill_cost(message: pb.Span, span: Row) -> None:
    amounts = {name: span[f"cost_{name}"] for name in _AMOUNTS if span[f"cost_{name}"] is not None}
    if not (amounts or span["cost_source"]):
        return
    cost = message.cost
    for name, money in amounts.items():
        setattr(cost, name, amount(money))
    cost.source, cost.unpriced_reason = span["cost_source"], span["unpriced_reason"]
    price = {name: span[f"price_{name}"] for name in _PRICE if span[f"price_{name}"]}
    if price:
        date = span["price_effective_date"]
        cost.price.CopyFrom(pb.Price(effective_date=date.isoformat() if date else "", **price))
