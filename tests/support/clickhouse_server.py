"""Real ClickHouse servers for tests: one by itself, or two shards of a cluster. They listen on loopback only.

What runs, is the first of these that there is: the server that SPANLEDGER_TEST_CLICKHOUSE_URL names (one by itself only),
the program `clickhouse` on PATH, or ClickHouse out of the npm package @chdb/lib-linux-x64-gnu, which `make` fetches into
.venv. Without any of them tests fail, and are not skipped.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path

ROOT = Path(__file__).parents[2]

LIBRARY = ROOT / ".venv" / "clickhouse" / "package" / "libchdb.so"
"""Where `make` puts ClickHouse."""

CLUSTER = "shards"
"""Name of the cluster of two shards."""

USER, PASSWORD = "ledger", "p@ss/word:1"
"""The user that collectors connect as. `default` has no password, because the library's own first query needs it so."""

GRANTED = "granted"
RIGHTS = (
    "SELECT, INSERT, ALTER, CREATE, DROP, TRUNCATE ON granted.*",
    "SELECT ON system.*",
    "TABLE ENGINE ON *",
    "REMOTE, CLUSTER ON *.*",
)
"""A user with the rights that the README asks for, on a database of the same name; its password is that of `USER`."""

_PROGRAM = Path(__file__).with_name("clickhouse_program.py")

# The last statement keeps the library's process alive.
_LISTEN = (
    "SYSTEM START LISTEN HTTP; SYSTEM START LISTEN TCP; SELECT count() FROM system.numbers WHERE sleepEachRow(1) = 1"
    " SETTINGS max_block_size = 1, function_sleep_max_microseconds_per_block = 0"
)


class ClickHouseServer:
    """One server process; its data outlive it, and `start` may be called again after `kill`."""

    def __init__(self, directory: Path, *, shards: Sequence[int] = (), config: str = "", http_port: int = 0) -> None:
        """`shards`: native ports of all shards of the cluster, the first of which is this one's own; `config`: more XML."""
        self.directory = directory
        self.http_port = http_port or free_port()
        self.tcp_port = shards[0] if shards else free_port()
        self._process: subprocess.Popen[bytes] | None = None
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "users.xml").write_text(_users())
        (directory / "config.xml").write_text(_config(directory, sorted(shards), config))

    @property
    def pid(self) -> int:
        """Process id."""
        assert self._process is not None
        return self._process.pid

    @property
    def url(self) -> str:
        """What `clickhouse.url` would be, without the name of a database."""
        return f"http://{USER}:{urllib.parse.quote(PASSWORD, safe='')}@127.0.0.1:{self.http_port}"

    def start(self, seconds: float = 60.0) -> ClickHouseServer:
        """Start it and wait until it answers."""
        with (self.directory / "log.txt").open("ab") as log:
            self._process = subprocess.Popen(self._command(), stdout=log, stderr=log, cwd=self.directory)
        until = time.monotonic() + seconds
        while True:
            with suppress(urllib.error.URLError, ConnectionError, TimeoutError):
                self.ask("SELECT 1")
                return self
            if self._process.poll() is not None or time.monotonic() > until:
                self.kill()
                raise AssertionError("ClickHouse did not start:\n" + (self.directory / "log.txt").read_text()[-2000:])
            time.sleep(0.05)

    def ask(self, sql: str, **parameters: str) -> str:
        """The answer to a statement, as the superuser."""
        query = urllib.parse.urlencode(parameters)
        request = urllib.request.Request(f"http://127.0.0.1:{self.http_port}/?{query}", data=sql.encode())
        with urllib.request.urlopen(request, timeout=60) as answer:
            return str(answer.read().decode())

    def signal(self, number: int) -> None:
        """Send it a signal, such as SIGSTOP and SIGCONT."""
        assert self._process is not None
        self._process.send_signal(number)

    def kill(self) -> None:
        """End it as a power switch would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def __enter__(self) -> ClickHouseServer:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.kill()

    def _command(self) -> list[str]:
        arguments = [
            f"--config-file={self.directory}/config.xml",
            f"--path={self.directory}/data",
            "--listen_host=127.0.0.1",
            f"--http_port={self.http_port}",
            f"--tcp_port={self.tcp_port}",
        ]
        if program := shutil.which("clickhouse"):
            return [program, "server", arguments[0], "--", *arguments[1:]]
        return [sys.executable, str(_PROGRAM), str(library()), *arguments, "-q", _LISTEN]


def library() -> Path:
    """The library that holds ClickHouse, which must be there."""
    if not LIBRARY.exists():
        raise AssertionError(f"there is no ClickHouse server to test with: run `make`, which fetches {LIBRARY}")
    return LIBRARY


@contextmanager
def one_server(directory: Path) -> Iterator[str]:
    """The URL of a server by itself."""
    if given := os.environ.get("SPANLEDGER_TEST_CLICKHOUSE_URL"):
        yield given.rstrip("/")
        return
    with ClickHouseServer(directory) as server:
        yield server.url


@contextmanager
def two_shards(directory: Path) -> Iterator[tuple[ClickHouseServer, ClickHouseServer]]:
    """Two servers, each a shard of the cluster `CLUSTER`."""
    first, second = free_port(), free_port()
    with (
        ClickHouseServer(directory / "1", shards=(first, second)) as one,
        ClickHouseServer(directory / "2", shards=(second, first)) as two,
    ):
        yield one, two


def joined_url(servers: Sequence[ClickHouseServer]) -> str:
    """One URL that names all of these servers, without the name of a database."""
    hosts = ",".join(f"127.0.0.1:{server.http_port}" for server in servers)
    return servers[0].url.rsplit("@", 1)[0] + "@" + hosts


def free_port() -> int:
    """A port that the system hands out."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        port: int = listening.getsockname()[1]
    return port


def _config(directory: Path, shards: Sequence[int], more: str) -> str:
    replicas = "".join(
        f"<shard><internal_replication>true</internal_replication><replica><host>127.0.0.1</host><port>{port}</port>"
        "</replica></shard>"
        for port in shards
    )
    cluster = f"<remote_servers><{CLUSTER}>{replicas}</{CLUSTER}></remote_servers>" if shards else ""
    return f"""<clickhouse>
  <logger><level>warning</level><console>1</console></logger>
  <users_config>{directory}/users.xml</users_config>
  <user_directories><users_xml><path>{directory}/users.xml</path></users_xml></user_directories>
  <mark_cache_size>268435456</mark_cache_size>
  {cluster}
  {more}
</clickhouse>
"""


def _users() -> str:
    all_rights = "<access_management>1</access_management>"
    rights = "".join(f"<query>GRANT {one}</query>" for one in RIGHTS)
    entries = (
        ("default", "", all_rights),
        (USER, PASSWORD, all_rights),
        (GRANTED, PASSWORD, f"<grants>{rights}</grants>"),
    )
    users = "".join(
        f"<{name}><password>{password}</password><networks><ip>127.0.0.1</ip></networks><profile>default</profile>"
        f"<quota>default</quota>{rights}</{name}>"
        for name, password, rights in entries
    )
    return f"""<clickhouse>
  <profiles><default><log_queries>0</log_queries></default></profiles>
  <quotas><default/></quotas>
  <users>{users}</users>
</clickhouse>
"""
