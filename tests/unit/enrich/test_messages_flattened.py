"""Arrays rebuilt from dotted keys, and the messages of OpenInference and OpenLLMetry that are written so."""

from __future__ import annotations

from typing import Any

import pytest

from collector.enrich.messages import openinference_messages, traceloop_messages, unflatten
from tests.unit.enrich.parts import text


def openinference(attributes: dict[str, Any], prefix: str = "llm.input_messages", role: str = "user") -> Any:
    return openinference_messages(unflatten(attributes.items(), prefix), role)


def traceloop(attributes: dict[str, Any], prefix: str = "gen_ai.prompt", role: str = "user") -> Any:
    return traceloop_messages(unflatten(attributes.items(), prefix), role)


# ---- unflatten


def test_dotted_keys_become_objects_in_lists() -> None:
    attributes = {
        "llm.input_messages.0.message.role": "assistant",
        "llm.input_messages.0.message.tool_calls.0.tool_call.function.name": "weather",
        "llm.input_messages.0.message.tool_calls.1.tool_call.id": "c2",
        "llm.input_messages_count": 1,
        "llm.output_messages.0.message.role": "assistant",
        "llm.input_messages": "not a part of it",
    }
    assert unflatten(attributes.items(), "llm.input_messages") == [
        {
            "message": {
                "role": "assistant",
                "tool_calls": [{"tool_call": {"function": {"name": "weather"}}}, {"tool_call": {"id": "c2"}}],
            }
        }
    ]


def test_indices_are_an_order_and_not_a_place() -> None:
    attributes = {"p.10.content": "c", "p.2.content": "b", "p.1.content": "a", "p.999999.content": "d"}
    assert unflatten(attributes.items(), "p") == [{"content": each} for each in "abcd"]


def test_a_large_index_allocates_nothing() -> None:
    [element] = unflatten([("llm.input_messages.999999999.message.content", "Hi")], "llm.input_messages")
    assert element == {"message": {"content": "Hi"}}


def test_the_first_elements_are_rebuilt_up_to_the_limit() -> None:
    pairs = [(f"p.{index}.content", index) for index in range(100)]
    assert unflatten(reversed(pairs), "p", limit=10) == [{"content": index} for index in range(10)]
    nested = [(f"p.0.calls.{index}.name", index) for index in range(100)]
    [element] = unflatten(nested, "p", limit=10)
    assert element == {"calls": [{"name": index} for index in range(9)]}


@pytest.mark.parametrize("index", ["-1", "+1", "1e3", "٣", "", "x", "9" * 5000, "__proto__", " 1"])
def test_what_is_no_index_is_left_out(index: str) -> None:
    assert unflatten([(f"p.{index}.content", "Hi"), ("p.0.content", "Ho")], "p") == [{"content": "Ho"}]


def test_hostile_names_are_names_like_any_other() -> None:
    attributes = {"p.0.__proto__.polluted": 1, "p.0.__class__": 2, "p.0..": 3, "p.0.a.b.": 4}
    assert unflatten(attributes.items(), "p") == [
        {"__proto__": {"polluted": 1}, "__class__": 2, "": {"": 3}, "a": {"b": {"": 4}}}
    ]


def test_a_key_that_is_a_value_and_an_object_keeps_both() -> None:
    for attributes in ({"p.0.a": 1, "p.0.a.b": 2}, {"p.0.a.b": 2, "p.0.a": 1}):
        [element] = unflatten(attributes.items(), "p")
        assert element == {"a": {".": 1, "b": 2}}
    assert unflatten([("p.0", "Hi")], "p") == [{".": "Hi"}]


def test_a_key_with_thousands_of_segments_ends_somewhere() -> None:
    [element] = unflatten([("p.0" + ".a" * 5000, "Hi")], "p")
    for _ in range(15):
        element = element["a"]
    [(_, value)] = element.items()
    assert value == "Hi"


# ---- OpenInference


