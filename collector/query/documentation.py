"""The page at `/docs`: the OpenAPI document as one HTML page that loads nothing.

FastAPI's own page loads its scripts from a content delivery network. A collector often runs where there is none, and
should not run other people's scripts on a page beside its data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

CONTENT_SECURITY_POLICY = "default-src 'none'; style-src 'unsafe-inline'"

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "table{border-collapse:collapse;width:100%}td,th{border:1px solid #ccc;padding:.3rem .6rem;text-align:left;"
    "vertical-align:top}code{font-size:.9em}h2{margin-top:2.5rem}"
)


def documentation_page(openapi: Mapping[str, Any]) -> str:
    """Return the HTML page of an OpenAPI 3.1 document: its operations, then its schemas."""
    title = escape(f"{openapi['info']['title']} {openapi['info']['version']}")
    operations = "".join(
        _operation(method, path, operation)
        for path, methods in openapi["paths"].items()
        for method, operation in methods.items()
    )
    schemas = "".join(_schema(name, schema) for name, schema in openapi["components"]["schemas"].items())
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><style>{_STYLE}</style>'
        f"<h1>{title}</h1><p>{escape(openapi['info'].get('description', ''))} "
        f'The same for programs: <a href="openapi.json">openapi.json</a>.</p>'
        f"{operations}<h2>Schemas</h2>{schemas}</html>"
    )


def _operation(method: str, path: str, operation: Mapping[str, Any]) -> str:
    parameters = [
        (each["name"], each["in"], _type(each["schema"]), each.get("description", ""))
        for each in operation.get("parameters", ())
    ]
    responses = [
        (status, response["description"], _type(_body(response))) for status, response in operation["responses"].items()
    ]
    return (
        f"<h2><code>{escape(method.upper())} {escape(path)}</code></h2>"
        f"<p>{escape(operation.get('description', ''))}</p>"
        + (_table(("Parameter", "In", "Type", "Meaning"), parameters) if parameters else "")
        + (f"<p>Body: {_type(_body(operation['requestBody']))}</p>" if "requestBody" in operation else "")
        + _table(("Status", "Meaning", "Body"), responses)
    )


def _body(response: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the schema of a response's body, of whatever media type."""
    contents = list(response.get("content", {}).values())
    schema: Mapping[str, Any] = contents[0].get("schema", {}) if contents else {}
    return schema


def _schema(name: str, schema: Mapping[str, Any]) -> str:
    fields = [(field, _type(of), of.get("description", "")) for field, of in schema.get("properties", {}).items()]
    return f'<h3 id="{escape(name)}">{escape(name)}</h3><p>{escape(schema.get("description", ""))}</p>' + _table(
        ("Field", "Type", "Meaning"), fields
    )


def _type(schema: Mapping[str, Any]) -> str:
    """Return a schema's type in words, as text."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_type(each) for each in schema["anyOf"]))
    if "enum" in schema:
        return ", ".join(map(str, schema["enum"]))
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    bounds = [
        f"{word} {schema[key]}" for key, word in (("minimum", "from"), ("maximum", "to")) if schema.get(key) is not None
    ]
    return " ".join([str(schema.get("format") or schema.get("type") or "any"), *bounds])


def _table(heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    head = "".join(f"<th>{escape(text)}" for text in heads)
    return f"<table><tr>{head}{''.join(_row(row) for row in rows)}</table>"


def _row(cells: tuple[str, ...]) -> str:
    return "<tr>" + "".join(f"<td>{escape(text)}" for text in cells)
