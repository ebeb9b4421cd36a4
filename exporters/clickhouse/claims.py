"""Several collectors, one database: they take turns to write, whole batches at a time.

What counts, and the row of a trace, are decided by reading all that is stored of it. So nobody may store anything between
the reading of another and its writing. A collector that writes holds a claim: its latest row in `write_claims` says so, and
it made sure after writing it that no other's did. Of two that see each other both step back. It keeps the claim from batch
to batch, and lets go as soon as another waits; one that died is out when its claim ends, by the clock of the server.

A process that was stopped for longer than that sees it at its next statement, and does its batch again: whatever it may
have written into another's batch is then computed anew.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from collector.errors import Outcome, Retryable
from exporters.clickhouse.client import Handle
from exporters.clickhouse.connection import statement

VALID_S = 30
"""Seconds for which a claim is valid."""

RENEW_S = VALID_S / 3
"""Seconds after which it is renewed."""

LOOK_S = 0.5
"""Seconds between two looks at whether others wait."""

WAITING_VALID_S = 5
"""Seconds for which the wish to write is valid; who waits says so again and again."""

PATIENCE_S = 20.0
"""Seconds for which a batch waits for its turn before it is tried again later."""

_LOST = "the turn to write to ClickHouse ended before the batch did: it is written again"

RELEASED, WAITING, HOLDING = "released", "waiting", "holding"

_log = logging.getLogger(__name__)


class LostClaimError(Retryable):
    """The claim ended in the middle of a batch: it is to be written again."""


class Claim:
    """The right to write to a database with others; `take` and `leave` are called by one thread at a time."""

    def __init__(self, handle: Handle, writer: str, on_change: Callable[[], None]) -> None:
        """`handle` is used by nobody else; `writer` is the name of this collector's journal.

        `on_change` is called when another may have written since this one did.
        """
        self._handle = handle
        self._writer = writer
        self._on_change = on_change
        self._guard = threading.RLock()  # around the handle, and all below
        self._step = 0
        self._since = 0
        self._ends = 0.0
        self._renewed = 0.0
        self._looked = 0.0
        self._left = 0.0
        self._is_writing = False
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._attend, name="write-claim", daemon=True)

    def take(self) -> None:
        """Return when nobody else writes. Raises `Retryable` when that takes longer than `PATIENCE_S`."""
        with self._guard:
            if not self._holds():
                self._wait_for_turn()
                self._on_change()
            self._is_writing = True
            if not self._thread.is_alive() and not self._stopping.is_set():
                self._thread.start()

    def check(self) -> None:
        """Raise `LostClaimError` if others may have begun to write although this one has not let go."""
        if self._is_writing and _now() >= self._ends:
            raise LostClaimError(_LOST)

    def leave(self) -> None:
        """End the batch; the claim is kept while nobody else waits for it. Raises as `check` does."""
        with self._guard:
            ended = self._is_writing and not self._holds()
            self._is_writing = False
            self._left = _now()
            if ended:
                raise LostClaimError(_LOST)
            if self._holds() and _now() - self._looked >= LOOK_S:
                self._let_others_write()

    def close(self) -> None:
        """Let go, and use the handle no more."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()
        with self._guard:
            if self._holds() or self._since:
                self._release()
            self._handle.close()

    # --- with the guard held ------------------------------------------------------------------------------------------

    def _holds(self) -> bool:
        return _now() < self._ends

    def _wait_for_turn(self) -> None:
        until = _now() + PATIENCE_S
        waiting_since = 0.0
        while True:
            others = self._others()
            if others and _now() - waiting_since > WAITING_VALID_S / 3:
                self._say(WAITING)
                waiting_since = _now()
            if not any(self._goes_before(one) for one in others):
                asked_at = _now()
                self._say(HOLDING)
                if not any(one["state"] == HOLDING for one in self._others()):
                    self._ends, self._renewed, self._looked = asked_at + VALID_S, asked_at, asked_at
                    return
                waiting_since = 0.0  # somebody was as quick: both step back
            if _now() > until:
                self._release()
                raise Retryable("another collector is writing to ClickHouse, and does not let go: trying again")
            self._guard.release()
            try:
                time.sleep(random.uniform(0.01, 0.05))  # noqa: S311 - no secret
            finally:
                self._guard.acquire()

    def _goes_before(self, other: Mapping[str, Any]) -> bool:
        if other["state"] == WAITING:
            return (other["since"], other["writer"]) < (self._since, self._writer)
        return bool(other["state"] == HOLDING)

    def _others(self) -> list[Mapping[str, Any]]:
        """What all other writers do whose claims are valid."""
        return [
            row for row in self._rows() if row["valid"] and row["writer"] != self._writer and row["state"] != RELEASED
        ]

    def _rows(self) -> list[dict[str, Any]]:
        with self._handle.doing("reading who writes to ClickHouse") as connection:
            return connection.rows(statement("claims.sql"))

    def _say(self, state: str) -> None:
        """Write what this one does."""
        if not self._step:
            # An earlier process under this name, whose clock may have been ahead.
            own = [row["step"] for row in self._rows() if row["writer"] == self._writer]
            self._step = max([time.time_ns(), *own])
        self._step += 1
        since = self._since if state != RELEASED else 0
        seconds = WAITING_VALID_S if state == WAITING else VALID_S
        values = {"writer": self._writer, "step": self._step, "state": state, "since": since, "seconds": seconds}
        with self._handle.doing("saying who writes to ClickHouse") as connection:
            connection.command(statement("claim.sql"), values)
        if state == WAITING and not self._since:
            self._since = next(row["since"] for row in self._rows() if row["writer"] == self._writer)
        if state == RELEASED:
            self._since = 0

    def _let_others_write(self) -> None:
        """Let go if another waits, or there was nothing to write for long; else renew the claim if it is time."""
        try:
            self._looked = _now()
            if _now() - self._left >= RENEW_S or any(one["state"] == WAITING for one in self._others()):
                self._release()
            elif _now() - self._renewed >= RENEW_S:
                self._renew()
        except Outcome as outcome:
            self._ends = 0.0  # whether the claim is still there is found out at the next batch
            _log.warning("the claim to write is not renewed: %s", outcome)

    def _renew(self) -> None:
        asked_at = _now()
        self._say(HOLDING)
        self._ends, self._renewed = asked_at + VALID_S, asked_at

    def _release(self) -> None:
        self._ends = 0.0
        try:
            self._say(RELEASED)
        except Outcome as outcome:
            _log.info("the claim to write ends by itself: %s", outcome)

    # --- the thread ---------------------------------------------------------------------------------------------------

    def _attend(self) -> None:
        """Renew the claim during long batches; let go of it between batches if another waits."""
        while not self._stopping.wait(LOOK_S):
            if not self._guard.acquire(timeout=LOOK_S):
                continue
            try:
                if self._is_writing and self._holds() and _now() - self._renewed >= RENEW_S:
                    self._renew()
                elif not self._is_writing and self._holds():
                    self._let_others_write()
            except Outcome as outcome:
                _log.warning("the claim to write is not renewed: %s", outcome)
            finally:
                self._guard.release()


def _now() -> float:
    """Seconds that go on while the machine sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()
