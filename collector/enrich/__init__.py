"""Enrichment: pure functions from `SpanBatch` to `SpanBatch`. No I/O, no clock, no state but the price book.

`enrich` is the one way in. A new dialect is a module in `dialects/`; a new number is a function over columns here.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from collector.batch import SpanBatch, pick
from collector.enrich import content, errors, kinds, latency, providers, tokens
from collector.enrich.completeness import find_missing
from collector.enrich.cost import cost_columns
from collector.enrich.detection import Detected, detect
from collector.enrich.fields import Fields, resource_fields
from collector.enrich.parameters import model_parameters
from collector.enrich.prices import PriceBook
from collector.enrich.rows import CONTENTS, LISTS, TEXTS, TOKENS, RowValues, as_content, as_json_object, read_rows

_RESOURCE_FIELDS = {
    "environment": ("deployment.environment.name", "deployment.environment"),
    "release": ("service.version",),
}
_DICTIONARIES = frozenset(
    {
        "operation",
        "request_model",
        "response_model",
        "prompt_name",
        "prompt_version",
        "service_tier",
        "environment",
        "release",
    }
)
"""Text columns with few distinct values."""

__all__ = ["PriceBook", "enrich"]


def enrich(batch: SpanBatch, prices: PriceBook) -> SpanBatch:
    """Return the batch with every column that the table `spans` has but `counts`; content is moved out of the attributes."""
    detected = detect(batch)
    fields, read = Fields(batch, detected), read_rows(batch, detected)
    text = {name: read.over(name, fields.text(name)) for name in (*TEXTS, "kind_name", "server_address")}
    text["provider"] = providers.canonical(text["provider"])
    kind_name = text.pop("kind_name")
    text["operation"] = kinds.operations(detected, operation=text["operation"], kind_name=kind_name)
    usage, has_usage = _usage(fields, read, detected, text["provider"])
    contents, moved = _contents(fields, read)
    named = {"operation": text["operation"], "kind_name": kind_name, "name": batch.column("name")}
    kind = kinds.kinds(detected, **named, reports_usage=has_usage, announces=kinds.announcements(batch))
    kind = read.over("kind", kind)
    usage = find_missing(usage, batch, detected, read, kind=kind, named=named)
    server_address, error_type = text.pop("server_address"), text.pop("error_type")
    columns = {
        "dialect": detected.names(),
        "kind": kind.dictionary_encode(),
        **_texts(batch, text),
        **{name: read.over(name, fields.list(name)) for name in LISTS},
        "metadata": read.over("metadata", pa.array([""] * len(batch), pa.string()), as_json_object),
        "model_parameters": read.over("model_parameters", model_parameters(batch), as_json_object),
        **contents,
        "tool_calls": content.tool_calls(contents["output"]),
        "evaluations": read.evaluations(len(batch)),
        **usage.usage,
        "token_basis": usage.token_basis,
        "usage_problem": usage.usage_problem,
        **cost_columns(
            prices,
            provider=text["provider"],
            request_model=text["request_model"],
            response_model=text["response_model"],
            start_time=batch.column("start_time"),
            usage=usage.billed(),
            service_tier=text["service_tier"],
            server_address=server_address,
            reported=read.over("cost_reported", fields.amount("cost_reported")),
            refused=tokens.refused(usage.usage_problem),
        ),
        **_times(batch, fields, read),
        **errors.error_columns(batch, error_type),
    }
    return batch.with_columns(columns, attributes=batch.attributes.without(moved))


def _usage(
    fields: Fields, read: RowValues, detected: Detected, provider: pa.DictionaryArray
) -> tuple[tokens.Normalized, Any]:
    """The usage in the conventions' terms, and which rows report any."""
    sent, odd = {}, np.zeros(len(detected.codes), bool)
    without, running = np.zeros(len(odd), bool), np.zeros(len(odd), bool)
    running[read.rows("running_total")] = True
    without[read.rows("without_usage")] = True
    without |= running
    for name in TOKENS:
        column, no_number = fields.tokens(name)
        column, no_number_either = read.counts_over(name, column)
        sent[name] = pc.if_else(pa.array(without), pa.scalar(None, pa.int64()), column) if without.any() else column
        odd |= (no_number | no_number_either) & ~without
    exclusive = pc.is_in(provider.cast(pa.string()), value_set=tokens.EXCLUSIVE_PROVIDERS)
    inclusive = detected.inclusive(exclusive.to_numpy(zero_copy_only=False))
    stated = read.rows("inclusive")
    inclusive[stated] = [int(read.values["inclusive"][row]) for row in stated]
    by_scope = detected.by_scope.copy()
    by_scope[stated] = False
    reported = np.logical_or.reduce([column.is_valid().to_numpy(zero_copy_only=False) for column in sent.values()])
    usage = tokens.normalize(sent, odd=odd, inclusive=inclusive, by_scope=by_scope)
    return usage.with_problem(running, "running_total"), reported


def _contents(fields: Fields, read: RowValues) -> tuple[dict[str, pa.StringArray], Any]:
    """The content columns, and the positions of the attributes that went into them."""
    contents, chosen = fields.content(CONTENTS)
    moved = [np.array(read.moved, np.int64)]
    for name in CONTENTS:
        contents[name] = read.over(name, contents[name], as_content)
        kept = chosen[name].copy()
        kept[read.rows(name)] = -1  # what a reader found stands there instead: the attribute stays where it is
        moved.append(kept[kept >= 0])
    return contents, np.concatenate(moved).astype(np.int32)


def _texts(batch: SpanBatch, text: dict[str, pa.Array]) -> dict[str, pa.Array]:
    """The text columns without nulls; environment and release of a span that names none are those of its resource."""
    resource = resource_fields(batch, _RESOURCE_FIELDS)
    columns = {}
    for name, column in text.items():
        if name in resource:
            own = pc.coalesce(column, resource[name].cast(pa.string())).dictionary_encode()
            columns[name] = resource[name] if column.null_count == len(column) else own
        elif name in _DICTIONARIES:
            columns[name] = column.fill_null("").dictionary_encode()
        else:
            columns[name] = column if pa.types.is_dictionary(column.type) else column.fill_null("")
    return columns


def _times(batch: SpanBatch, fields: Fields, read: RowValues) -> dict[str, pa.Array]:
    """How long the span took, and how long until its first token."""
    start = batch.column("start_time")
    taken = latency.latency(start, batch.column("end_time"))
    name = "time_to_first_token_ns"
    first_token = pc.coalesce(
        read.over(name, fields.duration(name)),
        latency.time_to_instant(pick(batch, latency.COMPLETION_START, "string"), start),
        latency.time_to_first_event(batch.column("events"), start),
    )
    streaming = read.over("streaming", fields.flag("streaming"))
    return {"latency_ns": taken, name: latency.time_to_first_token(first_token, streaming, taken)}
