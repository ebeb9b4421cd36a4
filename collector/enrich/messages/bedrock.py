"""Bedrock's Converse API (which Strands uses too), Genkit and Haystack: parts that are told apart by their one key."""

from __future__ import annotations

from collector.enrich.messages import media
from collector.enrich.messages.openai import text_part
from collector.enrich.messages.parts import Converter, Fields, Part, inside, reasoning, tool_call, tool_call_response


def tool_use(fields: Fields) -> list[Part]:
    """Return a call of one of the application's tools."""
    return tool_call(fields.pop("toolUseId", None), fields.pop("name", None), fields.pop("input", None))


def tool_result(fields: Fields) -> list[Part]:
    """Return what a tool answered: a list of texts, media and JSON values, or the only JSON value in it."""
    content = fields.pop("content", None)
    if (
        isinstance(content, list)
        and len(content) == 1
        and isinstance(content[0], dict)
        and content[0].keys() == {"json"}
    ):
        content = content[0]["json"]
    return tool_call_response(fields.pop("toolUseId", None), content)


def reasoning_content(fields: Fields) -> list[Part]:
    """Return reasoning: text with its signature, or bytes that only the provider can read."""
    inner = fields.get("reasoningText")
    if isinstance(inner, dict) and inner.keys().isdisjoint(fields):
        del fields["reasoningText"]
        fields.update(inner)
        return reasoning(fields.pop("text", None))
    if isinstance(inner, str):
        return reasoning(fields.pop("reasoningText"))
    if "redactedContent" in fields:
        return [{"type": "reasoning", "content": "", "encrypted_content": fields.pop("redactedContent")}]
    return []


def genkit_request(fields: Fields) -> list[Part]:
    """Return Genkit's form of a call."""
    return tool_call(fields.pop("ref", None), fields.pop("name", None), fields.pop("input", None))


def genkit_response(fields: Fields) -> list[Part]:
    """Return Genkit's form of the response to a call."""
    return tool_call_response(fields.pop("ref", None), fields.pop("output", None))


def genkit_reasoning(fields: Fields) -> list[Part]:
    """Return reasoning that is one text."""
    return reasoning(fields.pop("reasoning"))


def haystack_call(fields: Fields) -> list[Part]:
    """Return Haystack's form of a call."""
    return tool_call(fields.pop("id", None), fields.pop("tool_name", None), fields.pop("arguments", None))


def haystack_result(fields: Fields) -> list[Part]:
    """Return Haystack's form of a result, which repeats the call that it answers as its `origin`."""
    origin = fields.get("origin")
    return tool_call_response(origin.get("id") if isinstance(origin, dict) else None, fields.pop("result", None))


KEYS: dict[str, Converter] = {
    "toolUse": inside("toolUse", tool_use),
    "toolResult": inside("toolResult", tool_result),
    "reasoningContent": inside("reasoningContent", reasoning_content),
    "guardContent": inside("guardContent", text_part),
    **{name: inside(name, media.of(name)) for name in ("image", "document", "video", "audio")},
    "media": inside("media", media.of("")),
    "toolRequest": inside("toolRequest", genkit_request),
    "toolResponse": inside("toolResponse", genkit_response),
    "reasoning": genkit_reasoning,
    "tool_call": inside("tool_call", haystack_call),
    "tool_call_result": inside("tool_call_result", haystack_result),
}
"""Converters by the key that says what a part is."""

BESIDE = frozenset({"metadata", "custom"})
"""Keys that may stand beside it."""
