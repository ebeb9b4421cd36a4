"""F11 with the real engine, and ``spanledger dead`` from outside, beside a running collector and without one."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
import urllib.error
from collections.abc import Callable
from pathlib import Path

import pytest

from collector.journal import Journal, Refusal
from tests.support.collector_process import ROOT, CollectorProcess
from tests.support.command import spanledger
from tests.support.poison import ALLOW, change, refuse_poison, send, spans_request
from tests.support.stored import stored

COUNT, POISONED = 5000, 1234


def wait(until: Callable[[], object]) -> None:
    ends = time.monotonic() + 60
    while not until():
        assert time.monotonic() < ends
        time.sleep(0.05)


def equation(directory: Path) -> list[int]:
    """Accepted, stored, deleted, in the journal, dead letters, of books that balance."""
    done = spanledger(directory, "audit")
    assert done.returncode == 0, done.stdout + done.stderr
    found = re.search(r"^ default +([\d, ]+?) *$", done.stdout, re.MULTILINE)
    assert found, done.stdout
    _, _, accepted, in_store, _, deleted, _, waiting, dead = (
        int(number.replace(",", "")) for number in found[1].split()
    )
    return [accepted, in_store, deleted, waiting, dead]


def ids(directory: Path) -> list[str]:
    """Numbers of the dead letters, as the list prints them."""
    done = spanledger(directory, "dead", "list")
    assert (done.returncode, done.stderr) == (0, "")
    return re.findall(r"^ +(\d+) +\d{4}-", done.stdout, re.MULTILINE)


def test_of_5000_spans_the_engine_refuses_one_which_is_seen_retried_and_dropped_while_the_collector_runs(
    tmp_path: Path,
) -> None:
    refuse_poison(tmp_path)
    with CollectorProcess(tmp_path) as collector:
        send(collector.grpc_address, spans_request(COUNT, [POISONED]))
        wait(lambda: collector.metric("spanledger_dead_letters") == 1)
        assert collector.metric("spanledger_dead_letter_bytes") > 100_000
        assert collector.metric("spanledger_stored_spans_total") == COUNT - 1

        listed = spanledger(tmp_path, "dead", "list").stdout
        assert re.search(
            r"^ +1 +\S+Z +traces +default +1 of 5,000 +[\d,]+ +Permanent: inserting .* \.\.\. *$", listed, re.M
        )
        shown = json.loads(spanledger(tmp_path, "dead", "show", 1).stdout)
        assert "Constraint `no_poison`" in shown["reason"]
        assert (shown["positions"], shown["records_in_request"], shown["project"]) == ([POISONED], COUNT, "default")
        (record,) = shown["records"]
        assert (record["name"], record["span_id"]) == (f"poison {POISONED}", f"{POISONED + 1:016x}")
        assert record["attributes"]["number"] == POISONED
        assert record["attributes"]["gen_ai.input.messages"] == f'"said {POISONED}"'

        retried = spanledger(tmp_path, "dead", "retry", 1)
        assert (retried.returncode, retried.stdout) == (0, "1 dead letter put back for delivery.\n")
        wait(lambda: ids(tmp_path) == ["2"])
        assert json.loads(spanledger(tmp_path, "dead", "show", 2).stdout)["positions"] == [POISONED]

        dropped = spanledger(tmp_path, "dead", "drop", "--all", "--yes")
        assert (dropped.returncode, dropped.stdout) == (0, "1 dead letter dropped.\n")
        assert ids(tmp_path) == []
        assert collector.terminate() == 0
    assert equation(tmp_path) == [COUNT, COUNT - 1, 1, 0, 0]
    ((rows, distinct, wrong),) = stored(
        tmp_path, "SELECT count(), uniq(span_id), countIf(name LIKE 'p%') FROM spans FINAL"
    )
    assert (rows, distinct, wrong) == (COUNT - 1, COUNT - 1, 0)


def test_what_is_retried_once_the_cause_is_gone_is_stored_and_counted_once(tmp_path: Path) -> None:
    refuse_poison(tmp_path)
    with CollectorProcess(tmp_path) as collector:
        send(collector.grpc_address, spans_request(50, [3, 20, 21]), spans_request(7, [6], 100))
        wait(lambda: collector.metric("spanledger_dead_letters") == 2)
        assert collector.terminate() == 0
    before = equation(tmp_path)
    assert (before[0], before[-1]) == (57, 4)
    change(tmp_path, ALLOW)

    assert spanledger(tmp_path, "dead", "retry", 1).stdout == (
        "1 dead letter put back for delivery: the collector delivers them when it starts.\n"
    )
    assert equation(tmp_path)[-2:] == [3, 1]
    with CollectorProcess(tmp_path) as collector:
        assert spanledger(tmp_path, "dead", "retry", "--all").returncode == 0
        wait(lambda: collector.metric("spanledger_stored_spans_total") == 4)
        assert collector.terminate() == 0
    assert ids(tmp_path) == []
    after = equation(tmp_path)
    assert (after[0], after[1], after[-1]) == (57, 57, 0)
    assert stored(tmp_path, "SELECT count(), countIf(name LIKE 'poison%') FROM spans FINAL") == [[57, 4]]


def test_dead_letters_without_room_are_told_by_readyz_and_dropping_some_lets_the_rest_flow(tmp_path: Path) -> None:
    refuse_poison(tmp_path)
    with CollectorProcess(tmp_path, "journal.max_dead=10KiB") as collector:
        send(collector.grpc_address, spans_request(30, [3]))
        wait(lambda: collector.metric("spanledger_dead_letters") == 1)
        send(collector.grpc_address, spans_request(40, [4], 100))

        def not_ready() -> str:
            try:
                collector.get("/readyz")
            except urllib.error.HTTPError as answer:
                return str(json.loads(answer.read())["reason"])
            return ""

        wait(not_ready)
        assert re.fullmatch(
            r"Dead letters take \d+ bytes of at most 10240 \(journal.max_dead\), and there are more: nothing is delivered"
            r" until you retry or drop dead letters \(spanledger dead list\)\.",
            not_ready(),
        )
        assert spanledger(tmp_path, "dead", "drop", 1, "--yes").returncode == 0
        wait(lambda: not not_ready())
        assert ids(tmp_path) == ["2"]
        assert collector.terminate() == 0
    assert equation(tmp_path) == [70, 68, 1, 0, 1]


def run(directory: Path, *arguments: object, answer: str = "") -> subprocess.CompletedProcess[str]:
    words = [*map(str, arguments), "--set", f"journal.directory={directory}/journal"]
    return subprocess.run(
        [sys.executable, "-m", "collector.cli", "dead", *words],
        cwd=ROOT,
        input=answer,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def dead(tmp_path: Path) -> Path:
    """A journal with three dead letters, of which two cannot be decoded, one of them because it is damaged."""
    make_dead_letters(tmp_path)
    return tmp_path


def make_dead_letters(directory: Path) -> None:
    with Journal.open(directory / "journal", max_size=1 << 28, sync="off") as journal:
        for payload in (spans_request(3, []), b"\xff"):
            journal.append("default\ntenant.id", time.time_ns(), payload).result()
        batch = journal.cut(1, 2).result()
        journal.remove(batch, [Refusal(1, "no such [column]\nand more", 3, (0, 2)), Refusal(2, "a fault")]).result()


def test_a_drop_is_asked_for_and_an_answer_other_than_yes_drops_nothing(dead: Path) -> None:
    for answer in ("", "\n", "n\n", "what\n"):
        refused = run(dead, "drop", 1, 2, answer=answer)
        assert (refused.returncode, refused.stderr) == (2, "spanledger: nothing was dropped: answer y, or say --yes\n")
        assert refused.stdout == "Drop 2 dead letters with 2 records for good? [y/N] "
    done = run(dead, "drop", 1, 1, answer="y\n")
    assert (done.returncode, done.stdout.endswith("1 dead letter dropped.\n")) == (0, True)
    assert ids(dead) == ["2"]


def test_the_list_says_what_is_known(dead: Path) -> None:
    first, second = re.findall(r"^ +[12] .*$", run(dead, "list").stdout, re.MULTILINE)
    assert re.search(r"traces +default \(or tenant.id\) +2 of 3 +[\d,]+ +no such \[column\] \.\.\. *$", first)
    assert re.search(r"traces +default \(or tenant.id\) +all +\d+ +a fault *$", second)


def test_what_cannot_be_decoded_is_shown_with_the_reason_why(dead: Path) -> None:
    shown = json.loads(run(dead, "show", 2).stdout)
    assert shown["problem"].startswith("it cannot be decoded: Permanent: the request is not a valid")
    assert shown["reason"] == "a fault"
    whole = json.loads(run(dead, "show", 1).stdout)
    assert (whole["reason"], [record["name"] for record in whole["records"]]) == (
        "no such [column]\nand more",
        ["span 0", "span 2"],
    )


@pytest.mark.parametrize("action", ["show", "retry", "drop"])
def test_a_number_that_is_none_is_refused_in_one_sentence_and_nothing_changes(dead: Path, action: str) -> None:
    more = [] if action == "show" else [1]
    done = run(dead, action, *more, 7, *(["--yes"] if action == "drop" else []))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "spanledger: there is no dead letter 7: see spanledger dead list\n"
    assert ids(dead) == ["1", "2"]


@pytest.mark.parametrize("words", [["retry"], ["drop", "--yes"], ["retry", "1", "--all"], ["show"], ["show", "x"]])
def test_words_that_make_no_sense_are_refused(dead: Path, words: list[str]) -> None:
    assert run(dead, *words).returncode == 2
    assert ids(dead) == ["1", "2"]


def test_without_a_journal_there_are_no_dead_letters_and_none_is_made(tmp_path: Path) -> None:
    for words in (["list"], ["retry", "--all"], ["drop", "--all"]):
        done = run(tmp_path, *words)
        assert (done.returncode, done.stdout) == (0, "There are no dead letters.\n")
    assert list(tmp_path.iterdir()) == []
