"""`enrich` as a whole: the columns of the table `spans`, a row for a row, whatever comes in."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

import exporters.clickhouse
from collector.batch import SpanBatch, concat
from collector.enrich import enrich
from collector.enrich.dialects import DIALECTS, GENAI, Dialect
from collector.enrich.rows import FIELDS
from exporters.clickhouse.table import records_table
from tests.unit.enrich.building import SECOND, START, Sent, batch, enriched, price_book, rows

SQL = Path(exporters.clickhouse.__file__).parent / "sql"
WRITTEN_LATER = {"counts"}
"""Columns that take more than the span itself to decide."""

CHAT = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "OpenAI",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.request.stream": True,
    "gen_ai.request.temperature": 0.5,
    "gen_ai.response.model": "gpt-4o-2024-08-06",
    "gen_ai.response.id": "r-1",
    "gen_ai.response.finish_reasons": ["stop"],
    "gen_ai.response.time_to_first_chunk": 0.25,
    "gen_ai.conversation.id": "c-1",
    "user.id": "u-1",
    "gen_ai.usage.input_tokens": 100,
    "gen_ai.usage.output_tokens": 20,
    "gen_ai.usage.cache_read.input_tokens": 60,
    "gen_ai.usage.reasoning.output_tokens": 5,
    "gen_ai.input.messages": '[{"role": "user", "parts": []}]',
    "gen_ai.output.messages": [
        {"role": "assistant", "parts": [{"type": "tool_call", "id": "t", "name": "f", "arguments": {"a": 1}}]}
    ],
    "gen_ai.system_instructions": '[{"type": "text", "content": "be kind"}]',
    "gen_ai.tool.definitions": "[]",
}
HTTP = {
    "http.request.method": "GET",
    "http.response.status_code": 200,
    "url.full": "http://localhost/",
    "error.type": "",
}

EMPTY_TEXTS = (
    "operation",
    "provider",
    "request_model",
    "response_model",
    "response_id",
    "session_id",
    "user_id",
    "agent_name",
    "tool_name",
    "tool_call_id",
    "input",
    "output",
    "system_instructions",
    "tool_definitions",
    "token_basis",
    "cost_source",
    "price_provider",
    "price_model",
    "price_version",
    "price_tier",
    "unpriced_reason",
    "error",
    "error_type",
    "environment",
    "release",
)
NULLS = ("time_to_first_token_ns", "cost_input", "cost_output", "cost_total", "price_effective_date")


def insertable_columns() -> dict[str, str]:
    """Return the columns of the table `spans` with their types, but for those that are computed (ALIAS)."""
    created = (SQL / "0001_spans.sql").read_text().partition("CREATE TABLE spans\n(\n")[2].partition("\n)\nENGINE")[0]
    lines = re.findall(r"^    (\w+) (.*?)(?: COMMENT | CODEC|,?$)", created, re.MULTILINE)
    added = (SQL / "0003_spans_evidence.sql").read_text()
    lines += re.findall(r"^    ADD COLUMN (\w+) (.*?)(?: DEFAULT | COMMENT )", added, re.MULTILINE)
    return {name: kind for name, kind in lines if " ALIAS " not in kind}


def test_a_chat_becomes_one_complete_row() -> None:
    (row,) = enriched(Sent(CHAT), resource={"deployment.environment.name": "prod", "service.version": "2.0"})
    found = {name: row[name] for name in insertable_columns() if name in row}
    expected: dict[str, Any] = {
        "dialect": "genai",
        "kind": "LLM",
        "operation": "chat",
        "provider": "openai",
        "request_model": "gpt-4o",
        "response_model": "gpt-4o-2024-08-06",
        "response_id": "r-1",
        "session_id": "c-1",
        "user_id": "u-1",
        "environment": "prod",
        "release": "2.0",
        "finish_reasons": ["stop"],
        "input": '[{"role": "user", "parts": []}]',
        "output": '[{"role":"assistant","parts":[{"type":"tool_call","id":"t","name":"f","arguments":{"a":1}}]}]',
        "system_instructions": '[{"type": "text", "content": "be kind"}]',
        "tool_definitions": "[]",
        "tool_calls": [{"id": "t", "name": "f", "arguments": '{"a":1}'}],
        "input_tokens": 100,
        "output_tokens": 20,
        "cache_read_tokens": 60,
        "cache_write_tokens": None,
        "reasoning_tokens": 5,
        "total_tokens": None,
        "token_basis": "inclusive",
        "usage_problem": "",
        "model_parameters": '{"stream":true,"temperature":0.5}',
        "cost_input": Decimal("0.000175"),
        "cost_output": Decimal("0.0002"),
        "cost_total": Decimal("0.000375"),
        "cost_source": "computed",
        "price_provider": "openai",
        "price_model": "gpt-4o",
        "unpriced_reason": "",
        "latency_ns": SECOND,
        "time_to_first_token_ns": SECOND // 4,
        "error": "",
        "error_type": "",
    }
    assert {name: found[name] for name in expected} == expected
    assert not {key for key, _, _ in row["attributes"]} & {"gen_ai.input.messages", "gen_ai.output.messages"}
    assert ("gen_ai.request.temperature", "double", 0.5) in row["attributes"]
    assert isinstance(row["price_effective_date"], date | None)


def test_spans_that_have_nothing_to_do_with_models_get_empty_columns_and_keep_their_attributes() -> None:
    for row in enriched(Sent(HTTP), Sent(), Sent(HTTP)):
        assert row["kind"] == "OTHER"
        assert {row[name] for name in EMPTY_TEXTS} == {""}
        assert {row[name] for name in NULLS} == {None}
        assert {row[name] for name in row if name.endswith("_tokens")} == {None}
        assert (row["tags"], row["finish_reasons"], row["tool_calls"], row["latency_ns"]) == ([], [], [], SECOND)
    assert [len(row["attributes"]) for row in enriched(Sent(HTTP), Sent())] == [4, 0]


def test_an_empty_batch_gets_every_column_and_no_row() -> None:
    empty = enrich(batch(), price_book())
    assert len(empty) == len(empty.attributes) == 0
    assert set(empty.columns.schema.names) == set(enrich(batch(Sent(CHAT)), price_book()).columns.schema.names)
    assert rows(empty) == []


def test_the_types_of_the_columns_do_not_depend_on_what_the_spans_hold() -> None:
    full, plain, none = (enrich(spans, price_book()) for spans in (batch(Sent(CHAT)), batch(Sent(HTTP)), batch()))
    assert full.columns.schema.equals(plain.columns.schema)
    assert full.columns.schema.equals(none.columns.schema)


def test_the_columns_are_those_that_the_table_spans_takes() -> None:
    columns = insertable_columns()
    maps = {name for name, kind in columns.items() if kind.startswith("Map(")}
    assert maps == {f"attributes_{kind}" for kind in ("string", "int", "double", "bool", "json")}
    spans = enrich(batch(Sent(CHAT)), price_book())
    assert set(spans.columns.schema.names) == set(columns) - maps - WRITTEN_LATER
    assert set(records_table(spans).column_names) == set(columns) - WRITTEN_LATER


def test_only_columns_that_may_be_null_in_the_table_have_nulls() -> None:
    columns = insertable_columns()
    spans = enrich(batch(Sent(CHAT), Sent(HTTP), Sent(end=0, failed=True)), price_book())
    with_nulls = {name for name in spans.columns.schema.names if spans.column(name).null_count}
    assert {name for name in with_nulls if not columns[name].startswith("Nullable(")} == set()
    assert {name for name, kind in columns.items() if kind.startswith("Nullable(")} >= with_nulls > set(NULLS)


TABLES = ("text", "content", "tokens", "seconds", "milliseconds", "lists", "amounts", "flags")
DECIDING = {"kind_name", "server_address", "streaming"}
"""Fields that other columns are decided by."""


def test_every_field_of_the_dialects_has_a_column() -> None:
    fields = {field for dialect in DIALECTS for table in TABLES for field in getattr(dialect, table)}
    flags = {"inclusive", "without_usage", "running_total"}
    assert fields - DECIDING - flags <= set(insertable_columns())
    assert set(FIELDS) - DECIDING - flags <= set(insertable_columns())


def keys_of(*dialects: Dialect) -> list[str]:
    """Return the keys in the tables of these dialects, and one of no dialect."""
    tables = [getattr(dialect, table) for dialect in dialects for table in TABLES]
    return sorted({key for table in tables for keys in table.values() for key in keys} | {"http.route"})


VALUES = st.one_of(
    st.sampled_from(
        ["", "chat", "openai", "gpt-4o", "claude-sonnet-4-5", "12", '["stop"]', "null", "[", '"tool_call"']
    ),
    st.sampled_from([CHAT["gen_ai.output.messages"], ["a"], {"a": 1}, None, b"\xff"]),
    st.integers(-(2**63), 2**63 - 1) | st.integers(-1, 3000),
    st.floats(),
    st.booleans(),
    st.text(max_size=5),
)


def spans_with(keys: list[str], scopes: Sequence[str] = ("",)) -> st.SearchStrategy[list[Sent]]:
    """Spans of these scopes with some of these attributes, none of which need make sense."""
    sent = st.builds(
        Sent,
        st.lists(st.tuples(st.sampled_from(keys), VALUES), max_size=12),
        end=st.sampled_from([0, START - 1, START, START + SECOND, 2**64 - 1]),
        failed=st.booleans(),
        message=st.sampled_from(["", "failed"]),
        events=st.lists(
            st.tuples(
                st.sampled_from(["exception", "other"]),
                st.dictionaries(st.sampled_from(["exception.message", "exception.type"]), VALUES),
            ),
        ),
        scope=st.sampled_from(scopes),
    )
    return st.lists(sent, max_size=8)


SCOPES = ["", "my.app", *(scope.removesuffix("*") for dialect in DIALECTS for scope in dialect.scopes)]
SPANS = spans_with(keys_of(*DIALECTS), SCOPES)
RESOURCES = st.dictionaries(st.sampled_from(["service.version", "deployment.environment"]), VALUES)


def untouched(spans: SpanBatch) -> list[tuple[str, Any]]:
    return [(row["span_id"], row["start_time"]) for row in spans.columns.select(["span_id", "start_time"]).to_pylist()]


@settings(max_examples=100, deadline=None)
@given(SPANS.filter(bool), SPANS, RESOURCES)
def test_enriching_a_batch_is_enriching_its_rows(left: list[Sent], right: list[Sent], resource: dict[str, Any]) -> None:
    parts = [spans for spans in (batch(*left, resource=resource), batch(*right)) if len(spans)]
    whole = concat(parts)
    together = enrich(whole, price_book())
    assert untouched(together) == untouched(whole)
    apart = [row for spans in parts for row in rows(enrich(spans, price_book()))]
    assert repr(rows(together)) == repr(apart)  # as text, since NaN is not equal to itself
    records_table(together).validate(full=True)


@settings(max_examples=50, deadline=None)
@given(spans_with(keys_of(GENAI)))
def test_content_and_attributes_together_are_what_was_sent(spans: list[Sent]) -> None:
    before = rows(batch(*spans))
    after = rows(enrich(batch(*spans), price_book()))
    moved = ("input", "output", "system_instructions", "tool_definitions")
    for sent, kept in zip(before, after, strict=True):
        gone = [value for _, _, value in sent["attributes"]]
        for _, _, value in kept["attributes"]:
            gone.pop(next(i for i, other in enumerate(gone) if other is value or repr(other) == repr(value)))
        assert sorted(gone) == sorted(kept[name] for name in moved if kept[name])


def test_enriching_does_not_change_the_batch_that_it_was_given() -> None:
    spans = batch(Sent(CHAT), Sent(HTTP))
    before = rows(spans)
    enrich(spans, price_book())
    assert rows(spans) == before
