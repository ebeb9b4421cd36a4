"""The messages of a step, as Letta's API shows them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.query.rows import Row
from tests.unit.query.steps import StoredSteps, call_row, client_of, shown

CONVERSATION = [
    {"role": "system", "parts": [{"type": "text", "content": "Be brief."}]},
    {
        "role": "user",
        "name": "ada",
        "parts": [
            {"type": "text", "content": "What is"},
            {"type": "text", "content": "it?"},
            {"type": "uri", "modality": "image", "uri": "https://images.example/1.png"},
            {"type": "blob", "modality": "image", "mime_type": "image/png", "content": "iVBORw0KGgo="},
        ],
    },
    {
        "role": "assistant",
        "parts": [
            {"type": "reasoning", "content": "Look it up.", "signature": "sig"},
            {"type": "reasoning", "content": "", "encrypted_content": "c2VjcmV0"},
            {"type": "text", "content": "One moment."},
            {"type": "tool_call", "id": "t1", "name": "look", "arguments": {"at": 1}},
        ],
    },
    {"role": "tool", "parts": [{"type": "tool_call_response", "id": "t1", "response": {"found": True}}]},
    {"role": "tool", "parts": [{"type": "tool_call_response", "id": "t2", "response": "no", "is_error": True}]},
]


def messages_of(row: Row, query: str = "") -> list[dict[str, Any]]:
    response = client_of(StoredSteps(row)).get(f"/letta/v1/steps/{shown(row)}/messages?{query}")
    assert response.status_code == 200, response.text
    found: list[dict[str, Any]] = response.json()
    return found


def test_messages_are_told_apart_by_what_they_are() -> None:
    row = call_row(1, input=json.dumps(CONVERSATION), attributes={"letta.run_id": "run-1"})
    messages = messages_of(row)
    about = {"otid", "sender_id", "seq_id", "step_id", "run_id", "id", "date"}
    brief = [
        {key: value for key, value in message.items() if key not in about and value is not None} for message in messages
    ]
    called = {"name": "look", "arguments": '{"at":1}', "tool_call_id": "t1"}
    found = {"tool_return": '{"found":true}', "status": "success", "tool_call_id": "t1"}
    failed = {"tool_return": "no", "status": "error", "tool_call_id": "t2"}
    error = {"is_err": True}
    empty = {"stdout": None, "stderr": None}
    image = {"data": "iVBORw0KGgo=", "media_type": "image/png", "detail": None}
    assert brief == [
        {"message_type": "system_message", "content": "Be brief."},
        {"message_type": "system_message", "content": "Be brief."},
        {
            "message_type": "user_message",
            "name": "ada",
            "content": [
                {"type": "text", "text": "What is", "signature": None},
                {"type": "text", "text": "it?", "signature": None},
                {"type": "image", "source": {"type": "url", "url": "https://images.example/1.png"}},
                {"type": "image", "source": {"type": "base64", **image}},
            ],
        },
        {"message_type": "reasoning_message", "reasoning": "Look it up.", "source": "reasoner_model", "signature": "sig"},
        {"message_type": "hidden_reasoning_message", "state": "redacted"},
        {"message_type": "assistant_message", "content": "One moment."},
        {"message_type": "tool_call_message", "tool_call": called, "tool_calls": [called]},
        {"message_type": "tool_return_message", **found, "tool_returns": [{"type": "tool", **found, **empty}]},
        {"message_type": "tool_return_message", **failed, **error, "tool_returns": [{"type": "tool", **failed, **empty}]},
        {"message_type": "assistant_message", "content": "Paris."},
    ]  # fmt: skip
    assert {message["step_id"] for message in messages} == {shown(row)}
    assert {message["run_id"] for message in messages} == {"run-1"}
    assert [message["date"] for message in messages[-2:]] == [
        "2026-01-01T00:00:01.123456Z",
        "2026-01-01T00:00:01.923456Z",
    ]


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("limit", [1, 3, 100])
def test_pages_hold_every_message_once_and_end_with_an_empty_one(limit: int, order: str) -> None:
    row = call_row(1, input=json.dumps(CONVERSATION))
    whole = [message["id"] for message in messages_of(row, f"order={order}")]
    assert len(set(whole)) == 10
    walked: list[str] = []
    while page := messages_of(row, f"order={order}&limit={limit}" + (f"&after={walked[-1]}" if walked else "")):
        walked += [message["id"] for message in page]
    assert walked == whole
    before = [message["id"] for message in messages_of(row, f"order={order}&limit={limit}&before={whole[5]}")]
    assert before == whole[:5][-limit:]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("after=message-00000000-0000-4000-8000-000000000000", 404),
        ("before=message-00000000-0000-4000-8000-000000000000", 404),
        ("after=nonsense", 422), ("limit=0", 422), ("limit=1001", 422), ("order=up", 422), ("order_by=x", 422),
    ],
)  # fmt: skip
def test_cursors_of_messages_that_name_none(query: str, status: int) -> None:
    row = call_row(1)
    assert client_of(StoredSteps(row)).get(f"/letta/v1/steps/{shown(row)}/messages?{query}").status_code == status
