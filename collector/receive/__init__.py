"""The sockets: OTLP/gRPC in, an acknowledgement out."""

from collector.receive.admission import Admission
from collector.receive.endpoint import cannot_listen
from collector.receive.grpc import GrpcReceiver
from collector.receive.intake import Intake

__all__ = ["Admission", "GrpcReceiver", "Intake", "cannot_listen"]
