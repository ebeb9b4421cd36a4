"""OTLP/gRPC: `TraceService/Export`, the health service and server reflection, on grpcio's asyncio server."""

from __future__ import annotations

import logging
import time
from typing import Any, NoReturn

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health import aio as health
from grpc_reflection.v1alpha import reflection
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2

from collector import telemetry
from collector.decode import Rejections
from collector.errors import Outcome
from collector.receive.endpoint import cannot_listen, tried
from collector.receive.intake import Intake
from collector.receive.outcomes import grpc_code, grpc_trailers

TRACE_SERVICE = trace_service_pb2.DESCRIPTOR.services_by_name["TraceService"].full_name

_log = logging.getLogger(__name__)


def _serialize(rejections: Rejections) -> bytes:
    """An ExportTraceServiceResponse. Nothing rejected: partial_success must not be set, which is the empty message."""
    if not rejections.count:
        return b""
    response = trace_service_pb2.ExportTraceServiceResponse()
    response.partial_success.rejected_spans = rejections.count
    response.partial_success.error_message = rejections.message
    return response.SerializeToString()


class GrpcReceiver:
    """One listening gRPC server."""

    def __init__(self, intake: Intake, *, max_request: int, project: str) -> None:
        """Serve `intake`; a request may have `max_request` bytes after decompression, and belongs to `project`."""
        self._intake = intake
        self._project = project
        self._server = grpc.aio.server(
            options=(
                ("grpc.max_receive_message_length", max_request),
                ("grpc.max_metadata_size", 16 << 10),
                ("grpc.max_concurrent_streams", 256),
                # Two processes on one port would each get half of the requests.
                ("grpc.so_reuseport", 0),
            )
        )
        # Bytes in, bytes out: the message is decoded by the intake, not by grpcio.
        export = grpc.unary_unary_rpc_method_handler(self._export, None, _serialize)
        self._server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler(TRACE_SERVICE, {"Export": export}),)
        )
        self._health = health.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        services = (TRACE_SERVICE, health_pb2.DESCRIPTOR.services_by_name["Health"].full_name, reflection.SERVICE_NAME)
        reflection.enable_server_reflection(services, self._server)

    async def start(self, address: str) -> int:
        """Listen on host:port and return the port. Raises `StartError` when the address cannot be had."""
        try:
            port: int = self._server.add_insecure_port(address)
        except RuntimeError as error:
            raise cannot_listen("receive.grpc.endpoint", address, tried(address)) from error
        await self._server.start()
        for service in ("", TRACE_SERVICE):
            await self._health.set(service, health_pb2.HealthCheckResponse.SERVING)
        return port

    async def stop(self, grace: float) -> None:
        """Refuse new requests, and give those in flight `grace` seconds to be answered."""
        await self._health.enter_graceful_shutdown()
        await self._server.stop(grace)

    async def _export(self, payload: bytes, context: grpc.aio.ServicerContext[Any, Any]) -> Rejections:
        began = time.perf_counter()
        try:
            rejections = await self._intake.accept(payload, self._project)
        except Outcome as outcome:
            await self._refuse(outcome, context)
        telemetry.REQUESTS.labels("OK").inc()
        telemetry.ACK_SECONDS.observe(time.perf_counter() - began)
        return rejections

    @staticmethod
    async def _refuse(outcome: Outcome, context: grpc.aio.ServicerContext[Any, Any]) -> NoReturn:
        code = grpc_code(outcome)
        telemetry.REQUESTS.labels(code.name).inc()
        _log.debug("refused a request: %s", outcome)
        await context.abort(code, str(outcome), grpc_trailers(outcome))
        raise AssertionError("abort raises")
