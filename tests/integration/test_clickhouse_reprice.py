"""Repricing on the embedded ClickHouse: what changes, what does not, and what a run leaves that ended in the middle."""

from __future__ import annotations

from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from collector.enrich import PriceBook
from collector.enrich.repricing import EVIDENCE, cost_column_names, costs_again
from collector.settings_prices import PriceOverride, Rates
from exporters.clickhouse import reprice as module
from exporters.clickhouse.evidence import Pricing
from exporters.clickhouse.portions import EVER, Period, portions
from exporters.clickhouse.reprice import Change, Wanted, reprice
from tests.support.spans import DAY, HOUR, MODEL, NOON, agent, batch, chat, prices, span
from tests.support.store import Database

OWN = "a model of our own"


def pricing(*overrides: PriceOverride) -> Pricing:
    """The price book with these prices above it, as the command applies it."""
    book = PriceBook.load(overrides) if overrides else prices()
    return Pricing(EVIDENCE, cost_column_names(book), partial(costs_again, book))


DOUBLE = PriceOverride(model=MODEL, rates=Rates(input=Decimal(5), output=Decimal(20)))
"""Twice of what the model costs; the tests compare, and do not rely on it."""
OWN_PRICE = PriceOverride(model=OWN, rates=Rates(input=Decimal(1), output=Decimal(1)))


def run(
    database: Database, project: str, *overrides: PriceOverride, wanted: Wanted | None = None, dry_run: bool = False
) -> dict[str, Change]:
    """Reprice the spans of one project; return what changed."""
    wanted = wanted or Wanted(EVER)
    plan = [portion for portion in portions(database.connection, wanted.period) if portion.project == project]
    changes = reprice(database.connection, plan, pricing(*overrides), wanted, dry_run=dry_run, advance=lambda _: None)
    return {model: change for model, change in changes.items() if change.spans}


def write(database: Database, project: str, *spans: Span) -> None:
    database.exporter.write(batch(*spans, project=project), f"{project}/{spans[0].span_id.hex()}")


def everything(database: Database, project: str) -> list[dict[str, Any]]:
    """All columns of the spans and the present trace rows, but for the versions."""
    spans = database.rows("SELECT * FROM spans FINAL WHERE project = {p:String} ORDER BY trace_id, span_id", p=project)
    sql = "SELECT * EXCEPT version FROM traces FINAL WHERE project = {p:String} ORDER BY trace_id"
    return [*spans, *database.rows(sql, p=project)]


def costs(database: Database, project: str) -> list[Decimal | None]:
    sql = "SELECT cost_total FROM spans FINAL WHERE project = {p:String} ORDER BY trace_id, span_id"
    return [row["cost_total"] for row in database.rows(sql, p=project)]


def trace_cost(database: Database, project: str, number: int = 1) -> Decimal | None:
    cost: Decimal | None = database.trace(project, number)[0]["cost_total"]
    return cost


def test_new_prices_reach_spans_traces_and_the_evidence(database: Database, project: str) -> None:
    write(database, project, agent(1, tokens=(300, 30)), chat(2, parent=1), chat(3, parent=1))
    before, total = costs(database, project), trace_cost(database, project)
    changes = run(database, project, DOUBLE)
    assert costs(database, project) == [2 * (cost or 0) for cost in before]
    assert total is not None
    assert trace_cost(database, project) == 2 * total
    assert changes == {MODEL: Change(spans=3, old_total=total, new_total=2 * total)}, (
        "the agent's cost is no part of the total"
    )
    (row,) = database.rows("SELECT DISTINCT price_version FROM spans FINAL WHERE project = {p:String}", p=project)
    assert row["price_version"].startswith("configuration ")


def test_a_second_run_changes_nothing_and_the_old_prices_bring_everything_back(
    database: Database, project: str
) -> None:
    write(database, project, agent(1), chat(2, parent=1), chat(3, model=OWN), span(4))
    before = everything(database, project)
    run(database, project, DOUBLE, OWN_PRICE)
    after = everything(database, project)
    version = "SELECT max(version) FROM traces WHERE project = {p:String}"
    versions = database.value(version, p=project)
    assert run(database, project, DOUBLE, OWN_PRICE) == {}
    assert everything(database, project) == after != before
    assert database.value(version, p=project) == versions, "no trace row is written for nothing"
    run(database, project)
    assert everything(database, project) == before


def test_a_dry_run_says_the_same_and_changes_nothing(database: Database, project: str) -> None:
    write(database, project, agent(1), chat(2, parent=1))
    before = everything(database, project)
    told = run(database, project, DOUBLE, dry_run=True)
    assert everything(database, project) == before
    assert run(database, project, DOUBLE) == told != {}


def test_a_model_that_had_no_price_gets_one(database: Database, project: str) -> None:
    write(database, project, chat(1, model=OWN, tokens=(1_000_000, 0)))
    assert database.trace(project, 1)[0]["unpriced_spans"] == 1
    assert run(database, project, OWN_PRICE) == {OWN: Change(spans=1, old_total=Decimal(), new_total=Decimal(1))}
    row, (one,) = database.trace(project, 1)
    assert (row["unpriced_spans"], row["cost_total"]) == (0, 1)
    assert (one["cost_source"], one["unpriced_reason"], one["price_model"]) == ("computed", "", OWN)


