-- What came in and what became of it, for the audit: of each project and day
--
--     received = accepted + rejected
--     accepted = stored + duplicates + deleted + expired + what the journal holds (waiting, or refused by the store)
--
-- One row an entry, project and day. It is written before the rows that it tells of, so that after a crash the same batch
-- finds that it is entered, and is not counted again. An entry that is written again replaces the first one.
CREATE TABLE ledger
(
    entry String COMMENT 'Name of the batch in the journal, or of what else is entered' CODEC(ZSTD(1)),
    project LowCardinality(String),
    day Date COMMENT 'UTC day: of the start of the spans; of their arrival for the rejected ones',
    accepted UInt64 COMMENT 'Spans that were acknowledged and went to the store, as often as they were sent',
    duplicates UInt64 COMMENT 'Of the accepted ones, those that gave way to another row of the same span',
    deleted UInt64 COMMENT 'Of the accepted ones, those that were deleted on request',
    expired UInt64 COMMENT 'Of the accepted ones, those whose time to be kept was over',
    rejected Map(LowCardinality(String), UInt64) COMMENT 'Spans that were not acknowledged but rejected through partial_success, by reason',
    written_at DateTime64(6, 'UTC') DEFAULT now64(6) COMMENT 'When it was entered'
)
ENGINE = ReplacingMergeTree(written_at)
ORDER BY (entry, project, day)
SETTINGS min_parts_to_merge_at_once = 16
COMMENT 'What became of every span that was received, entered batch by batch; read with FINAL'
