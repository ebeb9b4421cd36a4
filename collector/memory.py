"""How much memory the process has, how much it may have, and how it keeps what it has freed.

The pipeline frees and allocates the same tens of megabytes several times a second. By default glibc gives large blocks
back to the kernel at once, and the next batch pays a page fault for every 4 KiB of them again: measured on the standard
workload, a fifth of all processor time. So freed memory is kept for the next batch.
"""

from __future__ import annotations

import ctypes
import mmap
import sys
from contextlib import suppress
from pathlib import Path

import pyarrow as pa

# mallopt(3): numbers from glibc's malloc.h.
_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_THRESHOLD = -1, -2, -3

_KEPT = 1 << 30
"""Free bytes at the top of the heap from which on some are given back."""


def keep_freed_memory(limit: int | None = None) -> None:
    """Let malloc keep what is freed, and let Arrow use malloc. Does nothing where the C library is not glibc.

    `limit`: of so many bytes in all, an eighth is kept at most.
    """
    mallopt = _glibc("mallopt")
    if mallopt is None:
        return
    mallopt(_M_MMAP_THRESHOLD, 32 << 20)
    mallopt(_M_TRIM_THRESHOLD, _KEPT if limit is None else min(_KEPT, limit // 8))
    mallopt(_M_TOP_PAD, 64 << 20)
    pa.set_memory_pool(pa.system_memory_pool())


def give_back_freed_memory() -> None:
    """Give the kernel back what malloc keeps. Takes some milliseconds."""
    trim = _glibc("malloc_trim")
    if trim is not None:
        trim(0)


def drop_mapped_pages(file: Path) -> None:
    """Take the pages of a file that is mapped for reading out of the resident memory of this process.

    They stay in the cache of the kernel, and are mapped again where they are read. Does nothing where the system cannot.
    """
    madvise = getattr(ctypes.CDLL(None), "madvise", None) if sys.platform.startswith("linux") else None
    if madvise is None:
        return
    with suppress(OSError):
        for line in Path("/proc/self/maps").read_text().splitlines():
            if line.endswith(f" {file}"):
                start, end = (int(address, 16) for address in line.split(" ", 1)[0].split("-"))
                madvise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), mmap.MADV_DONTNEED)


def resident_bytes() -> int:
    """Return the resident bytes of this process that only it can give back; 0 where the system does not tell.

    Pages of files are not among them: the kernel drops those of the journal and of the program by itself when it needs room,
    and reads them again.
    """
    try:
        _, resident, of_files, *_ = Path("/proc/self/statm").read_text().split()
    except OSError:
        return 0
    return (int(resident) - int(of_files)) * mmap.PAGESIZE


def control_group_limit(
    membership: Path = Path("/proc/self/cgroup"), root: Path = Path("/sys/fs/cgroup")
) -> int | None:
    """Return the bytes that the control group of this process may use, or None if nothing limits it.

    Version 2 (memory.max) and version 1 (memory.limit_in_bytes); the smallest limit of the group and those that it is in.
    """
    limits = []
    with suppress(OSError):
        for line in membership.read_text().splitlines():
            number, controllers, path = line.split(":", 2)
            if number == "0":
                limits += _limits(root, path, "memory.max")
            elif "memory" in controllers.split(","):
                limits += _limits(root / "memory", path, "memory.limit_in_bytes")
    # Version 1 says "unlimited" as the largest multiple of a page.
    return min((limit for limit in limits if limit < 1 << 60), default=None)


def _limits(root: Path, path: str, name: str) -> list[int]:
    limits = []
    directory = root / path.lstrip("/")
    # In a container the path may be that of the host, which is not there; the root is then the container's own group.
    for each in (directory, *directory.parents):
        with suppress(OSError, ValueError):
            limits.append(int((each / name).read_text()))
        if each == root:
            break
    return limits


def _glibc(name: str) -> ctypes._NamedFuncPointer | None:
    return getattr(ctypes.CDLL(None), name, None) if sys.platform.startswith("linux") else None
