"""The published package of Lasso, as it is, against a running collector."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator

import httpx
import pytest
from lasso import LassoClient, LassoError

from tests.support.clients import readme_example
from tests.support.collector_process import CollectorProcess
from tests.support.contract import contract, violations

CONTRACT = contract("lasso")


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LassoClient]:
    """The client of a collector with the spans of the README's program."""
    with CollectorProcess(tmp_path_factory.mktemp("lasso")) as running:
        environment = {**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{running.grpc_address}"}
        program = readme_example("collector/query/lasso/README.md")
        subprocess.run([sys.executable, "-c", program], env=environment, timeout=60, check=True)
        with LassoClient("a key", base_url=f"{running.url}/lasso/api/v1") as opened:
            wait_for_row(opened)
            yield opened
        assert running.terminate() == 0


def wait_for_row(client: LassoClient) -> None:
    until = time.monotonic() + 30
    while True:
        try:
            client.enhance.traces("tbl_abc123", "row_xyz789")
        except LassoError:
            assert time.monotonic() < until
            time.sleep(0.05)
        else:
            return


def test_the_program_of_the_readme_gives_the_documented_example(client: LassoClient) -> None:
    for arguments in ({"column_key": "description"}, {"column_key": ""}, {}):
        assert client.enhance.traces("tbl_abc123", "row_xyz789", **arguments) == CONTRACT["example"]
    assert list(violations(CONTRACT, client.enhance.traces("tbl_abc123", "row_xyz789"), "RowTraces")) == []


def test_a_column_that_was_not_filled_has_no_traces(client: LassoClient) -> None:
    assert client.enhance.traces("tbl_abc123", "row_xyz789", column_key="a b&c") == {"data": []}


@pytest.mark.parametrize(
    ("table", "row"),
    [("tbl_abc123", "none"), ("none", "row_xyz789"), ("tbl_abc123", "row_xyz789/more"), ("a b", "'; --")],
)
def test_a_row_that_no_span_names_is_an_error_of_lassos(client: LassoClient, table: str, row: str) -> None:
    with pytest.raises(LassoError) as refused:
        client.enhance.traces(table, row)
    assert (refused.value.status_code, refused.value.error_type) == (404, "not_found")
    assert str(refused.value)
    assert len(refused.value.request_id) == 36


def test_what_is_not_served_is_an_error_of_lassos_too(client: LassoClient) -> None:
    with pytest.raises(LassoError) as refused:
        client.tables.list()
    assert (refused.value.status_code, refused.value.error_type) == (404, "not_found")
    assert not isinstance(refused.value, httpx.HTTPStatusError)
