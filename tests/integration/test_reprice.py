"""``spanledger reprice`` from outside: what it prints, and what it refuses."""

from __future__ import annotations

import asyncio
import re
import shutil
import time
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

import grpc
import pytest

from collector.journal import Journal
from tests.support.collector_process import CollectorProcess
from tests.support.command import spanledger
from tests.support.otlp import NOW, request, span
from tests.support.stored import stored

EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
EVER = ("--from", "2020-01-01", "--to", "2100-01-01T00:00:00+02:00")
PRICES = """
enrich:
  prices:
    overrides:
      - {model: gpt-4o, provider: openai, rates: {input: 5, output: 20}}
      - {model: house-model, rates: {input: 1}}
"""


def call(model: str, input_tokens: int) -> dict[str, object]:
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": model,
        "gen_ai.usage.input_tokens": input_tokens,
        "gen_ai.usage.output_tokens": 0,
    }


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data of a collector that took two calls of a known model and one of a model that nobody sells."""
    directory = tmp_path_factory.mktemp("ran")
    (directory / "prices.yaml").write_text(PRICES)
    calls = [call("gpt-4o", 1_000_000), call("gpt-4o", 2_000_000), call("house-model", 3_000_000)]
    payload = request(*(span(start=NOW - 10**9, attributes=one) for one in calls)).SerializeToString()

    async def send(address: str) -> None:
        async with grpc.aio.insecure_channel(address) as channel:
            await channel.unary_unary(EXPORT)(payload, timeout=30)

    with CollectorProcess(directory) as collector:
        asyncio.run(send(collector.grpc_address))
        assert collector.terminate() == 0
    return directory


@pytest.fixture
def data(ran: Path, tmp_path: Path) -> Path:
    """A copy of it, to be repriced."""
    shutil.copytree(ran, tmp_path / "data", symlinks=True)
    return tmp_path / "data"


def test_what_changes_is_printed_by_model_and_a_second_run_changes_nothing(data: Path) -> None:
    command = ("reprice", *EVER, "--config", data / "prices.yaml")
    dry, done, again = spanledger(data, *command, "--dry-run"), spanledger(data, *command), spanledger(data, *command)
    assert [one.returncode for one in (dry, done, again)] == [0, 0, 0], dry.stderr + done.stderr + again.stderr
    for printed in (dry.stdout, done.stdout):
        assert re.search(r"^ gpt-4o +2 +7\.50 +15\.00 +7\.50 *$", printed, re.MULTILINE), printed
        assert re.search(r"^ house-model +1 +0\.00 +3\.00 +3\.00 *$", printed, re.MULTILINE), printed
        assert re.search(r"^ all +3 +7\.50 +18\.00 +10\.50 *$", printed, re.MULTILINE), printed
    assert "Spans that would change: 3.\nThis was a dry run: nothing was written.\n" in dry.stdout
    assert "Spans that changed: 3.\n" in done.stdout
    assert again.stdout == "Spans that changed: 0.\n"
    costs = "SELECT (SELECT toString(sum(cost_total)) FROM spans FINAL), (SELECT toString(sum(cost_total)) FROM traces FINAL)"
    assert stored(data, costs) == [["18", "18"]]
    assert stored(data, "SELECT count() FROM prices WHERE source = 'configuration'")[0][0] > 0, (
        "the evidence can be looked up"
    )


def test_one_model_can_be_repriced_alone(data: Path) -> None:
    done = spanledger(data, "reprice", *EVER, "--model", "house-model", "--config", data / "prices.yaml")
    assert "Spans that changed: 1.\n" in done.stdout, done.stderr


def test_the_installed_version_may_be_named_and_no_other(data: Path) -> None:
    version = metadata.version("genai-prices")
    for name in (version, f"genai-prices {version}"):
        assert spanledger(data, "reprice", *EVER, "--dry-run", "--prices-version", name).returncode == 0
    done = spanledger(data, "reprice", *EVER, "--prices-version", "0.0.0")
    assert done.returncode == 2
    assert done.stderr.startswith("spanledger: --prices-version 0.0.0: this installation has genai-prices")


def test_requests_that_wait_for_delivery_are_named(data: Path) -> None:
    with Journal.open(data / "journal", max_size=1 << 28, sync="always") as journal:
        journal.append("default", time.time_ns(), request(span()).SerializeToString()).result()
    done = spanledger(data, "reprice", *EVER)
    assert "wait in the journal, and are priced when they are delivered: 1.\n" in done.stdout


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--from", "2026-01-01", "--to", "2026-01-01"), "no time lies between them"),
        (("--from", "yesterday", "--to", "2026-01-01"), "--from yesterday: allowed is a day such as 2026-01-31"),
        (("--from", "2026-01-01", "--to", "2300-01-01"), "--to 2300-01-01: allowed is a day"),
    ],
)
def test_a_period_that_is_none_is_refused_with_one_sentence(
    tmp_path: Path, words: Sequence[str], sentence: str
) -> None:
    done = spanledger(tmp_path, "reprice", *words)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1
