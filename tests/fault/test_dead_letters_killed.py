"""kill -9 while it is found out what the store refuses: all else is stored once, and what is refused is one dead letter."""

from __future__ import annotations

import re
import shutil
import signal
import time
from pathlib import Path

import pytest

from collector.journal import Journal, Part
from tests.support.collector_process import CollectorProcess
from tests.support.command import spanledger
from tests.support.dying import DyingCollector
from tests.support.poison import refuse_poison, send, spans_request
from tests.support.stored import stored

JOURNAL = "collector.journal.journal:Journal"
LEDGER = "exporters.clickhouse.ledger:Ledger"


@pytest.fixture(scope="module")
def refusing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory whose table refuses poison."""
    directory = tmp_path_factory.mktemp("refusing")
    refuse_poison(directory)
    return directory


@pytest.mark.parametrize(
    ("place", "function", "number"),
    [
        ("exporters.clickhouse.write", "insert", 1),
        ("exporters.clickhouse.write", "insert", 4),
        (LEDGER, "withdraw", 2),
        (JOURNAL, "note_refusal", 1),
        (JOURNAL, "note_refusal", 3),
        (JOURNAL, "note_refusal", 6),
        (JOURNAL, "remove", 1),
    ],
)
def test_what_is_not_refused_is_stored_once_and_what_is_becomes_one_dead_letter(
    refusing: Path, tmp_path: Path, place: str, function: str, number: int
) -> None:
    copy(refusing, tmp_path)
    collector = DyingCollector(tmp_path, place, function, number, "deliver.batch_age=100ms").start()
    send(collector.grpc_address, spans_request(24, [5]))
    assert collector.wait() == -signal.SIGKILL
    half = spanledger(tmp_path, "audit")
    assert re.search(r"^ every accepted span .* 0 *$", half.stdout, re.MULTILINE), half.stdout

    with CollectorProcess(tmp_path) as restarted:
        ends = time.monotonic() + 60
        while restarted.metric("spanledger_dead_letters") != 1:
            assert time.monotonic() < ends
            time.sleep(0.05)
        assert restarted.terminate() == 0
    audited = spanledger(tmp_path, "audit")
    assert audited.returncode == 0, audited.stdout
    assert re.search(r"^ default +24 +0 +24 +23 +0 +0 +0 +0 +1 *$", audited.stdout, re.MULTILINE), audited.stdout
    assert stored(tmp_path, "SELECT count(), uniq(span_id) FROM spans") == [[23, 23]]
    with Journal.open(tmp_path / "journal", max_size=1 << 28, sync="off") as journal:
        (letter,) = journal.dead_letters()
        assert letter.part == Part((5,), 24)
        assert "Constraint `no_poison`" in letter.reason
        assert (journal.records, journal.batches()) == (0, [])


def copy(refusing: Path, to: Path) -> None:
    for name in ("journal", "clickhouse"):
        shutil.copytree(refusing / name, to / name, symlinks=True)
