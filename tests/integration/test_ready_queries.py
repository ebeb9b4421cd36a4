"""The queries in sql/ready, on spans whose answers are known."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from exporters.clickhouse.ready import ready_about, ready_names, ready_query
from exporters.clickhouse.statements import Limits, Statements
from tests.support.otlp import NOW
from tests.support.spans import DAY, NOON, SECOND, agent, batch, chat, span, trace_id
from tests.support.store import Database

HOUR_AGO = NOW - 3600 * SECOND
TOOL = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "search", "error.type": "Timeout"}
BOB = {"user.id": "bob", "session.id": "s2"}

NEEDED = {
    "cost_by_model_and_day", "top_users", "latency_by_model", "error_rate", "cache_hit_rate", "unpriced_models",
    "slowest_tools", "tokens_per_session", "most_expensive_traces", "trace_tree",
}  # fmt: skip


@pytest.fixture
def rows(database: Database, project: str) -> Any:
    """Asks a ready query, and returns the rows of this project without its name."""

    def ask(name: str, **parameters: str) -> list[tuple[Any, ...]]:
        found = database.client.query(ready_query(name), parameters=parameters)
        if not found.result_rows:
            return []
        place = found.column_names.index("project")
        return [(*row[:place], *row[place + 1 :]) for row in found.result_rows if row[place] == project]

    return ask


@pytest.fixture
def stored(database: Database, project: str) -> None:
    """Two traces, sent twice: an agent with two calls and a tool that failed; and a call without a price,
    below which one fails. An old one."""
    user = {"user.id": "ada", "session.id": "s1"}
    cached = {"gen_ai.usage.cache_read.input_tokens": 250, "gen_ai.response.time_to_first_chunk": 0.5}
    first = [
        agent(1, start=HOUR_AGO, seconds=10, tokens=(3000, 300), values=user, name="agent"),
        chat(2, parent=1, start=HOUR_AGO + SECOND, seconds=1, tokens=(1000, 100), values=cached),
        chat(3, parent=1, start=HOUR_AGO + 2 * SECOND, seconds=3, tokens=(2000, 200)),
        span(
            4,
            parent=3,
            start=HOUR_AGO + 3 * SECOND,
            seconds=2,
            error="no",
            values=TOOL | {"gen_ai.tool.name": "search", "error.type": "Timeout"},
        ),
    ]
    second = chat(
        5,
        trace=2,
        start=HOUR_AGO,
        seconds=None,
        tokens=(10, 1),
        error="no",
        model="mine",
        values=BOB,
    )
    failed = chat(7, trace=2, parent=5, start=HOUR_AGO, seconds=4, tokens=None, error="no", model="gone")
    old = chat(6, trace=3, start=NOW - 40 * DAY, tokens=(10, 1), values=user)
    for token in ("a", "b"):
        database.exporter.write(batch(*first, second, failed, old, project=project), f"{project}/{token}")


def cost(model: str, inputs: int, outputs: int, cached: int = 0) -> Decimal:
    """What the price book says of it."""
    one = chat(
        1,
        tokens=(inputs, outputs),
        model=model,
        start=HOUR_AGO,
        values={"gen_ai.usage.cache_read.input_tokens": cached},
    )
    (found,) = batch(one).column("cost_total").to_pylist()
    assert isinstance(found, Decimal | int)
    return Decimal(found)


@pytest.mark.parametrize("database", ["embedded"], indirect=True)
def test_there_are_the_ten_and_each_says_what_it_answers(database: Database) -> None:
    assert set(ready_names()) >= NEEDED
    statements = Statements(database.settings.url, Limits())
    for name in ready_names():
        assert len(ready_about(name)) > 40
        parameters = {"trace_id": trace_id(1).hex()} if "{trace_id:" in ready_query(name) else {}
        for project in (None, "a project"):  # also under the rules of what people ask
            assert statements.run(ready_query(name), form="JSON", parameters=parameters, project=project).content


def test_cost_by_model_and_day(rows: Any, stored: None) -> None:
    found = rows("cost_by_model_and_day")
    today = datetime.fromtimestamp(HOUR_AGO / 1e9, UTC).date()
    total = cost("gpt-4o", 1000, 100, 250) + cost("gpt-4o", 2000, 200)
    assert found == [(today, "openai", "gpt-4o", 2, 3000, 300, total, 0), (today, "openai", "mine", 1, 10, 1, None, 1)]


def test_top_users(rows: Any, stored: None) -> None:
    found = [row[:-1] for row in rows("top_users")]
    total = cost("gpt-4o", 1000, 100, 250) + cost("gpt-4o", 2000, 200)
    assert found == [("ada", 1, 1, 3000, 300, total, 0), ("bob", 1, 1, 10, 1, None, 1)]


def test_latency_by_model(rows: Any, stored: None) -> None:
    assert rows("latency_by_model") == [
        ("openai", "gone", 1, 4.0, 4.0, 0, None, None),
        ("openai", "gpt-4o", 2, 2.0, pytest.approx(2.9), 1, 0.5, 0.5),
        ("openai", "mine", 1, None, None, 0, None, None),
    ]


def test_error_rate(rows: Any, stored: None) -> None:
    assert rows("error_rate") == [
        ("shop", "LLM", "gone", 1, 1, 1.0, [""]),
        ("shop", "LLM", "mine", 1, 1, 1.0, [""]),
        ("shop", "TOOL", "search", 1, 1, 1.0, ["Timeout"]),
        ("shop", "LLM", "gpt-4o", 2, 0, 0.0, []),
        ("shop", "AGENT", "gpt-4o", 1, 0, 0.0, []),
    ]


def test_cache_hit_rate(rows: Any, stored: None) -> None:
    (first, second) = rows("cache_hit_rate")
    assert first[:-1] == ("openai", "gpt-4o", 2, 3000, 250, pytest.approx(250 / 3000), 0.5)
    assert first[-1] > 0
    assert second == ("openai", "mine", 1, 10, 0, 0.0, 0.0, None)


def test_unpriced_models(rows: Any, stored: None) -> None:
    assert rows("unpriced_models") == [("openai", "mine", "unknown_model", 1, 1, 11)]


def test_slowest_tools(rows: Any, stored: None) -> None:
    assert rows("slowest_tools") == [("search", 1, 2.0, 2.0, 2.0, 2.0, 1)]


def test_tokens_per_session(rows: Any, stored: None) -> None:
    found = [row[:5] + row[6:7] for row in rows("tokens_per_session")]
    assert found == [("s1", 1, 3000, 300, 3300, 0), ("s2", 1, 10, 1, 11, 1)]


def test_most_expensive_traces(rows: Any, stored: None) -> None:
    (found,) = rows("most_expensive_traces")
    assert (found[0], found[1], found[3], found[5], found[7]) == (trace_id(1).hex(), "agent", 10.0, "ada", 4)
    assert found[-2] == cost("gpt-4o", 1000, 100, 250) + cost("gpt-4o", 2000, 200)


def test_trace_tree(rows: Any, stored: None) -> None:
    found = rows("trace_tree", trace_id=trace_id(1).hex())
    assert [row[:2] + row[3:5] for row in found] == [
        ("agent", "AGENT", 0.0, 10.0),
        ("    span 2", "LLM", 1.0, 1.0),
        ("    span 3", "LLM", 2.0, 3.0),
        ("        span 4", "TOOL", 3.0, 2.0),
    ]
    assert [row[8] for row in found] == [False, True, True, False]
    assert rows("trace_tree", trace_id="0" * 32) == []


def test_a_trace_tree_shows_spans_whose_parents_are_missing(database: Database, project: str, rows: Any) -> None:
    parts = [
        span(1, parent=9, name="orphan"),
        span(2, parent=1, name="child"),
        span(3, start=NOON + SECOND, name="root"),
    ]
    database.exporter.write(batch(*parts, project=project), f"{project}/parts")
    assert [row[0] for row in rows("trace_tree", trace_id=trace_id(1).hex())] == ["orphan", "    child", "root"]
