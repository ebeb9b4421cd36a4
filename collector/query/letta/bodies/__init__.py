"""The bodies that a model call exchanged with its provider: as its span carries them, or rebuilt from what is stored of it.

Rebuilding is pure: a `Call` in, a JSON object out, in the form of the provider's own API, one module each. A body says the
same as the one that was sent, not in the same bytes: where an API has two ways to say something, the shorter one is used.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from collector.query.letta.bodies.call import Call, call_of
from collector.query.letta.bodies.forms import form_of
from collector.query.letta.bodies.reported import reported_request, reported_response
from collector.query.reader import Row
from collector.settings_attributes import LettaAttributes

__all__ = ["Bodies", "Call", "bodies", "call_of"]

Body = Mapping[str, Any]


@dataclass(frozen=True)
class Bodies:
    """Request and response of one model call."""

    request: Body
    response: Body
    request_reported: bool
    """The request is the one that the span carries; otherwise it is rebuilt."""
    response_reported: bool
    """The response is the one that the span carries; otherwise it is rebuilt."""

    @property
    def origin(self) -> str:
        """Where both come from, as the API says it: ``request=reported, response=rebuilt``."""
        request, response = (
            "reported" if reported else "rebuilt" for reported in (self.request_reported, self.response_reported)
        )
        return f"request={request}, response={response}"


def bodies(row: Row, names: LettaAttributes) -> Bodies:
    """Return request and response of the model call that a span's row describes."""
    request, response = reported_request(row, names.request), reported_response(row, names.response)
    if request is not None and response is not None:
        return Bodies(request, response, True, True)
    call = call_of(row)
    form = form_of(call)
    return Bodies(
        form.request(call) if request is None else request,
        form.response(call) if response is None else response,
        request is not None,
        response is not None,
    )
