from typing import Any


def canonical_messages(value: Any, default_role: str) -> list[dict[str, Any]] | None:
    return None


def system_parts(value: Any) -> list[dict[str, Any]] | None:
    return None


def tool_definitions(value: Any) -> list[dict[str, Any]] | None:
    return None
