"""What a person sees in the terminal when the collector starts and stops."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from collector.settings import Settings

_console = Console(stderr=False, highlight=False, soft_wrap=True)


def show_listening(settings: Settings, *, grpc_port: int, ports: Mapping[str, int], version: str) -> None:
    """Say where the collector listens, where the data is, what an acknowledgement promises, who may ask, and what to try.

    `ports` has that of each HTTP server, by the key of its endpoint.
    """
    grpc = f"{_host(settings.receive.grpc.endpoint.host)}:{grpc_port}"
    query = f"http://{_host(settings.query.endpoint.host)}:{ports['query.endpoint']}"
    durability = {
        "always": "after fsync (journal.sync: always)",
        "interval": "before fsync, which follows within a second (journal.sync: interval): a power cut may lose a second",
        "off": "without fsync (journal.sync: off): a power cut may lose acknowledged spans",
    }[settings.journal.sync]
    asked = settings.query.sql.endpoint
    sql = f"http://{_host(asked.host)}:{ports['query.sql.endpoint']}" if asked else "not served (query.sql.endpoint)"
    rows = (
        ("OTLP/gRPC", grpc),
        ("read API", f"{query}/traces"),
        ("its docs", f"{query}/docs"),
        ("metrics", f"{query}/metrics"),
        ("SQL", sql),
        ("journal", f"{settings.journal.directory.resolve()}"),
        ("ClickHouse", settings.clickhouse.where),
        ("acknowledged", durability),
        ("access", _access(settings)),
    )
    table = Table.grid(padding=(0, 2))
    table.add_column()
    table.add_column(overflow="fold")
    for name, value in rows:
        table.add_row(f"[bold]{name}[/bold]", escape(value))
    _console.print(f"[bold]spanledger {escape(version)}[/bold] is listening\n")
    _console.print(table)
    _console.print(
        "\nTry next, in another terminal:\n\n"
        "  make demo\n"
        "      a real instrumented program, its trace and its cost\n"
        f"  export OTEL_EXPORTER_OTLP_ENDPOINT=http://{escape(grpc)} OTEL_EXPORTER_OTLP_PROTOCOL=grpc\n"
        "      where an instrumented app of yours finds the collector\n"
        f"  curl {escape(query)}/traces\n"
        "      the newest traces\n\n"
        "Ctrl-C stops it; nothing acknowledged is lost.\n"
    )


def show_stopped(sentence: str) -> None:
    """Print one sentence about the stop."""
    _console.print(escape(sentence))


def _access(settings: Settings) -> str:
    keys = settings.auth.keys
    if not keys:
        return "anybody who reaches these ports: there are no API keys (auth.keys)"
    projects = len({key.project for key in keys})
    return f"with one of the API keys of the configuration: {len(keys)}, of {projects} project{'s'[: projects > 1]}"


def _host(host: str) -> str:
    return f"[{host}]" if ":" in host else host
