"""The fake model server answers as the published clients expect, with the usage that its documentation promises."""

from __future__ import annotations

import base64
import json
import socket
import struct
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from typing import Any

import anthropic
import openai
import pytest
from anthropic.types import MessageParam, ToolParam
from openai.types.chat import ChatCompletionFunctionToolParam, ChatCompletionMessageParam

from tests.demo.model_server import ANSWER, CHAT_USAGE, EMBEDDING, MESSAGES_USAGE, TOOL_ARGUMENTS, ModelServer

QUESTION: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Where is my order?"}]
TOOL: ChatCompletionFunctionToolParam = {
    "type": "function",
    "function": {"name": "look_up_order", "parameters": {"type": "object", "properties": {}}},
}


@pytest.fixture(scope="module")
def server() -> Iterator[ModelServer]:
    with ModelServer(first_chunk_delay=0) as model_server:
        yield model_server


@pytest.fixture
def client(server: ModelServer) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(api_key="not-needed", base_url=server.openai_url, max_retries=0) as openai_client:
        yield openai_client


def post(url: str, body: bytes) -> tuple[int, dict[str, Any]]:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data=body, method="POST"), timeout=10) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def test_a_chat_answers_with_the_dated_model_and_the_promised_usage(client: openai.OpenAI) -> None:
    response = client.chat.completions.create(model="gpt-4o", messages=QUESTION)
    assert response.model == "gpt-4o-2024-08-06"
    assert response.choices[0].message.content == ANSWER
    assert response.choices[0].finish_reason == "stop"
    usage = response.usage
    assert usage is not None
    assert usage.prompt_tokens_details is not None
    assert usage.completion_tokens_details is not None
    assert (usage.prompt_tokens, usage.prompt_tokens_details.cached_tokens) == (100, 60)
    assert (usage.completion_tokens, usage.completion_tokens_details.reasoning_tokens) == (20, 5)
    assert usage.total_tokens == 120


def test_a_model_without_a_dated_name_keeps_its_name(client: openai.OpenAI) -> None:
    assert client.chat.completions.create(model="some-model", messages=QUESTION).model == "some-model"


def test_every_answer_has_an_id_of_its_own(client: openai.OpenAI) -> None:
    ids = {client.chat.completions.create(model="gpt-4o", messages=QUESTION).id for _ in range(3)}
    assert len(ids) == 3


def test_a_tool_is_called_only_while_its_result_is_missing(client: openai.OpenAI) -> None:
    first = client.chat.completions.create(model="gpt-4o", messages=QUESTION, tools=[TOOL]).choices[0]
    assert first.finish_reason == "tool_calls"
    assert first.message.content is None
    call = (first.message.tool_calls or [])[0]
    assert call.type == "function"
    assert call.function.name == "look_up_order"
    assert json.loads(call.function.arguments) == TOOL_ARGUMENTS
    result: ChatCompletionMessageParam = {"role": "tool", "tool_call_id": call.id, "content": "{}"}
    second = client.chat.completions.create(model="gpt-4o", messages=[*QUESTION, result], tools=[TOOL]).choices[0]
    assert (second.finish_reason, second.message.content) == ("stop", ANSWER)


