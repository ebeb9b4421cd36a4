"""The command line: ``spanledger serve | check | audit | reprice | migrate | dead | sql | prices | keys | version``.

Exit codes: 0 done, 1 the books do not balance, there is no such price or dead letter, or a statement of SQL failed, 2 refused,
130 interrupted from the keyboard. For 2, and where there is no such thing or a statement failed, one sentence on standard error
says why.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from collector.cli_dead import add_dead
from collector.errors import StartError
from collector.settings import Settings, describe, load
from collector.settings_auth import Scope

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
        _command(commands, name, run, about)
    audit = _command(commands, "audit", _audit, "prove that the books balance; the collector must be stopped")
    audit.add_argument(
        "--sample", type=int, default=1000, metavar="N", help="how many costs are computed again (default: 1000)"
    )
    about = "apply the present price book to stored spans; the collector must be stopped"
    reprice = _command(commands, "reprice", _reprice, about)
    day = "a UTC day, such as 2026-01-31, or a time, such as 2026-01-31T12:00"
    reprice.add_argument("--from", required=True, dest="since", metavar="DATE", help=f"first start of a span: {day}")
    reprice.add_argument("--to", required=True, dest="until", metavar="DATE", help="end of the starts, excluded")
    reprice.add_argument("--model", metavar="M", help="only spans that name this request or response model")
    reprice.add_argument(
        "--prices-version", metavar="V", help="refuse unless this version of the price book is installed"
    )
    reprice.add_argument("--dry-run", action="store_true", help="print what would change, and change nothing")
    _command(commands, "migrate", _migrate, "bring the schema up to date; the collector must be stopped")
    _add_sql(commands)
    about = "print the prices that costs are computed with"
    prices = commands.add_parser("prices", help=about, description=about, allow_abbrev=False)
    actions = prices.add_subparsers(required=True, metavar="ACTION")
    listing = _command(actions, "list", _list_prices, "print what every model costs today")
    showing = _command(actions, "show", _show_prices, "print all prices of one model")
    showing.add_argument("model", metavar="MODEL", help="name of the model, as senders give it")
    showing.add_argument("--at", metavar="DATE", help="only what applies on that day, such as 2026-01-31")
    for command in (listing, showing):
        command.add_argument("--provider", default="", metavar="P", help="who bills, such as openai or aws.bedrock")
    add_dead(commands, _command, _settings)
    _add_keys(commands)
    version = commands.add_parser("version", help="print the versions that matter in a report", allow_abbrev=False)
    version.set_defaults(run=_version)
    return parser


def _add_sql(commands: Any) -> None:
    about = "ask with SQL; while the collector runs, over its HTTP interface (query.sql.endpoint)"
    sql = _command(commands, "sql", _sql, about)
    what = sql.add_mutually_exclusive_group(required=True)
    what.add_argument(
        "statement",
        nargs="?",
        metavar="STATEMENT",
        help="SELECT, SHOW, DESCRIBE, EXPLAIN; - reads it from standard input",
    )
    what.add_argument("--file", type=Path, metavar="F", help="file that holds the statement")
    what.add_argument("--ready", metavar="NAME", help="one of the ready queries")
    what.add_argument("--list", action="store_true", help="list the ready queries, and what they answer")
    sql.add_argument(
        "--format",
        default="table",
        metavar="FORMAT",
        help="table (default), json (one object a line), csv, tsv, or a format of ClickHouse, such as Parquet",
    )
    sql.add_argument(
        "--param",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="value of {NAME:Type} in the statement; may be repeated",
    )


def _add_keys(commands: Any) -> None:
    about = "make API keys"
    keys = commands.add_parser("keys", help=about, description=about, allow_abbrev=False)
    actions = keys.add_subparsers(required=True, metavar="ACTION")
    about = "print a new API key, once, and what to write into the configuration, which keeps only its hash"
    new = actions.add_parser("new", help=about, description=about, allow_abbrev=False)
    new.add_argument("--project", required=True, metavar="P", help="project whose data the key opens")
    new.add_argument(
        "--scope",
        action="append",
        choices=[scope.value for scope in Scope],
        dest="scopes",
        help="what the key allows; may be repeated (default: write and read)",
    )
    new.add_argument("--name", metavar="N", help="what people call the key (default: one that is made)")
    new.set_defaults(run=_new_key)


def _command(commands: Any, name: str, run: Callable[[argparse.Namespace], int], about: str) -> argparse.ArgumentParser:
    """Add a command that takes a configuration."""
    command: argparse.ArgumentParser = commands.add_parser(name, help=about, description=about, allow_abbrev=False)
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
    return command


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


def _audit(arguments: argparse.Namespace) -> int:
    settings = _settings(arguments)
    from collector.books import audit  # noqa: PLC0415 - the database takes a moment to load

    return audit(settings, sample=arguments.sample)


def _reprice(arguments: argparse.Namespace) -> int:
    settings = _settings(arguments)
    from collector.books import reprice  # noqa: PLC0415 - as above

    return reprice(
        settings,
        since=arguments.since,
        until=arguments.until,
        model=arguments.model,
        version=arguments.prices_version,
        dry_run=arguments.dry_run,
    )


def _migrate(arguments: argparse.Namespace) -> int:
    settings = _settings(arguments)
    from collector.books import migrate  # noqa: PLC0415 - as above

    return migrate(settings)


def _sql(arguments: argparse.Namespace) -> int:
    settings = _settings(arguments)
    from collector.cli_sql import print_ready, run_statement  # noqa: PLC0415 - as above

    if arguments.list:
        print_ready()
        return 0
    return _found(
        run_statement(
            settings,
            statement=arguments.statement,
            file=arguments.file,
            ready=arguments.ready,
            form=arguments.format,
            parameters=arguments.param,
        )
    )


def _list_prices(arguments: argparse.Namespace) -> int:
    overrides = _settings(arguments).enrich.prices.overrides
    from collector.cli_prices import list_prices  # noqa: PLC0415 - the price book takes a moment to load

    return _found(list_prices(overrides, provider=arguments.provider))


def _show_prices(arguments: argparse.Namespace) -> int:
    overrides = _settings(arguments).enrich.prices.overrides
    from collector.cli_prices import show_prices  # noqa: PLC0415 - as above

    return _found(show_prices(overrides, arguments.model, provider=arguments.provider, at=arguments.at))


def _new_key(arguments: argparse.Namespace) -> int:
    from collector.cli_keys import print_new_key  # noqa: PLC0415 - as above

    print_new_key(arguments.project, [Scope(scope) for scope in arguments.scopes or ("write", "read")], arguments.name)
    return 0


def _found(refusal: str) -> int:
    if refusal:
        sys.stderr.write(f"spanledger: {refusal}\n")
    return 1 if refusal else 0


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