def test_messages_of_openinference_become_messages() -> None:
    attributes = {
        "llm.input_messages.0.message.role": "system",
        "llm.input_messages.0.message.content": "Be brief.",
        "llm.input_messages.1.message.role": "user",
        "llm.input_messages.1.message.contents.0.message_content.type": "text",
        "llm.input_messages.1.message.contents.0.message_content.text": "Weather?",
        "llm.input_messages.1.message.contents.1.message_content.type": "image",
        "llm.input_messages.1.message.contents.1.message_content.image.image.url": "https://example.com/a.png",
        "llm.input_messages.2.message.role": "assistant",
        "llm.input_messages.2.message.tool_calls.0.tool_call.id": "c1",
        "llm.input_messages.2.message.tool_calls.0.tool_call.function.name": "weather",
        "llm.input_messages.2.message.tool_calls.0.tool_call.function.arguments": '{"city": "Paris"}',
        "llm.input_messages.2.message.tool_calls.1.tool_call.id": "c2",
        "llm.input_messages.2.message.tool_calls.1.tool_call.function.name": "time",
        "llm.input_messages.3.message.role": "tool",
        "llm.input_messages.3.message.name": "weather",
        "llm.input_messages.3.message.tool_call_id": "c1",
        "llm.input_messages.3.message.content": "20 degrees",
    }
    assert openinference(attributes) == [
        {"role": "system", "parts": [text("Be brief.")]},
        {
            "role": "user",
            "parts": [text("Weather?"), {"type": "uri", "modality": "image", "uri": "https://example.com/a.png"}],
        },
        {
            "role": "assistant",
            "parts": [
                {"type": "tool_call", "id": "c1", "name": "weather", "arguments": {"city": "Paris"}},
                {"type": "tool_call", "id": "c2", "name": "time"},
            ],
        },
        {
            "role": "tool",
            "parts": [{"type": "tool_call_response", "id": "c1", "response": "20 degrees"}],
            "name": "weather",
        },
    ]


def test_messages_of_openinference_may_start_at_one() -> None:
    attributes = {"llm.output_messages.1.message.role": "assistant", "llm.output_messages.1.message.content": "Hi"}
    assert openinference(attributes, "llm.output_messages", "assistant") == [
        {"role": "assistant", "parts": [text("Hi")]}
    ]


def test_the_legacy_function_call_of_openinference_is_a_tool_call() -> None:
    attributes = {
        "llm.output_messages.0.message.role": "assistant",
        "llm.output_messages.0.message.function_call_name": "weather",
        "llm.output_messages.0.message.function_call_arguments_json": '{"city": "Paris"}',
    }
    call = {"type": "tool_call", "name": "weather", "arguments": {"city": "Paris"}}
    assert openinference(attributes, "llm.output_messages") == [{"role": "assistant", "parts": [call]}]


def test_reasoning_of_openinference_keeps_its_signature() -> None:
    content = "llm.output_messages.0.message.contents.0.message_content"
    attributes = {
        "llm.output_messages.0.message.role": "assistant",
        f"{content}.type": "reasoning",
        f"{content}.text": "Hmm.",
        f"{content}.signature": "s1",
        "llm.output_messages.0.message.content": "Paris.",
    }
    assert openinference(attributes, "llm.output_messages") == [
        {"role": "assistant", "parts": [text("Paris."), {"type": "reasoning", "content": "Hmm.", "signature": "s1"}]}
    ]


def test_the_place_of_a_tool_call_of_anthropic_is_no_part() -> None:
    message = "llm.output_messages.0.message"
    attributes = {
        f"{message}.role": "assistant",
        f"{message}.contents.0.message_content.type": "text",
        f"{message}.contents.0.message_content.text": "Let me look.",
        f"{message}.contents.1.message_content.type": "tool_use",
        f"{message}.tool_calls.0.tool_call.id": "toolu_1",
        f"{message}.tool_calls.0.tool_call.function.name": "weather",
        f"{message}.tool_calls.0.tool_call.function.arguments": '{"city": "Paris"}',
    }
    call = {"type": "tool_call", "id": "toolu_1", "name": "weather", "arguments": {"city": "Paris"}}
    assert openinference(attributes, "llm.output_messages") == [
        {"role": "assistant", "parts": [text("Let me look."), call]}
    ]


def test_content_that_openinference_sends_twice_is_shown_once() -> None:
    attributes = {
        "llm.input_messages.0.message.role": "user",
        "llm.input_messages.0.message.content": "Hi",
        "llm.input_messages.0.message.contents.0.message_content.type": "text",
        "llm.input_messages.0.message.contents.0.message_content.text": "Hi",
    }
    assert openinference(attributes) == [{"role": "user", "parts": [text("Hi")]}]


