"""Token usage that comes as one object, in the words of whoever counted, to our token fields.

=====================  ===================================================  ========================  ====================
counted by             recognised by                                        input has cached tokens   output has reasoning
=====================  ===================================================  ========================  ====================
OpenAI chat, DeepSeek  ``prompt_tokens``                                    yes                       yes
OpenAI responses       ``input_tokens`` and ``input_tokens_details``        yes                       yes
Anthropic              ``input_tokens``, cache counts beside it             no                        yes
Bedrock Converse       ``inputTokens``                                      no                        yes
Gemini, Vertex AI      ``promptTokenCount``, ``prompt_token_count``         yes, but no tool prompts  no: it is added here
LangChain              ``input_tokens`` and ``input_token_details``         yes                       yes
=====================  ===================================================  ========================  ====================
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

Usage = dict[str, Any]
"""Token fields of `enrich.rows.TOKENS`, and `inclusive`: whether the input includes cached tokens."""


def provider_usage(usage: Any) -> Usage:
    """Return the counts of a provider's usage object, as they were sent, and `inclusive`; empty if it is none.

    Values that are no counts are returned as they came: what becomes of them is for `enrich.tokens` to say.
    """
    if not isinstance(usage, Mapping):
        return {}
    form = next((form for form in _FORMS if any(name in usage for name in form.names)), None)
    return _counted(form.read(usage), inclusive=form.inclusive) if form else {}


def langchain_usage(usage: Mapping[str, Any]) -> Usage:
    """Return the counts of LangChain's `usage_metadata`; details of a service tier bear its name before theirs.

    Where cache writes are told apart by their lifetime, LangChain sets the general count of them to 0.
    """
    found: Usage = {name: usage.get(name) for name in ("input_tokens", "output_tokens", "total_tokens")}
    read, made = langchain_details(usage.get("input_token_details"), usage.get("output_token_details"))
    return _counted({**found, **read, **made}, inclusive=True)


def langchain_details(of_input: Any, of_output: Any) -> tuple[Usage, Usage]:
    """Return the counts of LangChain's `input_token_details` and `output_token_details`."""
    read = of_input if isinstance(of_input, Mapping) else {}
    made = of_output if isinstance(of_output, Mapping) else {}
    hour = read.get("ephemeral_1h_input_tokens")
    by_lifetime = [count for count in (read.get("ephemeral_5m_input_tokens"), hour) if isinstance(count, int)]
    written = read.get("cache_creation")
    if by_lifetime and not written:
        written = sum(by_lifetime)
    return (
        {
            "cache_read_tokens": _first(read, "cache_read", "flex_cache_read", "priority_cache_read"),
            "cache_write_tokens": written,
            "cache_write_1h_tokens": hour,
            "input_audio_tokens": read.get("audio"),
        },
        {
            "reasoning_tokens": _first(made, "reasoning", "flex_reasoning", "priority_reasoning"),
            "output_audio_tokens": made.get("audio"),
        },
    )


def total(*counts: Any) -> Any:
    """Return the sum of the counts that are there, None without any; what is no count spoils the sum, and is returned."""
    present = [_whole(count) for count in counts if count is not None]
    odd = [count for count in present if not isinstance(count, int) or isinstance(count, bool)]
    return odd[0] if odd else sum(present) if present else None


def _whole(count: Any) -> Any:
    """A count that is written as a double or as digits, as an int; anything else as it is."""
    if isinstance(count, float) and count.is_integer():
        return int(count)
    return int(count[:19]) if isinstance(count, str) and count.isascii() and count.isdigit() else count


def _counted(found: Usage, *, inclusive: bool) -> Usage:
    """Only what was reported."""
    counts = {name: count for name, count in found.items() if count is not None}
    return {**counts, "inclusive": inclusive} if "input_tokens" in counts else counts


def _openai(usage: Mapping[str, Any], prompt: str, completion: str) -> Usage:
    read, made = _object(usage, f"{prompt}_details"), _object(usage, f"{completion}_details")
    return {
        "input_tokens": usage.get(prompt),
        "output_tokens": usage.get(completion),
        "total_tokens": usage.get("total_tokens"),
        "cache_read_tokens": _first(
            {**usage, **read}, "cached_tokens", "prompt_cache_hit_tokens", "cache_read_input_tokens"
        ),
        "cache_write_tokens": _first({**usage, **read}, "cache_write_tokens", "cache_creation_input_tokens"),
        "input_audio_tokens": read.get("audio_tokens"),
        "input_image_tokens": read.get("image_tokens"),
        "reasoning_tokens": made.get("reasoning_tokens"),
        "output_audio_tokens": made.get("audio_tokens"),
        "output_image_tokens": made.get("image_tokens"),
    }


def _anthropic(usage: Mapping[str, Any]) -> Usage:
    return {
        "input_tokens": usage.get("input_tokens"),
        "output_tokens": usage.get("output_tokens"),
        "cache_read_tokens": usage.get("cache_read_input_tokens"),
        "cache_write_tokens": usage.get("cache_creation_input_tokens"),
        "cache_write_1h_tokens": _object(usage, "cache_creation").get("ephemeral_1h_input_tokens"),
    }


def _bedrock(usage: Mapping[str, Any]) -> Usage:
    return {
        "input_tokens": usage["inputTokens"],
        "output_tokens": usage.get("outputTokens"),
        "total_tokens": usage.get("totalTokens"),
        "cache_read_tokens": usage.get("cacheReadInputTokens"),
        "cache_write_tokens": usage.get("cacheWriteInputTokens"),
    }


def _gemini(usage: Mapping[str, Any]) -> Usage:
    def count(camel: str, snake: str) -> Any:
        return _first(usage, camel, snake)

    thoughts = count("thoughtsTokenCount", "thoughts_token_count")
    return {
        "input_tokens": total(
            count("promptTokenCount", "prompt_token_count"),
            count("toolUsePromptTokenCount", "tool_use_prompt_token_count"),
        ),
        "output_tokens": total(count("candidatesTokenCount", "candidates_token_count"), thoughts),
        "total_tokens": count("totalTokenCount", "total_token_count"),
        "cache_read_tokens": count("cachedContentTokenCount", "cached_content_token_count"),
        "reasoning_tokens": thoughts,
    }


def _responses(usage: Mapping[str, Any]) -> Usage:
    return _openai(usage, "input_tokens", "output_tokens")


def _chat(usage: Mapping[str, Any]) -> Usage:
    return _openai(usage, "prompt_tokens", "completion_tokens")


class _Form(NamedTuple):
    names: tuple[str, ...]
    """An object is of the first form that has one of its names."""
    read: Callable[[Mapping[str, Any]], Usage]
    inclusive: bool


def _first(usage: Mapping[str, Any], *names: str) -> Any:
    return next((usage[name] for name in names if usage.get(name) is not None), None)


def _object(usage: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = usage.get(name)
    return value if isinstance(value, Mapping) else {}


_FORMS = (
    _Form(("promptTokenCount", "prompt_token_count"), _gemini, inclusive=True),
    _Form(("inputTokens",), _bedrock, inclusive=False),
    _Form(("prompt_tokens", "completion_tokens"), _chat, inclusive=True),
    _Form(("input_token_details", "output_token_details"), langchain_usage, inclusive=True),
    _Form(("input_tokens_details",), _responses, inclusive=True),
    _Form(("input_tokens", "output_tokens"), _anthropic, inclusive=False),
)
