"""From the journal to the store: cut batches, enrich them, write them until the store has them, then forget them.

One thread. A batch is cut once: its boundary is in the journal before its first insert, so that after any crash the same
records go out again under the same token. It may hold requests of several signals, each of which is written under a token
of its own, made from the batch's. What the store refuses for good is kept aside in the journal with the reason, row by
row (`collector.bisection`), and the rest flows on.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from functools import partial
from typing import Protocol

from collector import telemetry
from collector.batch import SignalBatch, SpanBatch
from collector.bisection import Bisection, Request
from collector.errors import Misconfigured, Retryable
from collector.journal import Batch, Journal, Record
from collector.signals import Signal
from collector.waiting import Journaled, Waiting

_log = logging.getLogger(__name__)

FIRST_PAUSE, LONGEST_PAUSE = 0.2, 10.0
"""Seconds between tries while the store does not answer, at most; doubled from the first to the longest."""

PATIENCE = 10.0
"""Seconds that those who wait for batches wait at most."""

_TOKEN_SUFFIXES = {Signal.TRACES: "", Signal.LOGS: ".logs", Signal.METRICS: ".metrics"}


class Exporter(Protocol):
    """What delivery needs of an exporter: see `exporters.base.Exporter`."""

    def write(self, batch: SignalBatch, token: str, *, again: bool = False) -> None:
        """Store the batch under the token; `again`: it may have been written before, whole or in part."""


class Delivery:
    """The thread that empties the journal."""

    def __init__(
        self,
        journal: Journal,
        exporter: Exporter,
        *,
        decode: Callable[[Record], SignalBatch],
        enrich: Callable[[SignalBatch], SignalBatch],
        batch_rows: int,
        batch_size: int,
        batch_age: float,
        batch_interval: float = 0.0,
        memory: int,
    ) -> None:
        """A batch is cut at `batch_rows` records, `batch_size` bytes of memory or `batch_age` seconds.

        By its age at most once in `batch_interval` seconds: every insert makes parts, which the store has to merge.
        `memory` bounds the bytes of the decoded ones that wait.
        """
        self._journal = journal
        self._exporter = exporter
        self._decode = decode
        self._enrich = enrich
        self._batch_rows = batch_rows
        self._batch_size = batch_size
        self._batch_age = batch_age
        self._batch_interval = batch_interval
        self._begun = -batch_interval
        telemetry.JOURNAL_BYTES.set_function(lambda: journal.bytes_used)
        self._changed = threading.Condition()
        self._stop_at: float | None = None
        self._trouble: str | None = None
        self._removal: Future[None] | None = None
        self._written: Bisection | None = None
        """Of a batch that is in the store, but for what is to be kept aside of it."""
        uncut = journal.uncut()
        left = journal.batches()
        self._waiting = Waiting(uncut, memory=memory, now=time.monotonic())
        # What an earlier process has begun may be half written until it is delivered again.
        self._is_writing = bool(left)
        self._visitors = 0
        self._stored_before = left[0].first if left else uncut.start
        self._wanted_before = 0
        self._thread = threading.Thread(target=self._run, name="deliver", daemon=True)

    @property
    def trouble(self) -> str | None:
        """Why the store does not accept batches at the moment, or None."""
        return self._trouble

    def start(self) -> None:
        """Begin, with what an earlier process left in the journal."""
        self._thread.start()

    def stop(self, grace: float) -> None:
        """Deliver what is there, for `grace` seconds at most, and end. What is left stays in the journal."""
        with self._changed:
            self._stop_at = time.monotonic() + grace
            self._changed.notify_all()
        self._thread.join(grace + 30.0)

    def accept(self, sequence: int, batch: SignalBatch) -> None:
        """Take a journaled batch. Acknowledgements may overtake each other; records are delivered in their order."""
        with self._changed:
            self._waiting.add(sequence, batch, time.monotonic())
            telemetry.WAITING_BYTES.set(self._waiting.decoded_bytes)
            self._changed.notify_all()

    def accept_again(self, sequence: int) -> None:
        """Take a record that came out of the dead letters, in its turn, as `accept` does."""
        with self._changed:
            self._waiting.add_undecoded(sequence, time.monotonic())
            self._changed.notify_all()

    # --- for those who change what is stored --------------------------------------------------------------------------

    def wait_until_stored(self) -> None:
        """Return when every request that was acknowledged before is in the store, or kept aside for good.

        Raises `Retryable` when that takes longer than `PATIENCE`.
        """
        wanted = self._journal.next_sequence
        with self._changed:
            self._wanted_before = max(self._wanted_before, wanted)  # however young the batch is
            self._changed.notify_all()
            if not self._changed.wait_for(lambda: self._stored_before >= wanted, PATIENCE):
                raise Retryable("what was acknowledged before is not in the store yet: try again", after=PATIENCE)

    @contextmanager
    def between_batches(self) -> Iterator[None]:
        """Hold while every batch that was begun is written whole: none begins meanwhile.

        Raises `Retryable` when the batch that is being written takes longer than `PATIENCE`.
        """
        with self._changed:
            self._visitors += 1
            is_our_turn = self._changed.wait_for(lambda: not self._is_writing, PATIENCE)
        try:
            if not is_our_turn:
                raise Retryable(self._trouble or "a batch is being written: try again", after=PATIENCE)
            yield
        finally:
            with self._changed:
                self._visitors -= 1
                self._changed.notify_all()

    # --- the thread ---------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            self._empty_journal()
            if self._removal is not None:
                self._removal.result()  # what is delivered shall not be delivered again by the next process
        except Exception:
            _log.exception("delivery has ended; what is acknowledged waits in the journal for the next start")
            self._trouble = "delivery has ended unexpectedly: see the log, and restart the collector"

    def _empty_journal(self) -> None:
        for batch in self._journal.batches():
            records = range(batch.first, batch.last + 1)
            if not self._deliver(batch, [Journaled(sequence) for sequence in records], again=True):
                return
        self._rest()
        while taken := self._take():
            cut = self._cut(taken)
            if cut is None or not self._deliver(cut, taken):
                return
            self._rest()

    def _rest(self) -> None:
        """Let those in who wait for the end of a batch."""
        with self._changed:
            self._is_writing = False
            self._changed.notify_all()

    def _cut(self, taken: list[Journaled]) -> Batch | None:
        """Write the boundary of a batch into the journal; None: we were told to stop before it took it."""
        while True:
            try:
                return self._journal.cut(taken[0].sequence, taken[-1].sequence).result()
            except Retryable as outcome:
                self._trouble = str(outcome)
                if not self._pause(FIRST_PAUSE):
                    return None

    def _take(self) -> list[Journaled]:
        """Wait for a batch to be full or old enough, and take it. Empty: there is nothing left, and we shall stop.

        What is not decoded is decoded here, so that the batch is cut by what is in it: a backlog of large requests must not
        become one batch that memory cannot hold.
        """
        if not self._wait_until_due():
            return []
        taken: list[Journaled] = []
        rows = size = 0
        while (request := self._next()) is not None:
            # One that cannot be decoded counts as a fair share.
            rows += self._batch_rows // 32 if request.batch is None else len(request.batch)
            size += request.nbytes
            if taken and (rows > self._batch_rows or size > self._batch_size):
                with self._changed:
                    self._waiting.put_back(request, time.monotonic())
                break
            taken.append(request)
        return taken

    def _wait_until_due(self) -> bool:
        """Wait until a batch is due; False: there is nothing left, and we shall stop."""
        with self._changed:
            while not self._due():
                if self._stop_at is not None and not self._waiting:
                    return False
                self._changed.wait(max(0.0, self._due_at - time.monotonic()) if self._waiting else None)
            self._changed.wait_for(lambda: not self._visitors)
            self._is_writing = True
            self._begun = time.monotonic()
            return True

    def _next(self) -> Journaled | None:
        """Take the next request out of the queue, decoded if that can be done."""
        with self._changed:
            request = self._waiting.pop()
        if request is not None and request.batch is None:
            for record in self._read(request):
                # What cannot be decoded is refused when its batch is written, where a disk that refuses that is handled.
                with suppress(Exception):
                    self._hold(request, self._decode(record))
        return request

    def _read(self, request: Journaled) -> Iterator[Record]:
        """The record of a request, unless the journal has it no more."""
        return self._journal.read(request.sequence, request.sequence)

    def _hold(self, request: Journaled, batch: SignalBatch) -> None:
        """Keep what was decoded again of a request."""
        telemetry.DECODED_AGAIN.inc()
        batch.nbytes  # noqa: B018 - added up here, not under the lock
        with self._changed:
            self._waiting.hold(request, batch)
            telemetry.WAITING_BYTES.set(self._waiting.decoded_bytes)

    @property
    def _due_at(self) -> float:
        """When the first one that waits is old enough; IndexError if there is none."""
        return max(self._waiting.since + self._batch_age, self._begun + self._batch_interval)

    def _due(self) -> bool:
        if not self._waiting:
            return False
        if self._stop_at is not None or time.monotonic() >= self._due_at:
            return True
        if self._waiting.first < self._wanted_before:
            return True
        return self._waiting.rows >= self._batch_rows or self._waiting.nbytes >= self._batch_size

    def _deliver(self, batch: Batch, taken: list[Journaled], *, again: bool = False) -> bool:
        """Write one batch, however long it takes. False: we were told to stop before the store had it.

        `again`: an earlier process may have written it.
        """
        pause = FIRST_PAUSE
        while True:
            try:
                self._write(taken, batch, again=again)
            except Retryable as outcome:
                again = True
                self._trouble = str(outcome)
                telemetry.BATCHES.labels("retried").inc()
                level = logging.ERROR if isinstance(outcome, Misconfigured) else logging.WARNING
                _log.log(level, "not delivered, trying again; what was acknowledged waits: %s", outcome)
                # From half of the pause to the whole: several collectors do not come back to the store at once.
                if not self._pause(pause * random.uniform(0.5, 1.0)):  # noqa: S311 - no secret
                    return False
                pause = min(pause * 2, LONGEST_PAUSE)
            else:
                self._trouble = None
                self._forget(batch, taken)
                return True

    def _write(self, items: list[Journaled], batch: Batch, *, again: bool) -> None:
        """Write these requests, what came of each signal together. Raises `Retryable` only.

        If all is written but what is refused for good, and there is no room for that, the next call goes on from there.
        """
        if self._written is None or self._written.batch != batch:
            bisection = Bisection(self._journal, batch, self._store)
            requests: dict[Signal, list[Request]] = {}
            for item in items:
                if (decoded := self._decoded(item, bisection)) is not None:
                    requests.setdefault(decoded.signal, []).append(Request(item.sequence, decoded))
            for signal in sorted(requests):
                bisection.write(requests[signal], batch.token + _TOKEN_SUFFIXES[signal], again=again)
            self._written = bisection
        self._written.keep_aside()
        self._written = None

    def _decoded(self, request: Journaled, bisection: Bisection) -> SignalBatch | None:
        """The batch of a request; None if the journal has it no more, or if it cannot be decoded."""
        for record in self._read(request) if request.batch is None else ():
            batch = bisection.decode(request.sequence, partial(self._decode, record))
            if batch is not None:
                self._hold(request, batch)
        return request.batch

    def _store(self, batch: SignalBatch, token: str, *, again: bool) -> None:
        enriched = self._enrich(batch)
        self._exporter.write(enriched, token, again=again)
        self._count(enriched)

    def _forget(self, batch: Batch, taken: list[Journaled]) -> None:
        telemetry.BATCHES.labels("stored").inc()
        self._removal = self._journal.remove(batch)
        with self._changed:
            self._waiting.release(taken)
            telemetry.WAITING_BYTES.set(self._waiting.decoded_bytes)
            self._stored_before = batch.last + 1
            self._changed.notify_all()

    @staticmethod
    def _count(batch: SignalBatch) -> None:
        telemetry.STORED[batch.signal].inc(len(batch))
        if not isinstance(batch, SpanBatch):
            return
        reasons = batch.column("unpriced_reason").value_counts()
        for reason, count in zip(reasons.field(0).to_pylist(), reasons.field(1).to_pylist(), strict=True):
            if reason:
                telemetry.UNPRICED_SPANS.labels(reason).inc(count)

    def _pause(self, seconds: float) -> bool:
        """Wait before the next try; False when the time to stop has come."""
        until = time.monotonic() + seconds
        with self._changed:
            while (left := until - time.monotonic()) > 0:
                if self._stop_at is not None and time.monotonic() >= self._stop_at:
                    return False
                self._changed.wait(min(left, 0.5))
            return self._stop_at is None or time.monotonic() < self._stop_at
