"""How long what is stored is kept: by what it is, and by project."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import BeforeValidator, PlainSerializer, model_validator

from collector.settings_auth import read_project
from collector.settings_file import Problem
from collector.settings_section import ContradictionError, Section
from collector.settings_values import read_list, shown

FOREVER = 0
"""As a number of days: without end."""

AS_SPANS = -1
"""As a number of days: as long as the spans of the same project."""

LONGEST = 3650
"""Days, beside forever."""

Kind = Literal["spans", "traces", "logs", "metrics"]

_WORDS = {"forever": FOREVER, "as_spans": AS_SPANS}
_NUMBER = re.compile("([1-9][0-9]{0,3})d")


def _days(*words: str, may_be_left_out: bool = False) -> BeforeValidator:
    allowed = f"allowed is a number of whole days from 1d to {LONGEST}d, or {' or '.join(words)}"

    def read(value: object) -> int | None:
        if may_be_left_out and value in (None, ""):
            return None
        if isinstance(value, str) and value in words:
            return _WORDS[value]
        match = _NUMBER.fullmatch(value) if isinstance(value, str) else None
        if match is None or int(match[1]) > LONGEST:
            raise ValueError(allowed)
        return int(match[1])

    return BeforeValidator(read)


def _written(days: int) -> str:
    return {FOREVER: "forever", AS_SPANS: "as_spans"}.get(days, f"{days}d")


_Written = PlainSerializer(_written, return_type=str)
_WrittenIfGiven = PlainSerializer(lambda days: "" if days is None else _written(days), return_type=str)
_Days = Annotated[int, _days("forever"), _Written]
_DaysOfTraces = Annotated[int, _days("forever", "as_spans"), _Written]
_OwnDays = Annotated[int | None, _days("forever", may_be_left_out=True), _WrittenIfGiven]
_OwnDaysOfTraces = Annotated[int | None, _days("forever", "as_spans", may_be_left_out=True), _WrittenIfGiven]


class ProjectRetention(Section):
    """How long one project is kept, where that differs."""

    project: Annotated[str, BeforeValidator(read_project)]
    spans: _OwnDays = None
    traces: _OwnDaysOfTraces = None
    logs: _OwnDays = None
    metrics: _OwnDays = None


class Retention(Section):
    """How long what is stored is kept, in whole days (UTC); `FOREVER`, unless it is said."""

    spans: _Days = FOREVER
    """Spans, with their content, evaluations and references."""
    traces: _DaysOfTraces = AS_SPANS
    """Rows of traces, with feedback, approvals and tags; never shorter than the spans."""
    logs: _Days = FOREVER
    metrics: _Days = FOREVER
    projects: Annotated[tuple[ProjectRetention, ...], BeforeValidator(read_list)] = ()

    def days(self, kind: Kind, project: str) -> int:
        """Return how long something of a project is kept; `FOREVER`, or a number of days."""
        own = next((one for one in self.projects if one.project == project), None)
        return self._of(own, kind)

    def shortest(self, kind: Kind) -> int:
        """Return the fewest days for which it is kept in any project; `FOREVER` if it never expires."""
        every = [self._of(one, kind) for one in (None, *self.projects)]
        return min((days for days in every if days != FOREVER), default=FOREVER)

    @property
    def expires(self) -> bool:
        """Whether anything ever expires."""
        kinds: tuple[Kind, ...] = ("spans", "traces", "logs", "metrics")
        return any(self.shortest(kind) != FOREVER for kind in kinds)

    def _of(self, own: ProjectRetention | None, kind: Kind) -> int:
        given = None if own is None else getattr(own, kind)
        days: int = getattr(self, kind) if given is None else given
        return self._of(own, "spans") if days == AS_SPANS else days

    @model_validator(mode="after")
    def _agree(self) -> Retention:
        problems = []
        first: dict[str, int] = {}
        for position, each in enumerate(self.projects):
            before = first.setdefault(each.project, position)
            if before != position:
                name = f"projects[{position}].project"
                problems.append(Problem(name, f'is "{shown(each.project)}", as that of projects[{before}]: join them'))
        for name, own in (("traces", None), *((f"projects[{n}].traces", one) for n, one in enumerate(self.projects))):
            spans, traces = self._of(own, "spans"), self._of(own, "traces")
            if traces != FOREVER and (spans == FOREVER or traces < spans):
                problems.append(
                    Problem(name, f'is "{_written(traces)}": allowed is no less than for spans, {_written(spans)}')
                )
        if problems:
            raise ContradictionError(problems)
        return self
