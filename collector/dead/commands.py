"""``spanledger dead list | show | retry | drop``.

All of them work while the collector runs: what changes the journal is then done by it, within a second (`wishes`).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack

from collector.dead.acts import drop, retry
from collector.dead.shown import counted, document, show_list
from collector.decode import Limits
from collector.errors import Outcome, StartError
from collector.journal import DamagedRecordError, DeadLetter, InUseError, Journal, JournalBeside, Wish
from collector.replay import decode_again
from collector.settings import Settings

PATIENCE = 10.0
"""Seconds to wait for the collector to do what is wanted."""

_DONE = {"retry": "put back for delivery", "drop": "dropped"}


class NoSuchLetterError(Exception):
    """There is no such dead letter. Its text is one sentence."""


def list_letters(settings: Settings) -> None:
    """Print all dead letters. Raises `StartError` when the journal cannot be read."""
    show_list(_letters(settings))


def show_letter(settings: Settings, sequence: int) -> None:
    """Print one dead letter with its records, as JSON. Raises `StartError`, `NoSuchLetterError`."""
    (letter,) = _chosen(_letters(settings), [sequence])
    batch, problem = None, ""
    with JournalBeside(settings.journal.directory, max_size=settings.journal.max_size) as journal:
        try:
            record = journal.dead_record(sequence)
            if record is None:
                raise NoSuchLetterError(f"there is no dead letter {sequence} any more")
            batch = decode_again(record, Limits.of(settings.decode))
        except DamagedRecordError as damaged:
            problem = f"its bytes are damaged: {damaged}"
        except NoSuchLetterError:
            raise
        except Exception as error:  # a fault of the decoder may be why it is a dead letter
            problem = f"it cannot be decoded: {type(error).__name__}: {error}"
    sys.stdout.write(document(letter, batch, problem).decode())


def change_letters(settings: Settings, wish: Wish, sequences: Sequence[int] | None, *, confirmed: bool) -> None:
    """Retry or drop dead letters (None: all), and say what was done.

    A drop is asked for on the terminal unless it is `confirmed`. Raises `StartError`, `NoSuchLetterError`.
    """
    letters = _letters(settings)
    chosen = letters if sequences is None else _chosen(letters, sequences)
    if not chosen:
        sys.stdout.write("There are no dead letters.\n")
        return
    if wish == "drop" and not confirmed:
        _confirm(chosen)
    wanted = [letter.sequence for letter in chosen]
    directory = settings.journal.directory
    with ExitStack() as stack:
        try:
            journal = stack.enter_context(
                Journal.open(
                    directory,
                    max_size=settings.journal.max_size,
                    max_dead=settings.journal.max_dead,
                    sync=settings.journal.sync,
                )
            )
        except InUseError:
            sys.stdout.write(_ask_collector(settings, wish, wanted))
            return
        _change(journal, wish, wanted, Limits.of(settings.decode))
    later = ": the collector delivers them when it starts" if wish == "retry" else ""
    sys.stdout.write(f"{counted(wanted)} {_DONE[wish]}{later}.\n")


def _letters(settings: Settings) -> list[DeadLetter]:
    if not (settings.journal.directory / "data.mdb").is_file():
        return []
    with JournalBeside(settings.journal.directory, max_size=settings.journal.max_size) as journal:
        return journal.dead_letters()


def _chosen(letters: Sequence[DeadLetter], sequences: Sequence[int]) -> list[DeadLetter]:
    known = {letter.sequence: letter for letter in letters}
    for sequence in sequences:
        if sequence not in known:
            raise NoSuchLetterError(f"there is no dead letter {sequence}: see spanledger dead list")
    return [known[sequence] for sequence in dict.fromkeys(sequences)]


def _confirm(chosen: Sequence[DeadLetter]) -> None:
    records = sum(letter.records for letter in chosen)
    sys.stdout.write(f"Drop {counted(chosen)} with {records:,} records for good? [y/N] ")
    sys.stdout.flush()
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise StartError("nothing was dropped: answer y, or say --yes")


def _change(journal: Journal, wish: Wish, wanted: Sequence[int], limits: Limits) -> None:
    for sequence in wanted:
        try:
            if wish == "retry":
                retry(journal, sequence)
            else:
                drop(journal, sequence, limits)
        except Outcome as outcome:
            raise StartError(str(outcome)) from outcome


def _ask_collector(settings: Settings, wish: Wish, wanted: Sequence[int]) -> str:
    with JournalBeside(settings.journal.directory, max_size=settings.journal.max_size, may_wish=True) as journal:
        journal.wish(dict.fromkeys(wanted, wish))
        until = time.monotonic() + PATIENCE
        while (left := journal.wishes().keys() & {*wanted}) and time.monotonic() < until:
            time.sleep(0.05)
        kept = {letter.sequence for letter in journal.dead_letters()} & {*wanted} - left
    if kept:
        raise StartError(
            f"dead letter {min(kept)} cannot be read any more: drop it (the log of the collector says why)"
        )
    if left:
        return f"{counted(wanted)} will be {_DONE[wish]}: the process that has the journal open does it, or the next one.\n"
    return f"{counted(wanted)} {_DONE[wish]}.\n"
