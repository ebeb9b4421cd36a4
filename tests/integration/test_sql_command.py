"""``spanledger sql`` from outside: on a stopped database, and on a running collector."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

from collector.auth import hash_of, new_key
from tests.support.collector_process import ROOT, CollectorProcess
from tests.support.command import spanledger
from tests.support.otlp import NOW, request, span

EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
NAME = "a [bold]call[/bold]\x1b[31m"


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data of a collector that took a span and was stopped."""
    directory = tmp_path_factory.mktemp("stopped")
    with CollectorProcess(directory) as collector:
        send(collector)
        assert collector.terminate() == 0
    return directory


def send(collector: CollectorProcess, key: str = "") -> None:
    payload = request(span(name=NAME, start=NOW, attributes={"gen_ai.operation.name": "chat"})).SerializeToString()
    with grpc.insecure_channel(collector.grpc_address) as channel:
        call = channel.unary_unary(EXPORT)
        call(payload, metadata=(("x-api-key", key),) if key else (), timeout=30)


def ask(directory: Path, *arguments: str, sent: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """With standard input and an environment."""
    settings = (f"journal.directory={directory}/journal", f"clickhouse.url=chdb:{directory}/clickhouse")
    words = (word for setting in settings for word in ("--set", setting))
    return subprocess.run(
        [sys.executable, "-m", "collector.cli", "sql", *arguments, *words],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT), **environment}, input=sent, capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip


def test_a_table_shows_rows_as_they_are_and_commands_no_terminal(stopped: Path) -> None:
    done = spanledger(stopped, "sql", "SELECT name, 7 AS number, NULL AS nothing FROM spans FINAL")
    assert done.returncode == 0, done.stderr
    head, _, row, *_ = [line for line in done.stdout.splitlines() if line.strip()]
    assert head.split() == ["name", "number", "nothing"]
    assert "a [bold]call[/bold]\\x1b[31m" in row
    assert row.split()[-2:] == ["7", "NULL"]
    assert "1 row\n" in done.stdout
    assert "\x1b" not in done.stdout


def test_formats_files_parameters_and_standard_input(stopped: Path, tmp_path: Path) -> None:
    file = tmp_path / "query.sql"
    file.write_text("-- a comment\nSELECT {a:String} AS a, {b:UInt8} AS b;\n")
    parameters = ("--param", "a=it's \\ a\ttab\nand =", "--param", "b=3")
    done = ask(stopped, "--file", str(file), "--format", "json", *parameters)
    assert json.loads(done.stdout) == {"a": "it's \\ a\ttab\nand =", "b": 3}
    assert ask(stopped, "-", "--format", "csv", sent="SELECT 1 AS a, 'x' AS b").stdout == '"a","b"\n1,"x"\n'
    assert ask(stopped, "SELECT 1 AS a", "--format", "tsv").stdout == "a\n1\n"
    assert ask(stopped, "SELECT 1 AS a", "--format", "Vertical").stdout.endswith("a: 1\n")
    assert ask(stopped, "SELECT 1 AS a FORMAT JSONCompactEachRow").stdout == "[1]\n", "the statement's own wins"


def test_ready_queries_are_listed_and_run(stopped: Path) -> None:
    listed = ask(stopped, "--list")
    assert listed.returncode == 0
    assert "cost_by_model_and_day" in listed.stdout
    assert "What each model cost on each of the last 30 days" in listed.stdout
    done = ask(stopped, "--ready", "error_rate", "--format", "json")
    assert json.loads(done.stdout)["spans"] == 1
    tree = ask(stopped, "--ready", "trace_tree", "--param", "trace_id=" + "0" * 32)
    assert (tree.returncode, "0 rows" in tree.stdout) == (0, True)


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["SELECT"], 1, "Syntax error: failed at position 7 (end of query): (SYNTAX_ERROR)"),
        (["SELECT x FROM spans"], 1, "Unknown expression identifier `x`"),
        (["SELECT file('/etc/passwd')"], 1, "Not allowed here: the function file (ACCESS_DENIED)"),
        (["DROP TABLE spans"], 1, "Not allowed here: a statement other than SELECT"),
        (
            ["SELECT * FROM nothing"],
            1,
            "There is no such table: SHOW TABLES lists those that there are (UNKNOWN_TABLE)",
        ),
        (["--ready", "nothing"], 2, '--ready "nothing": allowed are cache_hit_rate, '),
        (["--file", "/nowhere.sql"], 2, "--file /nowhere.sql: it cannot be read: No such file or directory"),
        (["SELECT 1", "--param", "x"], 2, '--param "x": allowed is NAME=VALUE'),
    ],
)
def test_what_is_wrong_is_one_sentence(stopped: Path, arguments: list[str], code: int, sentence: str) -> None:
    done = ask(stopped, *arguments)
    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr.startswith(f"spanledger: {sentence}")
    assert done.stderr.count("\n") == 1


def test_where_there_is_no_database_it_says_so(tmp_path: Path) -> None:
    done = ask(tmp_path, "SELECT 1")
    assert (done.returncode, "there is no database in" in done.stderr) == (2, True)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str, str]]:
    """A running collector with a key: its directory, its configuration, the key."""
    directory, key = tmp_path_factory.mktemp("running"), new_key()
    config = directory / "spanledger.yaml"
    config.write_text(
        f"auth: {{keys: [{{name: k, project: shop, scopes: [write, read], hash: '{hash_of(key)}'}}]}}\n"
        f"query: {{sql: {{endpoint: '0.0.0.0:{free_port()}'}}}}\n"
    )
    with CollectorProcess(directory, config=config) as collector:
        send(collector, key)
        yield directory, str(config), key


def test_a_running_collector_is_asked_over_http(running: tuple[Path, str, str]) -> None:
    directory, config, key = running
    statement = ("SELECT name FROM spans", "--config", config, "--format", "json")
    until = time.monotonic() + 30
    while not (done := ask(directory, *statement, SPANLEDGER_API_KEY=key)).stdout:
        assert done.returncode == 0, done.stderr
        assert time.monotonic() < until
    assert json.loads(done.stdout) == {"name": NAME}
    table = ask(directory, "SELECT {a:String} AS a", "--param", "a=x\\y", "--config", config, SPANLEDGER_API_KEY=key)
    assert "x\\y" in table.stdout
    failed = ask(directory, "SELECT", "--config", config, SPANLEDGER_API_KEY=key)
    assert (failed.returncode, failed.stderr.startswith("spanledger: Syntax error: failed at position 7")) == (1, True)
    refused = ask(directory, *statement)
    assert refused.returncode == 1
    assert "here the key is read from SPANLEDGER_API_KEY (REQUIRED_PASSWORD)" in refused.stderr


def test_a_running_collector_without_the_interface_is_told_what_to_configure(running: tuple[Path, str, str]) -> None:
    directory, _, _ = running
    done = ask(directory, "SELECT 1")
    assert done.returncode == 2
    assert "set query.sql.endpoint, such as 127.0.0.1:8123, for it and here, or stop it" in done.stderr
    other = ask(directory, "SELECT 1", "--set", f"query.sql.endpoint=127.0.0.1:{free_port()}")
    assert other.returncode == 2
    assert "it may have been started without this setting" in other.stderr
