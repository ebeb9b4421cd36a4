"""How long lists take when a million spans are stored: `python tests/bench/trace_list.py [--spans N]`.

Fills a temporary database as `trace_by_id.py` does and asks a collector, which is another process, for lists, sessions and
sums; each twice: with the trace rows in one part, and in fifteen, with a tenth of the rows written twice, which is the most
that the engine lets stand before it merges.
"""

from __future__ import annotations

import argparse
import http.client
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from clickhouse_connect.driver.client import Client

from collector.settings import ClickHouse as Store
from exporters.clickhouse import ClickHouse
from exporters.clickhouse.client import Opener
from tests.bench.trace_by_id import fill, measure
from tests.support.collector_process import CollectorProcess

PARTS = 15
BETWEEN = "started_after=2026-01-01&started_before=2026-01-02"

# Path, and how often it is asked.
REQUESTS = {
    "/traces": 500,
    "/traces?limit=200": 100,
    "/traces?offset=500": 100,
    "/traces?offset=50000": 50,
    "/traces?session_id=session-7": 100,
    "/traces?status=COMPLETED": 100,
    "/traces?sort_by=latency": 100,
    "/sessions": 50,
    "/sessions?sort_by=cost": 50,
    "/sessions/session-7?limit=10": 50,
    "/sessions/session-7": 10,
    "/traces/users": 50,
    f"/traces/analytics?metric=latency&granularity=hour&{BETWEEN}": 50,
    f"/traces/analytics?metric=cost&granularity=hour&{BETWEEN}": 50,
    f"/traces/analytics?metric=models&{BETWEEN}": 50,
}


def divide(client: Client) -> None:
    """Put the trace rows into parts in the order of time; each part has a tenth of the rows of the one before again."""
    client.command(
        "CREATE TABLE copy ENGINE = Memory AS SELECT *, rowNumberInAllBlocks() AS place FROM traces ORDER BY start_time"
    )
    client.command("TRUNCATE TABLE traces")
    size = client.query("SELECT count() FROM copy").result_rows[0][0] // PARTS + 1
    for first in range(0, size * PARTS, size):
        client.command(
            "INSERT INTO traces SELECT * EXCEPT place FROM copy WHERE place >= {first:Int64} AND place < {last:Int64}"
            " UNION ALL SELECT * EXCEPT place REPLACE (version + 1 AS version) FROM copy"
            " WHERE place >= {before:Int64} AND place < {first:Int64} AND place % 10 = 0",
            parameters={"before": first - size, "first": first, "last": first + size},
        )
    client.command("DROP TABLE copy")


def over_http(directory: Path) -> None:
    """Ask a collector on this data."""
    with CollectorProcess(directory) as collector:
        connection = http.client.HTTPConnection(collector.url.removeprefix("http://"))

        def get(path: str) -> None:
            connection.request("GET", path)
            response = connection.getresponse()
            body = response.read()
            assert response.status == 200, body[:200]
            assert len(body) > 50

        for path, times in REQUESTS.items():
            measure(f"GET {path.replace(BETWEEN, '...')}", get, [path] * times)


def parts(client: Client) -> str:
    """Say how the trace rows lie."""
    sql = "SELECT count(), sum(rows) FROM system.parts WHERE active AND table = 'traces'"
    ((count, rows),) = client.query(sql).result_rows
    return f"{rows} trace rows in {count} parts"


def main() -> None:
    """Fill, measure, print."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--spans", type=int, default=1_000_000)
    wanted = arguments.parse_args()
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        url = f"chdb:{directory / 'clickhouse'}"
        began = time.perf_counter()
        for arrange in (lambda client: fill(client, wanted.spans), divide):
            with ClickHouse(url):
                client = Opener(Store(url=url))().client
                arrange(client)
                print(f"{parts(client)}; {time.perf_counter() - began:.0f} s")
                client.close()
            over_http(directory)


if __name__ == "__main__":
    main()
