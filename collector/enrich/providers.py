"""Canonical provider names: the values of `gen_ai.provider.name` in the semantic conventions, and their aliases."""

from __future__ import annotations

import pyarrow as pa

_ALIASES = {
    "openai": ("openai.chat", "openai.responses", "openai.completion", "openai-chat"),
    "anthropic": ("anthropic.messages",),
    "azure.ai.openai": ("az.ai.openai", "azure", "azure_openai", "azure-openai"),
    "azure.ai.inference": ("az.ai.inference", "azure_ai"),
    "aws.bedrock": ("aws", "bedrock", "aws_bedrock", "amazon_bedrock", "amazon-bedrock", "bedrock_converse"),
    "gcp.vertex_ai": ("vertex_ai", "vertexai", "google-vertex", "google.vertex", "google_vertexai"),
    "gcp.gemini": ("gemini", "google", "google.generative-ai", "google-gla", "google_genai"),
    "mistral_ai": ("mistralai", "mistral"),
    "x_ai": ("xai", "x-ai", "grok"),
    "ibm.watsonx.ai": ("watsonx", "ibm.watson.ai"),
    "moonshot_ai": ("moonshot", "moonshotai"),
}
CANONICAL = {alias: name for name, aliases in _ALIASES.items() for alias in aliases}


def canonical(provider: pa.StringArray) -> pa.DictionaryArray:
    """Return providers under their canonical names: aliases are replaced, unknown ones kept in lower case, null is ``""``."""
    encoded = provider.fill_null("").dictionary_encode()
    names = [name.strip().lower() for name in encoded.dictionary.to_pylist()]
    unified = pa.array([CANONICAL.get(name, name) for name in names], pa.string()).dictionary_encode()
    return pa.DictionaryArray.from_arrays(unified.indices.take(encoded.indices), unified.dictionary)
