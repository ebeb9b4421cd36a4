"""How much memory the process has, and may have."""

from __future__ import annotations

import mmap
from pathlib import Path

import pytest

from collector.memory import control_group_limit, drop_mapped_pages, resident_bytes

MIB = 1 << 20


def test_what_the_process_allocates_is_resident_and_pages_of_files_are_not(tmp_path: Path) -> None:
    before = resident_bytes()
    held = bytearray(b"x" * 64 * MIB)
    assert resident_bytes() - before > 60 * MIB
    del held
    (tmp_path / "file").write_bytes(bytes(64 * MIB))
    with (tmp_path / "file").open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        before = resident_bytes()
        assert mapped.find(b"x") == -1
        assert resident_bytes() - before < 4 * MIB


def test_pages_of_a_mapped_file_can_be_dropped_and_are_read_again(tmp_path: Path) -> None:
    path = (tmp_path / "file").resolve()
    path.write_bytes(b"x" * 64 * MIB)
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        assert bytes(mapped).count(b"x") == 64 * MIB
        before = mapped_bytes()
        drop_mapped_pages(path)
        assert before - mapped_bytes() > 60 * MIB
        assert bytes(mapped).count(b"x") == 64 * MIB


def mapped_bytes() -> int:
    """Resident bytes of files."""
    return int(Path("/proc/self/statm").read_text().split()[2]) * mmap.PAGESIZE


def made(root: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return root


@pytest.mark.parametrize(
    ("membership", "files", "limit"),
    [
        ("0::/app/web\n", {"app/web/memory.max": "max\n", "app/memory.max": f"{512 * MIB}\n"}, 512 * MIB),
        ("0::/app\n", {"app/memory.max": f"{512 * MIB}\n", "memory.max": f"{300 * MIB}\n"}, 300 * MIB),
        ("0::/of/the/host\n", {"memory.max": f"{256 * MIB}\n"}, 256 * MIB),
        ("0::/\n", {"memory.max": "max\n"}, None),
        ("0::/\n", {}, None),
        ("4:cpu,memory:/x\n1:cpu:/\n", {"memory/x/memory.limit_in_bytes": f"{512 * MIB}\n"}, 512 * MIB),
        ("4:memory:/x\n", {"memory/x/memory.limit_in_bytes": "9223372036854771712\n"}, None),
        ("", {}, None),
    ],
)
def test_the_limit_of_a_control_group_is_found(
    tmp_path: Path, membership: str, files: dict[str, str], limit: int | None
) -> None:
    root = made(tmp_path / "cgroup", files)
    (tmp_path / "membership").write_text(membership)
    assert control_group_limit(tmp_path / "membership", root) == limit


def test_without_control_groups_there_is_no_limit(tmp_path: Path) -> None:
    assert control_group_limit(tmp_path / "missing", tmp_path) is None
