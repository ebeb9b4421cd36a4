"""The Arrow table that goes into `spans`: every column by its name, every attribute with its type, nothing twice."""

from __future__ import annotations

import math
import re
import uuid

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from exporters.clickhouse.connection import statement
from exporters.clickhouse.span_rows import span_uuid
from exporters.clickhouse.table import records_table
from tests.support.spans import batch, chat, span

MAPS = ("attributes_string", "attributes_int", "attributes_double", "attributes_bool", "attributes_json")

EVERY_TYPE = {
    "string": "text",
    "int": -(2**63),
    "double": 0.5,
    "bool": False,
    "bytes": b"\x00\xff",
    "list": ["a", 1],
    "mapping": {"a": {"b": 1.5}},
    "empty": None,
}


def maps(table: pa.Table, row: int) -> dict[str, dict[str, object]]:
    """The maps of one row that hold something; a key that comes twice in a map fails."""
    found = {}
    for name in MAPS:
        pairs = table[name][row].as_py()
        assert len(dict(pairs)) == len(pairs)
        if pairs:
            found[name] = dict(pairs)
    return found


def test_every_attribute_is_in_the_map_of_its_type_and_in_no_other() -> None:
    table = records_table(batch(span(1, values=EVERY_TYPE)))
    assert maps(table, 0) == {
        "attributes_string": {"string": "text"},
        "attributes_int": {"int": -(2**63)},
        "attributes_double": {"double": 0.5},
        "attributes_bool": {"bool": False},
        "attributes_json": {
            "bytes": '{"bytesValue":"AP8="}',
            "list": '["a",1]',
            "mapping": '{"a":{"b":1.5}}',
            "empty": "null",
        },
    }


def test_attributes_stay_with_their_spans() -> None:
    spans = [span(1, values={"k": "one", "n": 1}), span(2), span(3, values={"n": 3}), span(4, values={"k": "four"})]
    table = records_table(batch(*spans))
    assert [maps(table, row) for row in range(4)] == [
        {"attributes_string": {"k": "one"}, "attributes_int": {"n": 1}},
        {},
        {"attributes_int": {"n": 3}},
        {"attributes_string": {"k": "four"}},
    ]


def test_content_is_in_its_column_and_not_in_the_maps() -> None:
    messages = '[{"role":"user","parts":[]}]'
    table = records_table(
        batch(chat(1, values={"gen_ai.input.messages": messages, "gen_ai.output.messages": [{"a": 1}]}))
    )
    assert (table["input"][0].as_py(), table["output"][0].as_py()) == (messages, '[{"a":1}]')
    assert not {"gen_ai.input.messages", "gen_ai.output.messages"} & {k for m in maps(table, 0).values() for k in m}


def test_numbers_that_are_none_survive() -> None:
    table = records_table(batch(span(1, values={"nan": math.nan, "infinity": -math.inf})))
    doubles = maps(table, 0)["attributes_double"]
    assert math.isnan(doubles["nan"])  # type: ignore[arg-type]
    assert doubles["infinity"] == -math.inf


def test_the_table_has_exactly_the_columns_of_the_schema() -> None:
    """A column that the schema lacks is refused by the store; one that the batch lacks would stay empty for ever."""
    declared = re.findall(r"^    (\w+) (?!.* ALIAS )", statement("0001_spans.sql"), re.MULTILINE)
    declared += re.findall(r"^    ADD COLUMN (\w+) ", statement("0003_spans_evidence.sql"), re.MULTILINE)
    assert sorted([*records_table(batch(span(1))).schema.names, "counts"]) == sorted(declared)


_trace_ids = st.text("0123456789abcdef", min_size=32, max_size=32)
_span_ids = st.text("0123456789abcdef", min_size=16, max_size=16)


@given(_trace_ids, _span_ids)
def test_a_span_uuid_is_a_version_4_uuid_that_holds_the_whole_span_id_and_56_bits_of_the_trace_id(
    trace_id: str, span_id: str
) -> None:
    made = span_uuid(trace_id, span_id)
    parsed = uuid.UUID(made)
    assert (str(parsed), parsed.version, parsed.variant) == (made, 4, uuid.RFC_4122)
    digits = parsed.hex
    assert digits[15] + digits[17:] == span_id
    assert digits[:12] + digits[13:15] == trace_id[:14]


def test_no_span_has_no_uuid() -> None:
    assert span_uuid("0" * 32, "") == ""
