"""What the documented APIs change: deletions, reviews and tags. The store's side implements `Editor` without importing it.

Every method returns when the change can be read, and raises `collector.errors.Retryable` or `Permanent` when it cannot be
made. Ids are lowercase hex, times ns since 1970.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

Label = Literal["positive", "negative"]


@dataclass(frozen=True)
class Feedback:
    """What somebody thinks of a trace, or of one span of it. It replaces an earlier one with the same id."""

    feedback_id: str
    """A UUID with dashes."""
    trace_id: str
    span_id: str
    """Empty: of the whole trace."""
    user_id: str = ""
    """Who says so."""
    label: Label | Literal[""] = ""
    score: float | None = None
    content: str = ""
    tags: tuple[str, ...] = ()
    source: str = ""
    """The API that it came by: native, letta, ..."""
    created_at: int = 0


@dataclass(frozen=True)
class Approval:
    """The output of a span as a reviewer wants it; the latest of a span stands."""

    trace_id: str
    span_id: str
    output: str
    """JSON. Equal to the output of the span: accepted as it is."""
    user_id: str = ""
    created_at: int = 0


class Editor(Protocol):
    """Changes what is stored."""

    def wait_until_stored(self) -> None:
        """Return when everything that was acknowledged before can be read."""

    def delete_traces(self, project: str, trace_ids: Sequence[str]) -> int:
        """Delete these traces, and whatever arrives of them later; return how many of them there were."""

    def delete_session(self, project: str, session_id: str) -> int:
        """Delete the traces of a session that have begun before now, also those that arrive later; return how many."""

    def delete_user(self, project: str, user_id: str) -> int:
        """Delete the traces of a user that have begun before now, also those that arrive later; return how many."""

    def add_feedback(self, project: str, feedback: Sequence[Feedback]) -> Sequence[Feedback]:
        """Store what people think, and return it with the time at which it was first given."""

    def remove_feedback(self, project: str, trace_id: str, feedback_id: str) -> bool:
        """Take one back; return whether there was one."""

    def set_approval(self, project: str, approval: Approval) -> Approval:
        """Store the output that a reviewer approves of, and return it with its time; the same again changes nothing."""

    def edit_tags(self, project: str, trace_ids: Sequence[str], add: Sequence[str], remove: Sequence[str]) -> int:
        """Add tags to traces and remove others; return how many of the traces there are."""
