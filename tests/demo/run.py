"""What `make demo` does: a real instrumented program, its trace as the read API gives it, and what it cost.

Uses the collector that listens on the default ports. Where none does, it starts one with its data in a temporary
directory, and takes both away at the end.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text
from rich.tree import Tree

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.demo import program
from tests.demo.model_server import ModelServer

ROOT = Path(__file__).resolve().parents[2]
OTLP_ENDPOINT = "http://127.0.0.1:4317"
READ_API = "http://127.0.0.1:4319"
START_SECONDS = 60.0
READ_SECONDS = 15.0
STOP_SECONDS = 30.0
POLL_SECONDS = 0.1


class DemoError(Exception):
    """The demo cannot go on. The text is one sentence for a person."""


def get(url: str) -> tuple[int, str]:
    """Return the status and the body of a GET request; status 0 when nothing answers."""
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode(errors="replace")
    except (OSError, http.client.HTTPException):
        return 0, ""


def use_no_proxy() -> None:
    """Keep a proxy that the environment names away from the loopback interface, for every client in this process."""
    hosts = ",".join(filter(None, ["127.0.0.1", os.environ.get("no_proxy") or os.environ.get("NO_PROXY")]))
    os.environ["no_proxy"] = os.environ["NO_PROXY"] = hosts


@contextmanager
def collector(read_api: str) -> Iterator[bool]:
    """Hold a collector that is ready: yields True if it was started here (and stops with the block).

    Raises DemoError if it does not get ready within `START_SECONDS`.
    """
    if get(f"{read_api}/healthz")[0] == 200:
        wait_until_ready(read_api, lambda: None)
        yield False
        return
    with tempfile.TemporaryDirectory(prefix="spanledger-demo-") as directory:
        log = Path(directory, "collector.log")
        data = [f"journal.directory={directory}/journal", f"clickhouse.url=chdb:{directory}/clickhouse"]
        command = [sys.executable, "-m", "collector.cli", "serve", "--set", data[0], "--set", data[1]]
        with log.open("wb") as output:
            child = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT)
        try:
            wait_until_ready(read_api, lambda: None if child.poll() is None else log.read_text(errors="replace"))
            yield True
        finally:
            stop(child)


def wait_until_ready(read_api: str, last_words: Callable[[], str | None]) -> None:
    """Wait until the collector answers 200 to /readyz. `last_words` is the output of a collector that has died."""
    deadline = time.monotonic() + START_SECONDS
    while get(f"{read_api}/readyz")[0] != 200:
        words = last_words()
        if words is not None:
            raise DemoError(f"the collector ended before it was ready; it said:\n{words.strip()}")
        if time.monotonic() > deadline:
            raise DemoError(
                f"the collector was not ready after {START_SECONDS:.0f} s: see what {read_api}/readyz answers."
            )
        time.sleep(POLL_SECONDS)


def stop(child: subprocess.Popen[bytes]) -> None:
    """End the collector as an orchestrator does: SIGTERM, and patience while it flushes."""
    child.terminate()
    try:
        child.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
        raise DemoError(f"the collector did not end within {STOP_SECONDS:.0f} s of SIGTERM and was killed.") from None


def read_trace(url: str) -> str:
    """Return the finished trace as the JSON that the read API sends.

    Raises DemoError if it is not COMPLETED or ERROR, with all its spans, within `READ_SECONDS`.
    """
    deadline = time.monotonic() + READ_SECONDS
    while True:
        status, body = get(url)
        if status == 200:
            trace = json.loads(body)
            if trace["status"] in ("COMPLETED", "ERROR") and len(trace["spans"]) == program.SPAN_COUNT:
                return body
            seen = f"status {trace['status']} and {len(trace['spans'])} of {program.SPAN_COUNT} spans"
        else:
            seen = f"the answer {status} {body}" if status else "no answer"
        if time.monotonic() > deadline:
            raise DemoError(f"the trace was not complete after {READ_SECONDS:.0f} s: {url} gave {seen}.")
        time.sleep(POLL_SECONDS)


def span_line(span: dict[str, Any]) -> Text:
    """Return one line on a span: kind, name, model, tokens, cost, latency, time to first token, error."""
    line = Text.assemble((f"{span['kind']:<9}", "cyan"), " ", (span["name"], "bold"))
    if span["model"]:
        line.append(f"  {span['model']}", "magenta")
    usage = span["token_usage"] or {}
    counts = {"in": usage.get("prompt_tokens"), "out": usage.get("completion_tokens")}
    if tokens := " / ".join(f"{count} {way}" for way, count in counts.items() if count is not None):
        line.append(f"  {tokens} tokens")
    if span["cost"]:
        line.append(f"  {dollars(span['cost']['total'])}", "green")
    if span["latency_ms"] is not None:
        line.append(f"  {span['latency_ms']:.1f} ms")
    if span["time_to_first_token_ms"] is not None:
        line.append(f"  first token after {span['time_to_first_token_ms']:.1f} ms", "yellow")
    if span["error"]:
        line.append(f"  {span['error']}", "red")
    return line


def span_tree(trace: dict[str, Any]) -> Tree:
    """Return the trace as a tree of its spans; a span whose parent is not in the trace hangs from the trace."""
    tree = Tree(Text.assemble((trace["name"], "bold"), f"  {trace['status']}  {trace['trace_id']}"))
    known = {span["span_id"] for span in trace["spans"]}
    children: dict[str | None, list[dict[str, Any]]] = {}
    for span in trace["spans"]:
        parent = span["parent_span_id"]
        children.setdefault(parent if parent in known else None, []).append(span)

    def grow(branch: Tree, parent: str | None) -> None:
        for span in children.get(parent, []):
            grow(branch.add(span_line(span)), span["span_id"])

    grow(tree, None)
    return tree


def dollars(amount: Decimal | int) -> str:
    """Return an amount of USD with as many of its 12 decimals as are significant, two at least."""
    whole, _, decimals = f"{amount:.12f}".partition(".")
    return f"${whole}.{decimals.rstrip('0'):0<2}"


def show(console: Console, body: str, url: str, ends_here: bool) -> None:
    """Print the trace as a tree and as JSON, what it cost, and where to look next."""
    trace = json.loads(body, parse_float=Decimal)
    console.print(span_tree(trace), soft_wrap=True)
    console.print()
    console.print(f"GET {url}", style="bold", soft_wrap=True)
    console.print_json(body)
    total = sum((Decimal(span["cost"]["total"]) for span in trace["spans"] if span["cost"]), Decimal(0))
    console.print()
    console.print(f"Total cost: {dollars(total)} (USD)", style="bold green")
    if ends_here:
        console.print("The demo's own collector ends now, and its data with it.")
        console.print("Next: `make run`, then `make demo` in another terminal; that trace stays and can be asked for.")
    else:
        console.print(f"Next: {url}", soft_wrap=True)
        console.print(f"      {url.partition('/traces/')[0]}/docs describes what else can be asked.", soft_wrap=True)


def main(otlp_endpoint: str = OTLP_ENDPOINT, read_api: str = READ_API) -> int:
    """Run the demo against the collector of these addresses; return the exit code."""
    use_no_proxy()
    # Longer lines than the terminal's are wrapped by the terminal: what they end with, the cost, must not be cut off.
    console = Console(highlight=False, width=max(160, Console().width))
    try:
        with collector(read_api) as started, ModelServer() as model_server:
            url = f"{read_api}/traces/{program.run(otlp_endpoint, model_server.openai_url)}"
            show(console, read_trace(url), url, ends_here=started)
    except (DemoError, program.ExportError) as failure:
        print(f"demo: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    # Ended by a signal, the demo must still end the collector that it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main())
