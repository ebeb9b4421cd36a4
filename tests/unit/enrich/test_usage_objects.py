"""Usage objects of providers: every form of the same usage comes to the same counts."""

from __future__ import annotations

from typing import Any

import pytest

from collector.enrich.usage_objects import provider_usage, total

OPENAI = {
    "prompt_tokens": 100,
    "completion_tokens": 20,
    "total_tokens": 120,
    "prompt_tokens_details": {"cached_tokens": 60, "audio_tokens": 3, "image_tokens": 4, "cache_write_tokens": 7},
    "completion_tokens_details": {"reasoning_tokens": 5, "audio_tokens": 2, "accepted_prediction_tokens": 9},
}


def test_openais_details_are_parts_of_its_counts() -> None:
    expected = {
        "input_tokens": 100,
        "output_tokens": 20,
        "total_tokens": 120,
        "cache_read_tokens": 60,
        "cache_write_tokens": 7,
        "input_audio_tokens": 3,
        "input_image_tokens": 4,
        "reasoning_tokens": 5,
        "output_audio_tokens": 2,
        "inclusive": True,
    }
    assert provider_usage(OPENAI) == expected
    responses = {name.replace("prompt", "input").replace("completion", "output"): each for name, each in OPENAI.items()}
    assert provider_usage(responses) == expected


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (
            {
                "input_tokens": 10,
                "cache_read_input_tokens": 500,
                "cache_creation_input_tokens": 100,
                "cache_creation": {"ephemeral_5m_input_tokens": 60, "ephemeral_1h_input_tokens": 40},
                "output_tokens": 20,
            },
            {"cache_write_1h_tokens": 40},
        ),
        (
            {
                "inputTokens": 10,
                "cacheReadInputTokens": 500,
                "cacheWriteInputTokens": 100,
                "outputTokens": 20,
                "totalTokens": 630,
            },
            {"total_tokens": 630},
        ),
    ],
)
def test_anthropic_and_bedrock_count_cached_tokens_beside_the_input(usage: Any, expected: dict[str, int]) -> None:
    counts = {"input_tokens": 10, "cache_read_tokens": 500, "cache_write_tokens": 100, "output_tokens": 20}
    assert provider_usage(usage) == {**counts, **expected, "inclusive": False}


@pytest.mark.parametrize("names", ["camel", "snake"])
def test_gemini_counts_tool_prompts_and_thoughts_beside_input_and_output(names: str) -> None:
    sent = {
        "promptTokenCount": 90,
        "toolUsePromptTokenCount": 10,
        "cachedContentTokenCount": 60,
        "candidatesTokenCount": 15,
        "thoughtsTokenCount": 5,
        "totalTokenCount": 120,
    }
    if names == "snake":
        sent = {"".join(f"_{c.lower()}" if c.isupper() else c for c in name): count for name, count in sent.items()}
    assert provider_usage(sent) == {
        "input_tokens": 100,
        "output_tokens": 20,
        "total_tokens": 120,
        "cache_read_tokens": 60,
        "reasoning_tokens": 5,
        "inclusive": True,
    }


def test_deepseek_counts_hits_of_its_cache() -> None:
    usage = {
        "prompt_tokens": 100,
        "completion_tokens": 20,
        "prompt_cache_hit_tokens": 60,
        "prompt_cache_miss_tokens": 40,
    }
    assert provider_usage(usage) == {
        "input_tokens": 100,
        "output_tokens": 20,
        "cache_read_tokens": 60,
        "inclusive": True,
    }


def test_litellms_object_has_anthropics_names_and_openais_meaning() -> None:
    usage = {
        "prompt_tokens": 610,
        "completion_tokens": 20,
        "cache_read_input_tokens": 500,
        "cache_creation_input_tokens": 100,
    }
    found = provider_usage(usage)
    assert (found["input_tokens"], found["cache_read_tokens"], found["cache_write_tokens"]) == (610, 500, 100)
    assert found["inclusive"] is True


@pytest.mark.parametrize(
    ("details", "read", "written", "hour"),
    [
        ({"cache_read": 60, "cache_creation": 10}, 60, 10, None),
        (
            {"cache_read": 60, "cache_creation": 0, "ephemeral_5m_input_tokens": 6, "ephemeral_1h_input_tokens": 4},
            60,
            10,
            4,
        ),
        ({"flex_cache_read": 60}, 60, None, None),
        (None, None, None, None),
    ],
)
def test_langchains_cache_writes_may_be_told_apart(
    details: Any, read: int | None, written: int | None, hour: int | None
) -> None:
    usage = {"input_tokens": 100, "output_tokens": 20, "input_token_details": details, "output_token_details": {}}
    found = provider_usage(usage)
    assert (found.get("cache_read_tokens"), found.get("cache_write_tokens"), found.get("cache_write_1h_tokens")) == (
        read,
        written,
        hour,
    )
    assert (found["input_tokens"], found["inclusive"]) == (100, True)


@pytest.mark.parametrize("none", [None, 3, "x", [], {}, {"tokens": 3}, {"usage": OPENAI}])
def test_what_is_no_usage_object_has_no_counts(none: Any) -> None:
    assert provider_usage(none) == {}


def test_what_is_no_count_spoils_a_sum() -> None:
    assert [total(), total(None, None), total(1, None, 2), total(1, "2", 3.0)] == [None, None, 3, 6]
    assert [total(1, "many"), total(1, {}), total(True, 1), total(1.5, 1)] == ["many", {}, True, 1.5]
