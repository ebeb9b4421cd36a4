"""Gemini CLI.

Source: packages/core/src/telemetry/trace.ts and core/loggingContentGenerator.ts of google-gemini/gemini-cli.

- Operations of its own (`llm_call`, `tool_call`, `agent_call`, `user_prompt`...): see `kinds`.
- Messages are in Gemini's form under the conventions' keys, those of tools are what they were given and gave; before 0.2x
  both are in `input-json` and `output-json`. They may be cut in the middle of the JSON: then they stay text.
- `gen_ai.prompt.name` is the id of a prompt, which is no name of a template.
- Input tokens include cached ones, which are not split off; output tokens lack the thoughts, which are not reported.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from collector.enrich.dialects.dialect import Dialect
from collector.enrich.dialects.reading import conventional_content, said
from collector.enrich.span_view import SpanView


def read(view: SpanView) -> Mapping[str, Any]:
    """Return messages in canonical form; of tools, what they were given and gave."""
    found: dict[str, Any] = {"provider": None if view.get("gen_ai.provider.name", "gen_ai.system") else _PROVIDER}
    if view.get("gen_ai.operation.name") in ("llm_call", "user_prompt", "agent_call"):
        found |= conventional_content(view)
        found["prompt_name"] = "" if view.get("gen_ai.prompt.name") else None
    else:
        found["input"] = _arguments(said(view, "gen_ai.input.messages", "input-json"))
        found["output"] = said(view, "gen_ai.output.messages", "output-json")
    return found


def _arguments(request: Any) -> Any:
    """What a tool was given: its request names the tool and the call besides."""
    return request["args"] if isinstance(request, dict) and isinstance(request.get("args"), dict) else request


_PROVIDER = "gcp.gemini"

DIALECT = Dialect(
    name="gemini_cli",
    scopes=("gemini-cli",),
    inclusive=True,
    text={"tool_call_id": ("gen_ai.tool.call.id", "gen_ai.tool.call_id")},
    read=read,
)
