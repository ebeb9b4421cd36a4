"""ClickHouse's HTTP interface of a running collector, asked by clickhouse-connect and curl."""

from __future__ import annotations

import gzip
import json
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import clickhouse_connect
import grpc
import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError, OperationalError

from collector.auth import hash_of, new_key
from tests.support.collector_process import CollectorProcess
from tests.support.otlp import NOW, request, span

EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
KEYS = {"shop": new_key(), "forum": new_key(), "writer": new_key()}
CALL = {
    "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o",
    "gen_ai.usage.input_tokens": 1000, "gen_ai.usage.output_tokens": 100,
}  # fmt: skip


def send(collector: CollectorProcess, name: str, key: str = "") -> None:
    payload = request(span(name=name, start=NOW, attributes=CALL)).SerializeToString()
    with grpc.insecure_channel(collector.grpc_address) as channel:
        call = channel.unary_unary(EXPORT)
        call(payload, metadata=(("x-api-key", key),) if key else (), timeout=30)


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CollectorProcess]:
    with CollectorProcess(tmp_path_factory.mktemp("open"), "query.sql.endpoint=127.0.0.1:0") as running:
        send(running, "a call")
        until = time.monotonic() + 30
        while connect(running).command("SELECT count() FROM spans") == 0:
            assert time.monotonic() < until
            time.sleep(0.05)
        yield running
        assert running.terminate() == 0


@pytest.fixture(scope="module")
def with_keys(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CollectorProcess]:
    directory = tmp_path_factory.mktemp("keys")
    scopes = {"shop": "write, read", "forum": "write, read", "writer": "write"}
    entries = [
        f"    - {{name: {name}, project: {name}, scopes: [{scopes[name]}], hash: '{hash_of(key)}'}}\n"
        for name, key in KEYS.items()
    ]
    config = directory / "spanledger.yaml"
    config.write_text("auth:\n  keys:\n" + "".join(entries))
    with CollectorProcess(directory, "query.sql.endpoint=127.0.0.1:0", config=config) as running:
        for name in ("shop", "forum"):
            send(running, f"of the {name}", KEYS[name])
            until = time.monotonic() + 30
            while connect(running, password=KEYS[name]).command("SELECT count() FROM spans") == 0:
                assert time.monotonic() < until
                time.sleep(0.05)
        yield running


def url(collector: CollectorProcess) -> str:
    return str(collector._printed(r"SQL\s+(http://\S+)"))


_clients: list[Client] = []


def connect(collector: CollectorProcess, **options: Any) -> Client:
    host, port = url(collector).removeprefix("http://").split(":")
    _clients.append(clickhouse_connect.get_client(host=host, port=int(port), **options))
    return _clients[-1]


@pytest.fixture(autouse=True)
def _close_clients() -> Iterator[None]:
    yield
    while _clients:
        _clients.pop().close_connections()


def refused(asked: urllib.request.Request) -> tuple[int, str | None]:
    """Status, and ClickHouse's number of the error."""
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(asked, timeout=30)
    with caught.value as answer:
        return answer.code, answer.headers["X-ClickHouse-Exception-Code"]


def curl(collector: CollectorProcess, *arguments: str, path: str = "/") -> tuple[int, dict[str, str], str]:
    """Status, headers and body."""
    command = ["curl", "-s", "-i", "--noproxy", "*", url(collector) + path, *arguments]
    done = subprocess.run(command, capture_output=True, timeout=60, check=True)
    head, _, body = done.stdout.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    return int(first.split()[1]), {k.lower(): v for k, _, v in (line.partition(": ") for line in lines)}, body.decode()


def test_clickhouse_connect_asks_as_of_any_server(collector: CollectorProcess) -> None:
    client = connect(collector)
    found = client.query("SELECT name, input_tokens, cost_total, start_time FROM spans FINAL")
    assert found.column_names == ("name", "input_tokens", "cost_total", "start_time")
    ((name, tokens, cost, _),) = found.result_rows
    assert (name, tokens) == ("a call", 1000)
    assert isinstance(cost, Decimal)
    assert client.query("SELECT name FROM spans WHERE 0").result_rows == []
    assert client.query("SELECT * FROM spans LIMIT 0").column_names[0] == "project"
    assert client.command("SELECT name FROM spans") == "a call"
    frame = client.query_df("SELECT kind, count() AS n FROM spans GROUP BY kind")
    assert frame.to_dict("records") == [{"kind": "LLM", "n": 1}]
    table = client.query_arrow("SELECT trace_id, attributes_int FROM spans")
    assert (table.num_rows, table.column_names) == (1, ["trace_id", "attributes_int"])
    with client.query_row_block_stream("SELECT number FROM numbers(200000)") as stream:
        assert sum(len(block) for block in stream) == 200_000
    assert client.raw_query("SELECT 1 AS a", fmt="JSONEachRow") == b'{"a":1}\n'


