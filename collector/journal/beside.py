"""The dead letters of a journal that another process has open: they can be read, and wishes can be left.

LMDB lets processes read beside the one that writes, and makes those that write take turns. But the collector keeps the
counters of the journal in memory: so it alone changes what they count, and this process only writes down what it wants.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import lmdb

from collector.errors import StartError
from collector.journal.dead_letter import DeadLetter
from collector.journal.environment import MOST_DATABASES, map_size
from collector.journal.record import Record
from collector.journal.refused import Refused, Wish
from collector.journal.structure import DATA_FILE, unreadable


class JournalBeside:
    """The dead letters of a journal that is open elsewhere."""

    def __init__(self, directory: Path, *, max_size: int, may_wish: bool = False) -> None:
        """Open it; `max_size` is that of the journal. Raises StartError when it cannot be read."""
        size = (directory / DATA_FILE).stat().st_size
        try:
            self._environment = lmdb.open(
                str(directory),
                map_size=map_size(max_size, size),
                max_dbs=MOST_DATABASES,
                create=False,
                readonly=not may_wish,
                readahead=False,
            )
        except (lmdb.Error, OSError) as error:
            raise unreadable(directory, str(error)) from error
        try:
            self._refused = Refused(self._environment)
        except lmdb.NotFoundError as error:
            self._environment.close()
            raise StartError(
                f"The journal in {directory} is one of an older program: start this program's collector once (spanledger"
                " serve), which brings it up to date."
            ) from error
        except lmdb.Error as error:
            self._environment.close()
            raise unreadable(directory, str(error)) from error

    def dead_letters(self) -> list[DeadLetter]:
        """Return all dead letters, in the order of their numbers."""
        return self._refused.letters()

    def dead_record(self, sequence: int) -> Record | None:
        """Return the record in a dead letter, None if there is none. Raises DamagedRecordError when it is not intact."""
        return self._refused.record(sequence)

    def wish(self, wishes: Mapping[int, Wish]) -> None:
        """Ask the other process to do this with dead letters."""
        self._refused.wish(wishes)

    def wishes(self) -> dict[int, Wish]:
        """Return what has been asked and not been done."""
        return self._refused.wishes()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._environment.close()
