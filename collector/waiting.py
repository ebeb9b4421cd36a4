"""The requests that are in the journal and in no batch yet, in their order: few of them decoded, the rest as ranges.

However many wait, what is kept of them here is bounded: decoded batches by `memory`, and of those beyond it only where they
begin and end. Not safe for threads: `collector.deliver` holds its lock.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from collector.batch import SignalBatch


@dataclass
class Journaled:
    """A journaled request. Without `batch` it is decoded again from the journal when its turn comes."""

    sequence: int
    batch: SignalBatch | None = None
    nbytes: int = 0
    """Bytes of memory that are counted for it."""


@dataclass
class _Range:
    """Requests that follow each other: one that is decoded, or any number of those that are not."""

    first: int
    last: int
    since: float
    rows: int
    nbytes: int
    batch: SignalBatch | None


class Waiting:
    """The queue. Acknowledgements may overtake each other; requests leave in the order of their numbers."""

    def __init__(self, uncut: range, *, memory: int, now: float) -> None:
        """Begin with what an earlier process left; `memory` bounds the bytes of decoded requests, those taken included."""
        self._memory = memory
        self._next = uncut.stop
        self._ranges: deque[_Range] = deque()
        self._early: dict[int, _Range] = {}
        self.decoded_bytes = 0
        """Bytes of memory that decoded requests hold until they are given to `release`."""
        self.rows = 0
        """Rows of all that wait, as far as they are known."""
        self.nbytes = 0
        """Bytes that all that wait would occupy, decoded, as far as they are known."""
        if uncut:
            self._ranges.append(_Range(uncut.start, uncut.stop - 1, now, 0, 0, None))

    def __bool__(self) -> bool:
        return bool(self._ranges)

    @property
    def first(self) -> int:
        """The number of the first one; IndexError if there is none."""
        return self._ranges[0].first

    @property
    def since(self) -> float:
        """The monotonic time in seconds since which the first one waits; IndexError if there is none."""
        return self._ranges[0].since

    @property
    def ranges(self) -> int:
        """How many pieces the queue is kept in."""
        return len(self._ranges) + len(self._early)

    def add(self, sequence: int, batch: SignalBatch, now: float) -> None:
        """Add a request."""
        nbytes = batch.occupied_bytes
        keep = self.decoded_bytes + nbytes <= self._memory
        self.decoded_bytes += nbytes if keep else 0
        self._add(_Range(sequence, sequence, now, len(batch), nbytes, batch if keep else None))

    def add_undecoded(self, sequence: int, now: float) -> None:
        """Add a request that is only in the journal."""
        self._add(_Range(sequence, sequence, now, 0, 0, None))

    def _add(self, added: _Range) -> None:
        self._early[added.first] = added
        while (following := self._early.pop(self._next, None)) is not None:
            self._append(following)
            self._next += 1

    def _append(self, added: _Range) -> None:
        self.rows += added.rows
        self.nbytes += added.nbytes
        last = self._ranges[-1] if self._ranges else None
        if added.batch is not None or last is None or last.batch is not None:
            self._ranges.append(added)
            return
        last.last = added.last
        last.rows += added.rows
        last.nbytes += added.nbytes

    def pop(self) -> Journaled | None:
        """Take the first one out."""
        if not self._ranges:
            return None
        taken = self._ranges[0]
        requests = taken.last - taken.first + 1
        rows, nbytes = taken.rows // requests, taken.nbytes // requests
        self.rows -= rows
        self.nbytes -= nbytes
        request = Journaled(taken.first, taken.batch, nbytes if taken.batch is not None else 0)
        if requests == 1:
            self._ranges.popleft()
        else:
            taken.first, taken.rows, taken.nbytes = taken.first + 1, taken.rows - rows, taken.nbytes - nbytes
        return request

    def put_back(self, request: Journaled, now: float) -> None:
        """Let the one that was taken last be the first again."""
        rows = 0 if request.batch is None else len(request.batch)
        self._ranges.appendleft(_Range(request.sequence, request.sequence, now, rows, request.nbytes, request.batch))
        self.rows += rows
        self.nbytes += request.nbytes

    def hold(self, request: Journaled, batch: SignalBatch) -> None:
        """Count the memory of a request that was decoded again."""
        request.batch, request.nbytes = batch, batch.occupied_bytes
        self.decoded_bytes += request.nbytes

    def release(self, requests: list[Journaled]) -> None:
        """Forget the memory of requests that the store has."""
        self.decoded_bytes -= sum(request.nbytes for request in requests)
