"""A small fake model server: OpenAI's HTTP API, and Anthropic's messages, on the loopback interface.

For the demo and for tests that need a real client and a real instrumentation but no account. It needs nothing but the
standard library, and every answer reports the same known usage, so that tokens and cost can be checked to the digit:

========================  ===========================================================================================
call                      usage that is reported
========================  ===========================================================================================
POST /v1/chat/completions 100 prompt tokens, 60 of them cached; 20 completion tokens, 5 of them reasoning
POST /v1/responses        the same, under the names of the responses API; not streamed
POST /v1/embeddings       8 prompt tokens
POST /v1/messages         10 input, 500 cache read, 100 cache creation, 20 output (Anthropic counts them apart)
.../messages/count_tokens 610 input tokens
========================  ===========================================================================================

The model `gpt-4o-broken` always answers 500, `gpt-4o-busy` always 429.
"""

from __future__ import annotations

import base64
import itertools
import json
import re
import struct
import threading
import time
from collections.abc import Iterator
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

JSON = dict[str, Any]

CHAT_USAGE: JSON = {
    "prompt_tokens": 100,
    "completion_tokens": 20,
    "total_tokens": 120,
    "prompt_tokens_details": {"cached_tokens": 60, "audio_tokens": 0},
    "completion_tokens_details": {
        "reasoning_tokens": 5,
        "audio_tokens": 0,
        "accepted_prediction_tokens": 0,
        "rejected_prediction_tokens": 0,
    },
}
RESPONSE_USAGE: JSON = {
    "input_tokens": 100,
    "input_tokens_details": {"cached_tokens": 60},
    "output_tokens": 20,
    "output_tokens_details": {"reasoning_tokens": 5},
    "total_tokens": 120,
}
EMBEDDING_USAGE: JSON = {"prompt_tokens": 8, "total_tokens": 8}
MESSAGES_USAGE: JSON = {
    "input_tokens": 10,
    "cache_read_input_tokens": 500,
    "cache_creation_input_tokens": 100,
    "cache_creation": {"ephemeral_5m_input_tokens": 100, "ephemeral_1h_input_tokens": 0},
    "output_tokens": 20,
    "service_tier": "standard",
}

# The providers answer with the dated name of the model, whatever alias was asked for.
DATED_MODELS = {
    "gpt-4o": "gpt-4o-2024-08-06",
    "gpt-4o-mini": "gpt-4o-mini-2024-07-18",
    "claude-sonnet-4-5": "claude-sonnet-4-5-20250929",
}

ANSWER = "Order A-1001 ships tomorrow."
TOOL_ARGUMENTS: JSON = {"order_id": "A-1001"}
EMBEDDING = (0.25, -0.5, 0.75, -1.0)
"""Values that a 32-bit float holds exactly, so that both encodings of an embedding give the same numbers."""

FAILURES: dict[str, tuple[HTTPStatus, JSON]] = {
    "gpt-4o-broken": (
        HTTPStatus.INTERNAL_SERVER_ERROR,
        {
            "message": "The server had an error while processing your request.",
            "type": "server_error",
            "param": None,
            "code": None,
        },
    ),
    "gpt-4o-busy": (
        HTTPStatus.TOO_MANY_REQUESTS,
        {
            "message": "Rate limit reached for gpt-4o-busy on requests per min (RPM): Limit 3, Used 3, Requested 1.",
            "type": "requests",
            "param": None,
            "code": "rate_limit_exceeded",
        },
    ),
}


REQUIRED = {
    "/v1/chat/completions": "messages",
    "/v1/responses": "input",
    "/v1/embeddings": "input",
    "/v1/messages": "messages",
    "/v1/messages/count_tokens": "messages",
}
"""The calls that are answered, and what their requests must have besides a model."""


class RequestError(Exception):
    """The request is answered with an error: `status` and OpenAI's error object."""

    def __init__(self, status: HTTPStatus, error: JSON) -> None:
        super().__init__(error["message"])
        self.status = status
        self.error = error


def invalid(message: str, status: HTTPStatus = HTTPStatus.BAD_REQUEST) -> RequestError:
    """Return the refusal of a request that OpenAI's API would call invalid."""
    return RequestError(status, {"message": message, "type": "invalid_request_error", "param": None, "code": None})


def chat_choice(request: JSON) -> tuple[JSON, str]:
    """Return the assistant's message and its finish reason.

    A call of the first tool that is offered while the conversation holds no tool result yet, the answer afterwards.
    """
    tools = request.get("tools") or []
    if tools and not any(message.get("role") == "tool" for message in request["messages"]):
        function = {"name": tools[0]["function"]["name"], "arguments": json.dumps(TOOL_ARGUMENTS)}
        call = {"id": "call_lookup_1", "type": "function", "function": function}
        return {"role": "assistant", "content": None, "refusal": None, "tool_calls": [call]}, "tool_calls"
    return {"role": "assistant", "content": ANSWER, "refusal": None}, "stop"


