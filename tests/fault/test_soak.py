"""F20: load that goes on and on. What a process holds must not grow with what has passed through it."""

from __future__ import annotations

import time
from pathlib import Path

import grpc

from tests.bench.outage import span_ids
from tests.bench.workload import make_workload
from tests.support.outage import EXPORT, MIB, CollectorWithoutStore

ROUNDS, WARM = 12, 4


def test_what_it_holds_is_as_much_after_a_hundred_thousand_spans_as_after_a_third_of_them(tmp_path: Path) -> None:
    collector = CollectorWithoutStore(tmp_path, "deliver.memory=8MiB", "deliver.batch_size=8MiB")
    held: list[dict[str, int]] = []
    acknowledged: list[str] = []
    with collector:
        for seed in range(ROUNDS):
            # A client of its own each time: connections come and go.
            with grpc.insecure_channel(collector.grpc_address) as channel:
                for payload in make_workload(16, seed=seed, start_ns=time.time_ns() - 60 * 10**9).requests:
                    assert channel.unary_unary(EXPORT)(payload, timeout=60) == b""
                    acknowledged += span_ids(payload)
            while len(collector.stored) < len(acknowledged):
                time.sleep(0.05)
            held.append(
                {
                    "memory": collector.memory()["anonymous"],
                    "descriptors": collector.descriptors(),
                    "threads": collector.threads(),
                    "journal": (tmp_path / "journal/data.mdb").stat().st_size,
                }
            )
        assert collector.terminate() == 0
    assert collector.stored == acknowledged
    warm, last = held[WARM - 1], held[-1]
    assert last["memory"] - warm["memory"] < 16 * MIB, held
    assert last["journal"] <= warm["journal"] + 2 * MIB, held
    for what in ("descriptors", "threads"):
        assert last[what] <= warm[what] + 1, held
