"""A collector whose store can be taken away, and a sender that keeps the books of what was acknowledged."""

from __future__ import annotations

import re
from pathlib import Path

import grpc
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status

from tests.support.collector_process import CollectorProcess

EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
MIB = 1 << 20


class CollectorWithoutStore(CollectorProcess):
    """The real collector on a file for a store: see `tests.support.collector_without_store`."""

    module = "tests.support.collector_without_store"
    ready_at = "/healthz"

    def take_store_away(self) -> None:
        """From now on the store does not answer."""
        (self.directory / "clickhouse").mkdir(exist_ok=True)
        (self.directory / "clickhouse/away").touch()

    def bring_store_back(self) -> None:
        """From now on it answers again."""
        (self.directory / "clickhouse/away").unlink()

    @property
    def stored(self) -> list[str]:
        """Trace id and span id of every span that was written, in that order."""
        return (self.directory / "clickhouse/stored").read_text().splitlines()

    def memory(self) -> dict[str, int]:
        """Resident bytes, by kind: `anonymous` is the process's own, `file` the kernel takes back when it needs it."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        kinds = {"anonymous": "RssAnon", "file": "RssFile", "all": "VmRSS"}
        found = {kind: re.search(rf"{name}:\s+(\d+) kB", status) for kind, name in kinds.items()}
        return {kind: int(match[1]) * 1024 for kind, match in found.items() if match is not None}

    def descriptors(self) -> int:
        """Number of open files and sockets."""
        return len(list(Path(f"/proc/{self.pid}/fd").iterdir()))

    def threads(self) -> int:
        """Number of threads."""
        return len(list(Path(f"/proc/{self.pid}/task").iterdir()))


def retry_delay(error: grpc.RpcError) -> float | None:
    """The delay in seconds of a refusal's RetryInfo, if it has one."""
    encoded = dict(error.trailing_metadata() or ()).get("grpc-status-details-bin")
    if encoded is None:
        return None
    detail = RetryInfo()
    for each in Status.FromString(encoded).details:
        if each.Unpack(detail):
            return float(detail.retry_delay.seconds + detail.retry_delay.nanos / 1e9)
    return None
