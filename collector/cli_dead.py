"""``spanledger dead``: its words, and what they call."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import Any

from collector.settings import Settings

AddCommand = Callable[[Any, str, Callable[[argparse.Namespace], int], str], argparse.ArgumentParser]
ReadSettings = Callable[[argparse.Namespace], Settings]


def add_dead(commands: Any, add: AddCommand, read: ReadSettings) -> None:
    """Add the command; `add` adds one that takes a configuration, which `read` reads."""
    about = "look at what the store refused for good, put it back for delivery, or drop it"
    dead = commands.add_parser("dead", help=about, description=about, allow_abbrev=False)
    actions = dead.add_subparsers(required=True, metavar="ACTION")

    def listed(arguments: argparse.Namespace) -> int:
        settings = read(arguments)
        from collector.dead.commands import list_letters  # noqa: PLC0415 - the columns take a moment to load

        list_letters(settings)
        return 0

    def changed(arguments: argparse.Namespace) -> int:
        settings = read(arguments)
        from collector.dead.commands import NoSuchLetterError, change_letters, show_letter  # noqa: PLC0415 - as above

        try:
            if arguments.wish == "show":
                show_letter(settings, arguments.id)
            else:
                chosen = None if arguments.all else arguments.ids
                change_letters(settings, arguments.wish, chosen, confirmed=arguments.yes)
        except NoSuchLetterError as refusal:
            sys.stderr.write(f"spanledger: {refusal}\n")
            return 1
        return 0

    add(actions, "list", listed, "print the dead letters")
    show = add(actions, "show", changed, "print one as JSON: the reason, and its records with all their content")
    show.add_argument("id", type=int, metavar="ID", help="number of the dead letter, as the list has it")
    show.set_defaults(wish="show")
    for wish, about in (
        ("retry", "put dead letters back for delivery; what is refused again becomes a dead letter again"),
        ("drop", "delete dead letters for good; the books count their spans as deleted"),
    ):
        change = add(actions, wish, changed, about)
        which = change.add_mutually_exclusive_group(required=True)
        which.add_argument("ids", nargs="*", default=[], type=int, metavar="ID", help="numbers of dead letters")
        which.add_argument("--all", action="store_true", help="all of them")
        change.set_defaults(wish=wish)
        if wish == "drop":
            change.add_argument("--yes", action="store_true", help="do not ask")
        else:
            change.set_defaults(yes=True)
