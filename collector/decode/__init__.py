"""OTLP bytes to batches: the only place that knows the wire format.

`decode` is the seam: bytes in, columns out. What is behind it may change (a faster kernel, OTLP/JSON) without a word
elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from collector.batch import SignalBatch
from collector.decode.limits import Limits
from collector.decode.logs import decode_logs
from collector.decode.metrics import decode_metrics
from collector.decode.result import Decoded, Rejections
from collector.decode.spans import decode_spans
from collector.signals import Signal

__all__ = ["Decoded", "Limits", "Rejections", "decode", "decode_logs", "decode_metrics", "decode_spans"]


class _Decoder(Protocol):
    def __call__(self, payload: bytes, *, project: str, received_at: int, limits: Limits) -> Decoded[SignalBatch]: ...


_DECODERS: Mapping[Signal, _Decoder] = {
    Signal.TRACES: decode_spans,
    Signal.LOGS: decode_logs,
    Signal.METRICS: decode_metrics,
}


def decode(signal: Signal, payload: bytes, *, project: str, received_at: int, limits: Limits) -> Decoded[SignalBatch]:
    """Decode a serialized export request of this signal that arrived at `received_at` (ns since the epoch).

    Raises `Permanent` when the bytes are not such a request, `TooLarge` when they hold too much.
    """
    return _DECODERS[signal](payload, project=project, received_at=received_at, limits=limits)
