"""Every metric of our own, each with one line on what it means. Served at /metrics by the read API.

Label values come from closed sets in the code, never from what is received: a sender cannot grow them.
"""

from __future__ import annotations

from collections.abc import Mapping

from prometheus_client import Counter, Gauge, Histogram

from collector.signals import Signal

REQUESTS = Counter(
    "spanledger_requests",
    "Export requests by signal (traces, logs, metrics) and outcome: the gRPC status code they were answered with",
    ["signal", "code"],
)
NOT_ADMITTED = Counter(
    "spanledger_not_admitted",
    "Export requests that were told to come again before they were decoded: too much in flight, memory short, sent too slowly",
    ["reason"],
)
IN_FLIGHT_BYTES = Gauge("spanledger_in_flight_bytes", "Bytes of requests that were read and are not acknowledged yet")
ACKNOWLEDGED: Mapping[Signal, Counter] = {
    Signal.TRACES: Counter("spanledger_acknowledged_spans", "Spans that were acknowledged: they are in the journal"),
    Signal.LOGS: Counter("spanledger_acknowledged_log_records", "Log records that were acknowledged"),
    Signal.METRICS: Counter("spanledger_acknowledged_data_points", "Data points that were acknowledged and are kept"),
}
REJECTED: Mapping[Signal, Counter] = {
    Signal.TRACES: Counter("spanledger_rejected_spans", "Spans that were rejected through partial_success", ["reason"]),
    Signal.LOGS: Counter(
        "spanledger_rejected_log_records", "Log records that were rejected through partial_success", ["reason"]
    ),
    Signal.METRICS: Counter(
        "spanledger_rejected_data_points", "Data points that were rejected through partial_success", ["reason"]
    ),
}
DROPPED_DATA_POINTS = Counter(
    "spanledger_dropped_data_points",
    "Data points that were answered with success and not kept: those of other than GenAI metrics, summaries, no value",
    ["reason"],
)
CUT = Counter("spanledger_cut", "What the limits on decoding cut off", ["what"])
MISNAMED_PROJECTS = Counter(
    "spanledger_misnamed_projects",
    "Resources whose project attribute holds no name that a project may have: their records went to the sender's project",
)
ACK_SECONDS = Histogram(
    "spanledger_ack_seconds",
    "Time from the arrival of a request to its acknowledgement",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)
STORED: Mapping[Signal, Counter] = {
    Signal.TRACES: Counter(
        "spanledger_stored_spans", "Spans written to the store, counted again when a batch was sent again"
    ),
    Signal.LOGS: Counter("spanledger_stored_log_records", "Log records written to the store, counted likewise"),
    Signal.METRICS: Counter("spanledger_stored_data_points", "Data points written to the store, counted likewise"),
}
BATCHES = Counter("spanledger_batches", "Batches by what the store made of them: stored, retried, refused", ["outcome"])
DEAD_LETTERS = Gauge(
    "spanledger_dead_letters",
    "Requests of which the store refused records for good: they are kept aside in the journal",
)
DEAD_LETTER_BYTES = Gauge("spanledger_dead_letter_bytes", "Bytes of these in the journal, journal.max_dead at most")
DECODED_AGAIN = Counter(
    "spanledger_decoded_again", "Requests decoded again from the journal, after a restart or when memory was short"
)
UNPRICED_SPANS = Counter("spanledger_unpriced_spans", "Spans that report usage but have no price", ["reason"])
STATEMENTS = Counter(
    "spanledger_sql_statements", "Statements over ClickHouse's HTTP interface: answered, refused, failed", ["outcome"]
)
JOURNAL_BYTES = Gauge("spanledger_journal_bytes", "Bytes in the journal that the store has not accepted yet")
WAITING_BYTES = Gauge("spanledger_waiting_bytes", "Bytes of decoded batches in memory that wait for the store")
