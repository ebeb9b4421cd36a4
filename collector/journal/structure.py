"""Looks at the journal's data file before LMDB does, which trusts its pages and would end the process on a bad one."""

from __future__ import annotations

import os
import struct
from pathlib import Path

from lmdb.verify import VerifyError, verify

from collector.errors import StartError

DATA_FILE = "data.mdb"

# Of an LMDB root page (MDB_page, then MDB_meta): the page size, the number of the last page in use, the transaction.
_ROOT_PAGE = struct.Struct("=40xI92xQQ")


def unreadable(directory: Path, reason: str) -> StartError:
    """Return the refusal to open what is in this directory."""
    return StartError(
        f"The journal in {directory} cannot be read ({reason}): move the files {DATA_FILE} and lock.mdb elsewhere to"
        " start with an empty journal, or set journal.directory to another directory."
    )


def check_structure(data: Path) -> None:
    """Walk all index pages of the data file, without LMDB; raises StartError if one of them is not sound.

    Payloads are not read: each record's own checksum guards them. Takes about 0.25 s for each GiB of the file.
    A missing or empty file is a new journal: a crash while it was made leaves one.
    """
    if not data.exists() or data.stat().st_size == 0:
        return
    try:
        problems: list[str] = verify(str(data.parent))  # type: ignore[no-untyped-call]  # lmdb types its core only
        missing_tail = data.stat().st_size < (expected := _used_bytes(data))
    except (VerifyError, OSError) as error:
        raise unreadable(data.parent, str(error)) from error
    if not missing_tail:
        # A page that nothing refers to is wasted, not wrong. In a file without its tail it may be the list of free
        # pages that was cut.
        problems = [problem for problem in problems if "a leak" not in problem]
    if problems:
        raise unreadable(data.parent, problems[0])
    if missing_tail:
        # All index pages are there, so that it is the last record that was cut. As zeros it is a damaged record; read
        # past the end of the file it would be a SIGBUS.
        os.truncate(data, expected)


def _used_bytes(data: Path) -> int:
    """Return the size up to which the newest root page says that the file is in use."""
    with data.open("rb") as file:
        page_size, last_page, transaction = _ROOT_PAGE.unpack(file.read(_ROOT_PAGE.size))
        file.seek(page_size)
        _, other_last_page, other_transaction = _ROOT_PAGE.unpack(file.read(_ROOT_PAGE.size))
    return (int(last_page if transaction > other_transaction else other_last_page) + 1) * int(page_size)
