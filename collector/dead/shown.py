"""What a person sees of dead letters: a list of all, and one with its records as JSON, content included."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from collector.batch import VALUE_COLUMNS, SignalBatch
from collector.journal import DeadLetter
from collector.project import resource_attribute

LONGEST_REASON = 100
"""Characters of a reason in the list."""

_WIDE = 10_000
"""Width of what goes to a file or a pipe: every row on one line."""

_JSON_COLUMNS = ("resource", "scope_attributes")


def show_list(letters: Sequence[DeadLetter]) -> None:
    """Print a row for each dead letter, and what they take together."""
    console = Console(highlight=False, soft_wrap=True)
    if not console.is_terminal:
        console = Console(highlight=False, soft_wrap=True, width=_WIDE)
    if not letters:
        console.print("There are no dead letters.")
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("id", "refused at", "signal", "project", "records", "bytes", "reason"):
        right = name in ("id", "records", "bytes")
        table.add_column(name, justify="right" if right else "left", overflow="fold")
    for letter in letters:
        table.add_row(
            str(letter.sequence),
            time_text(letter.refused_at_ns),
            letter.signal.name.lower(),
            escape(project_text(letter.project)),
            _records(letter),
            f"{letter.nbytes:,}",
            escape(_shortened(letter.reason)),
        )
    console.print(table)
    console.print(f"{counted(letters)}, {sum(letter.nbytes for letter in letters):,} bytes")


def document(letter: DeadLetter, batch: SignalBatch | None, problem: str) -> bytes:
    """Return a dead letter as indented JSON; without a batch, `problem` says why its records cannot be shown."""
    head = {
        "id": letter.sequence,
        "signal": letter.signal.name.lower(),
        "project": project_text(letter.project),
        "received_at": time_text(letter.received_at_ns),
        "refused_at": time_text(letter.refused_at_ns),
        "reason": letter.reason,
        "positions": None if letter.part is None else list(letter.part.rows),
        "records_in_request": letter.of or None,
    }
    body = {"problem": problem} if batch is None else {"records": list(_rows(batch))}
    return orjson.dumps(head | body, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def counted(letters: Sequence[object]) -> str:
    """Return how many dead letters these are, in words."""
    return f"{len(letters):,} dead letter{'s'[: len(letters) != 1]}"


def time_text(nanoseconds: int) -> str:
    """Return a time as text, UTC to the second; "" for 0."""
    return f"{datetime.fromtimestamp(nanoseconds // 10**9, UTC):%Y-%m-%dT%H:%M:%SZ}" if nanoseconds else ""


def project_text(project: str) -> str:
    """Return the project of a request; where its resources may name theirs, also in which attribute."""
    attribute, otherwise = resource_attribute(project)
    return f"{otherwise} (or {attribute})" if attribute else otherwise


def _records(letter: DeadLetter) -> str:
    if letter.part is None:
        return f"all {letter.of:,}" if letter.of else "all"
    return f"{letter.records:,} of {letter.of:,}"


def _shortened(reason: str) -> str:
    line, _, more = reason.partition("\n")
    return line if len(line) <= LONGEST_REASON and not more else f"{line[: LONGEST_REASON - 4]} ..."


def _rows(batch: SignalBatch) -> Iterator[dict[str, Any]]:
    """Yield each record with its columns and attributes; times are text, those inside of lists ns since the epoch."""
    names = batch.columns.schema.names
    columns = {name: _plain(batch.column(name)) for name in names}
    for name in {*_JSON_COLUMNS} & {*names}:
        columns[name] = [_parsed(text) for text in columns[name]]
    attributes: list[dict[str, Any]] = [{} for _ in range(len(batch))]
    keys = batch.attributes.key.to_pylist()
    for name in VALUE_COLUMNS:
        values = getattr(batch.attributes, name)
        present = np.flatnonzero(values.is_valid().to_numpy(zero_copy_only=False)).tolist()
        for position in present:
            value = values[position].as_py()
            row = int(batch.attributes.row[position])
            attributes[row][keys[position]] = _parsed(value) if name == "json" else value
    for row in range(len(batch)):
        yield {name: columns[name][row] for name in names} | {"attributes": attributes[row]}


def _plain(column: pa.Array) -> list[Any]:
    if pa.types.is_timestamp(column.type):
        texts: list[Any] = pc.strftime(column, "%Y-%m-%dT%H:%M:%SZ").to_pylist()
        return texts
    plain: list[Any] = column.cast(_without_times(column.type)).to_pylist()
    return plain


def _without_times(of: pa.DataType) -> pa.DataType:
    """Return the type with whole numbers in place of times, and texts in place of dictionaries."""
    if pa.types.is_timestamp(of):
        return pa.int64()
    if pa.types.is_dictionary(of):
        return of.value_type
    if pa.types.is_list(of):
        return pa.list_(_without_times(of.value_type))
    if pa.types.is_struct(of):
        return pa.struct({field.name: _without_times(field.type) for field in of})
    return of


def _parsed(text: Any) -> Any:
    try:
        return orjson.loads(text)
    except (orjson.JSONDecodeError, TypeError):
        return text
