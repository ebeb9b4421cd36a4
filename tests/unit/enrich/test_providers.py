"""Providers: one canonical name each."""

from __future__ import annotations

import pyarrow as pa
import pytest

from collector.enrich.providers import CANONICAL, canonical
from tests.unit.enrich.building import only


def names(*providers: str | None) -> list[str]:
    column = canonical(pa.array(providers, pa.string()))
    column.validate(full=True)
    return column.to_pylist()


@pytest.mark.parametrize(
    ("alias", "name"),
    [
        ("OpenAI", "openai"),
        ("openai.responses", "openai"),
        ("anthropic.messages", "anthropic"),
        ("az.ai.openai", "azure.ai.openai"),
        ("Azure", "azure.ai.openai"),
        ("az.ai.inference", "azure.ai.inference"),
        ("az.ai.agents", "azure.ai.inference"),
        ("azure.ai.agents", "azure.ai.inference"),
        ("microsoft.foundry", "azure.ai.inference"),
        ("AWS", "aws.bedrock"),
        ("amazon-bedrock", "aws.bedrock"),
        ("bedrock_converse", "aws.bedrock"),
        ("vertex_ai", "gcp.vertex_ai"),
        ("google_vertexai", "gcp.vertex_ai"),
        ("gemini", "gcp.gemini"),
        ("Google", "gcp.gemini"),
        ("google-gla", "gcp.gemini"),
        ("googleai", "gcp.gemini"),
        ("MistralAI", "mistral_ai"),
        ("xai", "x_ai"),
        ("grok", "x_ai"),
        ("watsonx", "ibm.watsonx.ai"),
        ("moonshot", "moonshot_ai"),
    ],
)
def test_an_alias_is_replaced_in_any_case_and_with_blanks_around_it(alias: str, name: str) -> None:
    assert names(alias, alias.upper(), f" {alias} ") == [name] * 3


def test_a_canonical_name_stays_and_is_no_alias_of_another() -> None:
    assert names(*CANONICAL.values()) == list(CANONICAL.values())
    assert not set(CANONICAL) & set(CANONICAL.values())


@pytest.mark.parametrize(
    "framework", ["strands-agents", "microsoft.agent_framework", "autogen", "spring_ai", "gcp.vertex.agent", "unknown"]
)
def test_a_framework_that_names_itself_is_no_provider(framework: str) -> None:
    assert names(framework, framework.upper()) == ["", ""]


def test_an_unknown_provider_is_kept_in_lower_case_and_none_is_empty() -> None:
    assert names("Acme LLM", None, "", "groq") == ["acme llm", "", "", "groq"]
    assert names() == []


def test_aliases_of_one_provider_share_one_entry_of_the_dictionary() -> None:
    column = canonical(pa.array(["OpenAI", "openai", None, "openai-chat"]))
    assert column.dictionary.to_pylist() == ["openai", ""]


def test_the_current_attribute_comes_before_the_deprecated_one() -> None:
    assert only({"gen_ai.system": "vertex_ai"})["provider"] == "gcp.vertex_ai"
    assert only({"gen_ai.system": "vertex_ai", "gen_ai.provider.name": "openai"})["provider"] == "openai"
    assert only({"gen_ai.system": "vertex_ai", "gen_ai.provider.name": ""})["provider"] == "gcp.vertex_ai"
    assert only({"gen_ai.request.model": "gpt-4o"})["provider"] == ""
