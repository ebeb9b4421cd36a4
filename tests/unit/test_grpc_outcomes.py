"""The one table from outcomes to gRPC codes, and which of them ask the sender to come again."""

from __future__ import annotations

import grpc
import pytest
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status

from collector.errors import Forbidden, Misconfigured, Outcome, Permanent, Retryable, TooLarge, Unauthorized
from collector.grpc_outcomes import GRPC_CODES, grpc_code, grpc_trailers


@pytest.mark.parametrize(
    ("outcome", "code"),
    [
        (Retryable("full"), grpc.StatusCode.UNAVAILABLE),
        (Misconfigured("mend it"), grpc.StatusCode.UNAVAILABLE),
        (TooLarge("big"), grpc.StatusCode.RESOURCE_EXHAUSTED),
        (Unauthorized("who"), grpc.StatusCode.UNAUTHENTICATED),
        (Forbidden("not you"), grpc.StatusCode.PERMISSION_DENIED),
        (Permanent("bad"), grpc.StatusCode.INVALID_ARGUMENT),
    ],
)
def test_each_outcome_has_its_code(outcome: Outcome, code: grpc.StatusCode) -> None:
    assert grpc_code(outcome) is code


def test_the_table_knows_every_outcome() -> None:
    assert {kind for kind, _ in GRPC_CODES} == {Retryable, *Permanent.__subclasses__(), Permanent}


def test_only_a_retryable_outcome_carries_retry_info_and_spreads_the_delay() -> None:
    delays = set()
    for _ in range(200):
        ((key, value),) = grpc_trailers(Retryable("full", after=2.0))
        status = Status.FromString(value)
        detail = RetryInfo()
        assert key == "grpc-status-details-bin"
        assert status.details[0].Unpack(detail)
        delays.add(detail.retry_delay.seconds + detail.retry_delay.nanos / 1e9)
    assert 1.0 <= min(delays) < 1.5
    assert 2.5 < max(delays) <= 3.0
    assert len(delays) > 100
    for outcome in (TooLarge("big"), Permanent("bad"), Unauthorized("who"), Forbidden("not you")):
        assert grpc_trailers(outcome) == ()
