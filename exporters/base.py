"""The two protocols of a store: where batches are written, and where they are read back from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from collector.batch import SignalBatch


class Exporter(Protocol):
    """Takes enriched batches of every signal, at least once each."""

    def write(self, batch: SignalBatch, token: str, *, again: bool = False) -> None:
        """Store the batch; when it returns, every row can be queried.

        The same rows under the same token are stored once, however often they are written; `again` says that they may
        have been written before, under this token or as a part of a larger batch. Raises `collector.errors.Retryable`
        when the same call may succeed later, `Permanent` when it never will.
        """

    def count_rejected(self, project: str, received_at_ns: int, reasons: Mapping[str, int]) -> None:
        """Count spans that were not accepted, by reason, so that the books tell of them; any thread may call it.

        `received_at_ns` is Unix time in ns.
        """

    def close(self) -> None:
        """Release connections and files."""


class Store(Protocol):
    """Answers for one documented need each; every row is a mapping from column names to plain values."""

    def trace(self, project: str, trace_id: str) -> tuple[Mapping[str, Any], Sequence[Mapping[str, Any]]] | None:
        """Return the trace's row and its spans by start time and id, or None; `trace_id` is 32 lowercase hex digits.

        What a span lacks of content, and its evaluations, are filled from what arrived as log records.
        """

    def traces(self, project: str, filters: Any) -> tuple[Sequence[Mapping[str, Any]], int]:
        """Return one page of traces, and how many match in all."""
