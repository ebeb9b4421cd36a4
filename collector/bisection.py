"""What happens to a batch that the store refuses: halves of it are written, until what is refused stands alone.

First the requests of the batch are halved, then the rows of a request that is refused alone. Each half goes under a token
that is made from that of the whole and its place in it, and what was refused is noted in the journal before its halves are
written: after a crash the same rows go out under the same tokens, whatever the store says of the whole by then.

The work is bounded. A row that is refused alone costs two writes for each halving of its request. After `MOST_ROWS` refused
rows of one request the rest of it is not tried, and after `MOST_REFUSALS` refused writes of one batch what is refused is
not halved any more: all of that is kept aside with what was refused.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from collector import telemetry
from collector.batch import SignalBatch, concat
from collector.errors import Outcome, Retryable
from collector.journal import Batch, Journal, Refusal

MOST_ROWS = 16
"""Refused rows of one request that are found; what comes after them is kept aside untried."""

MOST_REFUSALS = 256
"""Refused writes of one batch after which nothing is halved any more."""

_log = logging.getLogger(__name__)


class Write(Protocol):
    """Enriches and stores a batch under a token: see `exporters.base.Exporter.write`."""

    def __call__(self, batch: SignalBatch, token: str, *, again: bool) -> None:
        """Store the batch."""


@dataclass(frozen=True)
class Request:
    """A decoded request of a batch."""

    sequence: int
    batch: SignalBatch


@dataclass
class _Kept:
    """What of a request is kept aside: rows of its `of` rows, and the reasons, each with its first row."""

    of: int
    rows: list[int] = field(default_factory=list)
    reasons: dict[str, int] = field(default_factory=dict)

    def add(self, rows: Sequence[int], reason: str) -> None:
        self.rows += rows
        self.reasons.setdefault(reason, rows[0] if rows else 0)

    def refusal(self, sequence: int) -> Refusal:
        reason, *others = self.reasons
        more = "".join(f"\nfrom position {self.reasons[other]} on: {other}" for other in others)
        rows = None if len(self.rows) == self.of else tuple(self.rows)
        return Refusal(sequence, reason + more, self.of, rows)


class Bisection:
    """The writing of one batch of the journal, once: a further try takes a new one."""

    def __init__(self, journal: Journal, batch: Batch, write: Write) -> None:
        """Go on from what the journal knows of the batch."""
        self.batch = batch
        self._journal = journal
        self._write = write
        self._noted = journal.refusals(batch)
        self._left = MOST_REFUSALS
        self._kept: dict[int, _Kept] = {}

    def decode(self, sequence: int, decode: Callable[[], SignalBatch]) -> SignalBatch | None:
        """Decode a request; None if that fails: then it is kept aside whole. Raises `Retryable` only."""
        decoded: list[SignalBatch] = []
        reason = self._refused(f"#{sequence}", lambda: decoded.append(decode()))
        if reason is None:
            return decoded[0]
        self._kept[sequence] = _Kept(0, reasons={reason: 0})
        return None

    def write(self, requests: Sequence[Request], token: str, *, again: bool) -> None:
        """Write these requests, which are of one signal; what of them is refused waits for `keep_aside`.

        Raises `Retryable` only.
        """
        reason = self._refused(
            token, lambda: self._write(concat([request.batch for request in requests]), token, again=again)
        )
        if reason is None:
            return
        if len(requests) == 1:
            (request,) = requests
            kept = self._kept[request.sequence] = _Kept(len(request.batch))
            self._halve(request, range(len(request.batch)), token, reason, kept)
        elif self._left <= 0:
            for request in requests:
                self._kept[request.sequence] = _Kept(len(request.batch))
                self._kept[request.sequence].add(range(len(request.batch)), reason)
        else:
            half = len(requests) // 2
            # Again: the whole may have got in before it was refused, or an earlier process came as far as this.
            self.write(requests[:half], f"{token}.0", again=True)
            self.write(requests[half:], f"{token}.1", again=True)

    def _halve(self, request: Request, rows: range, token: str, reason: str, kept: _Kept) -> None:
        """Write the halves of rows that were refused together."""
        if len(rows) <= 1 or self._left <= 0:
            kept.add(rows, reason)
            return
        middle = len(rows) // 2
        for place, half in enumerate((rows[:middle], rows[middle:])):
            if len(kept.rows) >= MOST_ROWS:
                kept.add(half, f"not tried, because {MOST_ROWS} rows of the request were refused before")
            else:
                self._write_half(request, half, f"{token}.{place}", kept)

    def _write_half(self, request: Request, rows: range, token: str, kept: _Kept) -> None:
        reason = self._refused(token, lambda: self._write(request.batch.take(rows), token, again=True))
        if reason is not None:
            self._halve(request, rows, token, reason, kept)

    def _refused(self, token: str, attempt: Callable[[], object]) -> str | None:
        """Do it, unless it is known to be refused; return why it is, or None. Raises `Retryable` only."""
        part = token.removeprefix(self.batch.token)
        reason = self._noted.get(part)
        if reason is None:
            try:
                attempt()
            except Retryable:
                raise
            except Exception as error:  # a row that nobody foresaw must not stop the others
                reason = f"{type(error).__name__}: {error}"
                # The sentence of an outcome says all; anything else is a fault of our own.
                trace = None if isinstance(error, Outcome) else error
                _log.info("refused: %s: %s", token, reason, exc_info=trace)
                self._journal.note_refusal(self.batch, part, reason).result()
                self._noted[part] = reason
            else:
                return None
        self._left -= 1
        return reason

    def keep_aside(self) -> None:
        """Remove the batch from the journal, but for what was refused: nothing to do if nothing was.

        Raises `Retryable` when the journal has no room for more dead letters: then call it again.
        """
        if not self._kept:
            return
        refusals = [kept.refusal(sequence) for sequence, kept in sorted(self._kept.items())]
        self._journal.remove(self.batch, refusals).result()
        for refusal in refusals:
            telemetry.BATCHES.labels("refused").inc()
            what = "it" if refusal.rows is None else f"{len(refusal.rows)} of its {refusal.of} records"
            _log.error("request %d: %s cannot be stored: %s", refusal.sequence, what, refusal.reason)
        _log.error("kept aside as dead letters: %d (see spanledger dead list)", len(refusals))
        self._kept = {}
