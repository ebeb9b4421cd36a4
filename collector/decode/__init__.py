"""OTLP bytes to `SpanBatch`: the only place that knows the wire format.

`decode_spans` is the seam: bytes in, columns out. What is behind it may change (a faster kernel, OTLP/JSON) without a
word elsewhere.
"""

from collector.decode.limits import Limits
from collector.decode.spans import Decoded, Rejections, decode_spans

__all__ = ["Decoded", "Limits", "Rejections", "decode_spans"]
