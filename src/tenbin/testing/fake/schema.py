"""A value that a JSON schema allows: what a model would fill in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

PLAIN: Mapping[str, Any] = {"string": "text", "integer": 1, "number": 1.5, "boolean": True, "null": None}
MAX_DEPTH = 16


def instance_of(schema: Any, depth: int = 0) -> Any:
    """The plainest value that fits a JSON schema of the usual words: type, properties, items, enum, const, anyOf."""
    if not isinstance(schema, dict) or depth > MAX_DEPTH:
        return "text"
    if "const" in schema:
        return schema["const"]
    if schema.get("enum"):
        return schema["enum"][0]
    alternatives = schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf")
    if alternatives:
        return instance_of(alternatives[0], depth + 1)
    kind = schema.get("type", "object")
    kind = kind[0] if isinstance(kind, list) and kind else kind
    if kind == "object":
        return {name: instance_of(inner, depth + 1) for name, inner in (schema.get("properties") or {}).items()}
    return [instance_of(schema.get("items"), depth + 1)] if kind == "array" else PLAIN.get(kind, "text")