def test_content_of_openinference_may_be_json_text_of_parts() -> None:
    blocks = '[{"type": "text", "text": "Hi"}, {"type": "tool_use", "id": "t1", "name": "f", "input": {}}]'
    attributes = {"llm.input_messages.0.message.role": "assistant", "llm.input_messages.0.message.content": blocks}
    call = {"type": "tool_call", "id": "t1", "name": "f", "arguments": {}}
    assert openinference(attributes) == [{"role": "assistant", "parts": [text("Hi"), call]}]


def test_prompts_and_completions_of_openinference_are_text() -> None:
    attributes = {"llm.prompts.0.prompt.text": "Once", "llm.choices.0.completion.text": " upon a time"}
    assert openinference(attributes, "llm.prompts") == [{"role": "user", "parts": [text("Once")]}]
    assert openinference(attributes, "llm.choices") == [{"role": "assistant", "parts": [text(" upon a time")]}]


# ---- OpenLLMetry


def test_messages_of_openllmetry_become_messages() -> None:
    attributes = {
        "gen_ai.prompt.0.role": "system",
        "gen_ai.prompt.0.content": "Be brief.",
        "gen_ai.prompt.1.role": "user",
        "gen_ai.prompt.1.content": '[{"type": "text", "text": "Weather?"}]',
        "gen_ai.prompt.2.role": "assistant",
        "gen_ai.prompt.2.tool_calls.0.id": "c1",
        "gen_ai.prompt.2.tool_calls.0.name": "weather",
        "gen_ai.prompt.2.tool_calls.0.arguments": '{"city": "Paris"}',
        "gen_ai.prompt.3.role": "tool",
        "gen_ai.prompt.3.tool_call_id": "c1",
        "gen_ai.prompt.3.content": "20 degrees",
        "gen_ai.completion.0.content": "It is 20.",
        "gen_ai.completion.0.finish_reason": "stop",
    }
    assert traceloop(attributes) == [
        {"role": "system", "parts": [text("Be brief.")]},
        {"role": "user", "parts": [text("Weather?")]},
        {
            "role": "assistant",
            "parts": [{"type": "tool_call", "id": "c1", "name": "weather", "arguments": {"city": "Paris"}}],
        },
        {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "response": "20 degrees"}]},
    ]
    assert traceloop(attributes, "gen_ai.completion", "assistant") == [
        {"role": "assistant", "parts": [text("It is 20.")], "finish_reason": "stop"}
    ]


def test_what_the_assistant_thinks_in_openllmetry_belongs_to_its_message() -> None:
    attributes = {
        "gen_ai.completion.0.role": "thinking",
        "gen_ai.completion.0.content": "Look it up.",
        "gen_ai.completion.0.finish_reason": "tool_use",
        "gen_ai.completion.1.role": "assistant",
        "gen_ai.completion.1.content": "Let me look.",
        "gen_ai.completion.1.tool_calls.0.id": "c1",
        "gen_ai.completion.1.tool_calls.0.name": "weather",
        "gen_ai.completion.1.tool_calls.0.arguments": '{"city": "Paris"}',
    }
    thought = {"type": "reasoning", "content": "Look it up."}
    call = {"type": "tool_call", "id": "c1", "name": "weather", "arguments": {"city": "Paris"}}
    assert traceloop(attributes, "gen_ai.completion", "assistant") == [
        {"role": "assistant", "parts": [thought, text("Let me look."), call], "finish_reason": "tool_use"}
    ]
    alone = {
        key: value for key, value in attributes.items() if ".0." in key and "finish" not in key and "tool" not in key
    }
    assert traceloop(alone, "gen_ai.completion", "assistant") == [{"role": "assistant", "parts": [thought]}]


@pytest.mark.parametrize("answer", ['{"city": "Paris"}', '["Paris", "Rome"]', '[{"city": "Paris"}]', "[1]", "[cut o"])
def test_an_answer_that_is_json_but_no_parts_stays_text(answer: str) -> None:
    assert traceloop({"gen_ai.completion.0.content": answer}, "gen_ai.completion", "assistant") == [
        {"role": "assistant", "parts": [text(answer)]}
    ]


def test_no_flattened_messages_are_none() -> None:
    assert openinference({}) is None
    assert traceloop({"gen_ai.prompt": "Hi"}) is None
