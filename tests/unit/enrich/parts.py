"""Canonical parts, short to write."""

from __future__ import annotations

from typing import Any


def text(content: str, **extra: Any) -> dict[str, Any]:
    return {"type": "text", "content": content, **extra}


def reasoning(content: str, **extra: Any) -> dict[str, Any]:
    return {"type": "reasoning", "content": content, **extra}


def called(name: str, arguments: Any, **extra: Any) -> dict[str, Any]:
    return {"type": "tool_call", "name": name, "arguments": arguments, **extra}


def answered(response: Any, **extra: Any) -> dict[str, Any]:
    return {"type": "tool_call_response", "response": response, **extra}


def blob(modality: str, mime_type: str, **extra: Any) -> dict[str, Any]:
    """A medium whose content is "hi" in base64."""
    return {"type": "blob", "modality": modality, "content": "aGk=", "mime_type": mime_type, **extra}
