"""Requests within the size limit that aim at the memory or at the stack, each decoded in a process of its own."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

PROLOGUE = """
from collector.decode import Decoded, Limits, decode_spans
from collector.errors import Outcome
from tests.support.otlp import NOW, closed_request, field, span, varint

SPAN = span().SerializeToString()
VALUE = lambda content: field(1, b"k") + field(2, content)

def decode(payload):
    assert len(payload) <= 64 << 20
    try:
        decoded = decode_spans(payload, project="p", received_at=NOW, limits=Limits())
    except Outcome as outcome:
        return type(outcome).__name__
    return len(decoded.batch), decoded.rejections.count, {k: v for k, v in decoded.cuts.items() if v}
"""

EPILOGUE = """
with open("/proc/self/status") as status:
    print(next(line.split()[1] for line in status if line.startswith("VmHWM:")))
"""


def decoded_elsewhere(code: str) -> tuple[str, int]:
    """What the code prints, and the peak resident memory of its process in MiB. Fails if a signal ended it."""
    program = PROLOGUE + textwrap.dedent(code) + EPILOGUE
    child = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False)
    assert child.returncode == 0, f"exit code {child.returncode} after: {child.stdout}{child.stderr[-2000:]}"
    *printed, peak = child.stdout.splitlines()
    return "\n".join(printed), int(peak) // 1024


def test_eight_million_empty_spans_are_refused_in_little_memory() -> None:
    printed, peak = decoded_elsewhere("print(decode(field(1, field(2, b'\\x12\\x00' * 8_000_000))))")

    assert printed == "TooLarge"
    assert peak < 600


def test_thirty_million_attributes_within_the_limit_of_each_span_are_refused_in_bounded_memory() -> None:
    """A thousand empty ones on each of 32,000 spans: every span is within the limits, and the request too."""
    printed, peak = decoded_elsewhere(
        "print(decode(field(1, field(2, field(2, SPAN + b'\\x4a\\x00' * 1_000) * 32_000))))"
    )

    assert printed == "TooLarge"
    assert peak < 1000


@pytest.mark.parametrize(("where", "what"), [("\\x4a", "attributes"), ("\\x5a", "events"), ("\\x6a", "links")])
def test_five_million_of_something_in_one_span_are_cut_in_bounded_memory(where: str, what: str) -> None:
    printed, peak = decoded_elsewhere(f"print(decode(closed_request(SPAN + b'{where}\\x00' * 5_000_000)))")

    assert printed == f"(1, 0, {{'cut_{what}': {5_000_000 - 1024}}})"
    assert peak < 1000


def test_five_million_attributes_of_a_resource_or_a_scope_are_cut_in_bounded_memory() -> None:
    printed, peak = decoded_elsewhere(
        """
        print(decode(closed_request(SPAN, resource=b'\\x0a\\x00' * 5_000_000)))
        print(decode(closed_request(SPAN, scope=b'\\x1a\\x00' * 5_000_000)))
        """
    )

    assert printed.splitlines() == [f"(1, 0, {{'cut_attributes': {5_000_000 - 1024}}})"] * 2
    assert peak < 1000


@pytest.mark.parametrize("nothing", ["b'\\x0a\\x00' * 8_000_000", "field(1, b'\\x12\\x00' * 8_000_000)"])
def test_millions_of_empty_resources_or_scopes_are_refused_in_bounded_memory(nothing: str) -> None:
    printed, peak = decoded_elsewhere(f"print(decode({nothing}))")

    assert printed == "TooLarge"
    assert peak < 1000


def test_a_value_that_would_open_to_forty_times_its_size_stays_closed_wherever_it_is() -> None:
    """Thirty million empty elements in 60 MiB."""
    printed, peak = decoded_elsewhere(
        """
        pair = VALUE(field(5, b'\\x0a\\x00' * 30_000_000))
        print(decode(closed_request(SPAN + field(9, pair))))
        print(decode(closed_request(SPAN, resource=field(1, pair))))
        """
    )

    assert printed.splitlines() == ["(1, 0, {'cut_values': 1})"] * 2
    assert peak < 1000


def test_large_resources_that_are_never_the_same_do_not_pile_up() -> None:
    """Eighty different ones of 4 MiB, one after the other."""
    printed, peak = decoded_elsewhere(
        """
        for i in range(80):
            text = b"%4d" % i + b"x" * ((4 << 20) - 4)
            last = decode(closed_request(SPAN, resource=field(1, VALUE(field(1, text)))))
        print(last)
        """
    )

    assert printed == "(1, 0, {})"
    assert peak < 400


PLACES = """
groups
field(1, groups)
field(1, field(2, groups))
closed_request(SPAN + groups)
closed_request(SPAN + field(9, groups))
closed_request(SPAN + field(9, VALUE(groups)))
closed_request(SPAN + field(11, groups))
closed_request(SPAN + field(13, field(4, VALUE(groups))))
closed_request(SPAN + field(15, groups))
closed_request(SPAN, resource=groups)
closed_request(SPAN, scope=field(3, VALUE(groups)))
"""


@pytest.mark.parametrize("ends", [0, 1_000_000])
def test_a_million_groups_in_each_other_do_not_end_the_process(ends: int) -> None:
    """A reader that skips unknown groups by calling itself runs out of stack: SIGSEGV, and every sender is cut off."""
    places = PLACES.split("\n")[1:-1]
    printed, _ = decoded_elsewhere(
        f"""
        groups = varint(99 << 3 | 3) * 1_000_000 + varint(99 << 3 | 4) * {ends}
        for place in {places}:
            print(place, "->", decode(eval(place)), flush=True)
        """
    )

    assert printed.splitlines() == [f"{place} -> Permanent" for place in places]
