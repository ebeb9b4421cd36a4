"""OTLP/gRPC: the `Export` of traces, logs and metrics, the health service and server reflection, on grpcio's asyncio server."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, NoReturn

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health import aio as health
from grpc_reflection.v1alpha import reflection
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2

from collector import telemetry
from collector.auth import Keys, shown_key
from collector.decode import Rejections
from collector.errors import Outcome, Retryable
from collector.grpc_outcomes import grpc_code, grpc_trailers
from collector.receive.endpoint import cannot_listen, tried
from collector.receive.intake import Intake
from collector.receive.reading import Reading
from collector.retry_delay import LastingTrouble
from collector.signals import Signal

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Service:
    """One of OTLP's three services: what its one method, `Export`, is answered with."""

    signal: Signal
    name: str
    response: Callable[[], Any]
    rejected: str
    """The field of `partial_success` that holds the number of rejected records."""

    def serialize(self, rejections: Rejections) -> bytes:
        """Return the response. Nothing rejected: partial_success must not be set, which is the empty message."""
        if not rejections.count:
            return b""
        response = self.response()
        setattr(response.partial_success, self.rejected, rejections.count)
        response.partial_success.error_message = rejections.message
        return bytes(response.SerializeToString())


SERVICES = (
    Service(
        Signal.TRACES,
        trace_service_pb2.DESCRIPTOR.services_by_name["TraceService"].full_name,
        trace_service_pb2.ExportTraceServiceResponse,
        "rejected_spans",
    ),
    Service(
        Signal.LOGS,
        logs_service_pb2.DESCRIPTOR.services_by_name["LogsService"].full_name,
        logs_service_pb2.ExportLogsServiceResponse,
        "rejected_log_records",
    ),
    Service(
        Signal.METRICS,
        metrics_service_pb2.DESCRIPTOR.services_by_name["MetricsService"].full_name,
        metrics_service_pb2.ExportMetricsServiceResponse,
        "rejected_data_points",
    ),
)


class _Exports(grpc.GenericRpcHandler):  # type: ignore[misc]
    """Finds the handler of an `Export`, asking first whose it is, and whether there is room for it.

    A stranger is refused before the request is read, and so is everybody while there is no room. Calls are handled as streams,
    of which a message is read when it is asked for; what is not asked for stays with its sender.
    """

    def __init__(self, intake: Intake, keys: Keys) -> None:
        self._intake = intake
        self._keys = keys
        self._reading = Reading()
        self._trouble = LastingTrouble()
        self._services: Mapping[str, Service] = {f"/{service.name}/Export": service for service in SERVICES}

    def service(self, handler_call_details: Any) -> Any:
        """Return the handler of a request, or None when it is for another service."""
        service = self._services.get(handler_call_details.method)
        if service is None:
            return None
        sent = dict(handler_call_details.invocation_metadata or ())
        try:
            project = self._keys.sender(shown_key(sent.get), named=sent.get("x-project-name"))
        except Outcome as outcome:
            return grpc.stream_unary_rpc_method_handler(partial(self._refuse_unread, service.signal, outcome))
        # Bytes in, bytes out: the message is decoded by the intake, not by grpcio.
        export = partial(self._export, service.signal, project)
        return grpc.stream_unary_rpc_method_handler(export, None, service.serialize)

    async def _export(
        self, signal: Signal, project: str, _: object, context: grpc.aio.ServicerContext[Any, Any]
    ) -> Rejections:
        began = time.perf_counter()
        try:
            rejections = await self._taken(signal, project, context)
        except Outcome as outcome:
            await self._refuse(signal, outcome, context)
        telemetry.REQUESTS.labels(signal.name.lower(), "OK").inc()
        telemetry.ACK_SECONDS.observe(time.perf_counter() - began)
        return rejections

    async def _taken(self, signal: Signal, project: str, context: grpc.aio.ServicerContext[Any, Any]) -> Rejections:
        try:
            self._intake.admission.check()
        except Retryable:
            self._reading.give_up_on_slowest()  # what has arrived of it takes room too
            raise
        return await self._intake.accept(await self._reading.message(context), project, signal)

    async def _refuse_unread(self, signal: Signal, outcome: Outcome, _: object, context: Any) -> NoReturn:
        await self._refuse(signal, outcome, context)

    async def _refuse(self, signal: Signal, outcome: Outcome, context: grpc.aio.ServicerContext[Any, Any]) -> NoReturn:
        code = grpc_code(outcome)
        telemetry.REQUESTS.labels(signal.name.lower(), code.name).inc()
        _log.debug("refused a request: %s", outcome)
        if isinstance(outcome, Retryable):
            outcome.after = self._trouble.delay(outcome.after)
        await context.abort(code, str(outcome), grpc_trailers(outcome))
        raise AssertionError("abort raises")


class GrpcReceiver:
    """One listening gRPC server."""

    def __init__(
        self, intake: Intake, keys: Keys, *, max_request: int, beside: Mapping[str, grpc.GenericRpcHandler]
    ) -> None:
        """Serve `intake` to those whose keys may write; a request may have `max_request` bytes after decompression.

        `beside` are further services on the same socket, by their full names.
        """
        self._server = grpc.aio.server(
            options=(
                ("grpc.max_receive_message_length", max_request),
                ("grpc.max_metadata_size", 16 << 10),
                ("grpc.max_concurrent_streams", 256),
                # Who connects and says nothing, or is gone without a word, does not keep a socket for ever.
                ("grpc.server_handshake_timeout_ms", 10_000),
                ("grpc.keepalive_time_ms", 60_000),
                ("grpc.keepalive_timeout_ms", 20_000),
                ("grpc.keepalive_permit_without_calls", 1),
                ("grpc.max_connection_idle_ms", 600_000),
                # Two processes on one port would each get half of the requests.
                ("grpc.so_reuseport", 0),
            )
        )
        self._server.add_generic_rpc_handlers((_Exports(intake, keys), *beside.values()))
        self._names = (*(service.name for service in SERVICES), *beside)
        self._health = health.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        health_service = health_pb2.DESCRIPTOR.services_by_name["Health"].full_name
        reflection.enable_server_reflection((*self._names, health_service, reflection.SERVICE_NAME), self._server)

    async def start(self, address: str) -> int:
        """Listen on host:port and return the port. Raises `StartError` when the address cannot be had."""
        try:
            port: int = self._server.add_insecure_port(address)
        except RuntimeError as error:
            raise cannot_listen("receive.grpc.endpoint", address, tried(address)) from error
        await self._server.start()
        for name in ("", *self._names):
            await self._health.set(name, health_pb2.HealthCheckResponse.SERVING)
        return port

    async def stop(self, grace: float) -> None:
        """Refuse new requests, and give those in flight `grace` seconds to be answered."""
        await self._health.enter_graceful_shutdown()
        await self._server.stop(grace)
