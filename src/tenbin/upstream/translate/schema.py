"""JSON schemas that both providers' structured outputs take."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tenbin.errors import RequestError

MAX_DEPTH = 64
_SHARED = frozenset(
    {"type", "properties", "required", "additionalProperties", "items", "anyOf", "allOf", "enum", "const", "$ref"}
    | {"$defs", "definitions", "description", "title", "format", "default"}
)
_INNER_MAPS = ("properties", "$defs", "definitions")
_INNER_LISTS = ("anyOf", "allOf")
_FORMATS = frozenset(
    {"date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"},
)


def to_anthropic_schema(schema: Mapping[str, Any], depth: int = 0) -> dict[str, Any]:
    """A schema as Anthropic's constrained decoding takes it: closed objects, and no limits on numbers or lengths.

    Closing an object only narrows what may be said, but for one with free names (`has_free_names`). A limit that
    cannot be enforced is told in the description, as Anthropic's own client does. Raises RequestError for one nested
    deeper than anybody means.
    """
    if depth > MAX_DEPTH:
        raise RequestError(400, "invalid_value", f"a JSON schema may be nested {MAX_DEPTH} levels deep")
    kept: dict[str, Any] = {}
    told: list[str] = []
    for key, value in schema.items():
        if key in _INNER_MAPS and isinstance(value, Mapping):
            kept[key] = {name: _inner(inner, depth) for name, inner in value.items()}
        elif key in _INNER_LISTS and isinstance(value, list):
            kept[key] = [_inner(inner, depth) for inner in value]
        elif key == "oneOf" and isinstance(value, list):
            kept["anyOf"] = [_inner(inner, depth) for inner in value]
        elif key == "items":
            kept[key] = _inner(value, depth)
        elif key == "additionalProperties":
            continue
        elif key in _SHARED and not (key == "format" and value not in _FORMATS):
            kept[key] = value
        elif not key.startswith("$"):
            told.append(f"{key}: {value}")
    if schema.get("type") == "object" or "properties" in schema:
        kept["additionalProperties"] = False
    if told:
        kept["description"] = "\n\n".join(filter(None, [kept.get("description"), "{" + ", ".join(told) + "}"]))
    return kept


def _inner(schema: Any, depth: int) -> Any:
    return to_anthropic_schema(schema, depth + 1) if isinstance(schema, Mapping) else schema


def is_openai_strict(schema: Any, depth: int = 0) -> bool:
    """Whether OpenAI's strict mode takes a schema: every object closed, every property required."""
    if not isinstance(schema, Mapping):
        return True
    if depth > MAX_DEPTH:
        return False
    properties = schema.get("properties")
    if schema.get("type") == "object" or properties:
        names = set(properties) if isinstance(properties, Mapping) else set()
        required = schema.get("required") or []
        if schema.get("additionalProperties") is not False or names != {str(name) for name in required}:
            return False
    return all(is_openai_strict(inner, depth + 1) for inner in _inside(schema))


def has_free_names(schema: Any, depth: int = 0) -> bool:
    """Whether a schema has an object whose properties nobody listed, such as a table by name: closed, it is empty."""
    if not isinstance(schema, Mapping) or depth > MAX_DEPTH:
        return False
    more, kind = schema.get("additionalProperties"), schema.get("type")
    is_object = kind == "object" or (isinstance(kind, list) and "object" in kind)
    if is_object and (isinstance(more, Mapping) or ("properties" not in schema and more is not False)):
        return True
    return "patternProperties" in schema or any(has_free_names(inner, depth + 1) for inner in _inside(schema))


def _inside(schema: Mapping[str, Any]) -> Iterator[Any]:
    """The schemas right inside another one."""
    yield schema.get("items")
    for key in (*_INNER_MAPS, *_INNER_LISTS, "oneOf"):
        inner = schema.get(key)
        yield from inner.values() if isinstance(inner, Mapping) else inner if isinstance(inner, list) else ()