def test_only_spans_that_start_in_the_period_change(database: Database, project: str) -> None:
    starts = (NOON - 1, NOON, NOON + HOUR, NOON + DAY - 1, NOON + DAY)
    write(database, project, *(chat(number + 1, start=start) for number, start in enumerate(starts)))
    before = costs(database, project)
    changes = run(database, project, DOUBLE, wanted=Wanted(Period(NOON, NOON + DAY)))
    assert changes[MODEL].spans == 3
    assert [new == old for new, old in zip(costs(database, project), before, strict=True)] == [
        True,
        False,
        False,
        False,
        True,
    ]
    assert trace_cost(database, project) == sum(cost or 0 for cost in costs(database, project))


@pytest.mark.parametrize("named", ["gen_ai.request.model", "gen_ai.response.model"])
def test_only_spans_that_name_the_model_change(database: Database, project: str, named: str) -> None:
    write(database, project, chat(1), chat(2, model="gpt-4o-mini"), chat(3, model=OWN, values={named: MODEL}))
    cheap = PriceOverride(model="gpt-4o-mini", rates=Rates(input=Decimal(1), output=Decimal(1)))
    before = costs(database, project)
    run(database, project, DOUBLE, cheap, wanted=Wanted(EVER, MODEL))
    assert [new == old for new, old in zip(costs(database, project), before, strict=True)] == [False, True, False]


def test_a_price_decides_which_of_two_reports_of_a_call_counts(database: Database, project: str) -> None:
    """The better known one is believed; when both have a price, the one that began first."""
    answer = {"gen_ai.response.id": "resp-1"}
    write(database, project, chat(1, model=OWN, values=answer, tokens=(7, 0)))
    write(database, project, chat(2, values=answer, tokens=(9, 0), start=NOON + 1))
    assert database.trace(project, 1)[0]["input_tokens"] == 9
    run(database, project, OWN_PRICE)
    assert database.trace(project, 1)[0]["input_tokens"] == 7
    sql = "SELECT sumIf(input_tokens, counts) FROM spans FINAL WHERE project = {p:String}"
    assert database.value(sql, p=project) == 7


def test_what_is_reported_adds_up_to_what_the_totals_change_by(database: Database, project: str) -> None:
    """Also by a span whose cost stays, but which counts no more."""
    answer = {"gen_ai.response.id": "resp-1"}
    write(database, project, chat(1, values=answer), chat(2, parent=1, model=OWN, values=answer))
    before = trace_cost(database, project)
    plan = [portion for portion in portions(database.connection, EVER) if portion.project == project]
    changes = reprice(
        database.connection, plan, pricing(OWN_PRICE), Wanted(EVER), dry_run=False, advance=lambda _: None
    )
    after = trace_cost(database, project)
    assert before
    assert after
    assert after - before == sum(change.new_total - change.old_total for change in changes.values())
    assert [changes[model].spans for model in (MODEL, OWN)] == [0, 1]


@pytest.mark.parametrize(
    "usage",
    [{"input_tokens": -5}, {"input_tokens": 0}, {"total_tokens": 5000}, {"reasoning.output_tokens": 5000}],
    ids=["negative", "missing_input", "an unexplained total", "contradictory"],
)
def test_usage_that_cannot_be_true_stays_unpriced(database: Database, project: str, usage: dict[str, int]) -> None:
    """What is stored of it may look like a usage: what was found out about it decides."""
    values = {f"gen_ai.usage.{name}": count for name, count in usage.items()}
    write(database, project, chat(1, values=values))
    (row,) = database.rows("SELECT usage_problem, cost_total FROM spans FINAL WHERE project = {p:String}", p=project)
    assert row["usage_problem"]
    assert row["cost_total"] is None
    before = everything(database, project)
    assert run(database, project, DOUBLE) == {}
    assert everything(database, project) == before


def test_content_and_attributes_are_not_written_again(database: Database, project: str) -> None:
    write(database, project, chat(1, values={"gen_ai.input.messages": "x" * 10_000}))

    def patches() -> dict[str, set[str]]:
        """The columns of all parts that hold changes of spans."""
        sql = (
            "SELECT name, groupArray(column) AS columns FROM system.parts_columns"
            " WHERE table = {table:String} AND active AND startsWith(name, 'patch-') GROUP BY name"
        )
        found = database.connection.query_parts(sql, {"table": "spans"}).to_pylist()
        return {str(row["name"]): {str(column) for column in row["columns"]} for row in found}

    before = patches()
    run(database, project, DOUBLE)
    written = [columns for name, columns in patches().items() if name not in before]
    assert written
    assert not {"input", "output", "attributes_string", "events"} & set[str]().union(*written)


@pytest.mark.parametrize("step", ["_update", "correct_counts", "insert_traces"])
@pytest.mark.parametrize("after", [False, True], ids=["before it", "after it"])
def test_a_run_that_ends_in_the_middle_is_completed_by_the_next(
    database: Database, project: str, monkeypatch: pytest.MonkeyPatch, step: str, after: bool
) -> None:
    for number in range(3):
        write(database, project, agent(10 * number + 1, trace=number + 1, start=NOON + number * DAY))
        write(
            database,
            project,
            chat(10 * number + 2, parent=10 * number + 1, trace=number + 1, start=NOON + number * DAY),
        )
    calls = []

    def fail(*arguments: Any) -> None:
        calls.append(step)
        if after or len(calls) < 2:
            original(*arguments)
        if len(calls) == 2:
            raise RuntimeError("killed")

    original = getattr(module, step)
    monkeypatch.setattr(module, step, fail)
    with pytest.raises(RuntimeError, match="killed"):
        run(database, project, DOUBLE)
    monkeypatch.undo()
    run(database, project, DOUBLE)
    assert run(database, project, DOUBLE) == {}
    for number in range(3):
        row, spans = database.trace(project, number + 1)
        assert row["cost_total"] == spans[1]["cost_total"] == Decimal("0.007")
