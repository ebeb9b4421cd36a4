"""Answers held against a transcribed document: tests/contract/*.yaml.

A contract has `shapes` (name -> field -> {type, nullable}, in the documented order) and `enums` (name -> values). A type is
the name of a shape or of an enum, "list of TYPE", or one of `SIMPLE_TYPES`.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

CONTRACTS = Path(__file__).parents[1] / "contract"


def contract(name: str) -> dict[str, Any]:
    """The transcription of this name."""
    found: dict[str, Any] = yaml.safe_load((CONTRACTS / f"{name}.yaml").read_text(encoding="utf-8"))
    return found


def is_number(value: Any) -> bool:
    """Whether it is a JSON number."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_uuid(value: Any) -> bool:
    """Whether it is a UUID with dashes."""
    return isinstance(value, str) and str(uuid.UUID(value)) == value


def is_date_time(value: Any) -> bool:
    """Whether it is a time as RFC 3339 has it, in UTC."""
    if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", value):
        return False
    return datetime.fromisoformat(value).tzinfo is not None


SIMPLE_TYPES: dict[str, Callable[[Any], bool]] = {
    "any": lambda value: True,
    "uuid": is_uuid,
    "string": lambda value: isinstance(value, str),
    "date-time": is_date_time,
    "number": is_number,
    "integer": lambda value: is_number(value) and isinstance(value, int),
    "object": lambda value: isinstance(value, dict),
}


def violations(of: Mapping[str, Any], value: Any, of_type: str, where: str = "$") -> Iterator[str]:
    """Yield a line for everything in which `value` is not what the contract says."""
    if of_type.startswith("list of "):
        if not isinstance(value, list):
            yield f"{where} is not a list"
            return
        for index, item in enumerate(value):
            yield from violations(of, item, of_type.removeprefix("list of "), f"{where}[{index}]")
    elif of_type in of["shapes"]:
        shape = of["shapes"][of_type]
        if not isinstance(value, dict) or list(value) != list(shape):
            yield f"{where} is {value!r:.200}, not the fields {list(shape)}"
            return
        for field, rule in shape.items():
            if value[field] is None:
                if not rule["nullable"]:
                    yield f"{where}.{field} is null"
            else:
                yield from violations(of, value[field], rule["type"], f"{where}.{field}")
    elif of_type in of["enums"]:
        if value not in of["enums"][of_type]:
            yield f"{where} is {value!r}"
    elif not SIMPLE_TYPES[of_type](value):
        yield f"{where} is {value!r}, not {of_type}"


def declared(of: Mapping[str, Any], schema: Mapping[str, Any]) -> tuple[str, bool]:
    """Return the contract's type and nullability for a field of an OpenAPI document."""
    if "anyOf" in schema:
        branches = [branch for branch in schema["anyOf"] if branch.get("type") != "null"]
        return declared(of, branches[0])[0] if branches[0] else "any", len(branches) < len(schema["anyOf"])
    if "$ref" in schema:
        return schema["$ref"].rpartition("/")[2], False
    if "enum" in schema:
        return next(name for name, values in of["enums"].items() if values == schema["enum"]), False
    if schema.get("type") == "array":
        return f"list of {declared(of, schema['items'])[0]}", False
    if "examples" in schema and "T" in str(schema["examples"][0]):
        return "date-time", False
    return schema.get("type", "any"), False


def openapi_differences(of: Mapping[str, Any], schemas: Mapping[str, Any], shape: str) -> Iterator[str]:
    """Yield a line for everything in which an OpenAPI document declares another shape than the contract has."""
    schema, fields = schemas[shape], of["shapes"][shape]
    if schema["required"] != list(fields):
        yield f"{shape} requires {schema['required']}"
    if schema["additionalProperties"] is not False:
        yield f"{shape} allows other fields"
    for field, rule in fields.items():
        found = declared(of, schema["properties"][field])
        if found != (rule["type"], rule["nullable"]):
            yield f"{shape}.{field} is declared as {found}"
