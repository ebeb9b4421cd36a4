"""Reading spans by themselves: first the ids of a page, on narrow columns, then the rows of these spans and no others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from exporters.clickhouse.client import Readers
from exporters.clickhouse.connection import statement
from exporters.clickhouse.find_spans import find_statement, is_last_page, names_traces, times_of
from exporters.clickhouse.read_joined import Joined
from exporters.clickhouse.span_rows import Row, latest_rows, span_row, span_statement

_MINUTE = 60 * 10**9

# How far from the first or the last span a page is looked for, again and again until it is full: so the newest spans are
# found without reading the keys of all.
_WIDTHS = tuple(minutes * _MINUTE for minutes in (15, 6 * 60, 6 * 24 * 60))


class SpanReads:
    """Implements `collector.query.reader.SpanReader`."""

    def __init__(self, readers: Readers, joined: Joined) -> None:
        self._readers = readers
        self._joined = joined
        self._times = statement("times_of_spans.sql")
        self._by_id = span_statement("spans_by_id.sql")

    def spans(self, project: str, filters: Any) -> Sequence[Mapping[str, Any]]:
        """Return one page of spans: see `collector.query.reader.SpanReader.spans`."""
        found: list[dict[str, Any]] = []
        for times in self._windows(project, filters):
            found = self._readers.query(*find_statement(project, filters, times))
            if len(found) == filters.limit:
                break
        return self._rows_of(project, found[::-1] if is_last_page(filters) else found)

    def _windows(self, project: str, filters: Any) -> Iterator[tuple[int | None, int | None]]:
        """Between which starts (ns) to look for the page: each window holds the one before, the last one everything."""
        since, until = times_of(filters)
        if filters.sort_by == "start_time" and not names_traces(filters):
            (times,) = self._readers.query(self._times, {"project": project})
            first = times["first"] if since is None else max(since, times["first"])
            last = times["last"] if until is None else min(until, times["last"])
            newest_first = filters.descending != is_last_page(filters)
            for width in _WIDTHS:
                if width < last - first:
                    yield (last - width, until) if newest_first else (since, first + width)
        yield since, until

    def _rows_of(self, project: str, found: Sequence[Row]) -> list[dict[str, Any]]:
        """Return the rows of these spans, in this order."""
        if not found:
            return []
        trace_ids = sorted({row["trace_id"] for row in found})
        span_ids = sorted({row["span_id"] for row in found})
        minutes = sorted({row["start_time"] // _MINUTE * 60 for row in found})
        joined = self._joined.of_spans(project, trace_ids, span_ids)
        ids = {"project": project, "minutes": minutes, "trace_ids": trace_ids, "span_ids": span_ids}
        rows = latest_rows(self._readers.query(self._by_id, ids))
        stored = {(row["trace_id"], row["span_id"]): row for row in rows}
        # A span that was deleted in the meantime is left out.
        keys = [(row["trace_id"], row["span_id"]) for row in found]
        page = [span_row(stored[key]) for key in keys if key in stored]
        self._joined.fill(project, page, joined)
        return page
