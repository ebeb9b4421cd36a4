"""OpenAI's text completions, from before there was chat."""

from __future__ import annotations

from collector.query.letta.bodies.call import Call, Json, Message, as_text, known, parameters, stream
from collector.query.letta.bodies.openai import FINISHES, PARAMETERS, usage


def request(call: Call) -> Json:
    """Return the body of the request."""
    prompts = [_text(message) for message in call.asked]
    prompt = prompts[0] if len(prompts) == 1 else prompts
    return {"model": call.model, "prompt": prompt, **stream(call), **parameters(call, PARAMETERS)}


def response(call: Call) -> Json:
    """Return the body of the response; with what had come of it, if the call failed."""
    if call.error is not None and not call.answered:
        return {"error": call.error}
    body: Json = {
        "id": call.response_id or None,
        "object": "text_completion",
        "model": call.response_model or call.request_model,
        "choices": [
            {"index": index, "text": _text(message), "finish_reason": call.finish(index, FINISHES)}
            for index, message in enumerate(call.answered)
        ],
        "usage": usage(call.usage) or None,
        "error": call.error,
    }
    return known(body)


def _text(message: Message) -> str:
    return "\n".join(as_text(part["content"]) for part in message["parts"] if part.get("content"))
