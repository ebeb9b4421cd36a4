"""Gemini: parts that are told apart by their one key, in camel case on the wire and in snake case from Python."""

from __future__ import annotations

from collector.enrich.messages import media
from collector.enrich.messages.parts import (
    Converter,
    Fields,
    Part,
    all_of,
    inside,
    server_tool_call,
    server_tool_call_response,
    text,
    tool_call,
    tool_call_response,
)


def text_or_thought(fields: Fields) -> list[Part]:
    """Return text, or the summary of reasoning where it is marked as a thought."""
    thought = fields.get("thought")
    if isinstance(thought, bool):
        del fields["thought"]
    return text(fields.pop("text"), "reasoning" if thought is True else "text")


def function_call(fields: Fields) -> list[Part]:
    """Return a call; only newer models give it an id."""
    return tool_call(fields.pop("id", None), fields.pop("name", None), fields.pop("args", None))


def function_response(fields: Fields) -> list[Part]:
    """Return the response to a call, which is matched by name where there is no id."""
    return tool_call_response(fields.pop("id", None), fields.pop("response", None))


def executable_code(fields: Fields) -> list[Part]:
    """Return code that the provider runs by itself."""
    return server_tool_call(fields.pop("id", None), "code_execution", {"type": "code_execution", **all_of(fields)})


def code_execution_result(fields: Fields) -> list[Part]:
    """Return what came of the code that the provider ran."""
    return server_tool_call_response(fields.pop("id", None), {"type": "code_execution", **all_of(fields)})


_BOTH_CASES: dict[tuple[str, str], Converter] = {
    ("functionCall", "function_call"): function_call,
    ("functionResponse", "function_response"): function_response,
    ("inlineData", "inline_data"): media.of(""),
    ("fileData", "file_data"): media.of(""),
    ("executableCode", "executable_code"): executable_code,
    ("codeExecutionResult", "code_execution_result"): code_execution_result,
}

KEYS: dict[str, Converter] = {
    "text": text_or_thought,
    **{key: inside(key, converter) for keys, converter in _BOTH_CASES.items() for key in keys},
}
"""Converters by the key that says what a part is."""

BESIDE = frozenset({
    "thought", "thoughtSignature", "thought_signature", "videoMetadata", "video_metadata", "partMetadata", "part_metadata",
})  # fmt: skip
"""Keys that may stand beside it."""
