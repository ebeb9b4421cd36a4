"""Programs that end as if the power were cut, at the call of a function that a test names."""

from __future__ import annotations

from pathlib import Path

from tests.support.collector_process import CollectorProcess

KILLED_AT = """if True:
    import os, signal, sys
    from importlib import import_module
    module, _, owner = sys.argv.pop(1).partition(":")
    place = getattr(import_module(module), owner) if owner else import_module(module)
    name, number = sys.argv.pop(1), int(sys.argv.pop(1))
    original, calls = getattr(place, name), []

    def dies(*arguments):
        calls.append(arguments)
        if len(calls) == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return original(*arguments)

    setattr(place, name, dies)
    from collector.cli import main
    sys.exit(main())
"""
"""A command line that kills itself at the call with this number of a function of a module, or of a class: ``module:Class``."""


class DyingCollector(CollectorProcess):
    """Ends at the call with this number of a function of a module or class."""

    def __init__(self, directory: Path, place: str, name: str, number: int, *settings: str) -> None:
        super().__init__(directory, *settings)
        self._dies = [place, name, str(number)]

    @property
    def command(self) -> list[str]:
        """The command line."""
        python, _, _, *arguments = super().command
        return [python, "-c", KILLED_AT, *self._dies, *arguments]
