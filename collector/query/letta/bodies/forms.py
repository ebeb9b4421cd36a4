"""Which provider's form a model call is rebuilt in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from collector.query.letta.bodies import anthropic, bedrock, completions, gemini, openai, responses
from collector.query.letta.bodies.call import Call, Json


@dataclass(frozen=True)
class Form:
    """The form of one API."""

    request: Callable[[Call], Json]
    response: Callable[[Call], Json]


ANTHROPIC = Form(anthropic.request, anthropic.response)
BEDROCK = Form(bedrock.request, bedrock.response)
CHAT = Form(openai.request, openai.response)
COMPLETIONS = Form(completions.request, completions.response)
GEMINI = Form(gemini.request, gemini.response)
RESPONSES = Form(responses.request, responses.response)


def form_of(call: Call) -> Form:
    """Return the form of the API that a call was made to; OpenAI's chat, which most providers follow, where nothing tells.

    Google serves Anthropic's models under Anthropic's form. Where no provider is named, the model's name tells.
    """
    model = call.model.rpartition("/")[2].lower()
    unnamed, of_google = call.provider == "", call.provider.startswith("gcp.")
    if call.provider == "anthropic" or ((unnamed or of_google) and model.startswith("claude")):
        return ANTHROPIC
    if call.provider == "aws.bedrock":
        return BEDROCK
    if of_google or (unnamed and (call.operation == "generate_content" or model.startswith("gemini"))):
        return GEMINI
    if "responses" in (call.api_type, call.operation) or call.response_id.startswith("resp_"):
        return RESPONSES
    return COMPLETIONS if call.operation == "text_completion" else CHAT
