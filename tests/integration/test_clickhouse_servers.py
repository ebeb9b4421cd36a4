"""Servers that fail in all the ways they do: nothing is lost, nothing twice, and a person reads what is wrong."""

from __future__ import annotations

import signal
import ssl
import subprocess
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from collector.errors import Retryable, StartError
from collector.settings import ClickHouse as Settings
from exporters.clickhouse import ClickHouse
from exporters.clickhouse.client import Opener, Readers, Unreachable
from exporters.clickhouse.deleting import Request
from tests.support.clickhouse_server import (
    CLUSTER,
    GRANTED,
    PASSWORD,
    RIGHTS,
    ROOT,
    USER,
    ClickHouseServer,
    free_port,
    joined_url,
    two_shards,
)
from tests.support.doors import Door
from tests.support.spans import HOUR, NOON, SECOND, agent, batch, chat
from tests.support.store import Database, settings_of

WRITER = "a" * 32


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouseServer]:
    """A server by itself."""
    with ClickHouseServer(tmp_path_factory.mktemp("server")) as found:
        yield found


@pytest.fixture
def own(tmp_path: Path) -> Iterator[ClickHouseServer]:
    """A server that a test may kill."""
    with ClickHouseServer(tmp_path / "server") as found:
        yield found


def settings(*ports: int, **more: Any) -> Settings:
    """A store behind these ports."""
    hosts = ",".join(f"127.0.0.1:{port}" for port in ports)
    password = PASSWORD.replace("@", "%40").replace("/", "%2F").replace(":", "%3A")
    return Settings.model_validate({"url": f"http://{USER}:{password}@{hosts}/ledger", "timeout": "2s", **more})


def stored(server: ClickHouseServer, project: str) -> tuple[int, int]:
    """Rows of spans, and the spans that the rows of traces tell of."""
    spans = server.ask("SELECT count() FROM ledger.spans WHERE project = {p:String}", param_p=project)
    traces = server.ask("SELECT sum(span_count) FROM ledger.traces FINAL WHERE project = {p:String}", param_p=project)
    return int(spans), int(traces)


def write(clickhouse: ClickHouse, project: str, *numbers: int, token: str = "a", again: bool = False) -> None:
    """Write spans of one trace each; what has a later token arrived later."""
    spans = [chat(number, trace=number) for number in numbers]
    arrived = NOON + ord(token) * SECOND
    clickhouse.exporter.write(batch(*spans, project=project, received_at=arrived), f"{project}/{token}", again=again)


def deliver(clickhouse: ClickHouse, project: str, *numbers: int, token: str) -> None:
    """Write until it is stored, as delivery does."""
    again = False
    for _ in range(10):
        try:
            write(clickhouse, project, *numbers, token=token, again=again)
        except Retryable:
            again = True
        else:
            return
    raise AssertionError("ten times")


# --- what a person did wrong ------------------------------------------------------------------------------------------


def test_a_wrong_password_refuses_the_start_with_one_sentence_that_hides_it(server: ClickHouseServer) -> None:
    wrong = Settings(url=f"http://{USER}:hunter2@127.0.0.1:{server.http_port}/ledger")
    with pytest.raises(StartError) as refused:
        ClickHouse(wrong, writer=WRITER)
    sentence = str(refused.value)
    assert "clickhouse.url" in sentence
    assert "Authentication failed" in sentence
    assert "hunter2" not in sentence
    assert "\n" not in sentence


def test_a_name_that_no_cluster_has_refuses_the_start(server: ClickHouseServer) -> None:
    with pytest.raises(StartError, match=r"is in no cluster nowhere: see its system\.clusters"):
        ClickHouse(settings(server.http_port, cluster="nowhere"), writer=WRITER)


def test_a_shard_without_a_server_in_the_url_refuses_the_start(tmp_path: Path) -> None:
    sentence = r"names no server of shard \d of the cluster shards: name one of each"
    with two_shards(tmp_path) as (first, _), pytest.raises(StartError, match=sentence):
        ClickHouse(settings(first.http_port, cluster=CLUSTER), writer=WRITER)