def test_clickhouse_connect_sends_parameters_and_takes_compression(collector: CollectorProcess) -> None:
    text = "it's \\ 'a'\n\tb 日本 {x:String}"
    for compress in (False, True, "gzip"):
        client = connect(collector, compress=compress, username="someone", password="x", database="default")
        parameters = {"text": text, "number": 7, "list": ["a'", "b"]}
        sql = "SELECT {text:String}, {number:UInt8}, {list:Array(String)}, length(range(100000))"
        assert client.query(sql, parameters=parameters).result_rows == [(text, 7, ["a'", "b"], 100_000)]
        assert client.query("SELECT name FROM spans WHERE name = %(x)s", {"x": "a call"}).row_count == 1
        assert len(client.query("SELECT number FROM numbers(50000)").result_rows) == 50_000


def test_clickhouse_connect_is_told_what_is_wrong(collector: CollectorProcess) -> None:
    client = connect(collector)
    for sql, code in (("SELEC 1", 62), ("SELECT file('/etc/passwd')", 497), ("SELECT x", 47), ("SELECT * FROM t", 60)):
        with pytest.raises(DatabaseError) as caught:
            client.query(sql)
        assert caught.value.code == code
    for change in (client.insert, client.command):
        with pytest.raises(DatabaseError):
            change("DROP TABLE spans") if change == client.command else client.insert("spans", [["x"]], ["project"])
    assert client.command("SELECT count() FROM spans") == 1


def test_curl_asks_in_the_query_and_in_the_body(collector: CollectorProcess) -> None:
    asked = "/?query=SELECT%20name%20FROM%20spans"
    status, headers, body = curl(collector, path=asked)
    assert (status, body) == (200, "a call\n")
    assert headers["content-type"] == "text/tab-separated-values; charset=UTF-8"
    assert headers["x-clickhouse-format"] == "TabSeparated"
    assert headers["x-clickhouse-timezone"] == "UTC"
    assert int(json.loads(headers["x-clickhouse-summary"])["elapsed_ns"]) > 0
    assert curl(collector, "--data-binary", "SELECT name FROM spans")[2] == "a call\n"
    assert (
        curl(collector, "-d", "FROM spans FORMAT JSONEachRow", path="/?query=SELECT%20name")[2] == '{"name":"a call"}\n'
    )
    assert curl(collector, "-d", "SELECT 1 AS a", path="/?default_format=CSVWithNames")[2] == '"a"\n1\n'
    assert curl(collector, "-d", "SELECT 1", "-H", "X-ClickHouse-Format: Values")[2] == "(1)"
    assert curl(collector, "-d", "SELECT {a:String}", path="/?param_a=x%22y")[2] == 'x"y\n'
    assert curl(collector, "-d", "SELECT 1", path="/?database=default&session_id=1&max_execution_time=5")[2] == "1\n"
    quoted = "/?output_format_json_quote_64bit_integers=1&query_id=mine"
    status, headers, body = curl(collector, "-d", "SELECT toUInt64(1) AS a FORMAT JSONEachRow", path=quoted)
    assert (body, headers["x-clickhouse-query-id"]) == ('{"a":"1"}\n', "mine")


@pytest.mark.parametrize(
    ("path", "sent", "status", "code"),
    [
        ("/", "SELEC", 400, 62),
        ("/", "", 400, 62),
        ("/", "SELECT x FROM spans", 404, 47),
        ("/", "SELECT * FROM nothing", 404, 60),
        ("/", "SELECT 1 FORMAT Nothing", 404, 73),
        ("/", "SELECT {x:String}", 400, 456),
        ("/", "DROP TABLE spans", 403, 497),
        ("/", "SELECT 1 SETTINGS max_threads = 9", 403, 164),
        ("/?max_memory_usage=0", "SELECT 1", 403, 164),
        ("/?output_format_json_quote_decimals=1'", "SELECT 1", 403, 164),
        ("/?session_timezone=Nowhere", "SELECT 1", 400, 36),
        ("/?role=owning", "SELECT 1", 403, 164),
        ("/?database=other", "SELECT 1", 404, 81),
        ("/?database=system", "SELECT * FROM processes", 403, 497),
        ("/?compress=1", "SELECT 1", 501, 48),
        ("/", "SELECT sleep(3)", 403, 497),
    ],
)
def test_errors_have_the_number_and_status_of_clickhouse(
    collector: CollectorProcess, path: str, sent: str, status: int, code: int
) -> None:
    found, headers, body = curl(collector, "--data-binary", sent, path=path)
    assert body.startswith(f"Code: {code}. DB::Exception: ")
    assert body.endswith(")\n")
    assert body.count("\n") == 1
    assert (headers["x-clickhouse-exception-code"], found) == (str(code), status if code != 47 else found)


