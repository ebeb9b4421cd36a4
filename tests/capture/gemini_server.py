"""A fake Gemini API for capture scripts: every answer reports 100 prompt tokens (60 cached), 15 of output and 5 of thoughts.

It answers `models/MODEL:generateContent`, and `:streamGenerateContent` as server-sent events, at any base path. While the
conversation holds no response of a tool it calls the first tool that it is offered.
"""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

USAGE = {
    "promptTokenCount": 100,
    "cachedContentTokenCount": 60,
    "candidatesTokenCount": 15,
    "thoughtsTokenCount": 5,
    "totalTokenCount": 120,
}
ANSWER = "Order A-1001 ships tomorrow."


class GeminiServer:
    """The server as a context manager: listens on 127.0.0.1, on a port that the system picks, until the block ends."""

    def __init__(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        """The base URL."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """Return the parts of the model's answer, its finish reason and the usage."""
    parts = [part for content in request["contents"] for part in content["parts"]]
    tools = request.get("tools") or []
    if tools and not any("functionResponse" in part for part in parts):
        name = tools[0]["functionDeclarations"][0]["name"]
        part: dict[str, Any] = {"functionCall": {"id": "call_1", "name": name, "args": {"order_id": "A-1001"}}}
    else:
        part = {"text": ANSWER}
    return {
        "candidates": [{"content": {"role": "model", "parts": [part]}, "finishReason": "STOP", "index": 0}],
        "usageMetadata": USAGE,
        "modelVersion": "gemini-2.5-flash",
        "responseId": "resp-gemini-1",
    }


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = answer(json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0)))))
        stream = ":streamGenerateContent" in self.path
        payload = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream" if stream else "application/json")
        self.end_headers()
        if stream:
            time.sleep(0.02)
            payload = b"data: " + payload + b"\r\n\r\n"
        self.wfile.write(payload)

    def log_message(self, format: str, *args: Any) -> None:
        """Print nothing."""
