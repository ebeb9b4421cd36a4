"""The whole collector on a store that a test takes away: see `tests.support.outage`.

Everything is the real thing but for the store, in whose place stands a file: of each batch that is written, a line for
every span (trace id and span id) is appended to ``stored`` in the directory of `clickhouse.url`. While there is a file
``away`` beside it, the store does not answer. No ClickHouse is in the process: its memory is that of the collector alone.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

from collector import app
from collector.batch import SignalBatch
from collector.cli import main
from collector.errors import Retryable
from collector.settings import ClickHouse as Settings


class FileStore:
    """Stands for `exporters.clickhouse.ClickHouse`: exporter, store, editor, removal and retention in one."""

    def __init__(self, settings: Settings, _: object = None, *, writer: str = "") -> None:
        self._directory = Path(settings.url.removeprefix("chdb:"))
        self._directory.mkdir(parents=True, exist_ok=True)
        self._stored = (self._directory / "stored").open("a")
        self.exporter = self.store = self.editor = self.removal = self.retention = self

    def write(self, batch: SignalBatch, token: str, *, again: bool = False) -> None:
        self.ping()
        pairs = zip(batch.column("trace_id").to_pylist(), batch.column("span_id").to_pylist(), strict=True)
        self._stored.writelines(f"{trace_id}{span_id}\n" for trace_id, span_id in pairs)
        self._stored.flush()

    def ping(self) -> None:
        if (self._directory / "away").exists():
            raise Retryable("the store does not answer")

    def count_rejected(self, project: str, received_at_ns: int, reasons: Mapping[str, int]) -> None:
        raise AssertionError("nothing is rejected here")

    def add_prices(self, books: Mapping[str, Callable[[], Any]]) -> None: ...

    def follow(self, delivery: object) -> None: ...

    def start(self, seconds: float = 0.0) -> None: ...

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stored.close()


if __name__ == "__main__":
    app.ClickHouse = FileStore  # type: ignore[assignment, misc]
    sys.exit(main(sys.argv[1:]))
