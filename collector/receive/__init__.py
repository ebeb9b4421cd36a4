"""The sockets: OTLP/gRPC in, an acknowledgement out."""

from collector.receive.grpc import GrpcReceiver
from collector.receive.intake import Intake

__all__ = ["GrpcReceiver", "Intake"]
