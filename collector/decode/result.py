"""What decoding a request gives: a batch, and what is not in it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from collector.batch import SignalBatch

Batch_co = TypeVar("Batch_co", bound=SignalBatch, covariant=True)


@dataclass(frozen=True)
class Rejections:
    """Records that were not accepted, by reason: the sender is told."""

    reasons: Counter[str]

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
