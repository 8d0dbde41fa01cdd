"""The API reference as one HTML page, without scripts: what `/api/docs` shows."""

from __future__ import annotations

import json
import re
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

Document = dict[str, Any]


def _resolve(document: Document, schema: Document) -> Document:
    reference = schema.get("$ref", "")
    if not reference:
        return schema
    name = reference.rpartition("/")[2]
    found: Document = document["components"]["schemas"][name]
    return {**found, "title": name}


def _type_of(schema: Document) -> str:
    """A schema in a few words: `string, 3 to 30 characters`, `array of PostSummary`, ..."""
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2])
    for word in ("anyOf", "oneOf"):
        if word in schema:
            return " or ".join(_type_of(option) for option in schema[word])
    if "const" in schema:
        return json.dumps(schema["const"])
    if "enum" in schema:
        return " or ".join(json.dumps(value) for value in schema["enum"])
    kind = schema.get("type", "any")
    if kind == "array":
        return f"array of {_type_of(schema.get('items', {}))}"
    parts = [str(schema.get("format", kind))]
    low, high = schema.get("minLength"), schema.get("maxLength")
    if high is not None:
        parts.append(f"{low or 0} to {high} characters")
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None or high is not None:
        parts.append(f"{'' if low is None else low} to {'' if high is None else high}".strip())
    return ", ".join(parts)


def _fields(document: Document, schema: Document) -> list[Document]:
    resolved = _resolve(document, schema)
    if resolved.get("type") == "array":
        resolved = _resolve(document, resolved.get("items", {}))
    required = set(resolved.get("required", ()))
    return [
        {
            "name": name,
            "type": _type_of(field),
            "required": name in required,
            "description": field.get("description", ""),
        }
        for name, field in resolved.get("properties", {}).items()
    ]


def _code(text: str) -> Markup:
    """`text` with its backticked spans as code."""
    marked = re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text)))
    return Markup(marked)  # noqa: S704 - escaped in the line above


def render_page(document: Document) -> str:
    """The page for a merged OpenAPI document; pure."""
    environment = Environment(
        loader=PackageLoader("titanium.reference"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["code"] = _code
    environment.globals.update(
        type_of=_type_of,
        fields=lambda schema: _fields(document, schema),
    )
    groups: dict[str, list[Document]] = {}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            entry = {"path": path, "method": method.upper(), **operation}
            groups.setdefault(operation["tags"][0], []).append(entry)
    return environment.get_template("api.html.jinja").render(document=document, groups=groups)
