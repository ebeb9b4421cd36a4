"""Flattened messages by their shape: the same text as the converter gives, whatever is said."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from collector.enrich.messages import flattened_text, openinference_messages, traceloop_messages, unflatten
from collector.enrich.messages.shapes import MOST_LEAVES
from collector.json_text import render

SAID = st.sampled_from([
    "", "Hi", "Bye", '{"a": 1}', '[{"type": "text", "text": "Hi"}]', "[1]", " {", '"quoted"', "line\nbreak",
    "\ue0000\ue001", 7, None,
])  # fmt: skip
SHORT = st.sampled_from(["", "a", "b", "a", 3])
ARGUMENTS = st.sampled_from(
    ["", "{}", '{"a": 1}', '{"a":1}', '{"b": 2, "a": 1}', "[1]", "not JSON", " {}", '{"a": NaN}', 4]
)
ROLES = st.sampled_from(
    ["system", "user", "assistant", "tool", "human", "ai", "", "a role of more than forty characters, say"]
)
TYPES = st.sampled_from(["text", "tool_use", "reasoning", "image", "refusal"])


def call(prefix: str, inner: str) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {}, optional={f"{inner}id": SHORT, f"{inner}{prefix}name": SHORT, f"{inner}{prefix}arguments": ARGUMENTS}
    )


def indexed(name: str, elements: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    def flat(each: list[dict[str, Any]]) -> dict[str, Any]:
        return {f"{name}.{index}.{key}": value for index, inner in enumerate(each) for key, value in inner.items()}

    return st.lists(elements, max_size=3).map(flat)


def merged(*parts: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.tuples(*parts).map(lambda found: {key: value for part in found for key, value in part.items()})


PART = merged(
    st.fixed_dictionaries({}, optional={"message_content.type": TYPES, "message_content.text": SAID}),
    st.one_of(st.just({}), call("function.", "tool_call.")),
)
OPENINFERENCE = merged(
    st.fixed_dictionaries({}, optional={"role": ROLES, "content": SAID, "name": SHORT, "tool_call_id": SHORT}),
    indexed("tool_calls", call("function.", "tool_call.")),
    indexed("contents", PART),
).map(lambda message: {f"message.{key}": value for key, value in message.items()})
TRACELOOP = merged(
    st.fixed_dictionaries({}, optional={"role": ROLES, "content": SAID, "finish_reason": SHORT, "tool_call_id": SHORT}),
    indexed("tool_calls", call("", "")),
)
COMPLETIONS = st.fixed_dictionaries({}, optional={"prompt.text": SAID, "completion.text": SAID, "something.else": SAID})


def the_long_way(leaves: dict[str, Any], convert: Callable[..., Any], role: str) -> str | None:
    messages = convert(unflatten(leaves.items(), "m", limit=10_000), role)
    return render(messages).decode() if messages else None


@settings(max_examples=600, deadline=None)
@given(indexed("m", st.one_of(OPENINFERENCE, OPENINFERENCE, COMPLETIONS)), st.sampled_from(["user", "assistant"]))
def test_messages_of_openinference_are_the_same_by_their_shape(leaves: dict[str, Any], role: str) -> None:
    found = flattened_text(list(leaves), list(leaves.values()), "m", openinference_messages, role)
    assert found == the_long_way(leaves, openinference_messages, role)


@settings(max_examples=600, deadline=None)
@given(indexed("m", TRACELOOP), st.sampled_from(["user", "assistant"]))
def test_messages_of_openllmetry_are_the_same_by_their_shape(leaves: dict[str, Any], role: str) -> None:
    found = flattened_text(list(leaves), list(leaves.values()), "m", traceloop_messages, role)
    assert found == the_long_way(leaves, traceloop_messages, role)


def test_a_call_in_what_a_tool_answered_keeps_its_arguments_as_they_are() -> None:
    call = "m.0.message.contents.0.tool_call.function"
    leaves = {"m.0.message.role": "tool", f"{call}.arguments": "{}", f"{call}.name": "a"}
    found = flattened_text(list(leaves), list(leaves.values()), "m", openinference_messages, "user")
    assert found == the_long_way(leaves, openinference_messages, "user")
    assert found is not None
    assert '"arguments":"{}"' in found


def test_words_that_look_like_what_shapes_are_cut_at_are_said_as_they_are() -> None:
    for words in ("\ue0000\ue001", '"\ue0001\ue001"', "\ue000"):
        leaves = {"m.0.role": "user", "m.0.content": words, "m.0.tool_call_id": "t"}
        found = flattened_text(list(leaves), list(leaves.values()), "m", traceloop_messages, "user")
        assert found == the_long_way(leaves, traceloop_messages, "user")


def test_the_longest_conversations_are_whole() -> None:
    leaves: dict[str, Any] = {}
    for index in range(MOST_LEAVES):
        leaves |= {f"m.{index}.role": "user", f"m.{index}.content": f"question {index}"}
    found = flattened_text(list(leaves), list(leaves.values()), "m", traceloop_messages, "user")
    assert found == the_long_way(leaves, traceloop_messages, "user")
    assert found is not None
    assert found.count("question") == MOST_LEAVES
