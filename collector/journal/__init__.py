"""The durable queue between the acknowledgement and the store: keeps the raw request bytes until they are delivered.

It knows nothing of spans, of the protocol or of the store. README.md in this folder says what is promised.
"""

from __future__ import annotations

from collector.journal.beside import JournalBeside
from collector.journal.dead_letter import DeadLetter, Refusal
from collector.journal.journal import Journal, Sync
from collector.journal.lock import InUseError
from collector.journal.record import DamagedRecordError, Part, Record
from collector.journal.refused import Wish
from collector.journal.storage import Batch

__all__ = [
    "Batch", "DamagedRecordError", "DeadLetter", "InUseError", "Journal", "JournalBeside", "Part", "Record", "Refusal",
    "Sync", "Wish",
]  # fmt: skip
