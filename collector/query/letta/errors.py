"""How Letta's API tells of errors."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from collector.query.errors import Failure
from collector.query.letta.parameters import STEP_EXAMPLE

_STEP_ID = "path -> step_id"
_FIXED = {401: "Unauthorized", 500: "An unknown error occurred"}


class LettaProblem(BaseModel):
    """Why there is no answer."""

    detail: str


class LettaValidationProblem(LettaProblem):
    """The request is not valid, or asks for more than a query may cost (then only `detail`)."""

    trace_id: str = ""
    examples: list[str] = []


def letta_body(failure: Failure) -> dict[str, Any]:
    """``{"detail": sentence}``; of parameters that are wrong, `detail` is the text of a list of what is wrong with which."""
    if not failure.fields:
        return {"detail": _FIXED.get(failure.status, failure.message)}
    wrong = [
        {
            "loc": tuple(field["field"].split(" -> ")),
            "msg": "String should match pattern 'step-{uuid4}'" if field["field"] == _STEP_ID else field["message"],
        }
        for field in failure.fields
    ]
    body: dict[str, Any] = {"trace_id": "", "detail": str(wrong)}
    if any(field["field"] == _STEP_ID for field in failure.fields):
        body["examples"] = [STEP_EXAMPLE]
    return body
