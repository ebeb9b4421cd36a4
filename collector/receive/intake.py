"""What happens to a request between the socket and its acknowledgement: decode, journal, hand over."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, Future
from functools import partial

from collector import telemetry
from collector.batch import SpanBatch
from collector.decode import Decoded, Limits, Rejections, decode_spans
from collector.errors import Outcome, Permanent
from collector.journal import Journal

_log = logging.getLogger(__name__)

Accept = Callable[[int, SpanBatch], None]
CountRejected = Callable[[str, int, Mapping[str, int]], None]
"""Given the project, the time of arrival (Unix time in ns) and the number of rejected spans by reason."""


class Intake:
    """Takes serialized trace requests; what `accept` returned from is acknowledged and will be in the store."""

    def __init__(
        self, journal: Journal, limits: Limits, hand_over: Accept, executor: Executor, count_rejected: CountRejected
    ) -> None:
        """`hand_over` is given every journaled batch with its number, in a thread of the journal; `executor` decodes.

        `count_rejected` is told of rejected spans, in that thread or on the event loop.
        """
        self._journal = journal
        self._limits = limits
        self._hand_over = hand_over
        self._executor = executor
        self._count_rejected = count_rejected

    async def accept(self, payload: bytes, project: str) -> Rejections:
        """Take an ExportTraceServiceRequest; return the spans that were not accepted.

        Returns after the journal holds the request as durably as it is configured to. Raises an `Outcome` when nothing
        of it was taken.
        """
        received_at = time.time_ns()
        loop = asyncio.get_running_loop()
        decoded = await loop.run_in_executor(self._executor, self._decode, payload, project, received_at)
        if len(decoded.batch):
            appended = self._journal.append(project=project, received_at_ns=received_at, payload=payload)
            # Not after the await: a sender that hangs up ends this coroutine, but not the record that is being written.
            appended.add_done_callback(partial(self._journaled, decoded, project, received_at))
            await asyncio.wrap_future(appended)
        elif decoded.rejections.count:
            self._count_rejected(project, received_at, decoded.rejections.reasons)
        self._count(decoded)
        return decoded.rejections

    def _journaled(self, decoded: Decoded, project: str, received_at: int, appended: Future[int]) -> None:
        if not appended.cancelled() and appended.exception() is None:
            self._hand_over(appended.result(), decoded.batch)
            if decoded.rejections.count:
                self._count_rejected(project, received_at, decoded.rejections.reasons)

    def _decode(self, payload: bytes, project: str, received_at: int) -> Decoded:
        try:
            decoded = decode_spans(payload, project=project, received_at=received_at, limits=self._limits)
        except Outcome:
            raise
        except Exception as error:
            _log.exception("a request of %d bytes met a fault of the decoder", len(payload))
            raise Permanent("the request cannot be decoded, which is a fault of this collector: see its log") from error
        _ = decoded.batch.nbytes  # asked for later on the event loop, which has no time to add it up
        return decoded

    @staticmethod
    def _count(decoded: Decoded) -> None:
        telemetry.ACKNOWLEDGED_SPANS.inc(len(decoded.batch))
        for reason, count in decoded.rejections.reasons.items():
            telemetry.REJECTED_SPANS.labels(reason).inc(count)
        for what, count in decoded.cuts.items():
            if count:
                telemetry.CUT.labels(what).inc(count)
