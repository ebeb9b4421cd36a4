"""Microsoft: Azure's AI clients, Semantic Kernel, AutoGen, the Agent Framework, and Microsoft.Extensions.AI of .NET.

All write the conventions of their time; the differences are these:

- Azure AI (azure-ai-inference 1.0b9, -agents 1.1, -projects 2.10): messages as events whose body is in the attribute
  `gen_ai.event.content`; a thread is the session; no cached tokens. Runs of an agent report what the service used for them.
- Semantic Kernel (1.45; .NET): `finish_reason` in the singular, and of Python the name of an enumeration;
  the type of an error as Python prints a class; messages of agents as OpenAI writes them. Those of models are log records.
- AutoGen (0.7): agents and tools, no model calls, no usage.
- Agent Framework (1.23) passes on the provider's usage, which Anthropic and Bedrock count without cached tokens.
- .NET once wrote `gen_ai.response.input_tokens` (dotnet/extensions#6493): see `genai`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from collector.enrich.dialects.dialect import Dialect
from collector.enrich.dialects.reading import conventional_content, finish_reasons
from collector.enrich.span_view import SpanView


def read_azure(view: SpanView) -> Mapping[str, Any]:
    """Return messages in canonical form, and the finish reasons that only they hold."""
    found = conventional_content(view)
    return {**found, "finish_reasons": None if "gen_ai.response.finish_reasons" in view.attributes else _reasons(found)}


def _reasons(found: Mapping[str, Any]) -> list[str] | None:
    return finish_reasons(found.get("output"))


def read_semantic_kernel(view: SpanView) -> Mapping[str, Any]:
    """Return messages in canonical form, finish reasons and the type of the error without what Python adds to them."""
    reasons = view.text("gen_ai.response.finish_reason")
    failure = re.fullmatch(r"<class '(.+)'>", view.text("error.type") or "")
    return {
        **conventional_content(view),
        "finish_reasons": [_reason(each) for each in reasons.split(",")] if reasons else None,
        "error_type": failure[1] if failure else None,
    }


def _reason(text: str) -> str:
    return text.strip().removeprefix("FinishReason.").lower()


AZURE = Dialect(
    name="azure_ai",
    scopes=("azure.core.tracing.ext.opentelemetry_span", "azure.ai.*", "azure-ai-*"),
    markers=("gen_ai.thread.id", "gen_ai.thread.run.*", "gen_ai.run_step.*"),
    text={"session_id": ("gen_ai.conversation.id", "gen_ai.thread.id")},
    content={"system_instructions": ("gen_ai.system_instructions", "gen_ai.system.instructions")},
    read=read_azure,
)

SEMANTIC_KERNEL = Dialect(
    name="semantic_kernel",
    scopes=("semantic_kernel.*", "Microsoft.SemanticKernel*"),
    markers=("sk.available_functions",),
    kinds_of_names={"AutoFunctionInvocationLoop": "CHAIN"},
    tokens={
        "input_tokens": ("gen_ai.usage.input_tokens", "gen_ai.response.prompt_tokens"),
        "output_tokens": ("gen_ai.usage.output_tokens", "gen_ai.response.completion_tokens"),
    },
    read=read_semantic_kernel,
)

AUTOGEN = Dialect(name="autogen", scopes=("autogen-*", "autogen_*"))

AGENT_FRAMEWORK = Dialect(name="agent_framework", scopes=("agent_framework", "agent_framework.*"), passes_on=True)

EXTENSIONS_AI = Dialect(
    name="extensions_ai",
    scopes=(
        "Experimental.Microsoft.Extensions.AI*",
        "Microsoft.Extensions.AI*",
        "Experimental.Microsoft.Agents.AI*",
        "Microsoft.Agents.AI*",
    ),
)

DIALECTS = (AZURE, SEMANTIC_KERNEL, AUTOGEN, AGENT_FRAMEWORK, EXTENSIONS_AI)