def chat_completion(request: JSON, response_id: str) -> JSON:
    """Answer a chat request that does not stream: https://platform.openai.com/docs/api-reference/chat/object."""
    message, finish_reason = chat_choice(request)
    return {
        "id": response_id,
        "object": "chat.completion",
        "created": int(time.time()),
        "model": DATED_MODELS.get(request["model"], request["model"]),
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": finish_reason}],
        "usage": CHAT_USAGE,
        "service_tier": "default",
        "system_fingerprint": "fp_demo",
    }


def chat_deltas(message: JSON) -> Iterator[JSON]:
    """Split a message as a stream does: the role, then the tool calls in two pieces, or the text word by word."""
    yield {"role": "assistant", "content": None if message["content"] is None else ""}
    for index, call in enumerate(message.get("tool_calls", [])):
        arguments = call["function"]["arguments"]
        yield {"tool_calls": [{"index": index, **call, "function": {**call["function"], "arguments": ""}}]}
        yield {"tool_calls": [{"index": index, "function": {"arguments": arguments}}]}
    for word in re.findall(r"\s*\S+", message["content"] or ""):
        yield {"content": word}


def chat_chunks(request: JSON, response_id: str) -> Iterator[JSON]:
    """Answer a chat request that streams: https://platform.openai.com/docs/api-reference/chat-streaming.

    With `stream_options.include_usage` the usage comes in one more chunk, which has no choices.
    """
    message, finish_reason = chat_choice(request)
    include_usage = bool((request.get("stream_options") or {}).get("include_usage"))
    chunk: JSON = {
        "id": response_id,
        "object": "chat.completion.chunk",
        "created": int(time.time()),
        "model": DATED_MODELS.get(request["model"], request["model"]),
        "service_tier": "default",
        "system_fingerprint": "fp_demo",
    }
    if include_usage:
        chunk["usage"] = None
    for delta in chat_deltas(message):
        yield chunk | {"choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": None}]}
    yield chunk | {"choices": [{"index": 0, "delta": {}, "logprobs": None, "finish_reason": finish_reason}]}
    if include_usage:
        yield chunk | {"choices": [], "usage": CHAT_USAGE}


def embeddings(request: JSON) -> JSON:
    """Answer an embeddings request: one vector per input, as floats or as base64 of little-endian 32-bit floats."""
    inputs = request["input"] if isinstance(request["input"], list) else [request["input"]]
    vector: str | list[float] = list(EMBEDDING)
    if request.get("encoding_format") == "base64":
        vector = base64.b64encode(struct.pack(f"<{len(EMBEDDING)}f", *EMBEDDING)).decode()
    return {
        "object": "list",
        "data": [{"object": "embedding", "index": index, "embedding": vector} for index in range(len(inputs))],
        "model": DATED_MODELS.get(request["model"], request["model"]),
        "usage": EMBEDDING_USAGE,
    }


def response(request: JSON, response_id: str) -> JSON:
    """Answer a request of the responses API: https://platform.openai.com/docs/api-reference/responses/object."""
    text = {"type": "output_text", "text": ANSWER, "annotations": [], "logprobs": []}
    said = {"type": "message", "id": "msg_demo_1", "role": "assistant", "status": "completed", "content": [text]}
    return {
        "id": response_id,
        "object": "response",
        "created_at": int(time.time()),
        "status": "completed",
        "error": None,
        "incomplete_details": None,
        "instructions": request.get("instructions"),
        "model": DATED_MODELS.get(request["model"], request["model"]),
        "output": [{"type": "reasoning", "id": "rs_demo_1", "summary": []}, said],
        "parallel_tool_calls": True,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": request.get("tools") or [],
        "top_p": 1.0,
        "usage": RESPONSE_USAGE,
        "service_tier": "default",
    }


def anthropic_message(request: JSON, response_id: str) -> JSON:
    """Answer Anthropic's messages request that does not stream: https://docs.anthropic.com/en/api/messages.

    Like a chat, it calls the first tool that is offered while the conversation holds no tool result yet.
    """
    tools = request.get("tools") or []
    called = bool(tools) and '"tool_result"' not in json.dumps(request["messages"])
    block = {"type": "text", "text": ANSWER}
    if called:
        block = {"type": "tool_use", "id": "toolu_lookup_1", "name": tools[0]["name"], "input": TOOL_ARGUMENTS}
    return {
        "id": response_id,
        "type": "message",
        "role": "assistant",
        "model": DATED_MODELS.get(request["model"], request["model"]),
        "content": [block],
        "stop_reason": "tool_use" if called else "end_turn",
        "stop_sequence": None,
        "usage": MESSAGES_USAGE,
    }


