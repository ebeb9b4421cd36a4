"""The collector does what people want of dead letters: ``spanledger dead`` writes it into the journal, beside it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from collector import telemetry
from collector.dead.acts import drop, retry
from collector.decode import Limits
from collector.errors import Outcome, Permanent
from collector.journal import Journal

PERIOD = 0.5
"""Seconds between two looks at the wishes."""

_log = logging.getLogger(__name__)


class Wishes:
    """A thread that looks for wishes, and carries them out."""

    def __init__(self, journal: Journal, limits: Limits, deliver_again: Callable[[int], None]) -> None:
        """`deliver_again` is given the number of each record that came out of the dead letters."""
        self._journal = journal
        self._limits = limits
        self._deliver_again = deliver_again
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="dead-letters", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._count()
        self._thread.start()

    def stop(self) -> None:
        """End, before the delivery does."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(PERIOD):
            try:
                self.carry_out()
            except Outcome as outcome:
                _log.warning("dead letters cannot be changed now, trying again: %s", outcome)
            except Exception:
                _log.exception("dead letters cannot be changed, trying again")
            self._count()

    def carry_out(self) -> None:
        """Do what is wanted now."""
        for sequence, wish in self._journal.wishes().items():
            if wish == "drop":
                drop(self._journal, sequence, self._limits)
                _log.info("dead letter %d is dropped", sequence)
            else:
                self._retry(sequence)

    def _retry(self, sequence: int) -> None:
        try:
            number = retry(self._journal, sequence)
        except Permanent as outcome:
            _log.error("%s", outcome)
            self._journal.forget_wish(sequence).result()
            return
        if number is not None:
            self._deliver_again(number)
            _log.info("dead letter %d is delivered again, as request %d", sequence, number)

    def _count(self) -> None:
        telemetry.DEAD_LETTERS.set(self._journal.dead_letter_count)
        telemetry.DEAD_LETTER_BYTES.set(self._journal.dead_bytes)
