"""Why an address cannot be listened on: one sentence that fits the reason."""

from __future__ import annotations

import socket

from collector.receive.endpoint import cannot_listen, tried


def test_an_address_in_use_asks_for_the_other_program() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        sentence = str(cannot_listen("query.endpoint", address, tried(address)))
    assert sentence == (
        f"query.endpoint: cannot listen on {address}: another program uses it: is another collector running?"
    )


def test_a_host_that_nobody_knows_is_named() -> None:
    sentence = str(cannot_listen("query.endpoint", "no-such-host.invalid:0", tried("no-such-host.invalid:0")))
    assert "(its host name is not known): name an address of this machine" in sentence


def test_an_address_of_another_machine_says_so() -> None:
    sentence = str(cannot_listen("receive.grpc.endpoint", "192.0.2.1:4317", tried("192.0.2.1:4317")))
    assert "(Cannot assign requested address): name another address or port" in sentence


def test_an_address_that_is_free_again_has_no_reason() -> None:
    assert tried("127.0.0.1:0") is None
