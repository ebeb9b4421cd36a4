"""Finding steps: model calls by the ids that they are shown under, and pages of them.

A step's id is the one that its span names in an attribute, or is made of the ids of the span. Both lead to it. If several
model calls name one id, it is that of the latest; the others are shown under the ids made of theirs. So no two steps of a
list have the same id, and a cursor is one place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from collector.project import project_uuid
from collector.query.errors import Refused
from collector.query.letta.parameters import STEP, StepListParameters, is_step_id
from collector.query.letta.view import attribute
from collector.query.reader import Reference, Row, SpanFilters, SpanReader
from collector.settings_attributes import LettaAttributes

_CALLS = ("LLM",)


@dataclass(frozen=True)
class Step:
    """A model call and the id that it is shown under."""

    id: str
    row: Row


class Steps:
    """The steps of a store."""

    def __init__(self, store: SpanReader, names: LettaAttributes) -> None:
        self._store = store
        self._names = names

    def find(self, project: str, step_id: str) -> Step | None:
        """Return the step with this id, also a call that only repeats another; None if there is none."""
        named = self._named(project, (step_id,), limit=1)
        if named:
            return Step(step_id, named[0])
        by_span = SpanFilters(limit=1, span_uuids=(step_id.removeprefix("step-"),), kinds=_CALLS)
        found = self._store.spans(project, by_span)
        return self._with_ids(project, found)[0] if found else None

    def get(self, project: str, step_id: str) -> Step:
        """Return the step with this id. Raises `Refused` if there is none."""
        step = self.find(project, step_id)
        if step is None:
            raise Refused(404, f"Step {step_id} not found")
        return step

    def page(self, project: str, parameters: StepListParameters) -> list[Step]:
        """Return one page of steps, each call once. Raises `Refused` for a cursor that names no step."""
        filters = parameters.filters()
        if filters is None or (parameters.project_id or project) not in (project, project_uuid(project)):
            return []
        after, before = (
            self._place(project, cursor) if cursor else None for cursor in (parameters.after, parameters.before)
        )
        return self._with_ids(project, self._store.spans(project, replace(filters, after=after, before=before)))

    def _place(self, project: str, step_id: str) -> tuple[int, str, str]:
        row = self.get(project, step_id).row
        return row["start_time"], row["trace_id"], row["span_id"]

    def _with_ids(self, project: str, rows: Sequence[Row]) -> list[Step]:
        """Return the steps of these rows; an id that spans name is looked up, since it may be that of a later call."""
        names = [attribute(row, self._names.step) or "" for row in rows]
        named = tuple(dict.fromkeys(name for name in names if is_step_id(name)))
        owners = self._owners(project, named) if named else {}
        return [
            Step(name if owners.get(name) == _identity(row) else f"step-{row['span_uuid']}", row)
            for name, row in zip(names, rows, strict=True)
        ]

    def _owners(self, project: str, step_ids: tuple[str, ...]) -> dict[str, tuple[str, str]]:
        """Return the span that each id belongs to: all at once, unless ids are used again and again."""
        limit = len(step_ids) + 1
        found = self._named(project, step_ids, limit=limit)
        if len(found) == limit:
            found = [row for step_id in step_ids for row in self._named(project, (step_id,), limit=1)]
        owners: dict[str, tuple[str, str]] = {}
        for row in found:  # latest first
            owners.setdefault(attribute(row, self._names.step) or "", _identity(row))
        return owners

    def _named(self, project: str, step_ids: tuple[str, ...], limit: int) -> Sequence[Row]:
        """Return the model calls that name one of these ids, the latest first."""
        references = tuple(Reference(STEP, step_id) for step_id in step_ids)
        return self._store.spans(project, SpanFilters(limit=limit, references=references, kinds=_CALLS))


def _identity(row: Row) -> tuple[str, str]:
    return row["trace_id"], row["span_id"]
