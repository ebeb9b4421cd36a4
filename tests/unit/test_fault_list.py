"""The page of faults names tests that exist, for every fault."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
PAGE = (TESTS / "fault" / "README.md").read_text(encoding="utf-8")


def test_every_fault_has_a_line_with_a_test() -> None:
    lines = re.findall(r"^\| (F\d\d) \|.*\| (.*) \|$", PAGE, re.MULTILINE)
    assert [number for number, _ in lines] == [f"F{number:02}" for number in range(1, 26)]
    assert [number for number, tests in lines if "::" not in tests] == []


def test_every_test_that_the_page_names_exists() -> None:
    named = re.findall(r"`([\w/]+\.py)::(\w+)`", PAGE)
    missing = [
        f"{file}::{name}"
        for file, name in named
        if not re.search(
            rf"^(?:(?:async )?def {name}\(|{name} = )", (TESTS / file).read_text(encoding="utf-8"), re.MULTILINE
        )
    ]
    assert missing == []
