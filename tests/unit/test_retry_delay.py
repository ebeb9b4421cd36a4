"""How long refused senders are asked to wait."""

from __future__ import annotations

from collector.retry_delay import LONGEST_DELAY, LastingTrouble, spread, whole_seconds


def test_delays_are_spread_evenly_from_half_to_one_and_a_half() -> None:
    delays = [spread(10.0) for _ in range(10_000)]
    tenths = [sum(5 + i <= delay < 6 + i for delay in delays) for i in range(10)]
    assert sum(tenths) == 10_000
    assert min(tenths) > 700, "nobody comes back with the herd"


def test_retry_after_is_in_whole_seconds_and_at_least_one() -> None:
    assert {whole_seconds(0.01) for _ in range(100)} == {1}
    assert {whole_seconds(4.0) for _ in range(1000)} == {3, 4, 5, 6}


def test_the_longer_the_trouble_lasts_the_longer_the_delay_up_to_what_an_sdk_waits_for() -> None:
    now = 1000.0
    trouble = LastingTrouble(lambda: now)
    delays = []
    for _ in range(12):
        delays.append(trouble.delay(1.0))
        now += 4.0
    assert delays == [1.0, 1.0, 2.0, 3.0, 4.0, 5.0, 5.0, 5.0, 5.0, 5.0, 5.0, 5.0]
    assert LONGEST_DELAY * 1.5 < 10.0
    assert trouble.delay(30.0) == 30.0, "who knows better is believed"


def test_after_a_while_without_a_refusal_the_trouble_is_over() -> None:
    now = 0.0
    trouble = LastingTrouble(lambda: now)
    delays = []
    for _ in range(3):
        delays.append(trouble.delay(1.0))
        now += 10.0
    assert delays == [1.0, 2.5, 5.0]
    now += 6.0
    assert trouble.delay(1.0) == 1.0
