"""``spanledger audit``, ``reprice`` and ``migrate``: the commands that open the database of a stopped collector.

A composition root of its own, beside `collector.app`, which must not run at the same time: the embedded engine lets one
process in. The lock on the journal says whether it does.
"""

from collector.books.audit import audit
from collector.books.migrate import migrate
from collector.books.reprice import reprice

__all__ = ["audit", "migrate", "reprice"]
