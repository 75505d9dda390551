"""JSON schemas that both providers take."""

from __future__ import annotations

from typing import Any

import pytest

from tenbin.errors import RequestError
from tenbin.upstream.translate.schema import MAX_DEPTH, has_free_names, is_openai_strict, to_anthropic_schema


def nested(depth: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(depth):
        schema = {"type": "array", "items": schema}
    return schema


def test_every_object_is_closed_and_every_limit_told() -> None:
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {
            "list": {"type": "array", "items": {"type": "object", "properties": {}}, "maxItems": 2},
            "one": {"oneOf": [{"type": "string", "format": "email"}, {"type": "string", "format": "phone"}]},
            "ref": {"$ref": "#/$defs/n"},
        },
        "$defs": {"n": {"type": "integer", "description": "A number", "minimum": 1}},
        "additionalProperties": True,
    }
    assert to_anthropic_schema(schema) == {
        "type": "object",
        "properties": {
            "list": {
                "type": "array",
                "items": {"type": "object", "properties": {}, "additionalProperties": False},
                "description": "{maxItems: 2}",
            },
            "one": {
                "anyOf": [
                    {"type": "string", "format": "email"},
                    {"type": "string", "description": "{format: phone}"},
                ]
            },
            "ref": {"$ref": "#/$defs/n"},
        },
        "$defs": {"n": {"type": "integer", "description": "A number\n\n{minimum: 1}"}},
        "additionalProperties": False,
    }


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "string"}, True),
        ({"type": "object", "properties": {}, "additionalProperties": False}, True),
        ({"type": "object", "properties": {"a": {}}, "required": ["a"], "additionalProperties": False}, True),
        ({"type": "object", "properties": {"a": {}}, "additionalProperties": False}, False),
        ({"type": "object", "properties": {}}, False),
        ({"type": "array", "items": {"type": "object"}}, False),
        ({"anyOf": [{"type": "object"}, {"type": "null"}]}, False),
        ({"$defs": {"x": {"type": "object"}}, "$ref": "#/$defs/x"}, False),
        ({"properties": 3, "anyOf": "x", "type": []}, False),
        (nested(MAX_DEPTH), True),
        (nested(500), False),
    ],
)
def test_what_openais_strict_mode_takes(schema: dict[str, Any], expected: bool) -> None:
    assert is_openai_strict(schema) is expected


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "object", "properties": {"a": {"type": "string"}}}, False),
        ({"type": "object", "properties": {}, "additionalProperties": True}, False),
        ({"type": "object", "additionalProperties": False}, False),
        ({"type": "object"}, True),
        ({"type": ["object", "null"]}, True),
        ({"type": "object", "properties": {"a": {}}, "additionalProperties": {"type": "string"}}, True),
        ({"type": "array", "items": {"type": "object", "patternProperties": {"^a": {}}}}, True),
        ({"$defs": {"x": {"oneOf": [{"type": "null"}, {"type": "object"}]}}, "$ref": "#/$defs/x"}, True),
        (3, False),
        (nested(500), False),
    ],
)
def test_objects_that_would_be_empty_once_closed(schema: Any, expected: bool) -> None:
    assert has_free_names(schema) is expected


def test_a_schema_without_bottom_is_refused() -> None:
    with pytest.raises(RequestError, match="levels deep"):
        to_anthropic_schema(nested(500))
