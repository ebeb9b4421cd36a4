"""What can be done with a dead letter, in the process that has the journal open."""

from __future__ import annotations

import logging
from collections import Counter

from collector.decode import Limits
from collector.errors import Permanent
from collector.journal import DamagedRecordError, Journal
from collector.replay import decode_again, spans_by_day

_log = logging.getLogger(__name__)


def retry(journal: Journal, sequence: int) -> int | None:
    """Put a dead letter back for delivery, as a new record at the end; return its number, None if there is no such.

    Raises `Permanent` when it is damaged, `Retryable` when the journal cannot be written.
    """
    try:
        return journal.retry(sequence).result()
    except DamagedRecordError as damaged:
        raise Permanent(f"dead letter {sequence} cannot be read any more ({damaged}): drop it") from damaged


def drop(journal: Journal, sequence: int, limits: Limits) -> bool:
    """Delete a dead letter, and count its spans as accepted and deleted; False if there is no such.

    Raises `Retryable` when the journal cannot be written.
    """
    return journal.drop(sequence, _spans(journal, sequence, limits)).result()


def _spans(journal: Journal, sequence: int, limits: Limits) -> Counter[tuple[str, int]]:
    """Count the spans of a dead letter; what cannot be read is on neither side of the equation."""
    try:
        record = journal.dead_record(sequence)
        return Counter() if record is None else spans_by_day(decode_again(record, limits))
    except Exception as error:
        _log.warning("the spans of dead letter %d cannot be counted: %s", sequence, error)
        return Counter()
