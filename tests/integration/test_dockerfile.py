"""The Dockerfile, without a container engine: what it says, and its commands replayed in a clean virtual environment.

The build context is what .dockerignore lets through, the container's file system is a temporary directory, and every
`python` and `pip` command of the RUN steps is run for real. `NOT_REPLAYED` is the rest: it needs a root account in a
Debian image, so only a real build tries it.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path, PurePosixPath

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]

NOT_REPLAYED = [
    "groupadd --system --gid 10001 spanledger",
    "useradd --system --uid 10001 --gid 10001 --home-dir /var/lib/spanledger --shell /usr/sbin/nologin spanledger",
    "install --directory --owner 10001 --group 10001 --mode 0750 /var/lib/spanledger",
]


def parse(text: str) -> list[list[tuple[str, str]]]:
    """Return the stages of a Dockerfile, each as its instructions and their arguments, FROM first."""
    lines = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    stages: list[list[tuple[str, str]]] = []
    for line in re.sub(r"\s*\\\n\s*", " ", lines).splitlines():
        if not line.strip():
            continue
        name, _, argument = line.partition(" ")
        if name == "FROM":
            stages.append([])
        stages[-1].append((name, argument.strip()))
    return stages


STAGES = parse((ROOT / "Dockerfile").read_text())


def last(name: str) -> str:
    """Return the argument of the instruction that appears exactly once in the final stage."""
    (argument,) = [argument for instruction, argument in STAGES[-1] if instruction == name]
    return argument


@dataclass
class Replay:
    """A build whose container root is `root`: stages share it, as a file keeps its path from stage to stage here."""

    context: Path
    root: Path
    directory: PurePosixPath = field(default_factory=lambda: PurePosixPath("/"))
    not_replayed: list[str] = field(default_factory=list)

    def path(self, inside: str) -> Path:
        """Return where a path of the container is on this machine."""
        return self.root / (self.directory / inside).relative_to("/")

    def step(self, instruction: str, argument: str) -> None:
        """Do what one instruction does to the file system."""
        if instruction == "FROM":
            self.directory = PurePosixPath("/")
        elif instruction == "WORKDIR":
            self.directory = self.directory / argument
            self.path(".").mkdir(parents=True, exist_ok=True)
        elif instruction == "COPY":
            self.copy(shlex.split(argument))
        elif instruction == "RUN":
            for command in argument.split(" && "):
                self.run(command)

    def copy(self, arguments: list[str]) -> None:
        if arguments[0].startswith("--from="):
            assert arguments[1] == arguments[2], "a virtual environment only works at the path where it was made"
            return
        *names, target = arguments
        for source in map(self.context.joinpath, names):
            if source.is_dir():
                shutil.copytree(source, self.path(target), dirs_exist_ok=True)
            else:
                file = self.path(target) / source.name if target.endswith("/") else self.path(target)
                file.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, file)

    def run(self, command: str) -> None:
        words = [str(self.path(word)) if word.startswith("/") else word for word in shlex.split(command)]
        if words[0] == "python":
            words[0] = sys.executable
        elif not words[0].startswith(f"{self.root}/opt/venv/bin/"):
            self.not_replayed.append(command)
            return
        execute(words, self.path("."))


def execute(words: list[str], directory: Path) -> str:
    """Run a command as the container would, outside of the environment of this test run; return its output."""
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    done = subprocess.run(words, cwd=directory, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{shlex.join(words)}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replay]:
    replay = Replay(context=tmp_path_factory.mktemp("context"), root=tmp_path_factory.mktemp("container"))
    patterns = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and line[0] != "#"]
    assert patterns[0] == "*"
    for name in (pattern[1:] for pattern in patterns if pattern.startswith("!")):
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, replay.context / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, replay.context / name)
    for stage in STAGES:
        for instruction, argument in stage:
            replay.step(instruction, argument)
    yield replay
    shutil.rmtree(replay.root)  # pytest would keep three of these, and one is hundreds of megabytes


def test_two_stages_share_one_base_image_that_is_pinned_to_a_version() -> None:
    images = [stage[0][1].split(" ")[0] for stage in STAGES]
    assert len(images) == 2
    assert images[0] == images[1]
    assert re.fullmatch(r"python:3\.\d+(\.\d+)?-slim(-\w+)?", images[0])


def test_the_container_runs_as_a_user_with_a_fixed_number_that_is_not_root() -> None:
    user, _, group = last("USER").partition(":")
    assert int(user) > 0
    assert int(group) > 0
    assert any(f"useradd --system --uid {user} --gid {group} " in command for command in NOT_REPLAYED)


def test_the_container_serves_the_configuration_file_that_was_copied() -> None:
    command = [*json.loads(last("ENTRYPOINT")), *json.loads(last("CMD"))]
    assert command[:3] == ["spanledger", "serve", "--config"]
    assert ("COPY", f"config/docker.yaml {command[3]}") in STAGES[-1]


def test_the_configured_ports_are_exposed_and_the_configured_data_is_on_the_volume() -> None:
    settings = yaml.safe_load((ROOT / "config" / "docker.yaml").read_text())
    endpoints = [settings["receive"]["grpc"]["endpoint"], settings["query"]["endpoint"]]
    assert [endpoint.rpartition(":")[2] for endpoint in endpoints] == last("EXPOSE").split()
    volume = PurePosixPath(last("VOLUME"))
    for directory in (settings["journal"]["directory"], settings["clickhouse"]["url"].removeprefix("chdb:")):
        assert PurePosixPath(directory).is_relative_to(volume)
    assert any(command.startswith("install ") and command.endswith(f" {volume}") for command in NOT_REPLAYED)


def test_nothing_but_the_documented_commands_is_left_to_a_real_build(built: Replay) -> None:
    assert built.not_replayed == NOT_REPLAYED


def test_the_installed_command_tells_its_version(built: Replay) -> None:
    pyproject = (ROOT / "pyproject.toml").read_text()
    version = re.search(r'^version = "(.+)"$', pyproject, re.MULTILINE)
    assert version is not None
    assert version[1] in execute([str(built.path("/opt/venv/bin/spanledger")), "version"], built.root)


def test_the_installed_command_accepts_the_configuration_of_the_container(built: Replay) -> None:
    configuration = built.path(json.loads(last("CMD"))[-1])
    command = [str(built.path("/opt/venv/bin/spanledger")), "check", "--config", str(configuration)]
    assert "configuration is valid" in execute(command, built.root)


def test_the_embedded_engine_is_installed(built: Replay) -> None:
    query = "import chdb; print(chdb.query('SELECT 1 + 1'))"
    assert execute([str(built.path("/opt/venv/bin/python")), "-c", query], built.root).strip() == "2"


def health(port: int) -> int:
    """Return the exit code of the health check, asked of another port of this machine."""
    command = json.loads(last("HEALTHCHECK").partition("CMD ")[2])
    assert (command[0], "4319" in command[2], "/healthz" in command[2]) == ("python", True, True)
    words = [sys.executable, "-c", command[2].replace("4319", str(port))]
    return subprocess.run(words, stderr=subprocess.DEVNULL, check=False).returncode


@contextmanager
def answering(status: int) -> Iterator[int]:
    """Answer every GET request with this status; yields the port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/healthz" else 404)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Print nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def test_the_health_check_passes_while_healthz_answers_200_and_at_no_other_time() -> None:
    with answering(200) as port:
        assert health(port) == 0
    with answering(503) as refusing:
        assert health(refusing) != 0
    assert health(port) != 0
