"""What all sections of the configuration have in common."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, model_validator

from collector.settings_file import Problem


class Section(BaseModel):
    """A mapping of the configuration; keys it does not know are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _empty_means_defaults(cls, value: object) -> object:
        # A section whose keys are all commented out reads as null.
        return {} if value is None else value


class ContradictionError(ValueError):
    """Settings that are right one by one and wrong together. Keys begin at the section that raises it."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(f"{problem.key} {problem.sentence}" for problem in problems))
        self.problems = tuple(problems)
