"""GitHub Copilot: the chat of VS Code, and the command line program.

Source: src/platform/otel of microsoft/vscode-copilot-chat, and GitHub's documentation of both.

The conventions, but for reasoning tokens, the session, and the time to the first token in milliseconds. `invoke_agent`
repeats the sum of the model calls below it.
"""

from __future__ import annotations

from collector.enrich.dialects.dialect import Dialect

DIALECT = Dialect(
    name="copilot",
    scopes=("copilot-chat", "github.copilot*"),
    markers=("copilot_chat.*", "github.copilot.*"),
    text={"session_id": ("gen_ai.conversation.id", "copilot_chat.chat_session_id", "copilot_chat.session_id")},
    tokens={"reasoning_tokens": ("gen_ai.usage.reasoning.output_tokens", "gen_ai.usage.reasoning_tokens")},
)
