"""Names of models: every spelling that is documented finds its price, and a name that only begins alike finds none."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import pytest
from genai_prices.data import providers as shipped_providers
from genai_prices.types import ClauseAnd, ClauseEquals, ClauseOr, MatchLogic
from hypothesis import given
from hypothesis import strategies as st

from collector.enrich.prices import PriceBook, PricedModel, UnpricedReason
from collector.enrich.prices_match import SAME_PRICE, ModelIndex
from collector.enrich.prices_names import core, spellings

IDS = frozenset(provider.id for provider in shipped_providers)
INDEXES = {provider.id: ModelIndex(provider.models) for provider in shipped_providers}


@cache
def book() -> PriceBook:
    return PriceBook.load()


def priced_as(provider: str, model: str) -> tuple[str, str] | str:
    """Provider and model of the price that a name finds, or why there is none."""
    found = book().model(provider, model)
    return (found.rows[0].provider, found.rows[0].model) if isinstance(found, PricedModel) else found.value


def equal_names(clause: MatchLogic) -> Iterator[str]:
    if isinstance(clause, ClauseEquals):
        yield clause.equals.lower()
    for part in clause.or_ if isinstance(clause, ClauseOr) else clause.and_ if isinstance(clause, ClauseAnd) else ():
        yield from equal_names(part)


NAMES = [(p.id, name, m.id) for p in shipped_providers for m in p.models for name in equal_names(m.match)]


# As genai-prices has them.


def test_the_id_of_every_model_of_the_package_means_that_model() -> None:
    wrong = [
        (provider.id, model.id)
        for provider in shipped_providers
        for model in provider.models
        if INDEXES[provider.id].find(model.id.lower()) is not model
    ]
    assert wrong == []


def test_every_name_that_the_package_lists_means_what_the_package_says() -> None:
    providers = {provider.id: provider for provider in shipped_providers}
    assert len(NAMES) > 3000
    for provider, name, _ in NAMES:
        assert INDEXES[provider].find(name) is providers[provider].find_model(name), (provider, name)


@given(st.sampled_from(shipped_providers), st.data())
def test_a_name_means_what_the_package_says_or_nothing(provider, data: st.DataObject) -> None:
    model = data.draw(st.sampled_from(provider.models))
    name = data.draw(st.sampled_from(["", "us.", "x/", "my-"])) + model.id.lower()
    name += data.draw(st.sampled_from(["", "-latest", "-2026-01-31", "-preview", "-v1:0", "-mini", "x", "-9", ":free"]))
    found = INDEXES[provider.id].find(name)
    # Where the package's own answer fits in part only, another model may still have exactly this name.
    assert found in (None, provider.find_model(name)) or name in {found.id.lower(), *equal_names(found.match)}


# Spellings.


@pytest.mark.parametrize(
    ("provider", "model", "price"),
    [
        # dates
        ("openai", "gpt-4o-2024-08-06", ("openai", "gpt-4o")),
        ("openai", "gpt-4o-20241120", ("openai", "gpt-4o")),
        ("openai", "gpt-4o-2024-05-13", ("openai", "gpt-4o-2024-05-13")),
        ("openai", "GPT-4o-2027-01-31", ("openai", "gpt-4o")),
        ("anthropic", "claude-sonnet-4-5-20250929", ("anthropic", "claude-sonnet-4-5")),
        ("gcp.vertex_ai", "claude-sonnet-4-5@20250929", ("google", "claude-sonnet-4-5")),
        ("gcp.vertex_ai", "claude-opus-4-6@default", ("google", "claude-opus-4-6")),
        ("x_ai", "grok-4-0709", ("x-ai", "grok-4-0709")),
        # latest
        ("anthropic", "claude-3-5-haiku-latest", ("anthropic", "claude-3-5-haiku-latest")),
        ("anthropic", "claude-opus-4-1-latest", ("anthropic", "claude-opus-4-1")),
        ("openai", "gpt-4.1-latest", ("openai", "gpt-4.1")),
        ("mistral_ai", "mistral-large-latest", ("mistral", "mistral-large")),
        # routers
        ("", "openai/gpt-4o", ("openai", "gpt-4o")),
        ("litellm", "anthropic/claude-sonnet-4-5-20250929", ("anthropic", "claude-sonnet-4-5")),
        ("openai", "openai/gpt-4o", ("openai", "gpt-4o")),
        ("openai", "anthropic/claude-sonnet-4-5", ("anthropic", "claude-sonnet-4-5")),
        ("openai", "litellm_proxy/openai/gpt-4o", ("openai", "gpt-4o")),
        ("gcp.gemini", "models/gemini-2.5-pro", ("google", "gemini-2.5-pro")),
        ("", "models/gemini-2.5-flash", ("google", "gemini-2.5-flash")),
        ("", "vertex_ai/gemini-2.5-pro", ("google", "gemini-2.5-pro")),
        ("", "gemini/gemini-2.5-pro", ("google", "gemini-2.5-pro")),
        ("gcp.vertex_ai", "publishers/anthropic/models/claude-sonnet-4-5@20250929", ("google", "claude-sonnet-4-5")),
        ("", "projects/p-1/locations/us-east5/publishers/google/models/gemini-2.5-pro", ("google", "gemini-2.5-pro")),
        ("", "groq/llama-3.1-8b-instant", ("groq", "llama-3.1-8b-instant")),
        ("", "xai/grok-4", ("x-ai", "grok-4-0709")),
        ("", "azure/gpt-4o", ("azure", "gpt-4o")),
        ("openrouter", "openai/gpt-4o-2024-08-06", ("openrouter", "openai/gpt-4o")),
        ("", "openrouter/openai/gpt-4o", ("openrouter", "openai/gpt-4o")),
        ("openrouter", "deepseek/deepseek-r1:free", ("openrouter", "deepseek/deepseek-r1:free")),
        ("fireworks", "accounts/fireworks/models/kimi-k3", ("fireworks", "kimi-k3")),
        # Bedrock
        (
            "aws.bedrock",
            "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
            ("aws", "regional.anthropic.claude-sonnet-4-5-20250929-v1:0"),
        ),
        (
            "aws.bedrock",
            "global.anthropic.claude-sonnet-4-5-20250929-v1:0",
            ("aws", "global.anthropic.claude-sonnet-4-5-20250929-v1:0"),
        ),
        ("aws.bedrock", "apac.anthropic.claude-opus-4-8-v1:0", ("aws", "regional.anthropic.claude-opus-4-8-v1:0")),
        ("aws.bedrock", "eu.amazon.nova-lite-v1:0", ("aws", "amazon.nova-lite-v1:0")),
        ("aws.bedrock", "ca.amazon.nova-pro-v1:0:300k", ("aws", "amazon.nova-pro-v1:0")),
        (
            "aws.bedrock",
            "arn:aws:bedrock:eu-west-1:123456789012:inference-profile/eu.anthropic.claude-sonnet-4-6-v1:0",
            ("aws", "regional.anthropic.claude-sonnet-4-6-v1:0"),
        ),
        (
            "aws.bedrock",
            "arn:aws:bedrock:us-east-1::foundation-model/meta.llama3-70b-instruct-v1:0",
            ("aws", "meta.llama3-70b-instruct-v1:0"),
        ),
        (
            "",
            "us.anthropic.claude-3-5-sonnet-20241022-v2:0",
            ("aws", "regional.anthropic.claude-3-5-sonnet-20241022-v2:0"),
        ),
        (
            "anthropic",
            "anthropic.claude-haiku-4-5-20251001-v1:0",
            ("aws", "regional.anthropic.claude-haiku-4-5-20251001-v1:0"),
        ),
        ("", "bedrock/converse/us.amazon.nova-micro-v1:0", ("aws", "amazon.nova-micro-v1:0")),
        ("", "bedrock/invoke/us-west-2/anthropic.claude-opus-4-8", ("aws", "regional.anthropic.claude-opus-4-8-v1:0")),
        # Azure: the answer names the model, whatever the deployment is called
        ("azure.ai.openai", "gpt-4o-2024-08-06", ("azure", "gpt-4o")),
        ("azure.ai.openai", "gpt-35-turbo", ("azure", "gpt-3.5-turbo")),
        # fine-tuned
        ("openai", "ft:gpt-4o-2024-08-06:my-org::abc123", ("openai", "ft:gpt-4o")),
        ("openai", "ft:gpt-4o-mini-2024-07-18:my-org:name:abc123", ("openai", "ft:gpt-4o-mini")),
        ("openai", "ft:gpt-3.5-turbo-0125:my-org::abc123", ("openai", "ft:gpt-3.5-turbo-")),
        # what the package fits in part, and means
        ("anthropic", "claude-2.1", ("anthropic", "claude-2")),
        ("gcp.gemini", "gemini-1.5-pro-002", ("google", "gemini-1.5-pro")),
        ("gcp.gemini", "gemini-2.5-pro-preview-05-06", ("google", "gemini-2.5-pro")),
        ("gcp.gemini", "gemini-2.5-flash-lite-preview-09-2025", ("google", "gemini-2.5-flash-lite")),
        ("gcp.gemini", "gemma-3-27b-it", ("google", "gemma-3")),
        ("openai", "omni-moderation-latest", ("openai", "moderation")),
    ],
)
def test_every_documented_spelling_finds_its_price(provider: str, model: str, price: tuple[str, str]) -> None:
    assert priced_as(provider, model) == price


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("anthropic", "claude-opus-4-9"),
        ("anthropic", "claude-opus-4-80"),
        ("anthropic", "claude-opus-4-8-fast"),
        ("anthropic", "claude-opus-4-8-20261341"),
        ("anthropic", "claude-2.5"),
        ("openai", "gpt-4o-mini-x"),
        ("openai", "gpt-4o-x"),
        ("openai", "gpt-5.9"),
        ("openai", "gpt-5-nano-pro"),
        ("openai", "gpt-5-2026-02-30"),
        ("openai", "ft:gpt-4.1-2025-04-14:my-org::abc123"),
        ("openai", "ft:gpt-3.5-turbo-16k:my-org::abc123"),
        ("openai", "my-gpt-4o"),
        ("openai", "mistral-moderation-2411"),
        ("gcp.gemini", "gemini-1.5-flash-8b"),
        ("gcp.gemini", "gemini-3.8-flash-cyber"),
        ("gcp.vertex_ai", "my-claude-opus-4-8"),
        ("aws.bedrock", "amazon.nova-lite-v2:0"),
        ("aws.bedrock", "us.anthropic.claude-opus-4-80-v1:0"),
        ("aws.bedrock", "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1b2c3"),
        ("aws.bedrock", "arn:aws:sagemaker:us-east-1:123456789012:endpoint/gpt-4o"),
        ("aws.bedrock", "us-gov.anthropic.claude-opus-4-8-v1:0"),
        ("aws.bedrock", "us-gov.anthropic.claude-3-haiku-20240307-v1:0"),
        ("aws.bedrock", "global.anthropic.claude-opus-4-1-20250805-v1:0"),
        ("", "bedrock/eu-west-2/meta.llama3-8b-instruct-v1:0"),
        ("aws.bedrock", "bedrock/us-gov-east-1/anthropic.claude-3-haiku-20240307-v1:0"),
        (
            "aws.bedrock",
            "arn:aws-us-gov:bedrock:us-gov-west-1::foundation-model/anthropic.claude-3-haiku-20240307-v1:0",
        ),
        ("azure.ai.openai", "azure/us/o4-mini"),
        ("mistral_ai", "ministral-3b-latest"),
        ("deepseek", "deepseek-r1-distill-qwen-32b"),
        ("deepseek", "deepseek-chat-v3.1"),
        ("openrouter", "openai/gpt-4o:free"),
        ("", "ollama/gpt-oss-20b"),
        ("", "my-router/gpt-4o"),
        ("", "openai/gpt-4o:free"),
        ("", "openrouter/openai/gpt-4o:free"),
    ],
)
def test_a_name_that_only_begins_or_ends_like_a_known_one_has_no_price(provider: str, model: str) -> None:
    assert priced_as(provider, model) == UnpricedReason.UNKNOWN_MODEL


def test_what_a_clause_of_a_reseller_fits_in_part_is_looked_for_at_the_maker() -> None:
    # genai-prices takes this for Azure's o4-mini, at an eighth of the price.
    assert priced_as("azure.ai.openai", "o4-mini-deep-research") == ("azure", "o4-mini-deep-research")


@given(
    st.sampled_from([(p.id, m.id) for p in shipped_providers for m in p.models]),
    st.sampled_from(["-x", "-pro", "-mini", "-large", "-fast", "-9", "9", ".9", "x", "-turbo-x", ":free", "-8b"]),
)
def test_whatever_follows_a_known_name_makes_it_another_model(names: tuple[str, str], more: str) -> None:
    provider, model = names
    found = INDEXES[provider].find(model.lower() + more)
    if found is not None:
        listed = {*equal_names(found.match), found.id.lower(), *SAME_PRICE.get(found.id, ())}
        assert model.lower() + more in listed


def test_a_named_provider_bills_whatever_router_stands_before_the_model() -> None:
    assert priced_as("groq", "openai/gpt-oss-20b")[0] == "groq"
    assert priced_as("aws.bedrock", "openai/gpt-4o") == UnpricedReason.UNKNOWN_MODEL


# The pieces.


def test_the_name_that_was_sent_is_tried_first_and_each_spelling_once() -> None:
    tried = [spelling.name for spelling in spellings(" OpenAI/GPT-4o-20241120 ", IDS)]
    assert tried == [
        "openai/gpt-4o-20241120",
        "openai/gpt-4o-2024-11-20",
        "openai/gpt-4o",
        "gpt-4o-20241120",
        "gpt-4o-2024-11-20",
        "gpt-4o",
    ]
    assert list(spellings("  ", IDS)) == []


def test_a_fine_tuned_model_is_never_looked_for_under_the_name_of_its_base() -> None:
    assert [spelling.name for spelling in spellings("ft:gpt-4.1-2025-04-14", IDS)] == ["ft:gpt-4.1-2025-04-14"]


@pytest.mark.parametrize(
    ("name", "means"),
    [
        ("claude-3-5-sonnet-20241022", "claude-3-5-sonnet"),
        ("us.anthropic.claude-3-5-sonnet-20241022-v2:0", "claude-3-5-sonnet"),
        ("accounts/x/models/gpt-4o-2024-08-06", "gpt-4o"),
        ("ft:gpt-4o-2024-08-06:org::id", "ft:gpt-4o"),
        ("gpt-4o-mini-2024-07-18.ft-0123", "gpt-4o-mini"),
        ("claude-opus-4-8", "claude-opus-4-8"),
        ("gpt-4.1", "gpt-4.1"),
        ("o3", "o3"),
        ("", ""),
        ("/", ""),
        ("-latest", ""),
    ],
)
def test_the_core_of_a_name_says_which_model_it_is(name: str, means: str) -> None:
    start, end = core(name)
    assert name[start:end] == means


@given(st.text(max_size=300))
def test_any_text_is_priced_or_refused(text: str) -> None:
    for provider in ("openai", "aws.bedrock", "gcp.gemini", "", text):
        assert isinstance(book().model(provider, text), PricedModel | UnpricedReason)
    start, end = core(text)
    assert 0 <= start <= end <= len(text)
