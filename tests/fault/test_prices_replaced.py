"""F21: prices that are changed, emptied or added while spans arrive, and usage that cannot be true, on the real store."""

from __future__ import annotations

import math
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from collector.enrich.prices_table import price_table
from tests.support.spans import batch, chat, prices, span
from tests.support.store import Database, opened


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A database of a server whose prices nobody else needs."""
    with opened("server", tmp_path_factory.mktemp("prices")) as found:
        yield found


def add_the_book(database: Database) -> None:
    book = prices()
    database.clickhouse.add_prices(
        {version: lambda version=version: price_table(book, version) for version in book.versions}
    )


def test_the_stored_prices_may_be_emptied_and_changed_while_spans_arrive_and_no_cost_changes(own: Database) -> None:
    add_the_book(own)
    rates = own.value("SELECT count() FROM prices FINAL")
    costs = []
    for number, change in enumerate(
        (
            "SELECT 1",
            "TRUNCATE TABLE prices",
            "INSERT INTO prices (version, model, rate) VALUES ('genai-prices', 'gpt-4o', 9)",
        ),
        1,
    ):
        own.connection.command(change)
        own.exporter.write(batch(chat(number, trace=number), project="changed"), f"changed/{number}")
        costs.append(own.trace("changed", number)[0]["cost_total"])
    assert costs[0] is not None
    assert len(set(costs)) == 1
    own.connection.command("TRUNCATE TABLE prices")
    add_the_book(own)
    assert own.value("SELECT count() FROM prices FINAL") == rates, "a start adds what is missing"


USAGE: dict[str, tuple[dict[str, Any], str]] = {
    "a negative number": ({"input_tokens": -5, "output_tokens": 5}, "invalid_usage"),
    "no number": ({"input_tokens": math.nan, "output_tokens": 5}, "invalid_usage"),
    "infinity": ({"input_tokens": math.inf, "output_tokens": 5}, "invalid_usage"),
    "2^63 - 1": ({"input_tokens": 2**63 - 1, "output_tokens": 5}, "out_of_range"),
    "2^63 as a double": ({"input_tokens": 2.0**63, "output_tokens": 5}, "invalid_usage"),
    "a model that nobody knows": ({"input_tokens": 5, "output_tokens": 5}, "unknown_model"),
}


@pytest.mark.parametrize("case", USAGE)
def test_what_cannot_be_priced_costs_null_with_the_reason_and_its_neighbour_costs_what_it_costs(
    database: Database, project: str, case: str
) -> None:
    usage, reason = USAGE[case]
    model = "no-such-model" if reason == "unknown_model" else "gpt-4o"
    values = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": model}
    odd = span(1, values={**values, **{f"gen_ai.usage.{name}": number for name, number in usage.items()}})
    database.exporter.write(batch(odd, chat(2, tokens=(1000, 0)), project=project), f"{project}/a")
    trace, rows = database.trace(project, 1)
    by_id = {row["span_id"]: row for row in rows}
    first, second = by_id[f"{1:016x}"], by_id[f"{2:016x}"]
    assert (first["cost_total"], first["cost_source"], first["unpriced_reason"]) == (None, "unpriced", reason)
    assert second["cost_total"] == trace["cost_total"] == Decimal("0.0025")
    assert trace["unpriced_spans"] == 1
