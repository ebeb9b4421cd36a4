"""F14: SIGHUP, which by default ends a process, and to many a server means: read your configuration again."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
from pathlib import Path

import grpc

from tests.support.collector_process import ROOT
from tests.support.otlp import request, span
from tests.support.outage import EXPORT, CollectorWithoutStore


def test_a_hangup_changes_nothing_and_says_what_to_do(tmp_path: Path) -> None:
    with CollectorWithoutStore(tmp_path) as collector, grpc.insecure_channel(collector.grpc_address) as channel:
        export = channel.unary_unary(EXPORT)
        for number in range(20):
            os.kill(collector.pid, signal.SIGHUP)
            assert export(request(span(name=f"span {number}")).SerializeToString(), timeout=60) == b""
        assert collector.terminate() == 0
    assert len(collector.stored) == 20
    said = [line for line in collector.output if "SIGHUP" in line]
    assert said
    assert (
        said[0]
        .rstrip()
        .endswith("SIGHUP changes nothing: the configuration is read at the start only: restart the collector")
    )


def test_a_collector_whose_terminal_is_closed_stops_as_if_told_to(tmp_path: Path) -> None:
    collector = CollectorWithoutStore(tmp_path)
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        collector.command,
        env=collector._environment(),
        cwd=ROOT,
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        os.close(theirs)
        assert process.stdout is not None
        for line in process.stdout:
            if "metrics" in line:
                break
        process.send_signal(signal.SIGHUP)
        assert "the journal is empty" in process.stdout.read()
        assert process.wait(60) == 0
    os.close(ours)
