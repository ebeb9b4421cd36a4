"""Edits of tags as sets."""

from __future__ import annotations

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from exporters.clickhouse.rollup import roll_up
from exporters.clickhouse.tags import TagEdit, with_edits
from tests.unit.exporters.traces import row, table

TAGS = st.lists(st.sampled_from("abcd"), max_size=4)
STEPS = st.lists(st.tuples(TAGS, TAGS), max_size=5)


def edited(steps: list[tuple[list[str], list[str]]]) -> TagEdit:
    edit = TagEdit()
    for add, remove in steps:
        edit = edit.then(add, remove)
    return edit


@given(TAGS, STEPS)
def test_edits_say_the_same_as_changing_the_tags_one_after_the_other(
    tags: list[str], steps: list[tuple[list[str], list[str]]]
) -> None:
    changed = set(tags)
    for add, remove in steps:
        changed = (changed - set(remove)) | set(add)
    edit = edited(steps)
    assert edit.apply(tags) == sorted(changed)
    assert not edit.added & edit.removed


@given(TAGS, TAGS, STEPS)
def test_the_same_edit_again_changes_nothing(
    add: list[str], remove: list[str], steps: list[tuple[list[str], list[str]]]
) -> None:
    once = edited(steps).then(add, remove)
    assert once.then(add, remove) == once


@given(STEPS, TAGS, TAGS)
def test_tags_that_arrive_later_obey_the_edits(
    steps: list[tuple[list[str], list[str]]], first: list[str], later: list[str]
) -> None:
    edit = edited(steps)
    assert edit.apply([*first, *later]) == sorted((set(first + later) - edit.removed) | edit.added)


def test_only_the_edited_traces_change() -> None:
    traces = roll_up(table([row("a", tags=["x"]), row("b", trace_id="u", tags=["x"])]), {})
    changed = with_edits(traces, {"u": TagEdit(frozenset("y"), frozenset("x"))})
    assert changed["tags"].to_pylist() == [["x"], ["y"]]
    assert changed.schema == traces.schema
    assert changed.drop_columns("tags") == traces.drop_columns("tags")
    assert with_edits(traces, {}) is traces
    assert isinstance(changed, pa.Table)
