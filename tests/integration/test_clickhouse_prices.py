"""Prices as data: every version once, side by side, exact; and the ready query for what has none."""

from __future__ import annotations

from decimal import Decimal
from functools import partial

import pyarrow as pa
import pytest

from collector.enrich.prices import PriceBook
from collector.enrich.prices_table import price_table
from collector.settings import PriceOverride
from exporters.clickhouse.connection import statement
from tests.support.spans import batch, chat, span
from tests.support.store import Database

LATEST = """
SELECT unit, argMax(rate, valid_from) AS rate FROM prices FINAL
WHERE version = {v:String} AND provider = {p:String} AND model = {m:String} AND service_tier = {t:String}
  AND input_tokens_above = 0 AND valid_from <= {at:Date}
GROUP BY unit
"""


def configured(rate: str) -> PriceBook:
    entry = {
        "model": "mine",
        "provider": "openai",
        "valid_from": "2026-01-31",
        "rates": {"input": rate, "per_request": "0.01"},
    }
    return PriceBook.load((PriceOverride.model_validate(entry),))


def add(database: Database, book: PriceBook) -> None:
    database.clickhouse.add_prices({version: partial(price_table, book, version) for version in book.versions})


def test_every_rate_of_the_book_is_stored_exactly(database: Database) -> None:
    book = configured("1.5")
    add(database, book)
    for version in book.versions:
        sent = price_table(book, version)
        columns = ", ".join(sent.column_names)
        stored = database.rows(f"SELECT {columns} FROM prices FINAL WHERE version = {{v:String}}", v=version)

        def sorted_rows(rows: list[dict[str, object]]) -> list[str]:
            return sorted(
                repr([value.normalize() if isinstance(value, Decimal) else value for value in row.values()])
                for row in rows
            )

        assert sorted_rows(stored) == sorted_rows(sent.to_pylist())


def test_a_version_is_added_once_and_beside_those_that_are_there(database: Database) -> None:
    first, second = configured("2.5"), configured("3.5")
    for book in (first, second, first):
        add(database, book)
    count = "SELECT version, count() AS rows FROM prices WHERE startsWith(version, 'configuration') GROUP BY version"
    found = {row["version"]: row["rows"] for row in database.rows(count)}
    assert (found[first.versions[1]], found[second.versions[1]]) == (2, 2), "without FINAL: nothing was inserted again"
    assert database.value("SELECT count() FROM prices WHERE version = {v:String}", v=first.version) > 5000


def test_what_is_there_is_not_made_again(database: Database) -> None:
    book = configured("4.5")
    add(database, book)

    def make() -> pa.Table:
        raise AssertionError("the table of a version that is stored was made")

    database.clickhouse.add_prices(dict.fromkeys(book.versions, make))


@pytest.mark.parametrize(
    ("at", "tier", "rates"),
    [
        ("2026-01-01", "", {"input_tokens": "1.25", "cache_read_tokens": "0.125", "output_tokens": "10"}),
        ("2026-11-20", "batch", {"input_tokens": "0.625", "cache_read_tokens": "0.0625", "output_tokens": "5"}),
    ],
)
def test_the_rates_of_a_day_are_found_in_sql(database: Database, at: str, tier: str, rates: dict[str, str]) -> None:
    book = PriceBook.load()
    add(database, book)
    found = database.rows(LATEST, v=book.version, p="openai", m="gpt-5", t=tier, at=at)
    assert {row["unit"]: row["rate"] * 10**6 for row in found} == {unit: Decimal(rate) for unit, rate in rates.items()}


def test_a_stored_cost_is_its_tokens_times_the_rates_of_its_version(database: Database, project: str) -> None:
    add(database, PriceBook.load())
    database.exporter.write(batch(chat(1, tokens=(1000, 100)), project=project), f"{project}/a")
    sql = """
        SELECT spans.cost_total AS stored, sum(prices.rate * if(unit = 'input_tokens', input_tokens, output_tokens)) AS again
        FROM spans FINAL JOIN prices FINAL
          ON prices.version = price_version AND prices.provider = price_provider AND prices.model = price_model
        WHERE project = {p:String} AND unit IN ('input_tokens', 'output_tokens') AND prices.service_tier = ''
        GROUP BY stored
    """
    ((row),) = database.rows(sql, p=project)
    assert row["again"] == row["stored"] > 0


def test_the_ready_query_lists_what_has_no_price_and_why(database: Database, project: str) -> None:
    def call(number: int, provider: str, model: str, tokens: tuple[int, int]) -> object:
        values = {"gen_ai.provider.name": provider, "gen_ai.request.model": model, "gen_ai.response.model": ""}
        return chat(number, tokens=tokens, values=values)

    spans = [
        call(1, "openai", "my-deployment", (1000, 100)),
        call(2, "openai", "my-deployment", (2000, 200)),
        call(3, "acme", "gpt-4o", (10, 1)),
        call(4, "openai", "gpt-4o", (10, 1)),
        span(5),
    ]
    for token in ("a", "b"):  # sent twice
        database.exporter.write(batch(*spans, project=project), f"{project}/{token}")
    rows = [row for row in database.rows(statement("ready/unpriced_models.sql")) if row["project"] == project]
    assert [tuple(row.values())[1:] for row in rows] == [
        ("openai", "my-deployment", "unknown_model", 2, 2, 3300),
        ("acme", "gpt-4o", "unknown_provider", 1, 1, 11),
    ]