def anthropic_events(request: JSON, response_id: str) -> Iterator[JSON]:
    """Answer Anthropic's messages request that streams: https://docs.anthropic.com/en/docs/build-with-claude/streaming."""
    whole = anthropic_message(request, response_id)
    begun = {"content": [], "stop_reason": None, "usage": {**MESSAGES_USAGE, "output_tokens": 1}}
    yield {"type": "message_start", "message": whole | begun}
    (block,) = whole["content"]
    if block["type"] == "text":
        yield {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
        deltas = [{"type": "text_delta", "text": word} for word in re.findall(r"\s*\S+", block["text"])]
    else:
        yield {"type": "content_block_start", "index": 0, "content_block": block | {"input": {}}}
        deltas = [{"type": "input_json_delta", "partial_json": json.dumps(block["input"])}]
    for delta in deltas:
        yield {"type": "content_block_delta", "index": 0, "delta": delta}
    yield {"type": "content_block_stop", "index": 0}
    stopped = {"stop_reason": whole["stop_reason"], "stop_sequence": None}
    yield {"type": "message_delta", "delta": stopped, "usage": {"output_tokens": MESSAGES_USAGE["output_tokens"]}}
    yield {"type": "message_stop"}


class _Server(ThreadingHTTPServer):
    """The listening socket, and what the request handlers share."""

    daemon_threads = False  # closing the server waits for the answers that are under way

    def __init__(self, first_chunk_delay: float) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.first_chunk_delay = first_chunk_delay
        self.numbers = itertools.count(1)


class _Handler(BaseHTTPRequestHandler):
    """One request. HTTP/1.0, so that a stream ends where its connection ends and nothing stays open afterwards."""

    server: _Server
    timeout = 10  # seconds: a client that connects and says nothing must not hold up the end of the server

    def do_POST(self) -> None:
        """Answer one call of the API; what cannot be answered gets the provider's error body."""
        self.path = self.path.partition("?")[0]  # Azure's clients name a version of the API, the beta ones themselves
        try:
            self._answer(self._request())
        except RequestError as error:
            self._send(error.status, self._error_body(error))
        except ConnectionError:
            self.close_connection = True  # the client left in the middle of a stream, as it may

    def log_message(self, format: str, *args: Any) -> None:
        """Print nothing: the output belongs to the program that uses this server."""

    def _request(self) -> JSON:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        try:
            request = json.loads(body)
        except ValueError:
            raise invalid("We could not parse the JSON body of your request.") from None
        if not isinstance(request, dict) or not isinstance(request.get("model"), str):
            raise invalid("you must provide a model parameter")
        return request

    def _answer(self, request: JSON) -> None:
        if request["model"] in FAILURES:
            raise RequestError(*FAILURES[request["model"]])
        if self.path not in REQUIRED:
            raise invalid(f"Invalid URL (POST {self.path})", HTTPStatus.NOT_FOUND)
        if not request.get(REQUIRED[self.path]):
            raise invalid(f"Missing required parameter: '{REQUIRED[self.path]}'.")
        number = next(self.server.numbers)
        if self.path == "/v1/embeddings":
            self._send(HTTPStatus.OK, embeddings(request))
        elif self.path == "/v1/messages/count_tokens":
            self._send(HTTPStatus.OK, {"input_tokens": 610})
        elif self.path == "/v1/messages":
            if request.get("stream"):
                self._stream((f"event: {e['type']}\n", e) for e in anthropic_events(request, f"msg_demo_{number}"))
            else:
                self._send(HTTPStatus.OK, anthropic_message(request, f"msg_demo_{number}"))
        elif self.path == "/v1/responses":
            if request.get("stream"):
                raise invalid("stream: this fake server answers responses only as a whole; leave stream out.")
            self._send(HTTPStatus.OK, response(request, f"resp_demo_{number}"))
        elif request.get("stream"):
            self._stream((("", chunk) for chunk in chat_chunks(request, f"chatcmpl-demo-{number}")), "data: [DONE]\n\n")
        else:
            self._send(HTTPStatus.OK, chat_completion(request, f"chatcmpl-demo-{number}"))

    def _error_body(self, error: RequestError) -> JSON:
        if self.path.startswith("/v1/messages"):
            return {"type": "error", "error": {"type": error.error["type"], "message": str(error)}}
        return {"error": error.error}

    def _send(self, status: HTTPStatus, body: JSON) -> None:
        payload = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def _stream(self, chunks: Iterator[tuple[str, JSON]], end: str = "") -> None:
        """Send server-sent events, each with the line that goes before its data; `end` closes the stream."""
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        # A model thinks before it speaks; without this the time to first token would be lost in the noise.
        time.sleep(self.server.first_chunk_delay)
        for line, chunk in chunks:
            self.wfile.write(f"{line}data: {json.dumps(chunk)}\n\n".encode())
        self.wfile.write(end.encode())


class ModelServer:
    """The server as a context manager: listens on 127.0.0.1, on a port that the system picks, until the block ends."""

    def __init__(self, first_chunk_delay: float = 0.05) -> None:
        """Bind the socket. `first_chunk_delay` is how long a stream stays silent at first, in seconds."""
        self._server = _Server(first_chunk_delay)
        self._thread = threading.Thread(target=self._server.serve_forever, name="model-server", daemon=True)

    @property
    def url(self) -> str:
        """The root URL, which is Anthropic's base URL."""
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def openai_url(self) -> str:
        """The base URL for OpenAI's clients."""
        return f"{self.url}/v1"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
