"""The one handle that writes, and the lock that everybody who writes holds."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from functools import cached_property

from exporters.clickhouse.client import Handle
from exporters.clickhouse.deleting import Deleting
from exporters.clickhouse.tags import EditedTags


@dataclass(frozen=True)
class Writing:
    """Shared by the exporter and by what edits."""

    handle: Handle
    lock: threading.RLock = field(default_factory=threading.RLock)
    """Held from the first statement of a change to its last."""
    edited_tags: EditedTags = field(default_factory=EditedTags)

    @cached_property
    def deleting(self) -> Deleting:
        """What deletes, and knows what is deleted."""
        return Deleting(self.handle)
