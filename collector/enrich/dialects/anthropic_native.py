"""The spans of Anthropic's own clients (2.x), which they make as soon as there is a tracer provider.

- The only sender that splits cache writes by how long they are kept (five minutes, an hour).
- The reason why the model stopped is `anthropic.message.stop_reason`, the tier that was billed
  `anthropic.response.service_tier`; what was asked for is beside it.
- Counting tokens is a call of its own, which nobody is billed for: its count is no usage.
- A tool runner is an agent around the calls; batches, sessions and files are calls without usage.
- An instrumentation above the client reports the same call once more: its span is a wrapper.
"""

from __future__ import annotations

from collector.enrich.dialects.dialect import Dialect

DIALECT = Dialect(
    name="anthropic",
    scopes=("com.anthropic.sdk.*", "com.anthropic.claude-platform"),
    inclusive=True,
    text={
        "session_id": ("gen_ai.conversation.id", "anthropic.session.thread.id", "anthropic.session.id"),
        "service_tier": ("anthropic.response.service_tier", "anthropic.request.service_tier"),
    },
    content={"output": ("gen_ai.output.messages", "anthropic.tool_result.content")},
    tokens={"cache_write_1h_tokens": ("anthropic.usage.cache_creation.ephemeral_1h_input_tokens",)},
    lists={"finish_reasons": ("gen_ai.response.finish_reasons", "anthropic.message.stop_reason")},
)
