"""A collector as a child process, on ports the system hands out and data in a given directory."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


class CollectorProcess:
    """Start with `start()` (again after `kill()`); the data directory outlives the process."""

    module = "collector.cli"
    ready_at = "/readyz"

    def __init__(self, directory: Path, *settings: str, config: Path | None = None) -> None:
        """`settings` are further KEY=VALUE overrides, `config` is a configuration file."""
        self.directory = directory
        self._config = [] if config is None else ["--config", str(config)]
        self.output: list[str] = []
        self._settings = settings
        self._process: subprocess.Popen[str] | None = None
        self._reader = threading.Thread()

    @property
    def command(self) -> list[str]:
        """The command line."""
        overrides = (
            "receive.grpc.endpoint=127.0.0.1:0",
            "query.endpoint=127.0.0.1:0",
            "deliver.batch_interval=0ns",
            f"journal.directory={self.directory}/journal",
            f"clickhouse.url=chdb:{self.directory}/clickhouse",
            *self._settings,
        )
        words = [word for override in overrides for word in ("--set", override)]
        return [sys.executable, "-m", self.module, "serve", *self._config, *words]

    def start(self, seconds: float = 60.0) -> CollectorProcess:
        """Start it and wait until it is ready."""
        self.output = []
        self._process = subprocess.Popen(
            self.command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=self._environment()
        )
        self._reader = threading.Thread(target=self._read_output, args=(self._process,), daemon=True)
        self._reader.start()
        until = time.monotonic() + seconds
        while not self._ready():
            if self._process.poll() is not None or time.monotonic() > until:
                self.kill()
                raise AssertionError("the collector did not start:\n" + "".join(self.output))
            time.sleep(0.02)
        return self

    def kill(self) -> None:
        """End it as a power switch would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._reader.join()

    def terminate(self, seconds: float = 60.0) -> int:
        """Ask it to stop, and return its exit code."""
        self.ask_to_stop()
        return self.wait(seconds)

    def ask_to_stop(self) -> None:
        """Send SIGTERM."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)

    def wait(self, seconds: float = 60.0) -> int:
        """Wait for its end, and return its exit code; -9 if it was killed."""
        assert self._process is not None
        code = self._process.wait(seconds)
        self._reader.join()
        return code

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """Process id."""
        assert self._process is not None
        return self._process.pid

    @property
    def grpc_address(self) -> str:
        """host:port of OTLP/gRPC."""
        return self._printed(r"OTLP/gRPC\s+(\S+)")

    @property
    def url(self) -> str:
        """Base URL of the read API."""
        return self._printed(r"metrics\s+(\S+)/metrics")

    def get(self, path: str, **headers: str) -> str:
        """Body of a GET on the read API; of the names of headers, _ stands for -."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        with urllib.request.urlopen(urllib.request.Request(self.url + path, headers=sent), timeout=30) as response:
            return str(response.read().decode())

    def metric(self, name: str) -> float:
        """Sum of a metric over its labels."""
        lines = self.get("/metrics").splitlines()
        values = [float(line.rsplit(" ", 1)[1]) for line in lines if re.match(rf"{name}(\{{|\s)", line)]
        return sum(values)

    def cpu_seconds(self) -> float:
        """Processor time of all its threads so far, user and system."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def peak_memory(self) -> int:
        """Most bytes that were ever resident."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        found = re.search(r"VmHWM:\s+(\d+) kB", status)
        assert found
        return int(found[1]) * 1024

    def __enter__(self) -> CollectorProcess:
        return self.start()

    def __exit__(self, *_: Any) -> None:
        self.kill()

    def _ready(self) -> bool:
        try:
            return bool(self.get(self.ready_at))
        except (AssertionError, urllib.error.URLError, ConnectionError):
            return False

    def _read_output(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        with process.stdout as lines:
            self.output.extend(lines)

    def _printed(self, pattern: str) -> str:
        found = re.search(pattern, "".join(self.output))
        assert found, "".join(self.output)
        return found[1]

    @staticmethod
    def _environment() -> dict[str, str]:
        # Wide lines, so that what is printed can be read back.
        return {
            **os.environ,
            "COLUMNS": "200",
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
            "NO_PROXY": "127.0.0.1",
        }
