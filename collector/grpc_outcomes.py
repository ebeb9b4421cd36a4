"""The one table from outcomes to what a sender is told.

Which codes make a client try again is laid down in the OTLP specification (opentelemetry-proto, docs/specification.md,
"OTLP/gRPC Response"): UNAVAILABLE always, RESOURCE_EXHAUSTED only with RetryInfo, INVALID_ARGUMENT, UNAUTHENTICATED and
PERMISSION_DENIED never.

=============  ==================  =========  ==================================================================
outcome        gRPC code           RetryInfo  when
=============  ==================  =========  ==================================================================
Retryable      UNAVAILABLE         yes        journal or disk full, memory short, too much in flight, stopping
TooLarge       RESOURCE_EXHAUSTED  no         the request exceeds a limit on its size
Unauthorized   UNAUTHENTICATED     no         no key, or none that is known
Forbidden      PERMISSION_DENIED   no         the key does not allow it
Permanent      INVALID_ARGUMENT    no         no OTLP request, or one that this program cannot decode
=============  ==================  =========  ==================================================================

What the store says is not in it: a request is acknowledged by the journal. `exporters.clickhouse.error_codes` is the table
of that.
"""

from __future__ import annotations

import math

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status

from collector.errors import Forbidden, Outcome, Permanent, Retryable, TooLarge, Unauthorized
from collector.retry_delay import spread

# The first class that an outcome is an instance of decides.
GRPC_CODES: tuple[tuple[type[Outcome], grpc.StatusCode], ...] = (
    (Retryable, grpc.StatusCode.UNAVAILABLE),
    (TooLarge, grpc.StatusCode.RESOURCE_EXHAUSTED),
    (Unauthorized, grpc.StatusCode.UNAUTHENTICATED),
    (Forbidden, grpc.StatusCode.PERMISSION_DENIED),
    (Permanent, grpc.StatusCode.INVALID_ARGUMENT),
)


def grpc_code(outcome: Outcome) -> grpc.StatusCode:
    """Return the gRPC status code of an outcome."""
    return next(code for kind, code in GRPC_CODES if isinstance(outcome, kind))


def grpc_trailers(outcome: Outcome) -> tuple[tuple[str, bytes], ...]:
    """Return the trailing metadata of an outcome: a google.rpc.Status with RetryInfo for a retryable one.

    The delay is spread, so that senders refused together do not come back together.
    """
    if not isinstance(outcome, Retryable):
        return ()
    fraction, seconds = math.modf(spread(outcome.after))
    delay = Duration(seconds=int(seconds), nanos=int(fraction * 1e9))
    detail = AnyMessage()
    detail.Pack(RetryInfo(retry_delay=delay))
    status = Status(code=grpc_code(outcome).value[0], message=str(outcome), details=[detail])
    return (("grpc-status-details-bin", status.SerializeToString()),)
