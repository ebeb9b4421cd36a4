"""What the journal of a stopped collector holds, counted in spans."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from collector.decode import Limits, decode_spans
from collector.errors import Outcome
from collector.journal import Journal, Record
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
            begun += list(spans)
        else:
            waiting.update(_by_day(spans))
    uncut = journal.uncut()
    waiting.update(_by_day(_spans(journal.read(uncut.start, uncut.stop), limits, sound)))
    refused = _by_day(_spans(journal.refused_records(), limits, sound))
    if journal.damaged_records:
        sound.differ("the journal", "no damaged request", f"{journal.damaged_records}, kept aside")
    if begun:
        sound.remark = "a delivery was interrupted: start the collector, which completes it, and stop it again"
    return Journaled(waiting, refused, begun), sound


def _spans(records: Iterable[Record], limits: Limits, sound: Check) -> Iterator[pa.Table]:
    """Decode requests: project, trace_id, span_id and start_time (int64 ns) of their spans."""
    for record in records:
        if record.signal is not Signal.TRACES:  # the books are kept of spans
            continue
        sound.compared += 1
        arrived = record.received_at_ns
        try:
            batch = decode_spans(record.payload, project=record.project, received_at=arrived, limits=limits).batch
        except Outcome as outcome:
            sound.differ(f"request {record.sequence}", "spans", str(outcome))
            continue
        yield pa.table(
            {
                "project": batch.column("project").cast(pa.string()),
                "trace_id": batch.column("trace_id"),
                "span_id": batch.column("span_id"),
                "start_time": batch.column("start_time").cast(pa.int64()),
            }
        )


def _by_day(tables: Iterable[pa.Table]) -> Counter[Key]:
    """Count spans by project and UTC day of their start."""
    days: Counter[Key] = Counter()
    for spans in tables:
        for project in pc.unique(spans["project"]).to_pylist():
            starts = spans.filter(pc.equal(spans["project"], project))["start_time"].to_numpy()
            for day, count in zip(*np.unique(starts // _DAY, return_counts=True), strict=True):
                days[project, day_of(int(day) * _DAY)] += int(count)
    return days