def test_a_stream_adds_up_to_the_answer_and_ends_with_the_usage_that_was_asked_for(client: openai.OpenAI) -> None:
    options: openai.types.chat.ChatCompletionStreamOptionsParam = {"include_usage": True}
    stream = client.chat.completions.create(model="gpt-4o", messages=QUESTION, stream=True, stream_options=options)
    chunks = list(stream)
    assert "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices) == ANSWER
    assert [choice.finish_reason for chunk in chunks for choice in chunk.choices if choice.finish_reason] == ["stop"]
    assert [chunk.usage is not None for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
    assert chunks[-1].choices == []
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.model_dump(exclude_none=True) == CHAT_USAGE
    assert {(chunk.id, chunk.model) for chunk in chunks} == {(chunks[0].id, "gpt-4o-2024-08-06")}


def test_a_stream_reports_no_usage_unless_it_is_asked_for(client: openai.OpenAI) -> None:
    chunks = list(client.chat.completions.create(model="gpt-4o", messages=QUESTION, stream=True))
    assert all(chunk.usage is None and chunk.choices for chunk in chunks)


def test_a_streamed_tool_call_adds_up_to_the_whole_call(client: openai.OpenAI) -> None:
    stream = client.chat.completions.create(model="gpt-4o", messages=QUESTION, tools=[TOOL], stream=True)
    choices = [choice for chunk in stream for choice in chunk.choices]
    functions = [call.function for choice in choices for call in choice.delta.tool_calls or [] if call.function]
    assert "".join(function.name or "" for function in functions) == "look_up_order"
    assert json.loads("".join(function.arguments or "" for function in functions)) == TOOL_ARGUMENTS
    assert choices[-1].finish_reason == "tool_calls"


def test_a_client_that_leaves_a_stream_early_does_not_disturb_the_server(capfd: pytest.CaptureFixture[str]) -> None:
    body = json.dumps({"model": "gpt-4o", "messages": QUESTION, "stream": True}).encode()
    head = f"POST /v1/chat/completions HTTP/1.0\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    with ModelServer(first_chunk_delay=0.2) as model_server:
        address = ("127.0.0.1", urllib.parse.urlsplit(model_server.url).port)
        with socket.create_connection(address, timeout=10) as connection:
            connection.sendall(head + body)
            assert connection.recv(1000).startswith(b"HTTP/1.0 200 ")
            # Closing with a reset makes the server's next write fail.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        with openai.OpenAI(api_key="not-needed", base_url=model_server.openai_url, max_retries=0) as client:
            answer = client.chat.completions.create(model="gpt-4o", messages=QUESTION).choices[0].message.content
    assert answer == ANSWER
    assert capfd.readouterr().err == ""


def test_both_encodings_give_the_same_embedding(server: ModelServer) -> None:
    vectors = {}
    for encoding in ("float", "base64"):
        request = {"model": "text-embedding-3-small", "input": "one", "encoding_format": encoding}
        status, body = post(f"{server.openai_url}/embeddings", json.dumps(request).encode())
        assert status == 200
        vectors[encoding] = body["data"][0]["embedding"]
    assert tuple(vectors["float"]) == EMBEDDING
    assert struct.unpack("<4f", base64.b64decode(vectors["base64"])) == EMBEDDING


def test_an_embedding_is_decoded_by_the_client_and_reports_its_tokens(client: openai.OpenAI) -> None:
    response = client.embeddings.create(model="text-embedding-3-small", input=["one", "two"])
    assert [tuple(item.embedding) for item in response.data] == [EMBEDDING, EMBEDDING]
    assert [item.index for item in response.data] == [0, 1]
    assert (response.usage.prompt_tokens, response.usage.total_tokens) == (8, 8)


def test_the_broken_model_fails_with_a_server_error(client: openai.OpenAI) -> None:
    with pytest.raises(openai.InternalServerError) as failure:
        client.chat.completions.create(model="gpt-4o-broken", messages=QUESTION)
    assert failure.value.status_code == 500
    assert failure.value.type == "server_error"


def test_the_busy_model_fails_with_a_rate_limit(client: openai.OpenAI) -> None:
    with pytest.raises(openai.RateLimitError) as failure:
        client.chat.completions.create(model="gpt-4o-busy", messages=QUESTION)
    assert failure.value.code == "rate_limit_exceeded"


def test_anthropic_messages_report_cache_tokens_beside_the_input(server: ModelServer) -> None:
    request = {"model": "claude-sonnet-4-5", "max_tokens": 100, "messages": QUESTION}
    status, body = post(f"{server.url}/v1/messages", json.dumps(request).encode())
    assert status == 200
    assert body["model"] == "claude-sonnet-4-5-20250929"
    assert body["content"] == [{"type": "text", "text": ANSWER}]
    assert body["usage"] == MESSAGES_USAGE
    counts = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens", "output_tokens")
    assert [body["usage"][key] for key in counts] == [10, 500, 100, 20]


@pytest.mark.parametrize(
    ("path", "body", "status", "message"),
    [
        ("/v1/chat/completions", b"{", 400, "We could not parse the JSON body of your request."),
        ("/v1/chat/completions", b"[]", 400, "you must provide a model parameter"),
        ("/v1/chat/completions", b'{"model": "gpt-4o"}', 400, "Missing required parameter: 'messages'."),
        ("/v1/embeddings", b'{"model": "gpt-4o"}', 400, "Missing required parameter: 'input'."),
        ("/v1/images", b'{"model": "gpt-4o"}', 404, "Invalid URL (POST /v1/images)"),
    ],
)
def test_a_bad_request_gets_the_error_body_of_openai(
    server: ModelServer, path: str, body: bytes, status: int, message: str
) -> None:
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": None}
    assert post(server.url + path, body) == (status, {"error": error})


@pytest.fixture
def anthropic_client(server: ModelServer) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(api_key="not-needed", base_url=server.url, max_retries=0) as client:
        yield client


def test_a_streamed_anthropic_message_adds_up_to_the_answer_and_the_promised_usage(
    anthropic_client: anthropic.Anthropic,
) -> None:
    with anthropic_client.messages.stream(
        model="some-model", max_tokens=100, messages=[{"role": "user", "content": "Where is my order?"}]
    ) as stream:
        assert "".join(stream.text_stream) == ANSWER
        usage = stream.get_final_message().usage
    assert (usage.input_tokens, usage.cache_read_input_tokens, usage.cache_creation_input_tokens) == (10, 500, 100)
    assert usage.output_tokens == 20


@pytest.mark.parametrize("streams", [False, True])
def test_an_anthropic_tool_is_called_only_while_its_result_is_missing(
    anthropic_client: anthropic.Anthropic, streams: bool
) -> None:
    tool: ToolParam = {"name": "look_up_order", "input_schema": {"type": "object"}}
    asked: MessageParam = {"role": "user", "content": "Where is my order?"}

    def ask(*messages: MessageParam) -> anthropic.types.Message:
        arguments: Any = {"model": "some-model", "max_tokens": 100, "messages": messages, "tools": [tool]}
        if not streams:
            return anthropic_client.messages.create(**arguments)
        with anthropic_client.messages.stream(**arguments) as stream:
            return stream.get_final_message()

    called = ask(asked)
    assert called.stop_reason == "tool_use"
    (block,) = called.content
    assert isinstance(block, anthropic.types.ToolUseBlock)
    assert (block.name, block.input) == ("look_up_order", TOOL_ARGUMENTS)
    answer: MessageParam = {
        "role": "user",
        "content": [{"type": "tool_result", "tool_use_id": block.id, "content": "{}"}],
    }
    assert ask(asked, {"role": "assistant", "content": called.content}, answer).stop_reason == "end_turn"


def test_counting_the_tokens_of_a_message_gives_its_whole_input(anthropic_client: anthropic.Anthropic) -> None:
    asked: MessageParam = {"role": "user", "content": "Where is my order?"}
    counted = anthropic_client.messages.count_tokens(model="some-model", messages=[asked])
    assert counted.input_tokens == 610


def test_what_follows_the_path_as_a_query_changes_nothing(server: ModelServer) -> None:
    body = json.dumps({"model": "gpt-4o", "messages": QUESTION}).encode()
    status, answer = post(f"{server.openai_url}/chat/completions?api-version=2024-05-01-preview", body)
    assert (status, answer["usage"]) == (200, CHAT_USAGE)


def test_a_response_reports_the_usage_of_a_chat_under_its_own_names(client: openai.OpenAI) -> None:
    response = client.responses.create(model="gpt-4o", input="Where is my order?")
    assert (response.model, response.output_text) == ("gpt-4o-2024-08-06", ANSWER)
    usage = response.usage
    assert usage is not None
    assert (usage.input_tokens, usage.input_tokens_details.cached_tokens) == (100, 60)
    assert (usage.output_tokens, usage.output_tokens_details.reasoning_tokens) == (20, 5)


def test_the_server_stops_listening_when_its_block_ends() -> None:
    with ModelServer() as model_server:
        url = model_server.url
    with pytest.raises(urllib.error.URLError):
        post(f"{url}/v1/messages", b"{}")
