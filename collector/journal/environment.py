"""How the journal's LMDB environment is opened: by the process that writes, and by those beside it."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import lmdb

from collector.journal.structure import DATA_FILE

MOST_DATABASES = 16
"""Named databases that an environment may have open."""

_MAP_HEADROOM_BYTES = 256 << 20


def map_size(max_size: int, existing: int) -> int:
    """Return the address space for a journal of this limit, whose file has this size now, in bytes."""
    return max(max_size + max_size // 4, existing) + _MAP_HEADROOM_BYTES


def open_environment(directory: Path, *, max_size: int, durable: bool) -> lmdb.Environment:
    """Open the environment for the process that writes, which makes it if it is missing. Raises lmdb.Error."""
    data = directory / DATA_FILE
    existing = data.stat().st_size if data.exists() else 0
    return lmdb.open(
        str(directory),
        # Address space, not disk. Room beyond the cap: a removal writes new pages before it frees old ones.
        map_size=map_size(max_size, existing),
        mode=0o700,
        max_dbs=MOST_DATABASES,
        # A reader holds its slot for the time of one record; a few threads read, and a few processes beside this one.
        max_readers=32,
        # Records are read once, oldest first, mostly soon after they were written: they are cached already.
        readahead=False,
        # Copy-on-write plus two flushes a commit (pages first, then the root that points to them) is what survives a
        # power cut. Without `sync` neither is done: the kernel still has all after a kill -9, but a power cut may
        # leave a root that points to pages that never reached the disk.
        sync=durable,
        # Saving the second flush would lose the last commit in a power cut, after it was acknowledged.
        metasync=True,
        # A stray pointer in native code must not be able to write into the file.
        writemap=False,
    )


def sync_names(directory: Path) -> None:
    """Flush the directory and its parent: a new file is durable only with the name that leads to it."""
    for path in (directory, directory.absolute().parent):
        # The parent may be closed to us, and some file systems cannot flush a directory: then there is no more to do.
        with contextlib.suppress(OSError):
            descriptor = os.open(path, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
