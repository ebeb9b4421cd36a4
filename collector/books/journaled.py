"""What the journal of a stopped collector holds, counted in spans."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping

import pyarrow as pa

from collector.batch import SignalBatch
from collector.decode import Limits
from collector.errors import Outcome
from collector.journal import DamagedRecordError, Journal, Record
from collector.replay import decode_again, spans_by_day
from collector.signals import Signal
from exporters.clickhouse.audit import Check, Journaled, Key, day_of

_DAY = 86_400 * 10**9


def journaled(
    journal: Journal | None, limits: Limits, entered: Callable[[list[str]], set[str]]
) -> tuple[Journaled, Check]:
    """Count the spans that the journal holds, and say whether all of it can be read.

    `entered` tells which of some batches the ledger knows: these may be in the store already, whole or in part.
    """
    sound = Check("every request in the journal can be read")
    if journal is None:
        return Journaled(), sound
    batches = journal.batches()
    known = entered([batch.token for batch in batches])
    waiting: Counter[Key] = Counter()
    begun = []
    for batch in batches:
        spans = _spans(journal.read(batch.first, batch.last), limits, sound)
        if batch.token in known:
            begun += [(batch.token, _by_day([one]), _table(one)) for one in spans]
        else:
            waiting.update(_by_day(spans))
    uncut = journal.uncut()
    waiting.update(_by_day(_spans(journal.read(uncut.start, uncut.stop), limits, sound)))
    refused = _by_day(_spans(_dead(journal, sound), limits, sound))
    if journal.damaged_records:
        sound.differ("the journal", "no damaged request", f"{journal.damaged_records}, kept aside")
    if begun:
        sound.remark = "a delivery was interrupted: start the collector, which completes it, and stop it again"
    tokens = sorted({token for token, _, _ in begun})
    of_begun: Counter[Key] = Counter()
    for _, days, _ in begun:
        of_begun.update(days)
    return Journaled(
        waiting, refused, [table for _, _, table in begun], tokens, of_begun, _keys(journal.dropped())
    ), sound


def _dead(journal: Journal, sound: Check) -> Iterator[Record]:
    """Yield the records in dead letters."""
    for letter in journal.dead_letters():
        try:
            record = journal.dead_record(letter.sequence)
        except DamagedRecordError as damaged:
            sound.differ(f"dead letter {letter.sequence}", "a request", str(damaged))
            continue
        if record is not None:
            yield record


def _spans(records: Iterable[Record], limits: Limits, sound: Check) -> Iterator[SignalBatch]:
    """Decode the spans of requests."""
    for record in records:
        if record.signal is not Signal.TRACES:  # the books are kept of spans
            continue
        sound.compared += 1
        try:
            yield decode_again(record, limits)
        except Outcome as outcome:
            sound.differ(f"request {record.sequence}", "spans", str(outcome))


def _table(batch: SignalBatch) -> pa.Table:
    """Return project, trace_id, span_id and start_time (int64 ns) of spans."""
    return pa.table(
        {
            "project": batch.column("project").cast(pa.string()),
            "trace_id": batch.column("trace_id"),
            "span_id": batch.column("span_id"),
            "start_time": batch.column("start_time").cast(pa.int64()),
        }
    )


def _by_day(batches: Iterable[SignalBatch]) -> Counter[Key]:
    """Count spans by project and UTC day of their start."""
    days: Counter[Key] = Counter()
    for batch in batches:
        days.update(_keys(spans_by_day(batch)))
    return days


def _keys(counts: Mapping[tuple[str, int], int]) -> Counter[Key]:
    """Days since the epoch as dates."""
    return Counter({(project, day_of(day * _DAY)): count for (project, day), count in counts.items()})