# --- what a server does -----------------------------------------------------------------------------------------------


def test_a_store_that_is_down_at_the_start_is_opened_by_the_first_batch_after(tmp_path: Path) -> None:
    port = free_port()
    with ClickHouse(settings(port), writer=WRITER) as clickhouse:
        with pytest.raises(Unreachable, match=f"127.0.0.1:{port} does not answer"):
            write(clickhouse, "p", 1)
        with pytest.raises(Retryable):
            clickhouse.store.ping()
        with ClickHouseServer(tmp_path / "server", http_port=port) as server:
            write(clickhouse, "p", 1, again=True)
            clickhouse.store.ping()
            assert stored(server, "p") == (1, 1)


def test_a_server_that_was_killed_and_started_again_is_written_to_again(own: ClickHouseServer) -> None:
    with ClickHouse(settings(own.http_port), writer=WRITER) as clickhouse:
        write(clickhouse, "p", 1)
        own.kill()
        with pytest.raises(Retryable):
            write(clickhouse, "p", 2, token="b")
        own.start()
        write(clickhouse, "p", 2, token="b", again=True)
        assert stored(own, "p") == (2, 2)


def test_a_server_that_hangs_is_given_up_after_the_timeout_and_stores_once_what_it_got(own: ClickHouseServer) -> None:
    with ClickHouse(settings(own.http_port), writer=WRITER) as clickhouse:
        write(clickhouse, "p", 1)
        own.signal(signal.SIGSTOP)
        try:
            with pytest.raises(Retryable, match="timed out"):
                write(clickhouse, "p", 2, token="b")
        finally:
            own.signal(signal.SIGCONT)
        write(clickhouse, "p", 2, token="b", again=True)
        assert stored(own, "p") == (2, 2)


@pytest.mark.parametrize("cut_after", range(1, 12))
def test_a_connection_that_is_cut_before_any_answer_changes_nothing_twice(
    server: ClickHouseServer, cut_after: int
) -> None:
    """The statement has run, and nobody knows: the batch is written again under its token."""
    left = 1_000_000
    project = f"cut-{cut_after}"

    def count_down(piece: bytes) -> bytes:
        nonlocal left
        left -= 1
        if left == 0:
            door.cut()
        return piece

    with (
        Door(server.http_port, changed=count_down) as door,
        ClickHouse(settings(door.port), writer=WRITER) as clickhouse,
    ):
        write(clickhouse, project, 1)
        left = cut_after
        deliver(clickhouse, project, 1, 2, token="b")
        assert (
            server.ask(
                "SELECT count(), uniqExact(span_id) FROM ledger.spans FINAL WHERE project = {p:String}", param_p=project
            )
            == "2\t2\n"
        )
        assert (
            server.ask(
                "SELECT sum(accepted), sum(duplicates) FROM ledger.ledger FINAL WHERE project = {p:String}",
                param_p=project,
            )
            == "3\t1\n"
        )


def test_an_exception_inside_an_answer_of_success_is_an_exception(server: ClickHouseServer) -> None:
    lies = threading.Event()
    body = b"Code: 241. DB::Exception: (total) memory limit exceeded: would use 3 GiB. (MEMORY_LIMIT_EXCEEDED)\n"
    lie = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (len(body), body)

    def changed(piece: bytes) -> bytes:
        return lie if lies.is_set() and piece.startswith(b"HTTP/1.1 200") else piece

    with Door(server.http_port, changed=changed) as door, ClickHouse(settings(door.port), writer=WRITER) as clickhouse:
        write(clickhouse, "lies", 1)
        lies.set()
        with pytest.raises(Retryable, match="memory limit exceeded"):
            write(clickhouse, "lies", 2, token="b")
        lies.clear()
        door.cut()
        write(clickhouse, "lies", 2, token="b", again=True)
        assert stored(server, "lies") == (2, 2)