def test_what_clients_ask_besides_is_answered(collector: CollectorProcess) -> None:
    for path in ("/ping", "/replicas_status", "/"):
        assert curl(collector, path=path)[::2] == (200, "Ok.\n")
    assert curl(collector, path="/play")[0] == 404
    assert curl(collector, "-X", "DELETE", path="/?query=SELECT%201")[0] == 405
    assert curl(collector, "-I", path="/ping")[0] in (200, 405)
    large = "SELECT '" + "x" * (2 << 20) + "'"
    asked = urllib.request.Request(url(collector), data=large.encode())
    assert refused(asked) == (413, "307")


def test_bodies_are_compressed_both_ways_and_a_bomb_is_refused(collector: CollectorProcess) -> None:
    headers = {"Content-Encoding": "gzip", "Accept-Encoding": "gzip"}
    sent = gzip.compress(b"SELECT number FROM numbers(1000)")
    asked = urllib.request.Request(url(collector) + "/?enable_http_compression=1", data=sent, headers=headers)
    with urllib.request.urlopen(asked, timeout=30) as response:
        assert response.headers["Content-Encoding"] == "gzip"
        assert len(gzip.decompress(response.read()).split()) == 1000
    bomb = urllib.request.Request(url(collector), data=gzip.compress(bytes(64 << 20)), headers=headers)
    assert refused(bomb) == (413, "307")


def test_statements_end_when_their_clients_leave_and_spans_are_taken_meanwhile(collector: CollectorProcess) -> None:
    endless = "SELECT count() FROM system.numbers WHERE number % 2 = 3"
    command = ["curl", "-s", "--noproxy", "*", "-d", endless, url(collector)]
    clients = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for _ in range(3)]
    send(collector, "while statements run")
    assert '"ready"' in collector.get("/readyz")
    for client in clients:
        client.kill()
        client.wait()
    assert connect(collector).command("SELECT 1") == 1
    assert connect(collector).command("SELECT count() FROM spans") >= 1
    assert collector.metric("spanledger_sql_statements_total") > 5


def test_the_key_of_a_project_sees_its_rows_in_every_way_of_showing_it(with_keys: CollectorProcess) -> None:
    for name in ("shop", "forum"):
        key = KEYS[name]
        for shown in (
            ("-H", f"X-ClickHouse-Key: {key}"), ("-H", f"X-ClickHouse-User: default\nX-ClickHouse-Key: {key}"),
            ("-H", f"Authorization: Bearer {key}"), ("-u", f"default:{key}"), ("-H", f"X-API-Key: {key}"),
        ):  # fmt: skip
            arguments = [part for one in shown for part in ([one] if "\n" not in one else one.split("\n")[1:])]
            assert curl(with_keys, *arguments, "-d", "SELECT name, project FROM spans")[2] == f"of the {name}\t{name}\n"
        assert connect(with_keys, password=key).query("SELECT name FROM span_messages").result_rows == [
            (f"of the {name}",)
        ]
        assert connect(with_keys, username="", access_token=key).command("SELECT uniq(project) FROM traces") == 1


def test_without_a_key_that_may_read_nothing_is_told(with_keys: CollectorProcess) -> None:
    asked = ("-d", "SELECT name FROM spans")
    status, headers, body = curl(with_keys, *asked)
    assert (status, headers["x-clickhouse-exception-code"]) == (401, "194")
    assert headers["www-authenticate"].startswith("Basic ")
    for shown, expected in (
        (("-u", "default:wrong"), 403), (("-u", f"{KEYS['shop']}:"), 401), (("-u", f"default:{KEYS['writer']}"), 403),
        (("-u", f"default:{KEYS['shop']}", "-H", "X-Project-Name: forum"), 403), (("-H", "Authorization: Basic %%%"), 401),
    ):  # fmt: skip
        status, _, body = curl(with_keys, *shown, *asked)
        assert status == expected
        assert "of the" not in body
    assert curl(with_keys, *asked, path=f"/?password={KEYS['shop']}&user=default")[0] == 401
    assert curl(with_keys, path="/ping")[0] == 200
    with pytest.raises((DatabaseError, OperationalError)):
        connect(with_keys, password="wrong")


def test_it_is_off_unless_configured(tmp_path: Path) -> None:
    with CollectorProcess(tmp_path) as running:
        assert "SQL" in "".join(running.output)
        assert "not served (query.sql.endpoint)" in "".join(running.output)
