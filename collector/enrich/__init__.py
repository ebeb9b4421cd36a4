"""Enrichment: pure functions from `SpanBatch` to `SpanBatch`. No I/O, no clock, no state but the price book.

`enrich` is the one way in. A new dialect is a module in `dialects/`; a new number is a function over columns here.
"""

from __future__ import annotations

import pyarrow.compute as pc

from collector.batch import SpanBatch, pick
from collector.enrich import content, errors, fields, kinds, latency, providers, tokens
from collector.enrich.cost import cost_columns
from collector.enrich.prices import PriceBook

_RESOURCE_FIELDS = {
    "environment": ("deployment.environment.name", "deployment.environment"),
    "release": ("service.version",),
}

__all__ = ["PriceBook", "enrich"]


def enrich(batch: SpanBatch, prices: PriceBook) -> SpanBatch:
    """Return the batch with every column that the table `spans` has; content is moved out of the attributes."""
    text = fields.text_fields(batch)
    sent = fields.token_fields(batch)
    usage, token_basis = tokens.normalize(sent)
    provider = providers.canonical(text.pop("provider"))
    error_type = text.pop("error_type")
    models = {name: text.pop(name).fill_null("").dictionary_encode() for name in ("request_model", "response_model")}
    contents, moved = fields.content_fields(batch)
    taken = latency.latency(batch.column("start_time"), batch.column("end_time"))
    first_token = fields.duration_fields(batch)["time_to_first_token_ns"]
    operation = text.pop("operation")
    columns = {
        "kind": kinds.kinds(operation, pc.not_equal(token_basis, "")),
        "operation": operation.fill_null("").dictionary_encode(),
        "provider": provider,
        **models,
        **{name: column.fill_null("") for name, column in text.items()},
        **fields.resource_fields(batch, _RESOURCE_FIELDS),
        **fields.list_fields(batch),
        **contents,
        "tool_calls": content.tool_calls(contents["output"]),
        **{name: tokens.without_negatives(column) for name, column in usage.items() if name != "total_tokens"},
        "token_basis": token_basis,
        **cost_columns(
            prices,
            provider=provider,
            start_time=batch.column("start_time"),
            usage={name: column for name, column in usage.items() if name != "total_tokens"},
            **models,
        ),
        "latency_ns": taken,
        "time_to_first_token_ns": latency.time_to_first_token(
            pc.coalesce(first_token, latency.time_to_first_event(batch.column("events"), batch.column("start_time"))),
            pick(batch, "gen_ai.request.stream", "boolean"),
            taken,
        ),
        **errors.error_columns(batch, error_type),
    }
    return batch.with_columns(columns, attributes=batch.attributes.without(moved))
