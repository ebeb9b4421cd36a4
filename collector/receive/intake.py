"""What happens to a request between the socket and its acknowledgement: decode, journal, hand over."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from concurrent.futures import CancelledError, Executor, Future
from dataclasses import dataclass
from functools import partial
from typing import Any

from collector import telemetry
from collector.batch import SignalBatch
from collector.decode import Decoded, Limits, Rejections, decode
from collector.errors import Outcome, Permanent
from collector.journal import Journal
from collector.receive.admission import Admission
from collector.signals import Signal

_log = logging.getLogger(__name__)

Accept = Callable[[int, SignalBatch], None]
CountRejected = Callable[[str, int, Mapping[str, int]], None]
"""Given the project, the time of arrival (Unix time in ns) and the number of rejected spans by reason."""


@dataclass
class _Undecoded:
    """A request in the queue of the decoder. Its payload goes when its sender does: the queue keeps what was cancelled."""

    signal: Signal
    payload: bytes | None
    project: str
    received_at: int


class Intake:
    """Takes serialized export requests of every signal; what `accept` returned from is acknowledged and will be stored."""

    def __init__(
        self,
        journal: Journal,
        limits: Limits,
        hand_over: Accept,
        executor: Executor,
        count_rejected: CountRejected,
        *,
        admission: Admission,
    ) -> None:
        """`hand_over` is given every journaled batch with its number, in a thread of the journal; `executor` decodes.

        `count_rejected` is told of rejected spans, in that thread or on the event loop. `admission` bounds what is under way.
        """
        self._journal = journal
        self._limits = limits
        self._hand_over = hand_over
        self._executor = executor
        self._count_rejected = count_rejected
        self.admission = admission

    async def accept(self, payload: bytes, project: str, signal: Signal) -> Rejections:
        """Take an export request of this signal; return the records of it that were not accepted.

        `project` is that of the sender, or says that resources name theirs (`collector.project`).

        Returns after the journal holds the request as durably as it is configured to. Raises an `Outcome` when nothing
        of it was taken.
        """
        received_at = time.time_ns()
        admitted = self.admission.admit(len(payload))
        request = _Undecoded(signal, payload, project, received_at)
        work: Future[Any] | None = None
        try:
            work = decoding = self._executor.submit(self._decode, request)
            decoded = await asyncio.wrap_future(decoding)
            if len(decoded.batch):
                admitted.grow(decoded.batch.occupied_bytes)
                work = appended = self._journal.append(
                    project=project, received_at_ns=received_at, payload=payload, signal=signal
                )
                # Not after the await: a sender that hangs up ends this coroutine, but not the record that is being written.
                appended.add_done_callback(partial(self._journaled, decoded, received_at))
                # Not cancelled with it either: a queue of cancelled records would be memory that nobody counts.
                await asyncio.shield(asyncio.wrap_future(appended))
            else:
                self._tell_rejected(decoded, received_at)
        finally:
            request.payload = None
            admitted.give_back_after(work)
        self._count(decoded)
        return decoded.rejections

    def _journaled(self, decoded: Decoded[SignalBatch], received_at: int, appended: Future[int]) -> None:
        if not appended.cancelled() and appended.exception() is None:
            self._hand_over(appended.result(), decoded.batch)
            self._tell_rejected(decoded, received_at)

    def _tell_rejected(self, decoded: Decoded[SignalBatch], received_at: int) -> None:
        for project, reasons in decoded.rejections.projects.items():
            self._count_rejected(project, received_at, reasons)

    def _decode(self, request: _Undecoded) -> Decoded[SignalBatch]:
        payload = request.payload
        if payload is None:
            raise CancelledError
        try:
            decoded = decode(
                request.signal,
                payload,
                project=request.project,
                received_at=request.received_at,
                limits=self._limits,
            )
        except Outcome:
            raise
        except Exception as error:
            _log.exception("a request of %d bytes met a fault of the decoder", len(payload))
            raise Permanent("the request cannot be decoded, which is a fault of this collector: see its log") from error
        _ = decoded.batch.nbytes  # asked for later on the event loop, which has no time to add it up
        return decoded

    @staticmethod
    def _count(decoded: Decoded[SignalBatch]) -> None:
        signal = decoded.batch.signal
        telemetry.ACKNOWLEDGED[signal].inc(len(decoded.batch))
        for reason, count in decoded.rejections.reasons.items():
            telemetry.REJECTED[signal].labels(reason).inc(count)
        for reason, count in decoded.dropped.items():
            telemetry.DROPPED_DATA_POINTS.labels(reason).inc(count)
        for what, count in decoded.cuts.items():
            if count:
                telemetry.CUT.labels(what).inc(count)
        telemetry.MISNAMED_PROJECTS.inc(decoded.misnamed)
