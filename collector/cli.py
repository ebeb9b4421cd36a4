"""The command line: ``spanledger serve | check | version``.

Exit codes: 0 done, 2 refused to start (one sentence on standard error says why), 130 interrupted from the keyboard.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from importlib import metadata
from pathlib import Path

from collector.errors import StartError
from collector.settings import Settings, describe, load

ENGINE_PACKAGES = ("chdb-core", "chdb-core-lite")
"""Distributions that bring the embedded ClickHouse; the first one that is installed is the one in use."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return the exit code. Usage errors leave through argparse, with exit code 2 as well."""
    arguments = _parser().parse_args(argv)
    run: Callable[[argparse.Namespace], int] = arguments.run
    try:
        code = run(arguments)
        sys.stdout.flush()
        return code
    except StartError as refusal:
        sys.stderr.write(f"spanledger: {refusal}\n")
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # whoever read the output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="spanledger",
        description="An OpenTelemetry collector for LLM applications that keeps the books.",
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, run, about in (
        ("serve", _serve, "receive spans, store them, and answer the read API"),
        ("check", _check, "validate the configuration and print it, with secrets masked"),
    ):
        command = commands.add_parser(name, help=about, description=about, allow_abbrev=False)
        command.add_argument("--config", type=Path, metavar="FILE", help="YAML file; without it: the defaults")
        command.add_argument(
            "--set",
            action="append",
            default=[],
            dest="overrides",
            metavar="KEY=VALUE",
            help="set one key, such as journal.max_size=1GiB; may be repeated",
        )
        command.set_defaults(run=run)
    version = commands.add_parser("version", help="print the versions that matter in a report", allow_abbrev=False)
    version.set_defaults(run=_version)
    return parser


def _settings(arguments: argparse.Namespace) -> Settings:
    return load(arguments.config, arguments.overrides)


def _serve(arguments: argparse.Namespace) -> int:
    settings = _settings(arguments)
    # grpcio's native core logs every failure that we report in a sentence of our own.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    # Here, so that `check` and `version` work without the servers and the database, and at once.
    from collector.app import serve  # noqa: PLC0415

    return serve(settings)


def _check(arguments: argparse.Namespace) -> int:
    settings = _settings(arguments)
    sys.stdout.write(f"configuration is valid\n{describe(settings)}")
    return 0


def _version(_: argparse.Namespace) -> int:
    engines = [name for name in ENGINE_PACKAGES if _installed(name) is not None][:1]
    for name in ("spanledger", "grpcio", *engines, "genai-prices"):
        sys.stdout.write(f"{name} {_installed(name) or '0+unknown'}\n")
    return 0


def _installed(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


if __name__ == "__main__":
    sys.exit(main())
