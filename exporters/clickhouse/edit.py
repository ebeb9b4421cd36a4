"""What is changed on request: deletions, reviews and tags, beside the batches that arrive.

Everything that writes does so on one handle and under one lock, so that no change falls into the middle of a batch.
"""

from __future__ import annotations

from exporters.clickhouse.deletion import Deletions
from exporters.clickhouse.edit_reviews import ReviewEdits
from exporters.clickhouse.edit_tags import TagEdits
from exporters.clickhouse.writing import Writing


class ClickHouseEditor(Deletions, ReviewEdits, TagEdits):
    """Implements `collector.query.editor.Editor`; may be used by many threads."""

    def __init__(self, writing: Writing) -> None:
        Deletions.__init__(self, writing)
        ReviewEdits.__init__(self, writing)
        TagEdits.__init__(self, writing)
