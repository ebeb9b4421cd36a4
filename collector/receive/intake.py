"""What happens to a request between the socket and its acknowledgement: decode, journal, hand over."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import Executor

from collector import telemetry
from collector.batch import SpanBatch
from collector.decode import Decoded, Limits, Rejections, decode_spans
from collector.journal import Journal

Accept = Callable[[int, SpanBatch], None]


class Intake:
    """Takes serialized trace requests; what `accept` returned from is acknowledged and will be in the store."""

    def __init__(self, journal: Journal, limits: Limits, hand_over: Accept, executor: Executor) -> None:
        """`hand_over` is given every journaled batch with its sequence number; `executor` does the decoding."""
        self._journal = journal
        self._limits = limits
        self._hand_over = hand_over
        self._executor = executor

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
            sequence = await asyncio.wrap_future(appended)
            self._hand_over(sequence, decoded.batch)
        self._count(decoded)
        return decoded.rejections

    def _decode(self, payload: bytes, project: str, received_at: int) -> Decoded:
        decoded = decode_spans(payload, project=project, received_at=received_at, limits=self._limits)
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
