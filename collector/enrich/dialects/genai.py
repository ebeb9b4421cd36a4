"""The OpenTelemetry GenAI semantic conventions, as they are now.

Source: open-telemetry/semantic-conventions-genai (the conventions moved there after v1.41 of the general ones), cross-read
with opentelemetry-util-genai 1.3. Behind each current key stand the names that the conventions themselves have deprecated
in favour of it, since released instrumentations still send them.
"""

from dataclasses import replace

from collector.enrich.dialects.dialect import Dialect

DIALECT = Dialect(
    name="genai",
    text={
        "operation": ("gen_ai.operation.name", "mcp.method.name"),
        "provider": ("gen_ai.provider.name", "gen_ai.system"),
        "request_model": ("gen_ai.request.model",),
        "response_model": ("gen_ai.response.model",),
        "response_id": ("gen_ai.response.id",),
        "session_id": ("gen_ai.conversation.id", "session.id"),
        "user_id": ("user.id", "enduser.id"),
        "agent_name": ("gen_ai.agent.name",),
        "tool_name": ("gen_ai.tool.name",),
        "tool_call_id": ("gen_ai.tool.call.id",),
        "error_type": ("error.type",),
        "prompt_name": ("gen_ai.prompt.name",),
        "prompt_version": ("gen_ai.prompt.version",),
        "service_tier": (
            "openai.response.service_tier",
            "gen_ai.openai.response.service_tier",
            "openai.request.service_tier",
            "gen_ai.openai.request.service_tier",
        ),
        "server_address": ("server.address",),
    },
    content={
        "input": (
            "gen_ai.input.messages",
            "gen_ai.tool.call.arguments",
            "gen_ai.retrieval.query.text",
            "gen_ai.memory.query.text",
            "gen_ai.prompt",
        ),
        "output": (
            "gen_ai.output.messages",
            "gen_ai.tool.call.result",
            "gen_ai.retrieval.documents",
            "gen_ai.memory.records",
            "gen_ai.completion",
        ),
        "system_instructions": ("gen_ai.system_instructions",),
        "tool_definitions": ("gen_ai.tool.definitions",),
    },
    tokens={
        # The names with `response` are of early releases of Microsoft.Extensions.AI (dotnet/extensions#6493).
        "input_tokens": ("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens", "gen_ai.response.input_tokens"),
        "output_tokens": (
            "gen_ai.usage.output_tokens",
            "gen_ai.usage.completion_tokens",
            "gen_ai.response.output_tokens",
        ),
        "total_tokens": ("gen_ai.usage.total_tokens",),
        "cache_read_tokens": ("gen_ai.usage.cache_read.input_tokens",),
        "cache_write_tokens": ("gen_ai.usage.cache_write.input_tokens", "gen_ai.usage.cache_creation.input_tokens"),
        "reasoning_tokens": ("gen_ai.usage.reasoning.output_tokens",),
        "input_audio_tokens": ("gen_ai.usage.audio.input_tokens",),
        "output_audio_tokens": ("gen_ai.usage.audio.output_tokens",),
        "cache_read_audio_tokens": ("gen_ai.usage.audio.cache_read.input_tokens",),
        "input_image_tokens": ("gen_ai.usage.image.input_tokens",),
        "cache_read_image_tokens": ("gen_ai.usage.image.cache_read.input_tokens",),
        "output_image_tokens": ("gen_ai.usage.image.output_tokens",),
    },
    seconds={
        "time_to_first_token_ns": (
            "gen_ai.response.time_to_first_chunk",
            # Metrics of the conventions, in seconds, whose names are on spans of the AI SDK 7, and of OpenLIT.
            "gen_ai.client.operation.time_to_first_chunk",
            "gen_ai.server.time_to_first_token",
        )
    },
    milliseconds={
        "time_to_first_token_ns": (
            "ai.response.msToFirstChunk",
            "ai.stream.msToFirstChunk",
            "copilot_chat.time_to_first_token",
        )
    },
    lists={"finish_reasons": ("gen_ai.response.finish_reasons",), "tags": ("tag.tags",)},
    amounts={"cost_reported": ("gen_ai.usage.cost", "operation.cost")},
    flags={"streaming": ("gen_ai.request.stream",)},
)

BEDROCK = replace(DIALECT, scopes=("opentelemetry.instrumentation.genai.bedrock",), inclusive=False)
"""The one of these instrumentations (1.3b0) that passes on the input tokens of Bedrock's Converse API, which leave out the
cached ones."""

INSTRUMENTATIONS = replace(DIALECT, scopes=("opentelemetry.instrumentation.genai.*",), inclusive=True)
"""The instrumentations of the OpenTelemetry project: their input tokens include cached ones, as the conventions say."""
