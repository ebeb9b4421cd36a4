"""The lock that keeps a second process out of a journal's directory; LMDB by itself would let it in."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from collector.errors import StartError


class InUseError(StartError):
    """Another process has the journal open."""


class DirectoryLock:
    """An exclusive lock on a directory, held until `release` or the end of the process, however it ends."""

    def __init__(self, directory: Path) -> None:
        """Take the lock; raises InUseError when somebody else holds it, OSError when the file cannot be locked."""
        # O_CLOEXEC: a program that we start must not keep the lock after we are gone.
        self._file = os.open(directory / "journal.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.ftruncate(self._file, 0)
            os.pwrite(self._file, f"{os.getpid()}\n".encode(), 0)
        except BlockingIOError:
            holder = os.pread(self._file, 20, 0).decode("ascii", "replace").strip()
            os.close(self._file)
            raise InUseError(
                f"The journal directory {directory} is in use by another process{f' (pid {holder})' if holder else ''}:"
                " stop that process, or set journal.directory to another directory."
            ) from None
        except OSError:
            os.close(self._file)
            raise

    def release(self) -> None:
        """Let others in. The file stays: removing it would race with whoever is just opening it."""
        os.close(self._file)
