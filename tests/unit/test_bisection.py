"""What the store refuses is found out row by row, on a real journal, with an exporter that does what the test says."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from collector.batch import SignalBatch
from collector.bisection import MOST_REFUSALS, MOST_ROWS
from collector.decode import Limits
from collector.deliver import Delivery
from collector.errors import Permanent, Retryable
from collector.journal import Journal, Part, group_commit
from collector.replay import decode_again
from collector.signals import Signal
from tests.support.otlp import request, span
from tests.support.otlp_signals import gauge, log_record, logs, metrics, number

MIB = 1 << 20
NAMES = {Signal.TRACES: "name", Signal.LOGS: "body", Signal.METRICS: "metric"}


class TokenStore:
    """Keeps names by token, as a store does that knows its tokens; a token with other rows is a fault."""

    def __init__(self, fails: Callable[[list[str]], None]) -> None:
        self.stored: dict[str, list[str]] = {}
        self.asked: list[tuple[str, list[str]]] = []
        self._fails = fails

    def write(self, batch: SignalBatch, token: str, *, again: bool = False) -> None:
        names = batch.column(NAMES[batch.signal]).to_pylist()
        self.asked.append((token, names))
        self._fails(names)
        assert self.stored.setdefault(token, names) == names

    @property
    def names(self) -> list[str]:
        return sorted(name for names in self.stored.values() for name in names)


def refuse_poison(names: list[str]) -> None:
    if any("poison" in name for name in names):
        raise Permanent("no such column")


def payload(signal: Signal, names: list[str]) -> bytes:
    if signal is Signal.TRACES:
        return request(*(span(name=name) for name in names)).SerializeToString()
    if signal is Signal.LOGS:
        return logs(*(log_record(body=name) for name in names)).SerializeToString()
    return metrics(*(gauge(name, number(1)) for name in names)).SerializeToString()


@pytest.fixture(autouse=True)
def removals_are_quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group_commit, "REMOVAL_DELAY_S", 0.0)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "journal"


def opened(directory: Path, max_dead: int = 16 * MIB) -> Journal:
    return Journal.open(directory, max_size=64 * MIB, max_dead=max_dead, sync="off")


@pytest.fixture
def journal(directory: Path) -> Iterator[Journal]:
    with opened(directory) as journal:
        yield journal


def append(journal: Journal, *names: str, signal: Signal = Signal.TRACES) -> int:
    return journal.append("p", time.time_ns(), payload(signal, list(names)), signal).result()


def known_only(batch: SignalBatch) -> SignalBatch:
    return batch.with_columns({"unpriced_reason": batch.column(NAMES[batch.signal])})


def delivery(
    journal: Journal, store: TokenStore, enrich: Callable[[SignalBatch], SignalBatch] = known_only
) -> Delivery:
    return Delivery(
        journal,
        store,
        decode=lambda record: decode_again(record, Limits()),
        enrich=enrich,
        batch_rows=100_000,
        batch_size=64 * MIB,
        batch_age=0.01,
        memory=64 * MIB,
    )


def deliver(journal: Journal, store: TokenStore, enrich: Callable[[SignalBatch], SignalBatch] = known_only) -> None:
    """Deliver all that is in the journal, in one batch, as far as it goes."""
    running = delivery(journal, store, enrich)
    running.start()
    running.stop(0.5)


def letters(journal: Journal) -> list[tuple[int, Part | None, str]]:
    return [(letter.sequence, letter.part, letter.reason) for letter in journal.dead_letters()]


def numbered(count: int, *poisoned: int, prefix: str = "gen_ai.") -> list[str]:
    return [f"{prefix}{'poison' if i in poisoned else 'n'}{i}" for i in range(count)]


@pytest.mark.parametrize("signal", Signal)
def test_of_5000_records_one_is_refused_and_kept_aside_with_the_reason_and_all_others_are_stored(
    journal: Journal, signal: Signal
) -> None:
    names = numbered(5000, 1234)
    append(journal, *names, signal=signal)
    store = TokenStore(refuse_poison)
    deliver(journal, store)
    assert store.names == sorted(name for name in names if "poison" not in name)
    assert letters(journal) == [(1, Part((1234,), 5000), "Permanent: no such column")]
    assert len(store.asked) <= 1 + 2 * math.ceil(math.log2(5000))
    assert (journal.records, journal.dead_letter_count) == (0, 1)


def test_a_fault_of_our_own_in_enriching_one_record_does_not_stop_the_others(journal: Journal) -> None:
    def stumble(batch: SignalBatch) -> SignalBatch:
        if "gen_ai.poison5" in batch.column("name").to_pylist():
            raise ZeroDivisionError("a bug")
        return known_only(batch)

    append(journal, "before")
    append(journal, *numbered(9, 5))
    store = TokenStore(lambda _: None)
    deliver(journal, store, stumble)
    assert len(store.names) == 9
    assert letters(journal) == [(2, Part((5,), 9), "ZeroDivisionError: a bug")]


def test_rows_are_cut_with_their_attributes_and_project(journal: Journal) -> None:
    spans = [span(name=f"n{i}", attributes={f"own.{i}": i, "poison": i == 3}) for i in range(7)]
    journal.append("shop", time.time_ns(), request(*spans).SerializeToString()).result()
    seen: dict[str, tuple[str, list[str]]] = {}

    def look(batch: SignalBatch) -> SignalBatch:
        if len(batch) == 1 or "n3" not in batch.column("name").to_pylist():
            for row, name in enumerate(batch.column("name").to_pylist()):
                own = [
                    key
                    for key, of in zip(batch.attributes.key.to_pylist(), batch.attributes.row, strict=True)
                    if of == row
                ]
                seen[name] = (batch.column("project")[row].as_py(), own)
        return known_only(batch)

    def refuse_the_third(names: list[str]) -> None:
        if "n3" in names:
            raise Permanent("no")

    deliver(journal, TokenStore(refuse_the_third), look)
    assert seen == {f"n{i}": ("shop", [f"own.{i}", "poison"]) for i in range(7)}


def test_after_many_refused_rows_the_rest_of_a_request_is_kept_aside_untried(journal: Journal) -> None:
    count = 4096
    append(journal, *numbered(count, *range(0, count, 2)))
    store = TokenStore(refuse_poison)
    deliver(journal, store)
    ((_, part, reason),) = letters(journal)
    assert part is not None
    assert len(store.names) + len(part.rows) == count
    assert len(store.names) == MOST_ROWS - 1, "every second one until then"
    assert len(store.asked) <= 1 + 2 * MOST_ROWS * math.ceil(math.log2(count))
    assert reason == (
        "Permanent: no such column\n"
        f"from position {2 * MOST_ROWS - 1} on: not tried, because {MOST_ROWS} rows of the request were refused before"
    )


def test_a_batch_that_is_refused_all_over_costs_a_bounded_number_of_writes(journal: Journal) -> None:
    for _ in range(30):
        append(journal, *numbered(64, *range(64)))
    store = TokenStore(refuse_poison)
    deliver(journal, store)
    assert store.names == []
    assert [(part, reason.splitlines()[0]) for _, part, reason in letters(journal)] == [
        (None, "Permanent: no such column")
    ] * 30
    assert [letter.records for letter in journal.dead_letters()] == [64] * 30
    assert len(store.asked) <= 2 * MOST_REFUSALS + 1


def scene(journal: Journal) -> list[str]:
    """Requests of two signals with three poison rows; the names of all others."""
    append(journal, *numbered(11, 4, 7, prefix="a"))
    append(journal, "gen_ai.one", "gen_ai.two", signal=Signal.LOGS)
    append(journal, "b", "c")
    append(journal, *numbered(6, 0, prefix="log"), signal=Signal.LOGS)
    names = [*numbered(11, 4, 7, prefix="a"), "gen_ai.one", "gen_ai.two", "b", "c", *numbered(6, 0, prefix="log")]
    return sorted(name for name in names if "poison" not in name)


def ends_at(write: int) -> TokenStore:
    """A store of a process that ends at the write of this number."""

    def fails(names: list[str]) -> None:
        if len(store.asked) >= write:
            raise Retryable("the process ends here")
        refuse_poison(names)

    store = TokenStore(fails)
    return store


DEAD = [
    (1, Part((4, 7), 11), "Permanent: no such column"),
    (4, Part((0,), 6), "Permanent: no such column"),
]


def test_a_delivery_that_is_stopped_at_any_write_is_completed_under_the_same_tokens(directory: Path) -> None:
    """The store knows its tokens, and would say if other rows came under one of them."""
    stored: dict[str, list[str]] = {}
    for stop_at in range(1, 60):
        with opened(directory / str(stop_at)) as journal:
            expected = scene(journal)
            store = ends_at(stop_at)
            running = delivery(journal, store)
            running.start()
            running.stop(0.0)
            stopped = len(store.asked)
        with opened(directory / str(stop_at)) as journal:
            second = TokenStore(refuse_poison)
            second.stored = store.stored
            deliver(journal, second)
            assert second.names == expected
            assert letters(journal) == DEAD
            assert journal.records == 0
            untokened = {token.partition("-")[2]: names for token, names in second.stored.items()}
            assert untokened == (stored := stored or untokened)
        if stopped < stop_at:
            assert stop_at > 20
            return
    raise AssertionError("it was never completed at once")


def test_what_was_refused_stays_so_when_the_next_program_would_have_it_stored(directory: Path) -> None:
    """Halves of it are stored by then: the whole must not be, beside them."""
    with opened(directory) as journal:
        append(journal, *numbered(8, 3))

        def stop(names: list[str]) -> None:
            if len(names) == 2:
                raise Retryable("the process ends here")
            refuse_poison(names)

        store = TokenStore(stop)
        running = delivery(journal, store)
        running.start()
        running.stop(0.0)
        assert [len(names) for names in store.stored.values()] == []
    with opened(directory) as journal:
        second = TokenStore(lambda _: None)
        second.stored = store.stored
        deliver(journal, second)
        assert second.names == sorted(numbered(8, 3)), "each once"
        assert letters(journal) == []


def test_dead_letters_that_find_no_room_stop_the_delivery_until_others_are_dropped(directory: Path) -> None:
    with opened(directory, max_dead=20_000) as journal:
        store = TokenStore(refuse_poison)
        append(journal, "poison" + "x" * 15_000)
        deliver(journal, store)
        assert journal.dead_bytes > 15_000
        append(journal, "poison" + "y" * 15_000, "good")
        running = delivery(journal, store)
        running.start()
        wait(lambda: running.trouble is not None)
        assert running.trouble is not None
        assert running.trouble.startswith(f"Dead letters take {journal.dead_bytes} bytes of at most 20000")
        assert "retry or drop dead letters (spanledger dead list)" in running.trouble
        assert "good" in store.names, "it is in the store all the same"
        running.accept_again(append(journal, "behind"))
        assert journal.records == 2
        writes = len(store.asked)
        wait(lambda: journal.drop(1, {}).result())
        wait(lambda: journal.records == 0)
        assert running.trouble is None
        assert [names for _, names in store.asked[writes:]] == [["behind"]], "nothing was written again meanwhile"
        running.stop(5)
        assert [sequence for sequence, *_ in letters(journal)] == [2]


def wait(until: Callable[[], object]) -> None:
    ends = time.monotonic() + 20
    while not until():
        assert time.monotonic() < ends
        time.sleep(0.01)


def test_what_is_retried_is_delivered_alone_and_if_refused_again_keeps_its_positions(journal: Journal) -> None:
    append(journal, *numbered(10, 2, 5, 9))
    deliver(journal, TokenStore(refuse_poison))
    store = TokenStore(lambda names: refuse_poison([name for name in names if name != "gen_ai.poison5"]))
    running = delivery(journal, store)
    running.start()
    number_ = journal.retry(1).result()
    assert number_ == 2
    running.accept_again(number_)
    wait(lambda: journal.dead_letters() and journal.dead_letters()[0].sequence == 2)
    running.stop(5)
    assert store.names == ["gen_ai.poison5"]
    assert letters(journal) == [(2, Part((2, 9), 10), "Permanent: no such column")]
    assert journal.retry(1).result() is None


def test_a_part_of_a_request_that_decodes_to_other_records_now_is_not_guessed_at(journal: Journal) -> None:
    append(journal, *numbered(3, 1))
    deliver(journal, TokenStore(refuse_poison))
    record = journal.dead_record(1)
    assert record is not None
    with pytest.raises(Permanent, match="the request had 3 records and decodes to 0 now: set the limits"):
        decode_again(record, Limits(accept_past=0, accept_future=-(10**18)))
