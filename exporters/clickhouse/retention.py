"""Retention: what has been kept for as long as it shall be expires, once a day, in a thread.

ClickHouse's own TTL drops rows and tells nobody: the books would not balance. So the collector looks for the partitions that
hold days which are over, and lets them expire one by one, between two batches: see `expiring`. Several collectors on
one database take turns, by the claim that whoever writes has.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from collector.errors import Outcome, StartError
from collector.settings_retention import FOREVER
from collector.settings_retention import Retention as Settings
from exporters.clickhouse.deletion import Delivery, NoDelivery
from exporters.clickhouse.expiring import DAY, TABLES, Expiring, Kept
from exporters.clickhouse.writing import Writing

_log = logging.getLogger(__name__)

LOOK_EVERY_S = 600.0
"""Seconds between two looks at whether a new day has begun."""

TRY_AGAIN_S = 30.0
"""Seconds after which it is tried again when it failed."""


class Retention:
    """Lets what is over expire, in a thread; a day begins at midnight UTC."""

    def __init__(self, writing: Writing, settings: Settings, now: Callable[[], int] = time.time_ns) -> None:
        """`now` returns ns since the epoch."""
        self._writing = writing
        self._settings = settings
        self._now = now
        self._delivery: Delivery = NoDelivery()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="retention", daemon=True)

    def follow(self, delivery: Delivery) -> None:
        """Act between the batches of this delivery from now on."""
        self._delivery = delivery

    def start(self) -> None:
        """Begin, if anything ever expires: with what is over, then with every new day."""
        if self._settings.expires:
            self._thread.start()

    def stop(self) -> None:
        """End, after the partition that is expiring."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        done = 0
        while not self._stopping.is_set():
            pause, today = LOOK_EVERY_S, self._now() // DAY
            try:
                if today != done:
                    self.expire()
                    done = today
            except (Outcome, StartError) as outcome:
                pause = TRY_AGAIN_S
                _log.warning("what is over has not expired yet: %s", outcome)
            except Exception:
                _log.exception("what is over has not expired yet")
            self._stopping.wait(pause)

    def expire(self) -> int:
        """Let everything expire that is over; return how many rows. Raises an `Outcome`, `StartError`."""
        today = self._now() // DAY
        return sum(self._expire(table, today) for table in TABLES.values())

    def _expire(self, table: Kept, today: int) -> int:
        shortest = self._settings.shortest(table.kind)
        if shortest == FOREVER:
            return 0

        def first_kept(project: str) -> int:
            days = self._settings.days(table.kind, project)
            return 0 if days == FOREVER else today - days

        rows = 0
        with self._turn() as expiring:
            partitions = expiring.partitions(table, before=today - shortest)
        for partition in partitions:
            if self._stopping.is_set():
                break
            with self._turn() as expiring:
                expired = expiring.expire(table, partition, first_kept)
            if expired:
                _log.info("%d rows of %s expired in the partition %s", expired, table.name, partition)
            rows += expired
        return rows

    @contextmanager
    def _turn(self) -> Iterator[Expiring]:
        with self._delivery.between_batches(), self._writing.lock:
            self._writing.complete()
            yield self._writing.expiring
