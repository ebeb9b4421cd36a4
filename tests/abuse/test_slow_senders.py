"""F19: senders that connect and say nothing, or begin a request and do not go on, while another one is served."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import grpc

from tests.support.otlp import request, span
from tests.support.outage import EXPORT, CollectorWithoutStore

SILENT, STALLED = 300, 1500


def test_hundreds_of_silent_sockets_and_stalled_requests_do_not_disturb_a_healthy_sender(tmp_path: Path) -> None:
    release = threading.Event()

    def nothing() -> Iterator[bytes]:
        release.wait()
        yield from ()

    with CollectorWithoutStore(tmp_path) as collector:
        host, port = collector.grpc_address.rsplit(":", 1)
        silent = [socket.create_connection((host, int(port))) for _ in range(SILENT)]
        for each in silent[::2]:
            each.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")  # the preface, and nothing after it
        # Each connection of its own: no more than 256 streams are open on one. Together more than may be read at once.
        options = (("grpc.use_local_subchannel_pool", 1),)
        channels = [grpc.insecure_channel(collector.grpc_address, options) for _ in range(STALLED // 150)]
        threads = [threading.Thread(target=stall, args=(channel, nothing)) for channel in channels for _ in range(150)]
        for thread in threads:
            thread.start()
        with grpc.insecure_channel(collector.grpc_address, options) as channel:
            export = channel.unary_unary(EXPORT)
            for number in range(100):
                assert export(request(span(name=f"healthy {number}")).SerializeToString(), timeout=60) == b""
        release.set()
        for thread in threads:
            thread.join()
        for each in (*channels, *silent):
            each.close()
        assert collector.terminate() == 0
    assert len(collector.stored) == 100


def stall(channel: grpc.Channel, messages: object) -> None:
    """A call whose message does not come."""
    try:
        channel.stream_unary(EXPORT)(messages(), timeout=60)  # type: ignore[operator]
    except grpc.RpcError as error:
        assert error.code() in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.INVALID_ARGUMENT}, error  # noqa: PT017