def test_another_server_of_the_url_answers_when_one_is_down(server: ClickHouseServer) -> None:
    down = free_port()
    with (
        Door(server.http_port) as one,
        Door(server.http_port) as two,
        ClickHouse(settings(down, one.port, two.port), writer=WRITER) as clickhouse,
    ):
        write(clickhouse, "doors", 1)
        one.close()
        deliver(clickhouse, "doors", 2, token="b")
        clickhouse.store.ping()
        assert stored(server, "doors") == (2, 2)


# --- TLS --------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that signed itself, and its key."""
    directory = tmp_path_factory.mktemp("tls")
    files = directory / "certificate.pem", directory / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
         "-addext", "subjectAltName=IP:127.0.0.1", "-out", files[0], "-keyout", files[1]],
        check=True,
        capture_output=True,
    )  # fmt: skip
    return files


@pytest.fixture
def encrypted(server: ClickHouseServer, certificate: tuple[Path, Path]) -> Iterator[int]:
    """The port of a door that speaks TLS before the server."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    with Door(server.http_port, wrapped=lambda one: context.wrap_socket(one, server_side=True)) as door:
        yield door.port


def over_tls(port: int, **tls: Any) -> Settings:
    """The store behind an encrypted port."""
    return Settings.model_validate(
        {"url": settings(port).url.replace("http://", "https://"), "timeout": "5s", "tls": tls}
    )


def test_a_server_is_reached_over_tls_by_who_knows_its_signer(
    server: ClickHouseServer, encrypted: int, certificate: tuple[Path, Path]
) -> None:
    with ClickHouse(over_tls(encrypted, ca_certificate=str(certificate[0])), writer=WRITER) as clickhouse:
        write(clickhouse, "tls", 1)
        assert stored(server, "tls") == (1, 1)


def test_a_server_whose_signer_is_unknown_is_not_talked_to_unless_told(encrypted: int) -> None:
    with pytest.raises(Unreachable, match=r"(?i)certificate verify failed"):
        Opener(over_tls(encrypted))()
    Opener(over_tls(encrypted, verify=False))().close()


@pytest.mark.parametrize("compression", ["none", "lz4", "zstd"])
def test_what_is_compressed_arrives_whole(server: ClickHouseServer, compression: str) -> None:
    project = f"compressed-{compression}"
    with ClickHouse(settings(server.http_port, compression=compression), writer=WRITER) as clickhouse:
        write(clickhouse, project, *range(1, 500))
        assert stored(server, project) == (499, 499)
        found = clickhouse.store.trace(project, f"{7:032x}")
        assert found is not None
        assert found[0]["span_count"] == 1


# --- rights -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["server", "cluster"])
def test_the_rights_that_the_readme_asks_for_are_enough(tmp_path: Path, kind: str) -> None:
    readme = " ".join((ROOT / "README.md").read_text().split())
    assert f"`GRANT {RIGHTS[0].replace('granted', 'spanledger')}`" in readme
    with settings_of(kind, tmp_path) as store:
        for host in store.server.hosts:
            urllib.request.urlopen(f"http://127.0.0.1:{host.port}/", data=b"CREATE DATABASE granted").read()
        url = store.url.replace(f"//{USER}:", f"//{GRANTED}:").rsplit("/", 1)[0] + "/granted"
        database = Database(store.model_copy(update={"url": url}))
        database.exporter.write(batch(chat(2, parent=1), project="p"), "p/a")
        database.exporter.write(batch(agent(1, tokens=(100, 10)), project="p"), "p/b")
        trace_id = f"{1:032x}"
        assert database.editor.edit_tags("p", [trace_id], ["x"], []) == 1
        assert database.trace("p", 1)[0]["tags"] == ["x"]
        with database.clickhouse._writing.lock:
            database.clickhouse._writing.deleting.delete(Request("p", [trace_id]))
        assert database.clickhouse.removal.remove()
        assert database.store.trace("p", trace_id) is None
        database.close()


# --- shards -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ClickHouseServer, ClickHouseServer]]:
    """Two shards."""
    with two_shards(tmp_path_factory.mktemp("shards")) as found:
        yield found


def on_shards(shards: tuple[ClickHouseServer, ClickHouseServer], **more: Any) -> Settings:
    """The cluster of two shards."""
    return Settings.model_validate({"url": f"{joined_url(shards)}/ledger", "cluster": CLUSTER, "timeout": "5s", **more})


def test_a_trace_lies_on_one_shard_whole_and_traces_on_both(shards: tuple[ClickHouseServer, ClickHouseServer]) -> None:
    with ClickHouse(on_shards(shards), writer=WRITER) as clickhouse:
        spans = [chat(number, trace=number % 40 + 1) for number in range(1, 401)]
        clickhouse.exporter.write(batch(*spans, project="spread"), "spread/a")
    ids = [
        set(shard.ask("SELECT DISTINCT trace_id FROM ledger.spans_local WHERE project = 'spread'").split())
        for shard in shards
    ]
    assert all(ids)
    assert not ids[0] & ids[1]
    assert len(ids[0] | ids[1]) == 40
    for shard, own in zip(shards, ids, strict=True):
        found = shard.ask(
            "SELECT trace_id, span_count FROM ledger.traces_local FINAL WHERE project = 'spread'"
        ).splitlines()
        assert sorted(found) == sorted(f"{one}\t10" for one in own)


def test_the_token_of_a_batch_holds_on_every_shard_through_the_distributed_table(
    shards: tuple[ClickHouseServer, ClickHouseServer],
) -> None:
    with ClickHouse(on_shards(shards), writer=WRITER):
        pass
    rows = (
        "SELECT 'tokens' AS project, lower(hex(sipHash128(number))) AS trace_id, '0123456789abcdef' AS span_id,"
        " toDateTime64('2026-01-01', 9, 'UTC') AS start_time FROM numbers(1000)"
    )
    for token, expected in (("a", 1000), ("a", 1000), ("b", 2000)):
        shards[0].ask(
            f"INSERT INTO ledger.spans (project, trace_id, span_id, start_time) SETTINGS distributed_foreground_insert = 1,"
            f" optimize_on_insert = 0, async_insert = 0, insert_deduplication_token = '{token}' {rows}"
        )
        found = [int(shard.ask("SELECT count() FROM ledger.spans_local WHERE project = 'tokens'")) for shard in shards]
        assert sum(found) == expected
        assert all(found)


def test_while_a_shard_is_down_answers_fail_or_are_without_it_as_configured(tmp_path: Path) -> None:
    with two_shards(tmp_path) as shards, ClickHouse(on_shards(shards), writer=WRITER) as clickhouse:
        spans = [chat(number, trace=number) for number in range(1, 41)]
        clickhouse.exporter.write(batch(*spans, project="p"), "p/a")
        again = batch(*spans, chat(41, trace=41), project="p", received_at=NOON + HOUR)
        here = int(shards[0].ask("SELECT count() FROM ledger.spans_local"))
        shards[1].kill()
        strict, lenient = (Readers(on_shards(shards, skip_unavailable_shards=skip), count=1) for skip in (False, True))
        with pytest.raises(Retryable):
            strict.query("SELECT count() AS c FROM spans", {})
        assert lenient.query("SELECT count() AS c FROM spans", {}) == [{"c": here}]
        with pytest.raises(Retryable):
            clickhouse.exporter.write(again, "p/b")
        shards[1].start()
        clickhouse.exporter.write(again, "p/b", again=True)
        assert strict.query("SELECT sum(span_count) AS c FROM traces FINAL", {}) == [{"c": 41}]
        assert strict.query("SELECT sum(accepted) AS a, sum(duplicates) AS d FROM ledger FINAL", {}) == [
            {"a": 81, "d": 40}
        ]
