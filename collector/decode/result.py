"""What decoding a request gives: a batch, and what is not in it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from collector.batch import SignalBatch

Batch_co = TypeVar("Batch_co", bound=SignalBatch, covariant=True)


@dataclass(frozen=True)
class Rejections:
    """Records that were not accepted, by reason: the sender is told."""

    reasons: Counter[str]
    projects: Mapping[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    """The same by project, of spans: of other records no books are kept."""

    def add(self, reason: str, rejected: npt.NDArray[np.bool_], projects: pa.DictionaryArray) -> None:
        """Count the rejected of some spans of these projects."""
        count = int(rejected.sum())
        if count:
            self.reasons[reason] += count
            for each in projects.filter(pa.array(rejected)).value_counts().to_pylist():
                self.projects[each["values"]][reason] += each["counts"]

    @property
    def count(self) -> int:
        """Number of rejected records."""
        return self.reasons.total()

    @property
    def message(self) -> str:
        """One line for the sender, or an empty string."""
        return "; ".join(f"{count} rejected: {reason}" for reason, count in sorted(self.reasons.items()))


@dataclass(frozen=True)
class Decoded(Generic[Batch_co]):
    """The accepted records of a request, the rejected ones by reason, and the totals of what our limits cut."""

    batch: Batch_co
    rejections: Rejections
    cuts: dict[str, int]
    dropped: Counter[str] = field(default_factory=Counter)
    """Records that are accepted and yet not kept, by reason: nothing that a sender should do anything about."""
    misnamed: int = 0
    """Resources that name a project which no project may be called: what they hold is the sender's project's."""
